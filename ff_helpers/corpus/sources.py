"""Where traces come from: JSONL files of the project, and the other forms registered in `readers`."""

from typing import Final, cast

from ff_helpers import paths
from ff_helpers.corpus.readers import READERS, ReadsTraces, UnknownSetError
from ff_helpers.corpus.traces import Trace, read_traces
from ff_helpers.registry import chosen

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
        UnknownSetError: neither a file nor a known form; lists the forms.
        FFError: the reader of that form cannot read it.
    """
    found = chosen(spec, READERS)
    if found is not None:
        entry, name = found
        return list(cast("ReadsTraces", entry.load())(name))
    path = paths.root() / spec
    if ":" in spec and not path.exists():
        raise UnknownSetError(spec)
    return list(read_traces(path))
