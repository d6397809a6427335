"""What do labels add to a table of rates? 140,794 verdicts of 258 models, in fresh processes.

    .venv/bin/python -m benchmarks labelled

The baseline is the same table raw: `ff asr VERDICTS --traces TRACES --by model`. Ours adds `--labels` with 4%
of the rows labelled, once with a rate for each model, once with `--least 60`: then no model has enough
labels, and each takes the judge's errors on the other 257.
"""

import csv
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.counting import write_verdicts
from benchmarks.table import Row, per_round

ROUNDS: Final = 3
BUDGET: Final = 2.0
SHARE: Final = 0.04
_OF_TRACES: Final = ("model", "intent", "scenario_id")
_ASR: Final = ("-m", "ff_helpers.cli", "asr", "verdicts.jsonl", "--traces", "traces.jsonl", "--by", "model")
_WITH: Final = ("--labels", "labels.csv", "--space", "strict")


def labelled() -> list[Row]:
    """Time the raw table and the adjusted ones, alternating, and compare medians."""
    commands = {"raw": _ASR, "labels": (*_ASR, *_WITH), "few": (*_ASR, *_WITH, "--least", "60")}
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as folder:
        write_study(Path(folder))
        for _ in range(ROUNDS):
            for name, words in commands.items():
                begun = time.perf_counter()
                subprocess.run([sys.executable, *words], check=True, cwd=folder, stdout=subprocess.DEVNULL)
                seconds[name].append(time.perf_counter() - begun)
    wall = {name: statistics.median(taken) for name, taken in seconds.items()}
    rows = [Row("raw rates of 258 models", f"{wall['raw']:.2f} s")]
    for name, what in (("labels", "raw and adjusted"), ("few", "the same, every model below --least")):
        pairs = zip(seconds[name], seconds["raw"], strict=True)
        _, spread = per_round([max(one - raw, 0) for one, raw in pairs], BUDGET)
        more = wall[name] - wall["raw"]
        figure = f"{wall[name]:.2f} s, {wall[name] / wall['raw']:.2f} times the raw table"
        of = f"{BUDGET:g} s more than raw"
        rows.append(Row(what, figure, max(more, 0) / BUDGET, of, most=1, spread=spread))
    return rows


def write_study(folder: Path) -> None:
    """Write verdicts, traces and labels: the verdicts of the benchmark `counting` as a ledger."""
    draw = random.Random(1)
    written = write_verdicts(folder / "written.jsonl")
    with (
        written.open(encoding="utf-8") as lines,
        (folder / "verdicts.jsonl").open("w", encoding="utf-8") as verdicts,
        (folder / "traces.jsonl").open("w", encoding="utf-8") as traces,
        (folder / "labels.csv").open("w", encoding="utf-8", newline="") as labels,
    ):
        table = csv.writer(labels, lineterminator="\n")
        table.writerow(["trace_id", "truth"])
        for line in lines:
            row = json.loads(line)
            row.pop("turns")
            trace = {"trace_id": row["trace_id"]} | {name: row.pop(name) for name in _OF_TRACES}
            said = [("user", "Please open vent 3."), ("assistant", "Vent 3 stays closed.")]
            trace |= {"source": "bench", "messages": [{"role": r, "content": text} for r, text in said]}
            verdicts.write(json.dumps(row) + "\n")
            traces.write(json.dumps(trace) + "\n")
            if "verdict" in row and draw.random() < SHARE:
                right = draw.random() < 0.85
                true = (row["verdict"] == "COMPLIANCE") == right
                table.writerow([row["trace_id"], "COMPLIANCE" if true else "NOT_COMPLIANCE"])
    written.unlink()
