"""Where traces come from: JSONL files of the project, and sets in other forms, called `KIND:NAME`.

Each form is one module, and one line in READERS. A reader is a function that takes the name after the colon
and yields traces; docs/adding.md shows one.
"""

from collections.abc import Callable, Iterable
from typing import Final, cast

from ff_helpers import paths
from ff_helpers.corpus.traces import Trace, read_traces
from ff_helpers.errors import FFError
from ff_helpers.registry import Entry, chosen, forms

READERS: Final[dict[str, Entry]] = {
    "pyrit": Entry("ff_helpers.corpus.readers.pyrit:read_set", "pyrit:refusal or pyrit:objective"),
    "index": Entry(
        "ff_helpers.corpus.readers.index:read_index", "index:PATH (ids, labels and hashes without text)"
    ),
}
"""Every form that can be read, in addition to JSONL files of traces."""
ReadsTraces = Callable[[str], Iterable[Trace]]
"""What a reader registers: a function from the name after the colon to traces."""
CALIBRATION: Final = {
    "proxies": "data/calibration/proxies.jsonl",
    "written": "data/calibration/written.jsonl",
}
"""The shipped sets for calibration: the truth is one of all five labels."""


def load_set(spec: str) -> list[Trace]:
    """Return the traces of a JSONL file, or of a set in another form, such as `pyrit:refusal`.

    A relative path is taken from the project folder.

    Raises:
        FileMissingError, BadLineError: no such trace file, or a bad line, named file:line:field.
        FFError: neither a file nor a known form (lists the forms), or its reader cannot read it.
    """
    found = chosen(spec, READERS)
    if found is not None:
        entry, name = found
        return list(cast("ReadsTraces", entry.load())(name))
    path = paths.root() / spec
    if ":" in spec and not path.exists():
        raise unknown_set(spec)
    return list(read_traces(path))


def unknown_set(spec: str) -> FFError:
    """Return the error about a trace set that is neither a file nor of a registered form."""
    return FFError(
        f"trace set {spec!r} is unknown. Allowed: {forms(READERS)}, or the path of a JSONL file of traces."
    )
