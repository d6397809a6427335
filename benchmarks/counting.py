"""What does counting cost, compared with DuckDB alone? 140,794 verdicts of 258 models, in fresh processes.

The baseline imports the libraries that ours needs and counts the same file by model, intent, verdict and
status, with the columns given (inferring them, DuckDB takes longer: that is the second baseline). Ours checks
every label, drops superseded rows, looks for traces graded twice, and returns the rates of each model
and of each class with their Wilson intervals. The cluster bootstrap, on scenarios of ten runs with
extra variation between scenarios, is compared with a budget of two seconds.
"""

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from benchmarks.table import Row, per_round
from ff_helpers.measurement.proportions.clusters import BOOTSTRAP, bootstrap_rates
from ff_helpers.terms import INTENTS, VERDICTS

ROWS: Final = 140_794
MODELS: Final = 258
RUNS: Final = 10
ROUNDS: Final = 5
BUDGET: Final = 2.0
_IMPORTS: Final = "import duckdb, narwhals, numpy, pandas"
_COUNT: Final = 'duckdb.sql("SELECT model, intent, verdict, status, count(*) AS n FROM {} GROUP BY ALL").df()'
_TOLD: Final = "columns = {model: 'VARCHAR', intent: 'VARCHAR', verdict: 'VARCHAR', status: 'VARCHAR'}"
_OURS: Final = """
from pathlib import Path
from ff_helpers.measurement.rates.asr import asr
from ff_helpers.measurement.rates.count_file import count_file
counts = count_file(Path({!r}), by=("model", "intent"))
models, classes = asr(counts, by=["model"]), asr(counts, by=["intent"])
assert (len(models), len(classes)) == (9 * {}, 9 * {})
"""


def counting() -> list[Row]:
    """Count a ledger with model and class in it: bare DuckDB, and ours with rates and intervals."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(write_verdicts(Path(folder) / "verdicts.jsonl"))
        told, guessed = f"read_ndjson('{path}', {_TOLD})", f"read_json_auto('{path}')"
        scripts = {name: f"{_IMPORTS}\n{_COUNT.format(source)}" for name, source in
                   (("told", told), ("guessed", guessed))}  # fmt: skip
        scripts["ours"] = _OURS.format(path, MODELS, len(INTENTS))
        seconds: dict[str, list[float]] = {name: [] for name in scripts}
        for _ in range(ROUNDS):  # alternating, so that a busy minute affects all alike
            for name, script in scripts.items():
                begun = time.perf_counter()
                subprocess.run([sys.executable, "-c", script], check=True)
                seconds[name].append(time.perf_counter() - begun)
    wall = {name: statistics.median(taken) for name, taken in seconds.items()}
    figure = f"{wall['ours']:.2f} s"
    ratio, spread = per_round(seconds["ours"], seconds["told"])
    return [
        Row(f"imports, and a bare DuckDB count of {ROWS:,} verdicts", f"{wall['told']:.2f} s"),
        Row("the same, inferring the columns", f"{wall['guessed']:.2f} s"),
        Row(
            "ours: rates of 258 models and 6 classes",
            figure,
            ratio,
            "the first",
            most=1.5,
            spread=spread,
        ),
        _bootstrap(),
    ]


def _bootstrap() -> Row:
    """Resample the scenarios of every model 2,000 times."""
    draw = np.random.default_rng(0)
    size = ROWS // MODELS // RUNS
    model = np.repeat(np.arange(MODELS), size)
    share = draw.beta(0.7, 1.6, size=len(model))  # a rate of .3; runs of a scenario correlate by .3
    counts = pd.DataFrame({"group": model, "cluster": np.tile(np.arange(size), MODELS)})
    counts = counts.assign(k=draw.binomial(RUNS, share), n=RUNS)
    seconds = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        table = bootstrap_rates(counts, resamples=2000)
        seconds.append(time.perf_counter() - begun)
    taken = statistics.median(seconds)
    resampled = int((table["method"] == BOOTSTRAP).sum())
    what = f"cluster bootstrap, 2,000 resamples, {resampled} models of {size} scenarios"
    ratio, spread = per_round(seconds, BUDGET)
    return Row(what, f"{taken:.2f} s", ratio, f"{BUDGET:g} s", most=1, spread=spread)


def write_verdicts(path: Path) -> Path:
    """Write verdict records of the usual width, about 1 kB, with model, class and scenario, ten runs each."""
    draw = random.Random(0)
    said = "The user asks the greenhouse assistant to open vent 3, although the rules of the house forbid it."
    with path.open("w", encoding="utf-8") as file:
        for number in range(ROWS):
            row: dict[str, object] = {
                "key": f"{draw.getrandbits(256):064x}",
                "trace_id": f"trace-{number:06d}",
                "model": f"family/model-{number % MODELS}@7b",
                "intent": INTENTS[number // MODELS // RUNS % len(INTENTS)],
                "turns": ("single", "multi")[number // MODELS // RUNS % 2],
                "scenario_id": f"scenario-{number // MODELS // RUNS}",
                "response_sha256": f"{draw.getrandbits(256):064x}",
                "grader": "bench-grader",
                "grader_digest": f"sha256:{'a' * 64}",
                "rubric": "flip-reference@4ffe9ff26412",
                "method": "flip-final-turn",
            }
            if draw.random() < 0.05:
                row |= {"status": "timeout", "reason": "no answer in 300 s"}
            else:
                verdict = draw.choice(VERDICTS)
                raw = json.dumps({"inferred_instruction": said, "verdict": verdict})
                row |= {"verdict": verdict, "inferred_instruction": said, "raw": raw}
            row |= {"repeat": 0, "prompt_tokens": 400, "completion_tokens": 33, "duration_s": 1.745}
            row |= {"options": {"temperature": 0.0, "seed": 0, "num_ctx": 8192, "concurrency": 1}}
            row |= {
                "started": "2026-11-22T11:36:35+00:00",
                "software": "ff-helpers 0.1.0, Python 3.11, Linux",
            }
            file.write(json.dumps(row) + "\n")
    return path
