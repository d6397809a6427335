"""Rows of verdicts out of JSONL or Parquet, in DuckDB: the current ones, and where the others are.

A row that a later one replaced does not count, as in `grading.ledger.live_records`: the later of two with
one key and trace counts, and what a correction supersedes does not. A torn last line (a crash) is left out
and reported; any other invalid line is an error that names file, line and field.
"""

import contextlib
import glob
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import duckdb

from ff_helpers.errors import FFError
from ff_helpers.measurement.rates.counts import TwiceGradedError
from ff_helpers.paths import announce_read

_NESTED = {"options": "STRUCT(temperature VARCHAR, seed VARCHAR)", "supersedes": "STRUCT(key VARCHAR)"}


class UnreadableError(FFError):
    """A file that DuckDB cannot read, or that does not hold verdicts."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem} Expected verdicts, one per row, as JSONL (UTF-8) or Parquet.")

    @classmethod
    def said(cls, path: Path, error: Exception) -> Self:
        """Return what DuckDB could not do; its own message may quote a row, so it is not passed on."""
        from ff_helpers.corpus.jsonl import is_parquet

        problem = "DuckDB cannot read its rows: a field has a type that rows of verdicts do not have."
        if "maximum_object_size" in str(error):
            problem = "a line is longer than 16 MB, the most that DuckDB reads."
        elif isinstance(error, duckdb.ConversionException):
            problem = "`repeat` must be a whole number, `options` and `supersedes` objects, in every row."
        elif is_parquet(path):
            problem = "this Parquet file is broken, or its columns are not those of verdicts."
        return cls(path, problem)


def check_head(path: Path) -> None:
    """Raise unless a file is Parquet, empty, or begins with a row of verdicts.

    Raises:
        ForeignFileError: it is neither.
        BadLineError: its first row has a mistake.
    """
    from ff_helpers.corpus.journal import read_journal
    from ff_helpers.corpus.jsonl import is_parquet
    from ff_helpers.grading.record import VerdictRow

    if not is_parquet(path):
        next(read_journal(path, VerdictRow), None)


def load_rows(connection: duckdb.DuckDBPyConnection, path: Path, fields: Sequence[str], torn: int) -> None:
    """Make the table `rows`, in the order of the file; what a row lacks is NULL.

    `day` among the fields is the day in `started`.
    """
    announce_read(path)
    names = [name for name in fields if name not in ("repeat", "day")]
    names += ["started"] if "day" in fields else []
    from ff_helpers.corpus.jsonl import is_parquet

    name_of_file = glob.escape(str(path))  # DuckDB reads `*` and `[` in a path as a pattern
    if is_parquet(path):
        source, there = "read_parquet(?)", connection.read_parquet(name_of_file).columns
        inside = {}
        if not {"verdict", "status"} & set(there):
            raise UnreadableError(path, "this Parquet file has neither a column `verdict` nor one `status`.")
    else:
        there = [*names, "repeat"]
        types = dict.fromkeys(names, "VARCHAR") | {"repeat": "BIGINT"} | _NESTED
        source = f"read_ndjson(?, columns = {types}, ignore_errors = {bool(torn)})"
        inside = {name: f", options.{name}" for name in ("temperature", "seed")}
    columns = [f'coalesce({_cast(name, there)}{inside.get(name, "")}) AS "{name}"' for name in names]
    columns.append(f"coalesce({_cast('repeat', there, 'BIGINT')}, 0) AS repeat")
    columns.append(f"{'supersedes.key' if inside else 'NULL::VARCHAR'} AS superseded")
    columns += [f"left({_cast('started', there)}, 10) AS day"] if "day" in fields else []
    # With a torn last line read leniently, that line becomes an empty row.
    kept = "coalesce(grader, verdict, status) IS NOT NULL" if torn else "true"
    connection.execute(
        f"CREATE TEMP TABLE rows AS SELECT {', '.join(columns)} FROM {source} WHERE {kept}", [name_of_file]
    )


def _cast(name: str, there: Sequence[str], kind: str = "VARCHAR") -> str:
    return f'CAST("{name}" AS {kind})' if name in there else f"CAST(NULL AS {kind})"


def drop_superseded(connection: duckdb.DuckDBPyConnection) -> int:
    """Keep the current rows, and return how many were dropped."""
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
    """Return the bytes of the torn last line if it is the only fault; else raise what is wrong, and where."""
    from ff_helpers.corpus.journal import read_journal, torn_tail
    from ff_helpers.corpus.jsonl import is_parquet
    from ff_helpers.grading.record import VerdictRow

    if is_parquet(path):
        raise _unreadable(path, error) from None
    for _ in read_journal(path, VerdictRow):  # raises at the first invalid line
        pass
    tail = torn_tail(path, VerdictRow)
    if not tail:
        raise _unreadable(path, error) from None
    return tail


def _unreadable(path: Path, error: Exception) -> UnreadableError:
    return (
        UnreadableError(path, str(error)) if isinstance(error, FFError) else UnreadableError.said(path, error)
    )


def placed(path: Path, error: TwiceGradedError) -> FFError:
    """Return the error with the last line on which that trace is."""
    from ff_helpers.corpus.jsonl import BadLineError, is_parquet

    if is_parquet(path):
        return UnreadableError(path, str(error))

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
