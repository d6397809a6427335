"""People's labels of traces that are there: the `labels.csv` that an import writes, or one of its form.

One row per person and trace: trace_id, annotator, label, space. A label is a class of its space; an empty one
is no opinion.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ff_helpers.corpus.results import HEAD
from ff_helpers.corpus.results.reading import RecordError, header, table
from ff_helpers.corpus.results.rows import Label, Row, Source
from ff_helpers.terms import SPACES, Space, classes

COLUMNS: Final = ("trace_id", "annotator", "label", "space")
DIRECTION: Final = "each label is a class of its space; the traces are those of the folder, by their ids"


def is_by_person(path: Path) -> bool:
    """Return whether a file has the columns of people's labels."""
    with path.open("rb") as file:
        return set(COLUMNS) <= set(header(file.read(HEAD)))


class Reader:
    """Reads labels by the names of their columns."""

    def recognise(self, path: Path, head: bytes) -> Source | None:  # noqa: ARG002
        """Return that these are labels, if the four columns are there."""
        return Source("labels", None, DIRECTION) if set(COLUMNS) <= set(header(head)) else None

    def read(self, path: Path, options: Mapping[str, str]) -> Iterator[Row]:  # noqa: ARG002
        """Yield one row per trace with everybody's labels.

        Raises:
            RecordError: a label that is not of its space, an unknown space, or an empty id.
        """
        found: dict[str, tuple[str, list[Label]]] = {}
        for place, line in table(path):
            if not line["trace_id"]:
                raise RecordError(path, place, "trace_id", "it is empty")
            said = Label(line["annotator"], _space(path, place, line), line["label"] or None)
            if said.label is not None and said.label not in classes(said.space):
                allowed = f"{', '.join(classes(said.space))} (space {said.space})"
                raise RecordError(path, place, "label", f"must be one of {allowed}, or empty")
            found.setdefault(line["trace_id"], (place, []))[1].append(said)
        for trace_id, (place, labels) in found.items():
            yield Row(record=place, trace_id=trace_id, messages=(), labels=tuple(labels), refers=True)


def _space(path: Path, place: str, line: Mapping[str, str]) -> Space:
    space = next((one for one in SPACES if one == line["space"]), None)
    if space is None:
        raise RecordError(path, place, "space", f"must be one of {', '.join(SPACES)}")
    return space
