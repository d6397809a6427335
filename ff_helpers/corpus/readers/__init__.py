"""Trace sets in other forms than ours: `KIND:NAME`, one module per form, one line in READERS.

A reader is a function that takes the name after the colon and yields traces; docs/adding.md shows one.
"""

from collections.abc import Iterable
from typing import Final, Protocol

from ff_helpers.corpus.traces import Trace
from ff_helpers.errors import FFError
from ff_helpers.registry import Entry, forms

READERS: Final[dict[str, Entry]] = {
    "pyrit": Entry("ff_helpers.corpus.readers.pyrit:read_set", "pyrit:refusal or pyrit:objective"),
}
"""Every form that can be read, in addition to JSONL files of traces."""


class ReadsTraces(Protocol):
    """What a reader registers: a function from the name after the colon to traces."""

    def __call__(self, name: str, /) -> Iterable[Trace]:
        """Read them."""


class UnknownSetError(FFError):
    """A trace set that is neither a file nor of a registered form."""

    def __init__(self, spec: str) -> None:
        super().__init__(
            f"trace set {spec!r} is unknown. Allowed: {forms(READERS)}, or the path of a JSONL "
            "file of traces."
        )
