"""Does memory grow with the number of traces? 100,000 of them, streamed in and out."""

import tempfile
import time
from pathlib import Path

from benchmarks.serving import run
from benchmarks.table import Row
from benchmarks.traces import write_traces
from tests.model_server import running

COUNT = 100_000
LIMIT_MB = 300


def memory() -> list[Row]:
    """Grade 100,000 traces with the phrases, then through a server; and open the resulting ledger."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, running() as port:
        traces = write_traces(Path(folder) / "traces.jsonl", COUNT)
        for name in ("heuristic", "openai"):
            ledger = Path(folder) / f"{name}.jsonl"
            done = run(name, traces, f"127.0.0.1:{port}", 64, ledger)
            assert done["rows"] == COUNT
            figure = f"{done['mb']:.0f} MB peak, {COUNT / done['wall']:.0f}/s"
            rows.append(_row(f"ours, `{name}`, {COUNT:,} traces", figure, done))
        begun = time.perf_counter()
        again = run("openai", traces, f"127.0.0.1:{port}", 64, ledger)
        figure = f"{again['mb']:.0f} MB peak, {time.perf_counter() - begun:.1f} s"
        rows.append(_row("again, nothing left to grade", figure, again))
    return rows


def _row(what: str, figure: str, done: dict[str, float]) -> Row:
    return Row(what, figure, done["mb"] / LIMIT_MB, f"{LIMIT_MB} MB", most=1)
