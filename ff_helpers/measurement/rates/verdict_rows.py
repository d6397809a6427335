"""Rows of verdicts out of JSONL or Parquet, in DuckDB: those that stand, and where the others are.

A row that a later one replaced does not count, as in `grading.ledger.live_records`: the later of two with
one key and trace stands, and what a correction supersedes does not. A torn last line (a crash) is left out
and said; any other line that is no row stops with its file, line and field.
"""

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

import duckdb

from ff_helpers.errors import FFError
from ff_helpers.measurement.rates.counts import TwiceGradedError
from ff_helpers.paths import announce_read

_NESTED = {"options": "STRUCT(temperature VARCHAR, seed VARCHAR)", "supersedes": "STRUCT(key VARCHAR)"}


class UnreadableError(FFError):
    """A file that DuckDB cannot read, or that holds something else."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem} Expected verdicts, one a row, as JSONL (UTF-8) or Parquet.")


def load_rows(connection: duckdb.DuckDBPyConnection, path: Path, fields: Sequence[str], torn: int) -> None:
    """Make the table `rows`, in the order of the file; what a row does not say is NULL.

    `day` among the fields is the day in `started`.
    """
    announce_read(path)
    names = [name for name in fields if name not in ("repeat", "day")]
    names += ["started"] if "day" in fields else []
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
    columns += [f"left({_cast('started', there)}, 10) AS day"] if "day" in fields else []
    # With a torn last line read leniently, that line becomes a row that says nothing.
    kept = "coalesce(grader, verdict, status) IS NOT NULL" if torn else "true"
    connection.execute(
        f"CREATE TEMP TABLE rows AS SELECT {', '.join(columns)} FROM {source} WHERE {kept}", [str(path)]
    )


def _cast(name: str, there: Sequence[str], kind: str = "VARCHAR") -> str:
    return f'CAST("{name}" AS {kind})' if name in there else f"CAST(NULL AS {kind})"


def drop_superseded(connection: duckdb.DuckDBPyConnection) -> int:
    """Keep the rows that stand, and return how many did not."""
    known = "count(key), count(DISTINCT hash(trace_id, key)) FILTER (key IS NOT NULL), count(superseded)"
    keys, different, corrections = connection.sql(f"SELECT {known} FROM rows").fetchall()[0]
    if keys == different and not corrections:
        return 0
    before = number(connection, "SELECT count(*) FROM rows")
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
    return before - number(connection, "SELECT count(*) FROM rows")


def torn_bytes(path: Path, error: Exception) -> int:
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


def placed(path: Path, error: TwiceGradedError) -> FFError:
    """Return the error with the last line on which that trace is."""
    if path.suffix == ".parquet":
        return UnreadableError(path, str(error))
    from ff_helpers.corpus.jsonl import BadLineError

    place = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            with contextlib.suppress(ValueError):
                row = json.loads(raw)
                if (str(row.get("trace_id")), str(row.get("grader"))) == (error.trace_id, error.grader):
                    place = number if not row.get("repeat") else place
    return BadLineError(path, place, "trace_id", str(error))


def number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """Return the one number that a query gives."""
    return int(connection.sql(query).fetchall()[0][0])
