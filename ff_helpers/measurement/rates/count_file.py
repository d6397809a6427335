"""The verdict-count table of a file or folder: JSONL or Parquet, counted by DuckDB out of core.

A row that a later one replaced does not count, as in `grading.ledger.live_records`: the later of two with
one key and trace counts, and what a correction supersedes does not. A torn last line (a crash) is left out
and reported; any other invalid line is an error that names file, line and field.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import duckdb
import pandas as pd

from ff_helpers.errors import FFError
from ff_helpers.measurement.rates.compacted import compacted
from ff_helpers.measurement.rates.counts import (
    KEYS,
    TwiceGradedError,
    UnknownVerdictError,
    sum_of_cells,
    table_of_cells,
    verdict_cells,
)
from ff_helpers.measurement.rates.marks import Marks, marks_of_keys, marks_of_rows
from ff_helpers.measurement.rates.rows import (
    ALWAYS,
    column,
    database,
    drop_superseded,
    load,
    numbers,
    placed,
    torn_bytes,
    verdict_files,
)
from ff_helpers.measurement.rates.trace_rows import KNOWN, Left, join, trace_index
from ff_helpers.terms import IDENTITY, NOT_RECORDED


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
        failed: failed rows of the trace files (`target_error` and the like) that no grader of the file has
            a record of; in no count, so `rows` is too small by them.
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


class Part(NamedTuple):
    """What some files hold, counted: what a worker of a cluster hands back of its file.

    Attributes:
        cells: as `verdict_cells`.
        rows, superseded, again, torn, first: as in `FileCounts`.
        left: what the traces keep out.
        marks: where asked for, what no other part may have (`marks`); never more than numbers.
    """

    cells: pd.DataFrame
    rows: int
    superseded: int
    again: int
    left: Left
    torn: int = 0
    first: pd.DataFrame | None = None
    marks: Marks = ()


class _Asked(NamedTuple):
    files: Sequence[Path]
    fields: tuple[str, ...]
    every: tuple[str, ...]
    by: tuple[str, ...]
    known: pd.DataFrame | None
    tags: Sequence[str]
    keep: Sequence[str]
    buckets: int
    types: Mapping[str, str] | None
    threads: int | None


def count_file(path: Path, *, by: Sequence[str] = KEYS) -> pd.DataFrame:
    """Return the verdict-count table of a file; columns and errors as `count_verdicts` and `read_counts`."""
    return read_counts(path, by=by).table


def read_counts(
    path: Path,
    *,
    by: Sequence[str] = KEYS,
    traces: Sequence[Path] = (),
    tags: Sequence[str] = (),
    needs: Sequence[str] = KNOWN[:5],
    ordered: bool = True,
    keep: Sequence[str] = (),
) -> FileCounts:
    """Count the verdicts of a file, and what was left out.

    Args:
        path: a ledger, or any JSONL or Parquet file with the fields of `by`, verdict and status, and, where
            present, trace_id, repeat (missing: 0), grader, key and supersedes; or a folder of such files.
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
    files = verdict_files(path)
    known = trace_index(traces, tags) if traces else None
    part = count_part(files, by=by, known=known, tags=tags, keep=keep)
    return counts_of_parts([part], path, by=by, tags=tags, needs=needs, ordered=ordered)


def count_part(
    files: Sequence[Path],
    *,
    by: Sequence[str],
    known: pd.DataFrame | None = None,
    tags: Sequence[str] = (),
    keep: Sequence[str] = (),
    buckets: int = 0,
    types: Mapping[str, str] | None = None,
    threads: int | None = None,
) -> Part:
    """Count files as they stand: all of those that were named, or one of them on a worker of a cluster.

    Args:
        files: as `verdict_files`.
        by, tags, keep: as `read_counts`.
        known: as `trace_index`.
        buckets: into how many buckets to sort the marks of the rows; 0: no marks.
        types: DuckDB's types of the columns of all files together, where these are a part of them.
        threads: how many DuckDB may use (default: one per processor).

    Raises:
        FFError, BadLineError: as `read_counts`.
    """
    # Where it is counted by grader, all that tells two graders of one name apart is read.
    fields = tuple(dict.fromkeys((*ALWAYS, *by, *(IDENTITY if "grader" in by else ()), *keep)))
    every = tuple(dict.fromkeys((*ALWAYS, *IDENTITY, *KNOWN, *by, *keep)))
    read = every if buckets else fields
    asked = _Asked(files, read, every, (*by, *tags), known, tags, keep, buckets, types, threads)
    try:
        return _counted(asked)
    except (duckdb.Error, UnknownVerdictError) as error:
        return _counted(asked, torn=torn_bytes(files, error))


def counts_of_parts(
    parts: Iterable[Part],
    path: Path,
    *,
    by: Sequence[str] = KEYS,
    tags: Sequence[str] = (),
    needs: Sequence[str] = KNOWN[:5],
    ordered: bool = True,
) -> FileCounts:
    """Return what parts of the rows hold together, if no trace of one grader is in two of them.

    Args:
        parts: as `count_part`, of the same fields; taken one at a time.
        path: the file or folder, for errors.
        by, tags, needs, ordered: as `read_counts`.
    """
    whole = functools.reduce(_both, parts)
    table = table_of_cells(whole.cells, by=(*by, *tags), ordered=ordered)
    for field in () if by == KEYS else needs:
        if field in by and len(table) and (table[field] == NOT_RECORDED).all():
            raise FFError(
                f"{path}: no row has {field!r}, so rows cannot be counted by it. Ledgers do not hold model, "
                "intent, turns, source and set; the trace file does (`--traces TRACES.jsonl`)."
            )
    return FileCounts(table, whole.rows, whole.superseded, whole.again, *whole.left, whole.torn, whole.first)


def _both(one: Part, other: Part) -> Part:
    return Part(
        sum_of_cells([one.cells, other.cells]),
        one.rows + other.rows,
        one.superseded + other.superseded,
        one.again + other.again,
        Left(*map(sum, zip(one.left, other.left, strict=True))),
        one.torn + other.torn,
    )


def _counted(asked: _Asked, *, torn: int = 0) -> Part:
    files, known = asked.files, asked.known
    with database(asked.threads) as connection:
        proof = compacted(connection, files)
        alone = proof is not None and known is None
        load(connection, files, asked.fields, torn=torn, as_view=alone, types=asked.types)
        if asked.buckets:
            marks_of_keys(connection)
        superseded = drop_superseded(connection) if proof is None else proof.superseded
        rows, again = numbers(connection, "SELECT count(*), count(*) FILTER (repeat > 0) FROM rows")
        left = Left() if proof is None else proof.left
        left = left if known is None else join(connection, known, asked.tags)
        try:
            cells = verdict_cells(connection.table("rows"), by=asked.by, checked=proof is not None)
        except TwiceGradedError as error:
            # Only reading all fields tells two graders of one name apart, and is slower.
            if len(asked.fields) == len(asked.every):
                raise placed(files, error) from None
            return _counted(asked._replace(fields=asked.every), torn=torn)
        first = _first(connection, (*asked.keep, *asked.tags)) if asked.keep else None
        marks = marks_of_rows(connection, asked.buckets) if asked.buckets else ()
    return Part(cells, rows, superseded, again, left, torn, first, marks)


def _first(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> pd.DataFrame:
    """Return columns of the first pass; those that hold nothing are added here, not read row by row."""
    counts = ", ".join(f"count({column(name)})" for name in names)
    some = zip(names, numbers(connection, f"SELECT {counts} FROM rows WHERE repeat = 0"), strict=True)
    there = [name for name, n in some if n]
    columns = ", ".join(map(column, there or names))
    query = f"SELECT {columns} FROM rows WHERE repeat = 0 ORDER BY grader, trace_id"
    rows = connection.execute(query).df().reindex(columns=list(names))
    return rows.astype(dict.fromkeys(names, "str"))
