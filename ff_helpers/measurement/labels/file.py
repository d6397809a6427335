"""Files of labels: a CSV, the map of its values, and the verdicts of a ledger beside it."""

import csv
from pathlib import Path

import pandas as pd
import yaml

from ff_helpers.errors import FFError
from ff_helpers.grading.identities import shown_names
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.grading.record import Record
from ff_helpers.measurement.labels.classes import Mapped, cut, listed
from ff_helpers.terms import SPACES, Space


class BadLabelFileError(FFError):
    """A file that is no table of labels."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path}: {problem}. Expected a CSV in UTF-8: commas, one header row, every row as long as it."
        )


class BadMapError(FFError):
    """A map that is none."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path}: {problem}. A map is YAML with a line `raw value: class` for each value, `null` for one "
            "that is no class; or two such maps, under `truth:` and under `grader:`."
        )


class BadJoinError(FFError):
    """Labels and a ledger that do not go together."""


def read_labels(path: Path) -> pd.DataFrame:
    """Return a CSV as columns of text as it stands there, "" where a cell is empty; the index is the line.

    Lines above the header that begin with "# " are comments.

    Raises:
        BadLabelFileError: no such file, not UTF-8, no header, a name twice, or a row of another length.
    """
    csv.field_size_limit(2**31 - 1)  # a response can be longer than the 131,072 characters of the default
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next((row for row in reader if row and not row[0].startswith("# ")), [])
            rows = dict((reader.line_num, row) for row in reader if row)  # noqa: C402 - the line moves on
    except FileNotFoundError:
        raise BadLabelFileError(path, "no such file") from None
    except (UnicodeDecodeError, IsADirectoryError, csv.Error) as error:
        raise BadLabelFileError(path, f"cannot be read ({error})") from None
    if not header or len(set(header)) < len(header):
        raise BadLabelFileError(path, f"the header names the columns {listed(header) or 'nothing'}")
    for line, row in rows.items():
        if len(row) != len(header):
            raise BadLabelFileError(path, f"line {line} has {len(row)} cells, the header {len(header)}")
    return pd.DataFrame(list(rows.values()), columns=header, index=list(rows), dtype="str")


def read_map(path: Path) -> dict[str, Mapped]:
    """Return the map of a YAML file: under `truth`, `grader` or both, what each raw value means.

    Every word is text: a key true, 1 or no is not turned into anything else.

    Raises:
        BadMapError: no such file, no YAML, or not of the form.
    """
    try:
        given = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadMapError(path, f"cannot be read ({' '.join(str(error).split())})") from None
    if not isinstance(given, dict) or not given:
        raise BadMapError(path, "holds no map")
    both = set(given) <= {"truth", "grader"} and all(isinstance(part, dict) for part in given.values())
    parts = given if both else {"truth": given, "grader": given}
    for part in parts.values():
        for raw, name in part.items():
            if not (isinstance(raw, str) and isinstance(name, str)):
                raise BadMapError(path, f"{cut(str(raw))} is given {cut(str(name))}, which is no class")
    return {
        column: {raw: None if name in ("", "~", "null") else name for raw, name in part.items()}
        for column, part in parts.items()
    }


def with_verdicts(
    frame: pd.DataFrame, ledger: Path, space: Space, grader: str | None
) -> tuple[pd.DataFrame, str]:
    """Return the rows that a ledger graded, its verdicts in a column named after the grader; and that name.

    What the grader itself said last in its first pass, projected onto the space; a row without a verdict has
    its status there. A record that another grader or a person corrected since still counts: those are the
    rows on which this one was wrong. Rows whose trace the ledger does not hold are not returned.

    Raises:
        BadJoinError: no column trace_id, a trace_id twice, no shared trace, or not exactly one grader.
        FileMissingError, BadLineError: as `grading.ledger.read_ledger`.
    """
    if "trace_id" not in frame.columns:
        raise BadJoinError(f"the labels have no column trace_id. Columns: {listed(frame.columns)}.")
    ids = frame["trace_id"]
    if ids.duplicated().any():
        raise BadJoinError(f"trace_id {cut(ids[ids.duplicated()].iloc[0])} has two rows of labels. Keep one.")
    records = [record for record in read_ledger(ledger) if record.repeat == 0]
    names = shown_names(record.identity for record in records)
    meant = [one for one, name in names.items() if grader in (None, name, one.name)]
    graders = [one for one in meant if names[one] == grader] or meant
    if len(graders) != 1:
        found = listed(names[one] for one in graders) or f"none is named {grader!r}"
        raise BadJoinError(
            f"{ledger} holds verdicts of {len(graders)} graders: {found}. Name one with --grader."
        )
    said: dict[str, Record] = {}
    for record in records:
        if record.identity == graders[0]:
            said[record.trace_id] = _later(said.get(record.trace_id), record, ledger)
    rows = frame[ids.isin(said)]
    if rows.empty:
        raise BadJoinError(f"no trace_id of the labels is in {ledger}.")
    name = names[graders[0]]
    labels = {i: SPACES[space][r.verdict] if r.verdict else str(r.status) for i, r in said.items()}
    return rows.assign(**{name: rows["trace_id"].map(labels)}), name


def _later(before: Record | None, record: Record, ledger: Path) -> Record:
    """Return the record that counts of two of one trace; two texts under one id do not go together."""
    corrected = record.supersedes is not None and before is not None and record.supersedes.key == before.key
    if before is None or before.key == record.key or corrected or before.verdict == record.verdict:
        return record
    raise BadJoinError(
        f"{ledger}: trace_id {cut(record.trace_id)} has two texts with the verdicts {before.verdict} and "
        f"{record.verdict}. Keep the records of one text, or give the other another trace_id."
    )
