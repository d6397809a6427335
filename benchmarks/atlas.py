"""What does the signal of a whole corpus cost? 258 models from 140,794 verdicts, in fresh processes.

`ff atlas export` counts the ledger, resolves the names, takes every rate with its interval by rows, by
scenario and by class, pairs the runs of each scenario, and writes the records, validated, and the page. It
is compared with a bare DuckDB count of the same file, and with the promised three seconds.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.counting import MODELS, ROUNDS, ROWS, write_verdicts
from benchmarks.table import Row, per_round

BUDGET: Final = 3.0
_COUNT: Final = """
import duckdb, pandas
columns = "{model: 'VARCHAR', intent: 'VARCHAR', verdict: 'VARCHAR', status: 'VARCHAR'}"
duckdb.sql(f"SELECT *, count(*) AS n FROM read_ndjson('PATH', columns = {columns}) GROUP BY ALL").df()
"""


def export() -> list[Row]:
    """Export a corpus of the published size; medians of five, alternating with the baseline."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_verdicts(Path(folder) / "verdicts.jsonl")
        count = [sys.executable, "-c", _COUNT.replace("PATH", str(path))]
        ours = [sys.executable, "-m", "ff_helpers.cli", "atlas", "export", "--ledger", str(path)]
        seconds: dict[str, list[float]] = {"count": [], "ours": []}
        for number in range(ROUNDS):
            seconds["count"].append(_seconds(count))
            seconds["ours"].append(_seconds([*ours, "--dir", str(Path(folder) / str(number))]))
        size = (Path(folder) / "0" / "index.html").stat().st_size
    wall = {name: statistics.median(taken) for name, taken in seconds.items()}
    within, of_budget = per_round(seconds["ours"], BUDGET)
    beside, of_count = per_round(seconds["ours"], seconds["count"])
    what = f"ff atlas export: {MODELS} models from {ROWS:,} verdicts, records and page"
    return [
        Row("imports, and a bare DuckDB count of the same file", f"{wall['count']:.2f} s"),
        Row(what, f"{wall['ours']:.2f} s", within, f"{BUDGET:g} s", most=1, spread=of_budget),
        Row(
            "the same, against the bare count", f"{wall['ours']:.2f} s", beside, "the count", spread=of_count
        ),
        Row(f"the page of {MODELS} models", f"{size / 1e6:.2f} MB", size / 2e6, "2 MB", most=1),
    ]


def _seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun
