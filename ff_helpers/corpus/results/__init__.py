"""Result files of other tools: each tool is one module, and one line in READERS.

A reader recognises its tool by a file's first bytes and shape, never by its name, and yields neutral rows
(`rows.Row`): what the target answered, what judges and people said of it. docs/adding.md shows one.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol, cast

from ff_helpers.corpus.results.rows import Row, Source
from ff_helpers.registry import Entry

READERS: Final[dict[str, Entry]] = {
    "inspect": Entry("ff_helpers.corpus.results.inspect:Reader", "inspect"),
    "garak": Entry("ff_helpers.corpus.results.garak:Reader", "garak"),
    "jailbreakbench": Entry("ff_helpers.corpus.results.jailbreakbench:Reader", "jailbreakbench"),
    "harmbench": Entry("ff_helpers.corpus.results.harmbench:Reader", "harmbench"),
    "lm-eval": Entry("ff_helpers.corpus.results.lm_eval:Reader", "lm-eval"),
    "promptfoo": Entry("ff_helpers.corpus.results.promptfoo:Reader", "promptfoo"),
    "pyrit": Entry("ff_helpers.corpus.results.pyrit:Reader", "pyrit"),
    "pyrit-sets": Entry("ff_helpers.corpus.results.pyrit_sets:Reader", "pyrit-sets"),
    "strongreject": Entry("ff_helpers.corpus.results.strongreject:Reader", "strongreject"),
    "xstest": Entry("ff_helpers.corpus.results.xstest:Reader", "xstest"),
    "easyjailbreak": Entry("ff_helpers.corpus.results.easyjailbreak:Reader", "easyjailbreak"),
    "label-studio": Entry("ff_helpers.corpus.results.label_studio:Reader", "label-studio"),
    "labels": Entry("ff_helpers.corpus.results.labels:Reader", "labels"),
    "table": Entry("ff_helpers.corpus.results.table:Reader", "table"),
}
"""Every tool whose results can be read, in the order in which they are tried; the table is the last one."""

HEAD: Final = 1 << 16
"""Bytes at the beginning of a file by which a reader recognises it."""


class Reader(Protocol):
    """What a reader's module registers: a function without arguments that returns this."""

    def recognise(self, path: Path, head: bytes) -> Source | None:
        """Return what wrote the file, or None where it is another tool's.

        Raises:
            FFError: it is this tool's, but of a version that is not known, cut off, or without what a rate
                needs (a hitlog alone).
        """

    def read(self, path: Path, options: Mapping[str, str]) -> Iterator[Row]:
        """Yield every row of the file, those with a status included; nothing is dropped in silence.

        Raises:
            FFError: names file, record and field, never a text.
        """


def reader(tool: str) -> Reader:
    """Return the reader of a tool in READERS."""
    return cast("type[Reader]", READERS[tool].load())()
