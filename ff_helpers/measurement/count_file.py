"""The verdict-count table of a file: JSONL or Parquet, counted by DuckDB out of core.

A row that a later one replaced does not count, as in `grading.ledger.live_records`: the later of two with
one key and trace stands, and what a correction supersedes does not. A torn last line (a crash) is left out
and said; any other line that is no row stops with its file, line and field.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from ff_helpers.errors import FFError
from ff_helpers.measurement.counts import (
    IDENTITY,
    KEYS,
    NOT_RECORDED,
    TwiceGradedError,
    UnknownVerdictError,
    count_verdicts,
)

_ALWAYS = ("trace_id", "grader", "verdict", "status", "key")
_NESTED = {"options": "STRUCT(temperature VARCHAR, seed VARCHAR)", "supersedes": "STRUCT(key VARCHAR)"}
_KNOWN = ("model", "intent", "turns", "source", "set")


class UnreadableError(FFError):
    """A file that DuckDB cannot read, or that holds something else."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem} Expected verdicts, one a row, as JSONL (UTF-8) or Parquet.")


class NoFieldError(FFError):
    """Something to count by that no row says."""

    def __init__(self, path: Path, field: str) -> None:
        super().__init__(
            f"{path}: no row says {field!r}, so it cannot be counted by. Ledgers do not hold model, intent, "
            "turns, source and set: the file of the traces does (`--traces TRACES.jsonl`)."
        )


@dataclass(frozen=True)
class FileCounts:
    """What a file holds, counted.

    Attributes:
        table: as `count_verdicts`, first pass.
        rows: rows that stand, in all passes.
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


def read_counts(path: Path, *, by: Sequence[str] = KEYS, traces: Sequence[Path] = ()) -> FileCounts:
    """Count the verdicts of a file, and what was left out.

    Args:
        path: a ledger, or any JSONL or Parquet file with the fields of `by`, verdict and status, and, where
            they are there, trace_id, repeat (missing: 0), grader, key and supersedes.
        by: the fields to count by.
        traces: files of the traces that were graded: their model, intent, turns, source and set (the name
            of the file) are taken, and only their rows count.

    Raises:
        FileMissingError: there is no such file.
        BadLineError: a line that is no row, by file, line and field.
        UnreadableError: no JSONL and no Parquet.
        NoFieldError: a field of `by` that no row says; with the default `by` it is `not recorded`.
        TwiceGradedError: a trace that is there twice in one pass of one grader.
        SharedIdError: a trace_id in two files of traces.
    """
    if not path.is_file():
        from ff_helpers.corpus.jsonl import FileMissingError

        raise FileMissingError(path, "verdicts")
    fields = tuple(dict.fromkeys((*_ALWAYS, *by)))
    try:
        counted = _counted(path, fields, by, traces)
    except (duckdb.Error, UnknownVerdictError) as error:
        counted = _counted(path, fields, by, traces, torn=_torn(path, error))
    for field in () if by == KEYS else _KNOWN:
        if field in by and len(counted.table) and (counted.table[field] == NOT_RECORDED).all():
            raise NoFieldError(path, field)
    return counted


def _counted(
    path: Path, fields: Sequence[str], by: Sequence[str], traces: Sequence[Path], *, torn: int = 0
) -> FileCounts:
    with duckdb.connect(config={"temp_directory": tempfile.gettempdir()}) as connection:
        _load(connection, path, fields, torn)
        superseded = _drop_superseded(connection)
        rows = _number(connection, "SELECT count(*) FROM rows")
        again = _number(connection, "SELECT count(*) FROM rows WHERE repeat > 0")
        elsewhere, attacks = _join(connection, traces) if traces else (0, 0)
        try:
            table = count_verdicts(connection.table("rows"), by=by)
        except TwiceGradedError:
            # Only reading all fields tells two graders of one name apart, and is slower.
            every = tuple(dict.fromkeys((*_ALWAYS, *IDENTITY, *_KNOWN, *by)))
            if len(fields) == len(every):
                raise
            return _counted(path, every, by, traces, torn=torn)
    return FileCounts(table, rows, superseded, again, elsewhere, attacks, torn)


def _load(connection: duckdb.DuckDBPyConnection, path: Path, fields: Sequence[str], torn: int) -> None:
    """Make the table `rows`, in the order of the file; what a row does not say is NULL."""
    names = [name for name in fields if name != "repeat"]
    if path.suffix == ".parquet":
        source, there = "read_parquet(?)", connection.read_parquet(str(path)).columns
        inside = {}
    else:
        there = [*names, "repeat"]
        types = dict.fromkeys(names, "VARCHAR") | {"repeat": "BIGINT"} | _NESTED
        source = f"read_ndjson(?, columns = {types}, ignore_errors = {bool(torn)})"
        inside = {name: f", options.{name}" for name in ("temperature", "seed")}
    columns = [f'coalesce({_cast(name, there)}{inside.get(name, "")}) AS "{name}"' for name in names]
    columns.append(f"coalesce({_cast('repeat', there, 'BIGINT')}, 0) AS repeat")
    columns.append(f"{'supersedes.key' if inside else 'NULL::VARCHAR'} AS superseded")
    # With a torn last line read leniently, that line becomes a row that says nothing.
    kept = "coalesce(grader, verdict, status) IS NOT NULL" if torn else "true"
    connection.execute(
        f"CREATE TEMP TABLE rows AS SELECT {', '.join(columns)} FROM {source} WHERE {kept}", [str(path)]
    )


def _cast(name: str, there: Sequence[str], kind: str = "VARCHAR") -> str:
    return f'CAST("{name}" AS {kind})' if name in there else f"CAST(NULL AS {kind})"


def _drop_superseded(connection: duckdb.DuckDBPyConnection) -> int:
    """Keep the rows that stand, and return how many did not."""
    known = "count(key), count(DISTINCT hash(trace_id, key)) FILTER (key IS NOT NULL), count(superseded)"
    keys, different, corrections = connection.sql(f"SELECT {known} FROM rows").fetchall()[0]
    if keys == different and not corrections:
        return 0
    before = _number(connection, "SELECT count(*) FROM rows")
    connection.execute(
        """
        CREATE TEMP TABLE last AS
        SELECT trace_id, key, max(place) AS place FROM (
            SELECT trace_id, key, rowid AS place FROM rows
            UNION ALL SELECT trace_id, superseded, rowid FROM rows
        ) WHERE key IS NOT NULL GROUP BY ALL;
        DELETE FROM rows USING last WHERE rows.key = last.key AND rows.rowid < last.place
        AND rows.trace_id IS NOT DISTINCT FROM last.trace_id
        """
    )
    return before - _number(connection, "SELECT count(*) FROM rows")


def _join(connection: duckdb.DuckDBPyConnection, traces: Sequence[Path]) -> tuple[int, int]:
    """Take what the traces say; return how many rows of the first pass they do not hold, or attack."""
    connection.register("known", _index(traces))
    own = [name for name in connection.table("rows").columns if name not in _KNOWN]
    columns = ", ".join([f'rows."{name}"' for name in own] + [f'known."{name}"' for name in _KNOWN])
    connection.execute(
        f"CREATE TEMP TABLE joined AS SELECT {columns}, known.attack FROM rows LEFT JOIN known "
        "ON rows.trace_id = known.trace_id"
    )
    first = "SELECT count(*) FROM joined WHERE repeat = 0 AND"
    elsewhere, attacks = (_number(connection, f"{first} {what}") for what in ("attack IS NULL", "attack"))
    connection.execute("DROP TABLE rows; CREATE TEMP TABLE rows AS SELECT * FROM joined WHERE NOT attack")
    return elsewhere, attacks


def _index(paths: Sequence[Path]) -> pd.DataFrame:
    from ff_helpers.corpus.traces import read_traces
    from ff_helpers.grading.campaign import SharedIdError
    from ff_helpers.measurement.robustness import INJECTED

    index: dict[str, tuple[object, ...]] = {}
    for path in paths:
        for t in read_traces(path):
            if t.trace_id in index:
                raise SharedIdError(t.trace_id, str(index[t.trace_id][4]), path.stem)
            attack = t.sampling is not None and t.sampling.kind == INJECTED
            index[t.trace_id] = (t.model, t.intent, t.turns, t.source, path.stem, attack)
    frame = pd.DataFrame.from_dict(index, orient="index", columns=[*_KNOWN, "attack"])
    return frame.rename_axis("trace_id").reset_index().astype(dict.fromkeys(_KNOWN, "str"))


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.sql(query).fetchall()[0][0])


def _torn(path: Path, error: Exception) -> int:
    """Return the bytes of the torn last line that alone is to blame; else raise what is wrong, and where."""
    if path.suffix == ".parquet":
        raise UnreadableError(path, str(error).splitlines()[0]) from None
    from ff_helpers.corpus.journal import read_journal, torn_tail
    from ff_helpers.grading.record import VerdictRow

    for _ in read_journal(path, VerdictRow):  # raises at the first line that is no row
        pass
    tail = torn_tail(path)
    if not tail:
        raise UnreadableError(path, str(error).splitlines()[0]) from None
    return tail
