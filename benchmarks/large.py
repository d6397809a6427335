"""A hundred million verdicts on one machine: the table by model and class, against a bare DuckDB group-by.

The rows are written as compact Parquet (see `ff ledger compact`), ten files in a folder. The baseline counts
them by the same columns and stops there; ours checks every label, tells graders apart, and prints rates with
Wilson intervals in three tiers and three denominators of each model and class, with what is known of the
grader. Both in fresh processes, in turn. The memory of ours is sampled while it runs, and once more it counts
on a Dask cluster of two workers on this machine. `FF_BENCH_ROWS` sets another number of rows.
"""

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import psutil

from benchmarks.table import Row
from ff_helpers.measurement.rates.compacted import Compact, write_compact
from ff_helpers.measurement.rates.rows import database
from ff_helpers.terms import INTENTS, STATUSES, VERDICTS

ROWS: Final = int(os.environ.get("FF_BENCH_ROWS", "100_000_000"))
FILES: Final = 10
MODELS: Final = 258
ROUNDS: Final = 3
POINTS: Final = 8
SAMPLED: Final = 0.05
"""Points of memory over time that are shown, and seconds between two samples of it."""
SLOWER: Final = 1.3
MEMORY_GIB: Final = 2.0
_COLUMNS: Final = (
    "grader, grader_digest, rubric, temperature, seed, method, model, intent, space, verdict, status, repeat"
)
_BARE: Final = """
import duckdb, pandas
duckdb.sql("SELECT {}, count(*) AS n FROM read_parquet('{}/*.parquet') GROUP BY ALL").df()
"""


def large() -> list[Row]:
    """Count the rows, bare and ours; time and peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        written = write_rows(Path(folder))
        size = sum(one.stat().st_size for one in Path(folder).iterdir()) / 1e9
        bare = _BARE.format(_COLUMNS, folder)
        ours = ["-m", "ff_helpers.cli", "asr", folder, "--by", "model", "intent", "--csv"]
        one_by_one = {"bare": ["-c", bare], "ours": ours}
        seconds: dict[str, list[float]] = {name: [] for name in one_by_one}
        for _ in range(ROUNDS):
            for name, words in one_by_one.items():
                told, memory, taken = sampled(words)
                seconds[name].append(taken)
        on_cluster, _, spread_out = sampled([*ours, "--cluster", "local:2"])
    if on_cluster != told:
        pairs = zip(on_cluster.splitlines(), told.splitlines(), strict=False)
        said = next((f"{ours!r} for {theirs!r}" for ours, theirs in pairs if ours != theirs), "length")
        raise AssertionError(f"the cluster counts otherwise than one machine: {said}")
    peak, rates = max(memory), len(told.splitlines()) - 1
    one, other = (statistics.median(taken) for taken in seconds.values())
    over_time = ", ".join(f"{gib:.2f}" for gib in memory[:: max(1, len(memory) // POINTS)])
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
        Row("its memory over time, at equal steps", f"{over_time} GiB"),
        Row(
            "the same table by a Dask cluster of 2 workers here, their start included",
            f"{spread_out:.1f} s",
            spread_out / other,
            "ours",
        ),
    ]


def sampled(words: list[str]) -> tuple[str, list[float], float]:
    """Run Python; return what it printed, its memory (GiB) in equal steps of time, and its seconds."""
    begun, memory = time.perf_counter(), []
    with tempfile.TemporaryFile("w+") as out:
        process = psutil.Popen([sys.executable, *words], stdout=out)
        while process.poll() is None:
            with contextlib.suppress(psutil.NoSuchProcess):
                memory.append(process.memory_info().rss / 2**30)
            time.sleep(SAMPLED)
        taken = time.perf_counter() - begun
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, words)
        out.seek(0)
        return out.read(), memory, taken


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
