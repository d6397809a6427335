"""Sets whose text is not shipped: ids, labels and hashes, so that recorded verdicts can be replayed.

`index:PATH` reads a CSV file with one row per trace. Only a recorded ledger can grade such traces: it
finds its records by the hash of the messages. `python -m tools.generate.indexes` writes the shipped ones.
"""

import csv
import json
from collections.abc import Iterator
from typing import Final

from ff_helpers import paths
from ff_helpers.corpus.jsonl import parse_line
from ff_helpers.corpus.traces import UNNAMED, Trace
from ff_helpers.errors import FFError, quoted

COLUMNS: Final = ("trace_id", "source", "truth", "truth_space", "digest", "response_digest")


class Indexed(Trace):
    """A trace without its text.

    Attributes:
        digest: the hash of its messages, as `Trace.sha256`.
        response_digest: the hash of its response, as `Trace.response_sha256`.
    """

    digest: str
    response_digest: str

    @property
    def response(self) -> str:
        """Not here.

        Raises:
            FFError: always, so that no grader takes it for an empty response.
        """
        raise FFError(
            f"the text of {quoted(self.trace_id)} is not shipped: its set is an index of ids and labels, "
            "which only a recorded ledger can grade (recorded:PATH). To grade the set, name the set itself, "
            "such as pyrit:refusal after `make parts`."
        )

    @property
    def sha256(self) -> str:
        """The hash of the messages that are elsewhere."""
        return self.digest

    @property
    def response_sha256(self) -> str:
        """The hash of the response that is elsewhere."""
        return self.response_digest


def read_index(name: str, /) -> Iterator[Trace]:
    """Yield the traces of an index, withheld and without messages.

    Args:
        name: the path of the CSV file, from the project folder.

    Raises:
        FFError: no such file, or another table.
        BadLineError: a row is not a trace, named file:line:field.
    """
    path = paths.root() / name
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise FFError(f"{path}: not an index of traces. Its columns are {', '.join(COLUMNS)}.")
            for row in reader:
                text = json.dumps(row | {"model": UNNAMED, "messages": [], "withheld": True})
                yield parse_line(Indexed, text, path=path, line=reader.line_num)
    except (OSError, UnicodeDecodeError) as error:
        raise FFError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}.") from None
