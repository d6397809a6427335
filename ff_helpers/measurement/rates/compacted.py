"""Compact verdict files: Parquet made of a ledger for counting, sorted, with each row's place proven.

The JSONL stays the record. A compact file holds its current rows, no trace twice in one pass of one grader,
and says in its own metadata which ledger it was made of, with size and sha256. Counting trusts it as long as
that ledger beside it is the same, and so reads each column once.
"""

import hashlib
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import duckdb
import pandas as pd
from pydantic import ValidationError

from ff_helpers.corpus.jsonl import Closed, is_parquet
from ff_helpers.corpus.stores import register
from ff_helpers.errors import FFError
from ff_helpers.formats import refuse_newer
from ff_helpers.measurement.rates.counts import TwiceGradedError, UnknownVerdictError, count_verdicts
from ff_helpers.measurement.rates.rows import (
    ALWAYS,
    PROBABILITIES,
    column,
    database,
    drop_superseded,
    load,
    numbers,
    patterns,
    placed,
    torn_bytes,
    verdict_files,
)
from ff_helpers.measurement.rates.trace_rows import Left, join, trace_index
from ff_helpers.terms import IDENTITY

KEY: Final = "ff_helpers"
"""Under which a compact file says what it is."""
_ORDER: Final = ("trace_id", "grader", "grader_digest", "rubric", "repeat")


class Compact(Closed):
    """What a compact file says of itself.

    Attributes:
        source: name of the ledger beside it; empty where rows were written as they came.
        size, sha256: of that ledger, when it was read.
        rows: its rows, in all passes.
        superseded: rows of the ledger that a later one replaced.
        left: what its traces kept out, where it was made with them.
        format: version of this description.
    """

    source: str = ""
    size: int = 0
    sha256: str = ""
    rows: int
    superseded: int = 0
    left: Left = Left()
    format: Literal[1] = 1


def compact(ledger: Path, out: Path | None = None, *, traces: Sequence[Path] = ()) -> tuple[Path, Compact]:
    """Write the current rows of a ledger as Parquet beside it, for counting; return where, and what it holds.

    Columns: trace_id, grader, what tells graders apart, method, space, verdict, status, key, started, label
    probabilities (all text) and repeat, sorted by trace; with `traces` also what these say (`KNOWN`), and
    only their rows.

    Args:
        ledger: a ledger, JSONL.
        out: the file to write (default: beside the ledger, `.parquet` for `.jsonl`); replaced in one step.
        traces: files of the traces that were graded, so that rates by model or class need them no more.

    Raises:
        FileMissingError, ForeignFileError, BadLineError: the ledger is missing or invalid, or has a trace
            twice in one pass of one grader.
        FFError: it is Parquet already, or changed while it was read; or the target cannot be written.
    """
    target = out or ledger.with_suffix(".parquet")
    files = verdict_files(ledger)
    if ledger.is_dir() or is_parquet(ledger) or target.resolve() == ledger.resolve():
        raise FFError(f"{ledger}: give one ledger, JSONL, and another file to write.")
    about = Compact(source=ledger.name, size=ledger.stat().st_size, sha256=_sha256(ledger), rows=0)
    known = trace_index(traces) if traces else None
    try:
        made = _write(files, known, target, about)
    except (duckdb.Error, UnknownVerdictError) as error:
        made = _write(files, known, target, about, torn=torn_bytes(files, error))
    if ledger.stat().st_size != about.size:
        target.unlink()
        raise FFError(f"{ledger}: grew while it was read. Run the command again when nothing grades into it.")
    return target, made


def write_compact(connection: duckdb.DuckDBPyConnection, query: str, target: Path, about: Compact) -> None:
    """Write the rows of a query as a compact file, in one step; the caller has proven that it is one."""
    part = target.with_name(f".{target.name}.part")
    says = about.model_dump_json().replace("'", "''")
    name = str(part).replace("'", "''")
    try:
        connection.execute(
            f"COPY ({query}) TO '{name}' (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{KEY}: '{says}'}})"
        )
        part.replace(target)
    except duckdb.IOException as error:
        raise FFError(f"{target}: cannot be written ({type(error).__name__}); is the disk full?") from None
    finally:
        part.unlink(missing_ok=True)


def compacted(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> Compact | None:
    """Return what compact files hold together, if all of them are and no trace can be in two; else None.

    Raises:
        FFError: the ledger beside a compact file is no longer the one that it was made of, or a newer version
            wrote it.
    """
    if not files or not all(map(is_parquet, files)):
        return None
    register(connection, files)
    try:
        said = connection.execute(
            f"SELECT file_name, decode(value) FROM parquet_kv_metadata({patterns(files)}) "
            f"WHERE decode(key) = '{KEY}'"
        ).fetchall()
        for name, text in said:
            refuse_newer(name, text, field="format")
        found = {name: Compact.model_validate_json(text) for name, text in said}
    except (duckdb.Error, ValidationError):
        return None
    if len(found) != len(files):
        return None
    for one, about in zip(files, (found.get(str(one)) for one in files), strict=True):
        if about is None:
            return None
        _check_source(one, about)
    if len(files) > 1 and not _apart(connection, files):
        return None
    return Compact(
        rows=sum(one.rows for one in found.values()),
        superseded=sum(one.superseded for one in found.values()),
        left=Left(*map(sum, zip(*(one.left for one in found.values()), strict=True))),
    )


def _write(
    files: Sequence[Path], known: pd.DataFrame | None, target: Path, about: Compact, *, torn: int = 0
) -> Compact:
    fields = tuple(dict.fromkeys((*ALWAYS, *IDENTITY, "method", "started", *PROBABILITIES)))
    with database() as connection:
        load(connection, files, fields, torn=torn)
        superseded = drop_superseded(connection)
        left = Left() if known is None else join(connection, known)
        try:  # every label, and no trace twice
            count_verdicts(connection.table("rows"), by=("grader",), ordered=False)
        except TwiceGradedError as error:
            raise placed(files, error) from None
        (rows,) = numbers(connection, "SELECT count(*) FROM rows")
        about = about.model_copy(update={"rows": rows, "superseded": superseded, "left": left})
        query = f"SELECT * EXCLUDE (superseded) FROM rows ORDER BY {', '.join(map(column, _ORDER))}"
        write_compact(connection, query, target, about)
    return about


def _check_source(path: Path, about: Compact) -> None:
    source = path.with_name(about.source) if about.source else None
    if source is None or not source.is_file():
        return
    same = source.stat().st_size == about.size
    if same and source.stat().st_mtime_ns > path.stat().st_mtime_ns:
        same = _sha256(source) == about.sha256
    if not same:
        raise FFError(
            f"{path}: made of an earlier {source.name}. Run `ff ledger compact {source}` again, or count the "
            "ledger itself."
        )


def _apart(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> bool:
    """Return whether the smallest and largest trace_id of each file show that no trace is in two of them."""
    ends = connection.execute(
        "SELECT min(stats_min_value), max(stats_max_value), bool_and(min_is_exact AND max_is_exact) "
        f"FROM parquet_metadata({patterns(files)}) WHERE path_in_schema = 'trace_id' "
        "GROUP BY file_name ORDER BY 1"
    ).fetchall()
    known = len(ends) == len(files) and all(low is not None and exact for low, _, exact in ends)
    return known and all(one[1] < other[0] for one, other in itertools.pairwise(ends))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
