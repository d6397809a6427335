"""The rows of verdict files in DuckDB, out of core: JSONL or Parquet, one file or a folder of either.

Statistics see only the counts that are taken from these rows, and counts add up: a cluster counts each of its
files with the same statement and sums (`cluster`).
"""

import contextlib
import glob
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import duckdb

from ff_helpers.corpus.journal import read_journal, torn_tail
from ff_helpers.corpus.jsonl import BadLineError, FileMissingError, is_parquet
from ff_helpers.corpus.stores import register
from ff_helpers.errors import FFError
from ff_helpers.formats import FIELD
from ff_helpers.grading.outcome import VerdictRow
from ff_helpers.measurement.rates.counts import TwiceGradedError
from ff_helpers.paths import announce_read
from ff_helpers.terms import IDENTITY, VERDICTS

ALWAYS: Final = ("trace_id", "grader", "space", "verdict", "status", "key")
"""Columns that are read whatever is counted by; with `repeat`."""
MEMORY: Final = "1500MB"
"""What DuckDB may take before it goes on in a temporary folder."""
_NAMES: Final = {".jsonl", ".ndjson", ".parquet"}
PROBABILITIES: Final = tuple(f"p_{label}" for label in VERDICTS)
"""Columns of the label probabilities, as in `ledger.verdict_frame`."""
_INSIDE: Final = (
    {name: f"options.{name}" for name in ("temperature", "seed", "quantization")}
    | {"schema": "options.answer_schema"}
    | {name: f"probabilities.{label}" for name, label in zip(PROBABILITIES, VERDICTS, strict=True)}
)
"""Columns of `ledger.verdict_frame` that stand in a field of a record, and where."""
_NESTED: Final = {
    "options": "STRUCT(temperature VARCHAR, seed VARCHAR, quantization VARCHAR, answer_schema VARCHAR)",
    "probabilities": f"STRUCT({', '.join(f'{label} VARCHAR' for label in VERDICTS)})",
    "supersedes": "STRUCT(key VARCHAR)",
}


@contextlib.contextmanager
def database(threads: int | None = None) -> "Iterator[duckdb.DuckDBPyConnection]":
    """Open an empty DuckDB that goes to a temporary folder when `MEMORY` is full; by default on all cores."""
    config: dict[str, str | bool | int | float | list[str]]
    config = {"temp_directory": tempfile.gettempdir(), "memory_limit": MEMORY}
    with duckdb.connect(config=config | ({"threads": threads} if threads else {})) as opened:
        yield opened


def verdict_files(path: Path) -> list[Path]:
    """Return a file of verdicts, or those below a folder, by name: its JSONL or its Parquet files.

    Raises:
        FileMissingError: there is no such file or folder.
        ForeignFileError, BadLineError: a JSONL file that does not begin with a row of verdicts.
        FFError: a folder without such files, or with both kinds: a row might count twice.
    """
    if path.is_dir():
        found = sorted(one for one in path.rglob("*") if one.suffix in _NAMES and one.is_file())
        kinds = {is_parquet(one) for one in found}
        if len(kinds) == 2:
            raise FFError(
                f"{path}: holds JSONL and Parquet, so the same verdicts may be there twice. Move one kind "
                "to a folder of its own."
            )
        if not found:
            raise FFError(f"{path}: a folder without verdicts. Expected files *.jsonl or *.parquet in it.")
    elif path.is_file():
        found = [path]
    else:
        raise FileMissingError(path, "verdicts")
    for one in found:
        announce_read(one)
        if not is_parquet(one):
            next(read_journal(one, VerdictRow), None)  # raises unless it begins with a row of verdicts
    return found


def load(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    fields: Sequence[str],
    *,
    torn: int = 0,
    as_view: bool = False,
    types: Mapping[str, str] | None = None,
) -> None:
    """Make the table `rows`, in the order of the files; what a row lacks is NULL.

    Args:
        connection: an empty database.
        files: as `verdict_files`.
        fields: the columns beside `repeat` and `superseded`; `day` is the day in `started`.
        torn: bytes of torn last lines: with some, such a line is left out.
        as_view: read the files whenever the table is asked; for rows of which all are current.
        types: as `column_types`, where these files are some of those that are counted together.
    """
    names = [name for name in fields if name not in ("repeat", "day")]
    names += ["started"] if "day" in fields else []
    places = patterns(files)
    register(connection, files)
    if is_parquet(files[0]):
        source = f"read_parquet({places}, union_by_name = true)"
        own = connection.sql(f"FROM {source}").columns
        there = {name: (types or {}).get(name, "") for name in own}
        inside = {}
        for one in files:
            if not {"verdict", "status"} & set(connection.read_parquet(glob.escape(str(one))).columns):
                raise unreadable(one, "this Parquet file has neither a column `verdict` nor one `status`.")
    else:
        there = dict.fromkeys([*names, "repeat"], "")
        types = dict.fromkeys((*names, FIELD), "VARCHAR") | {"repeat": "BIGINT"} | _NESTED
        source = f"read_ndjson({places}, columns = {types}, ignore_errors = {bool(torn)})"
        inside = {name: f", {place}" for name, place in _INSIDE.items()}
    columns = [f'coalesce({_cast(name, there)}{inside.get(name, "")}) AS "{name}"' for name in names]
    columns.append(f"coalesce({_cast('repeat', there, 'BIGINT')}, 0) AS repeat")
    columns.append(f"{'supersedes.key' if inside else 'NULL::VARCHAR'} AS superseded")
    columns += [f"left({_cast('started', there)}, 10) AS day"] if "day" in fields else []
    # With a torn last line read leniently, that line becomes an empty row.
    kept = "coalesce(grader, verdict, status) IS NOT NULL" if torn else "true"
    if inside:  # a line of a newer version is none that can be counted: `torn_bytes` says which
        kept += f" AND CASE WHEN try_cast({FIELD} AS BIGINT) > 1 THEN error('newer') ELSE true END"
    kind = "VIEW" if as_view else "TABLE"
    connection.execute(f"CREATE TEMP {kind} rows AS SELECT {', '.join(columns)} FROM {source} WHERE {kept}")


def column_types(files: Sequence[Path]) -> dict[str, str]:
    """Return DuckDB's types of the columns of Parquet files taken together; of JSONL nothing: all is text.

    Raises:
        FFError: a file cannot be read, or its columns cannot be taken together with those of the others.
    """
    if not is_parquet(files[0]):
        return {}
    with database() as connection:
        register(connection, files)
        try:
            read = connection.sql(f"FROM read_parquet({patterns(files)}, union_by_name = true)")
        except duckdb.Error as error:
            raise unreadable(_faulty(files), _problem(error, True)) from None
        return {name: str(kind) for name, kind in zip(read.columns, read.types, strict=True)}


def drop_superseded(connection: duckdb.DuckDBPyConnection) -> int:
    """Keep the current rows of the table `rows`, and return how many were dropped."""
    known = "count(key), count(DISTINCT hash(trace_id, key)) FILTER (key IS NOT NULL), count(superseded)"
    keys, different, corrections = numbers(connection, f"SELECT {known} FROM rows")
    if keys == different and not corrections:
        return 0
    (dropped,) = numbers(
        connection,
        """
        CREATE TEMP TABLE last AS
        SELECT trace_id, key, max(place) AS place FROM (
            SELECT trace_id, key, rowid AS place FROM rows
            UNION ALL SELECT trace_id, superseded, rowid FROM rows
        ) WHERE key IS NOT NULL GROUP BY ALL;
        DELETE FROM rows USING last WHERE rows.key = last.key AND rows.rowid < last.place
        AND rows.trace_id IS NOT DISTINCT FROM last.trace_id
        """,
    )
    return dropped


def numbers(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    """Return the one row of numbers that a query gives; of a deletion, how many rows went."""
    return tuple(map(int, connection.execute(query).fetchall()[0]))


def column(name: str) -> str:
    """Return a name as DuckDB reads it."""
    return '"' + name.replace('"', '""') + '"'


def patterns(files: Sequence[Path]) -> str:
    """Return a list of files as DuckDB reads it, where `*` and `[` in a path are a pattern."""
    return "[" + ", ".join("'" + glob.escape(str(one)).replace("'", "''") + "'" for one in files) + "]"


def torn_bytes(files: Sequence[Path], error: Exception) -> int:
    """Return the bytes of torn last lines if they are the only fault; else raise what is wrong, and where."""
    tail = 0
    if not is_parquet(files[0]):
        for one in files:
            for _ in read_journal(one, VerdictRow):  # raises at the first invalid line
                pass
            tail += torn_tail(one, VerdictRow)
    if not tail:
        where = _faulty(files) if is_parquet(files[0]) else files[0]
        raise unreadable(where, _problem(error, is_parquet(files[0]))) from None
    return tail


def placed(files: Sequence[Path], error: TwiceGradedError) -> FFError:
    """Return the error with the last line on which that trace is."""
    where, place = files[0], 0
    for path in () if is_parquet(files[0]) else files:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                with contextlib.suppress(ValueError):
                    row = json.loads(raw)
                    if (str(row.get("trace_id")), str(row.get("grader"))) == (error.trace_id, error.grader):
                        where, place = (path, number) if not row.get("repeat") else (where, place)
    if place:
        return BadLineError(where, place, "trace_id", str(error))
    return unreadable(where if len(files) == 1 else where.parent, str(error))


def unreadable(path: Path, problem: str) -> FFError:
    """Return the error about a file whose rows cannot be counted."""
    return FFError(f"{path}: {problem} Expected verdicts, one per row, as JSONL (UTF-8) or Parquet.")


def _cast(name: str, there: Mapping[str, str], kind: str = "VARCHAR") -> str:
    if name not in there:
        return f"CAST(NULL AS {kind})"
    # Another file may make all temperatures decimal numbers, so that 0 is written 0.0.
    own = f'CAST("{name}" AS {there[name]})' if there[name] else f'"{name}"'
    return f"CAST({own} AS {kind})"


def _faulty(files: Sequence[Path]) -> Path:
    """Return the first Parquet file whose rows cannot be read."""
    for one in files:
        with database() as alone:
            try:
                load(alone, [one], tuple(dict.fromkeys((*ALWAYS, *IDENTITY))))
            except (duckdb.Error, FFError):
                return one
    return files[0]


def _problem(error: Exception, parquet: bool) -> str:
    """Return what DuckDB could not do; its own message may quote a row, so it is not passed on."""
    if isinstance(error, FFError):
        return str(error)
    if "maximum_object_size" in str(error):
        return "a line is longer than 16 MB, the most that DuckDB reads."
    if isinstance(error, duckdb.ConversionException):
        return "`repeat` must be a whole number, `options` and `supersedes` objects, in every row."
    if parquet:
        return "this Parquet file is broken, or its columns are not those of verdicts."
    return "DuckDB cannot read its rows: a field has a type that rows of verdicts do not have."
