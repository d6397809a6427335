"""The verdict-count table of a file: JSONL or Parquet, counted by DuckDB out of core.

A row that a later one replaced does not count, as in `grading.ledger.live_records`: the later of two with
one key and trace counts, and what a correction supersedes does not. A torn last line (a crash) is left out
and reported; any other invalid line is an error that names file, line and field.
"""

import contextlib
import glob
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from ff_helpers.columns import declared
from ff_helpers.corpus.journal import read_journal, torn_tail
from ff_helpers.corpus.jsonl import BadLineError, FileMissingError, is_parquet
from ff_helpers.corpus.traces import read_traces
from ff_helpers.errors import FFError, named, quoted
from ff_helpers.grading.outcome import VerdictRow
from ff_helpers.measurement.calibration.robustness import INJECTED
from ff_helpers.measurement.rates.counts import KEYS, TwiceGradedError, UnknownVerdictError, count_verdicts
from ff_helpers.paths import announce_read
from ff_helpers.terms import IDENTITY, NOT_RECORDED, VERDICTS

_ALWAYS = ("trace_id", "grader", "space", "verdict", "status", "key")
_KNOWN = ("model", "intent", "turns", "source", "set", "scenario_id", "sampling")
_TAG = "tag "
"""How the column of a tag begins where the traces are: a tag may be called like one of their fields."""
_MADE, _CUT = "made_to_attack_a_grader", "cut_at_the_token_limit"
_INSIDE = {name: f"options.{name}" for name in ("temperature", "seed", "quantization")}
_INSIDE |= {"schema": "options.answer_schema"} | {
    f"p_{label}": f"probabilities.{label}" for label in VERDICTS
}
"""Columns of `ledger.verdict_frame` that stand in a field of a record, and where."""
_NESTED = {
    "options": "STRUCT(temperature VARCHAR, seed VARCHAR, quantization VARCHAR, answer_schema VARCHAR)",
    "probabilities": f"STRUCT({', '.join(f'{label} VARCHAR' for label in VERDICTS)})",
    "supersedes": "STRUCT(key VARCHAR)",
}


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
        failed: failed rows of the trace files (`target_error` and the like) that no grader of the file has a
            record of; in no count, so `rows` is too small by them.
        truncated: counted rows whose response was cut at the token limit, as the trace files say.
        torn: bytes of a last line that a crash left.
        first: the counted rows themselves, where they were asked for: the first pass, sorted by grader and
            trace_id.
    """

    table: pd.DataFrame
    rows: int
    superseded: int
    again: int
    elsewhere: int = 0
    attacks: int = 0
    failed: int = 0
    truncated: int = 0
    torn: int = 0
    first: pd.DataFrame | None = None


def count_file(path: Path, *, by: Sequence[str] = KEYS) -> pd.DataFrame:
    """Return the verdict-count table of a file; columns and errors as `count_verdicts` and `read_counts`."""
    return read_counts(path, by=by).table


def read_counts(
    path: Path,
    *,
    by: Sequence[str] = KEYS,
    traces: Sequence[Path] = (),
    tags: Sequence[str] = (),
    needs: Sequence[str] = _KNOWN[:5],
    ordered: bool = True,
    keep: Sequence[str] = (),
) -> FileCounts:
    """Count the verdicts of a file, and what was left out.

    Args:
        path: a ledger, or any JSONL or Parquet file with the fields of `by`, verdict and status, and, where
            present, trace_id, repeat (missing: 0), grader, key and supersedes.
        by: the fields to count by.
        traces: files of the traces that were graded: their model, intent, turns, source and set (the name
            of the file) are taken, and only their rows count. A row that nobody can grade has the status
            that its trace has, whatever the file says of it.
        tags: tags of these traces to count by, after `by`.
        needs: fields of `by` that at least one row must have, unless `by` is the default.
        ordered: whether the table comes sorted.
        keep: columns of the rows to return too, before the tags (`FileCounts.first`); empty: counts alone.

    Raises:
        FileMissingError: there is no such file.
        BadLineError: an invalid row, or a trace that occurs twice in one pass of one grader, by
            file, line and field.
        ForeignFileError: the file is neither JSONL of verdicts nor Parquet.
        FFError: no trace has one of the tags; the error lists those that occur.
        FFError: DuckDB cannot read it, or one of these in a Parquet file; no row has a field of `needs` (with
            the default `by` it is `not recorded`); or a trace_id is in two files of traces.
    """
    if not path.is_file():
        raise FileMissingError(path, "verdicts")
    if not is_parquet(path):
        next(read_journal(path, VerdictRow), None)  # raises unless it begins with a row of verdicts
    # Where it is counted by grader, all that tells two graders of one name apart is read.
    fields = tuple(dict.fromkeys((*_ALWAYS, *by, *(IDENTITY if "grader" in by else ()), *keep)))
    known = trace_index(traces, tags) if traces else None
    try:
        counted = _counted(path, fields, by, known, tags, ordered=ordered, keep=keep)
    except (duckdb.Error, UnknownVerdictError) as error:
        torn = _torn_bytes(path, error)
        counted = _counted(path, fields, by, known, tags, ordered=ordered, torn=torn, keep=keep)
    for field in () if by == KEYS else needs:
        if field in by and len(counted.table) and (counted.table[field] == NOT_RECORDED).all():
            raise FFError(
                f"{path}: no row has {field!r}, so rows cannot be counted by it. Ledgers do not hold model, "
                "intent, turns, source and set; the trace file does (`--traces TRACES.jsonl`)."
            )
    return counted


def _counted(
    path: Path,
    fields: Sequence[str],
    by: Sequence[str],
    known: pd.DataFrame | None,
    tags: Sequence[str],
    *,
    ordered: bool,
    torn: int = 0,
    keep: Sequence[str] = (),
) -> FileCounts:
    with duckdb.connect(config={"temp_directory": tempfile.gettempdir()}) as connection:
        _load_rows(connection, path, fields, torn)
        superseded = _drop_superseded(connection)
        rows, again = _numbers(connection, "SELECT count(*), count(*) FILTER (repeat > 0) FROM rows")
        joined = (0, 0, 0, 0) if known is None else _join(connection, known, tags)
        try:
            table = count_verdicts(connection.table("rows"), by=(*by, *tags), ordered=ordered)
        except TwiceGradedError as error:
            # Only reading all fields tells two graders of one name apart, and is slower.
            every = tuple(dict.fromkeys((*_ALWAYS, *IDENTITY, *_KNOWN, *by, *keep)))
            if len(fields) == len(every):
                raise _placed(path, error) from None
            return _counted(path, every, by, known, tags, ordered=ordered, torn=torn, keep=keep)
        first = _first(connection, (*keep, *tags)) if keep else None
    return FileCounts(table, rows, superseded, again, *joined, torn, first)


def _first(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> pd.DataFrame:
    """Return columns of the first pass; those that hold nothing are added here, not read row by row."""
    counts = ", ".join(f"count({_quoted(name)})" for name in names)
    some = zip(names, _numbers(connection, f"SELECT {counts} FROM rows WHERE repeat = 0"), strict=True)
    there = [name for name, n in some if n]
    columns = ", ".join(map(_quoted, there or names))
    query = f"SELECT {columns} FROM rows WHERE repeat = 0 ORDER BY grader, trace_id"
    rows = connection.execute(query).df().reindex(columns=list(names))
    return rows.astype(dict.fromkeys(names, "str"))


def _join(
    connection: duckdb.DuckDBPyConnection, known: pd.DataFrame, tags: Sequence[str]
) -> tuple[int, int, int, int]:
    """Take what the traces say; return how many rows of the first pass they do not hold, or attack.

    Then how many failed rows of theirs have no record, and how many counted ones were cut.
    """
    connection.register("known", known)
    held = ("verdict", "status")
    own = [name for name in connection.table("rows").columns if name not in (*_KNOWN, *held)]
    columns = [f"rows.{_quoted(name)}" for name in own] + [f'known."{name}"' for name in _KNOWN]
    columns += [f"known.{_quoted(_TAG + tag)} AS {_quoted(tag)}" for tag in tags]
    columns += ["CASE WHEN known.fault IS NULL THEN rows.verdict END AS verdict"]
    columns += ["coalesce(known.fault, rows.status) AS status"]
    connection.execute(
        f"CREATE TEMP TABLE joined AS SELECT {', '.join(columns)}, "
        f"known.attack AS {_MADE}, known.cut AS {_CUT} "
        "FROM rows LEFT JOIN known ON rows.trace_id = known.trace_id"
    )
    counts = f"count(*) FILTER ({_MADE} IS NULL), count(*) FILTER ({_MADE}), "
    counts += f"count(*) FILTER ({_CUT} AND NOT {_MADE})"
    elsewhere, attacks, cut = _numbers(connection, f"SELECT {counts} FROM joined WHERE repeat = 0")
    there = "(SELECT trace_id FROM rows WHERE trace_id IS NOT NULL)"
    unseen = f"fault IS NOT NULL AND NOT attack AND trace_id NOT IN {there}"
    (failed,) = _numbers(connection, f"SELECT count(*) FROM known WHERE {unseen}")
    left = f"SELECT * EXCLUDE ({_MADE}, {_CUT}) FROM joined WHERE NOT {_MADE}"
    connection.execute(f"DROP TABLE rows; CREATE TEMP TABLE rows AS {left}")
    return elsewhere, attacks, failed, cut


def _quoted(name: str) -> str:
    """Return a name as DuckDB reads it."""
    return '"' + name.replace('"', '""') + '"'


def trace_index(paths: Sequence[Path], tags: Sequence[str] = ()) -> pd.DataFrame:
    """Return what trace files say about each trace, without its text.

    Columns: trace_id, model, intent, turns, source, set (the file's name), scenario_id, sampling, truth,
    truth_space (str), attack (bool: made to attack a grader), control (bool: the policy allows the answer),
    fault (str: why nobody can grade it, or missing), cut (bool: at the token limit), and `tag NAME` (str) for
    each of `tags`.

    Raises:
        FFError: no trace has one of `tags`.
        FFError: a file is missing or malformed, or a trace_id is in two files.
    """
    index: dict[str, dict[str, object]] = {}
    told: list[list[str | None]] = []
    there: set[str] = set()
    for path in paths:
        for t in read_traces(path):
            if t.trace_id in index:
                who, earlier = quoted(t.trace_id), index[t.trace_id]["set"]
                raise FFError(
                    f"trace_id {who} is in set {earlier!r} and in {path.stem!r}; ids must be unique."
                )
            known = t.about(path.stem)
            index[t.trace_id] = known | {
                "attack": known["sampling"] == INJECTED,
                "control": t.arm == "permitted",
                "fault": t.fault,
                "cut": t.row_status == "truncated",
            }
            told.append([t.tags.get(tag) for tag in tags])
            there.update(t.tags)
    for tag in tags:
        if tag not in there:
            found = ", ".join(sorted(map(named, there))) or "none"
            raise FFError(f"no trace has the tag {quoted(tag)}. Tags that occur: {found}.")
    frame = declared("trace_index", list(index.values()))
    cells = dict(zip(tags, zip(*told, strict=True), strict=True))
    return frame.assign(**{_TAG + tag: pd.Series(c, frame.index, dtype="str") for tag, c in cells.items()})


def _load_rows(connection: duckdb.DuckDBPyConnection, path: Path, fields: Sequence[str], torn: int) -> None:
    """Make the table `rows`, in the order of the file; what a row lacks is NULL.

    `day` among the fields is the day in `started`.
    """
    announce_read(path)
    names = [name for name in fields if name not in ("repeat", "day")]
    names += ["started"] if "day" in fields else []
    name_of_file = glob.escape(str(path))  # DuckDB reads `*` and `[` in a path as a pattern
    if is_parquet(path):
        source, there = "read_parquet(?)", connection.read_parquet(name_of_file).columns
        inside = {}
        if not {"verdict", "status"} & set(there):
            raise _unreadable(path, "this Parquet file has neither a column `verdict` nor one `status`.")
    else:
        there = [*names, "repeat"]
        types = dict.fromkeys(names, "VARCHAR") | {"repeat": "BIGINT"} | _NESTED
        source = f"read_ndjson(?, columns = {types}, ignore_errors = {bool(torn)})"
        inside = {name: f", {place}" for name, place in _INSIDE.items()}
    columns = [f'coalesce({_cast(name, there)}{inside.get(name, "")}) AS "{name}"' for name in names]
    columns.append(f"coalesce({_cast('repeat', there, 'BIGINT')}, 0) AS repeat")
    columns.append(f"{'supersedes.key' if inside else 'NULL::VARCHAR'} AS superseded")
    columns += [f"left({_cast('started', there)}, 10) AS day"] if "day" in fields else []
    # With a torn last line read leniently, that line becomes an empty row.
    kept = "coalesce(grader, verdict, status) IS NOT NULL" if torn else "true"
    query = f"SELECT {', '.join(columns)} FROM {source} WHERE {kept}"
    connection.execute(f"CREATE TEMP TABLE rows AS {query}", [name_of_file])


def _cast(name: str, there: Sequence[str], kind: str = "VARCHAR") -> str:
    return f'CAST("{name}" AS {kind})' if name in there else f"CAST(NULL AS {kind})"


def _drop_superseded(connection: duckdb.DuckDBPyConnection) -> int:
    """Keep the current rows, and return how many were dropped."""
    known = "count(key), count(DISTINCT hash(trace_id, key)) FILTER (key IS NOT NULL), count(superseded)"
    keys, different, corrections = _numbers(connection, f"SELECT {known} FROM rows")
    if keys == different and not corrections:
        return 0
    (dropped,) = _numbers(
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


def _torn_bytes(path: Path, error: Exception) -> int:
    """Return the bytes of the torn last line if it is the only fault; else raise what is wrong, and where."""
    tail = 0
    if not is_parquet(path):
        for _ in read_journal(path, VerdictRow):  # raises at the first invalid line
            pass
        tail = torn_tail(path, VerdictRow)
    if not tail:
        raise _unreadable(path, _problem(error, is_parquet(path))) from None
    return tail


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


def _unreadable(path: Path, problem: str) -> FFError:
    return FFError(f"{path}: {problem} Expected verdicts, one per row, as JSONL (UTF-8) or Parquet.")


def _placed(path: Path, error: TwiceGradedError) -> FFError:
    """Return the error with the last line on which that trace is."""
    if is_parquet(path):
        return _unreadable(path, str(error))
    place = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            with contextlib.suppress(ValueError):
                row = json.loads(raw)
                if (str(row.get("trace_id")), str(row.get("grader"))) == (error.trace_id, error.grader):
                    place = number if not row.get("repeat") else place
    return BadLineError(path, place, "trace_id", str(error))


def _numbers(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    """Return the one row of numbers that a query gives; of a deletion, how many rows went."""
    return tuple(map(int, connection.execute(query).fetchall()[0]))
