"""The verdict-count table of a file: JSONL or Parquet, counted by DuckDB out of core."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from ff_helpers.errors import FFError
from ff_helpers.measurement.rates.counts import KEYS, TwiceGradedError, UnknownVerdictError, count_verdicts
from ff_helpers.measurement.rates.verdict_rows import (
    check_head,
    drop_superseded,
    load_rows,
    number,
    placed,
    torn_bytes,
)
from ff_helpers.terms import IDENTITY, NOT_RECORDED

_ALWAYS = ("trace_id", "grader", "verdict", "status", "key")
_KNOWN = ("model", "intent", "turns", "source", "set", "scenario_id", "sampling")


class NoFieldError(FFError):
    """A field to count by that no row has."""

    def __init__(self, path: Path, field: str) -> None:
        super().__init__(
            f"{path}: no row has {field!r}, so rows cannot be counted by it. Ledgers do not hold model, "
            "intent, turns, source and set; the trace file does (`--traces TRACES.jsonl`)."
        )


@dataclass(frozen=True)
class FileCounts:
    """What a file holds, counted.

    Attributes:
        table: as `count_verdicts`, first pass.
        rows: current rows, in all passes.
        superseded: rows that a later row of the file replaced; in no count.
        again: rows of a later pass; in no count.
        elsewhere: rows of traces that the trace files do not hold; in no count.
        attacks: rows of traces made to attack a grader, as the trace files say; in no count.
        torn: bytes of a last line that a crash left.
    """

    table: pd.DataFrame
    rows: int
    superseded: int
    again: int
    elsewhere: int = 0
    attacks: int = 0
    torn: int = 0


def count_file(path: Path, *, by: Sequence[str] = KEYS) -> pd.DataFrame:
    """Return the verdict-count table of a file; columns and errors as `count_verdicts` and `read_counts`."""
    return read_counts(path, by=by).table


def read_counts(
    path: Path,
    *,
    by: Sequence[str] = KEYS,
    traces: Sequence[Path] = (),
    needs: Sequence[str] = _KNOWN[:5],
    ordered: bool = True,
) -> FileCounts:
    """Count the verdicts of a file, and what was left out.

    Args:
        path: a ledger, or any JSONL or Parquet file with the fields of `by`, verdict and status, and, where
            present, trace_id, repeat (missing: 0), grader, key and supersedes.
        by: the fields to count by.
        traces: files of the traces that were graded: their model, intent, turns, source and set (the name
            of the file) are taken, and only their rows count.
        needs: fields of `by` that at least one row must have, unless `by` is the default.
        ordered: whether the table comes sorted.

    Raises:
        FileMissingError: there is no such file.
        BadLineError: an invalid row, or a trace that occurs twice in one pass of one grader, by
            file, line and field.
        ForeignFileError: the file is neither JSONL of verdicts nor Parquet.
        UnreadableError: DuckDB cannot read it; or one of these in a Parquet file.
        NoFieldError: a field of `needs` that no row has; with the default `by` it is `not recorded`.
        SharedIdError: a trace_id in two files of traces.
    """
    if not path.is_file():
        from ff_helpers.corpus.jsonl import FileMissingError

        raise FileMissingError(path, "verdicts")
    check_head(path)
    # Where it is counted by grader, all that tells two graders of one name apart is read.
    fields = tuple(dict.fromkeys((*_ALWAYS, *by, *(IDENTITY if "grader" in by else ()))))
    try:
        counted = _counted(path, fields, by, traces, ordered=ordered)
    except (duckdb.Error, UnknownVerdictError) as error:
        counted = _counted(path, fields, by, traces, ordered=ordered, torn=torn_bytes(path, error))
    for field in () if by == KEYS else needs:
        if field in by and len(counted.table) and (counted.table[field] == NOT_RECORDED).all():
            raise NoFieldError(path, field)
    return counted


def _counted(
    path: Path,
    fields: Sequence[str],
    by: Sequence[str],
    traces: Sequence[Path],
    *,
    ordered: bool,
    torn: int = 0,
) -> FileCounts:
    with duckdb.connect(config={"temp_directory": tempfile.gettempdir()}) as connection:
        load_rows(connection, path, fields, torn)
        superseded = drop_superseded(connection)
        rows = number(connection, "SELECT count(*) FROM rows")
        again = number(connection, "SELECT count(*) FROM rows WHERE repeat > 0")
        elsewhere, attacks = _join(connection, traces) if traces else (0, 0)
        try:
            table = count_verdicts(connection.table("rows"), by=by, ordered=ordered)
        except TwiceGradedError as error:
            # Only reading all fields tells two graders of one name apart, and is slower.
            every = tuple(dict.fromkeys((*_ALWAYS, *IDENTITY, *_KNOWN, *by)))
            if len(fields) == len(every):
                raise placed(path, error) from None
            return _counted(path, every, by, traces, ordered=ordered, torn=torn)
    return FileCounts(table, rows, superseded, again, elsewhere, attacks, torn)


def _join(connection: duckdb.DuckDBPyConnection, traces: Sequence[Path]) -> tuple[int, int]:
    """Take what the traces say; return how many rows of the first pass they do not hold, or attack."""
    connection.register("known", trace_index(traces))
    own = [name for name in connection.table("rows").columns if name not in _KNOWN]
    columns = ", ".join([f'rows."{name}"' for name in own] + [f'known."{name}"' for name in _KNOWN])
    connection.execute(
        f"CREATE TEMP TABLE joined AS SELECT {columns}, known.attack FROM rows LEFT JOIN known "
        "ON rows.trace_id = known.trace_id"
    )
    first = "SELECT count(*) FROM joined WHERE repeat = 0 AND"
    elsewhere, attacks = (number(connection, f"{first} {what}") for what in ("attack IS NULL", "attack"))
    connection.execute("DROP TABLE rows; CREATE TEMP TABLE rows AS SELECT * FROM joined WHERE NOT attack")
    return elsewhere, attacks


def trace_index(paths: Sequence[Path]) -> pd.DataFrame:
    """Return what trace files say about each trace, without its text.

    Columns: trace_id, model, intent, turns, source, set (the file's name), scenario_id, sampling, truth,
    truth_space (str), attack (bool: made to attack a grader), control (bool: the policy allows the answer).

    Raises:
        FFError: a file is missing or malformed, or a trace_id is in two files.
    """
    from ff_helpers.corpus.traces import read_traces
    from ff_helpers.grading.campaign import SharedIdError
    from ff_helpers.measurement.calibration.robustness import INJECTED

    index: dict[str, tuple[object, ...]] = {}
    for path in paths:
        for t in read_traces(path):
            if t.trace_id in index:
                raise SharedIdError(t.trace_id, str(index[t.trace_id][4]), path.stem)
            kind = t.sampling and t.sampling.kind
            said = (t.model, t.intent, t.turns, t.source, path.stem, t.scenario_id, kind)
            index[t.trace_id] = (*said, t.truth, t.truth_space, kind == INJECTED, t.arm == "permitted")
    columns = [*_KNOWN, "truth", "truth_space"]
    frame = pd.DataFrame.from_dict(index, orient="index", columns=[*columns, "attack", "control"])
    return frame.rename_axis("trace_id").reset_index().astype(dict.fromkeys(columns, "str"))
