"""A hundred million verdicts on one machine: the table by model and class, against a bare DuckDB group-by.

The rows are written as compact Parquet (see `ff ledger compact`), ten files in a folder. The baseline counts
them by the same columns and stops there; ours checks every label, tells graders apart, and prints rates with
Wilson intervals in three tiers and three denominators of each model and class, with what is known of the
grader. Both in fresh processes, in turn. `FF_BENCH_ROWS` sets another number of rows.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.table import Row
from ff_helpers.measurement.rates.compacted import Compact, write_compact
from ff_helpers.measurement.rates.rows import database
from ff_helpers.terms import INTENTS, STATUSES, VERDICTS

ROWS: Final = int(os.environ.get("FF_BENCH_ROWS", "100_000_000"))
FILES: Final = 10
MODELS: Final = 258
ROUNDS: Final = 3
SLOWER: Final = 1.3
MEMORY_GIB: Final = 2.0
_COLUMNS: Final = (
    "grader, grader_digest, rubric, temperature, seed, method, model, intent, space, verdict, status, repeat"
)
_BARE: Final = """
import duckdb, pandas
duckdb.sql("SELECT {}, count(*) AS n FROM read_parquet('{}/*.parquet') GROUP BY ALL").df()
"""
_PEAK: Final = """
import resource, runpy, sys
sys.argv = {!r}
try:
    runpy.run_module("ff_helpers.cli", run_name="__main__")
except SystemExit:
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def large() -> list[Row]:
    """Count the rows, bare and ours; time and peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        written = write_rows(Path(folder))
        size = sum(one.stat().st_size for one in Path(folder).iterdir()) / 1e9
        bare = _BARE.format(_COLUMNS, folder)
        ours = _PEAK.format(["ff", "asr", folder, "--by", "model", "intent", "--csv"])
        seconds: dict[str, list[float]] = {bare: [], ours: []}
        for _ in range(ROUNDS):
            for script, taken in seconds.items():
                begun = time.perf_counter()
                done = subprocess.run(
                    [sys.executable, "-c", script], check=True, capture_output=True, text=True
                )
                taken.append(time.perf_counter() - begun)
        peak = int(done.stderr.splitlines()[-1]) / 2**20
        rates = len(done.stdout.splitlines()) - 1
    one, other = (statistics.median(taken) for taken in seconds.values())
    return [
        Row(f"writing {ROWS:,} rows as {FILES} Parquet files of {size:.2f} GB in all", f"{written:.0f} s"),
        Row("bare DuckDB group-by of the same columns (median of 3)", f"{one:.1f} s"),
        Row(
            f"ours: {rates:,} rates of {MODELS} models and {len(INTENTS)} classes",
            f"{other:.1f} s",
            other / one,
            "the bare group-by",
            most=SLOWER,
        ),
        Row("its peak memory", f"{peak:.2f} GiB", peak / MEMORY_GIB, f"{MEMORY_GIB:g} GiB", most=1),
    ]


def write_rows(folder: Path) -> float:
    """Write the rows, file by file, and return the seconds that it took."""
    begun, each = time.perf_counter(), ROWS // FILES
    for part in range(FILES):
        query = f"""
            SELECT printf('t%012d', i) AS trace_id, 'bench-grader' AS grader,
                'sha256:{"a" * 64}' AS grader_digest, 'flip-reference@4ffe9ff26412' AS rubric,
                '0.0' AS temperature, '0' AS seed, 'flip-final-turn' AS method, 'five' AS space,
                'family/model-' || (h % {MODELS}) || '@7b' AS model,
                {list(INTENTS)}[1 + (h // 1009) % {len(INTENTS)}] AS intent,
                CASE WHEN (h // 7919) % 20 > 0 THEN {list(VERDICTS)}[1 + (h // 104729) % 5] END AS verdict,
                CASE WHEN (h // 7919) % 20 = 0 THEN '{STATUSES[0]}' END AS status, 0::BIGINT AS repeat
            FROM (SELECT i, (hash(i) >> 2)::BIGINT AS h FROM range({part * each}, {part * each + each}) t(i))
        """
        with database() as connection:
            connection.execute("SET threads = 2")
            write_compact(connection, query, folder / f"{part:02}.parquet", Compact(rows=each))
    return time.perf_counter() - begun
