"""Ours compared with inspect_ai, whose model-graded scorer does the same work: prompt, ask, read, keep."""

import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks.peer_python import ROOT, PeerMissingError, installed
from benchmarks.serving import FAST, contend
from benchmarks.table import Row, per_round
from benchmarks.traces import write_traces
from ff_helpers.corpus.traces import read_traces
from ff_helpers.grading.flip import render
from ff_helpers.grading.rubric import load_rubric
from tests.model_server import running

SAMPLES = 300


def inspect() -> list[Row]:
    """Grade with inspect_ai and with ours: same server, same prompts, 100 ms, 64 in flight."""
    python = installed()
    rubric = load_rubric("flip-reference")
    with tempfile.TemporaryDirectory() as folder, running("--latency", str(FAST.latency)) as port:
        traces = read_traces(write_traces(Path(folder) / "traces.jsonl", SAMPLES))
        samples = [{"prompt": render(t, rubric)[1]["content"], "response": t.response} for t in traces]
        given = Path(folder) / "samples.json"
        given.write_text(json.dumps({"rubric": rubric.text, "samples": samples}), encoding="utf-8")
        command = [python, ROOT / "benchmarks" / "inspect_task.py", given, f"127.0.0.1:{port}"]
        env = {k: v for k, v in os.environ.items() if not k.startswith("INSPECT_")}
        done = subprocess.run(
            [*map(str, command), str(FAST.in_flight), f"{folder}/logs"],
            stdout=subprocess.PIPE, text=True, check=True, cwd=folder, env=env, timeout=300,
        )  # fmt: skip
    peer = json.loads(done.stdout.splitlines()[-1])
    if peer["rows"] != SAMPLES:
        raise PeerMissingError(f"only {peer['rows']} of {SAMPLES} samples got a score")
    took = contend(("openai",), FAST)["openai"]
    rate, cost = SAMPLES / peer["wall"], 1000 * peer["cpu"] / SAMPLES
    cheap = 1000 * statistics.median(took.cpu) / FAST.requests
    fast, spread = per_round([FAST.requests / wall / rate for wall in took.wall], 1.0)
    mine = f"{fast * rate:.0f}/s, {cheap:.2f} ms CPU each"
    whole = rate * FAST.latency / FAST.in_flight
    theirs = f"{rate:.0f}/s, {cost:.1f} ms CPU each"
    return [
        Row(f"inspect_ai's scorer, {SAMPLES} traces", theirs, whole, "the ideal rate"),
        Row("ours, `openai:`", mine, fast, "inspect_ai's rate", spread=spread),
    ]
