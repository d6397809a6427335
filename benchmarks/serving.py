"""Is the harness the bottleneck? Ours against bare clients, with a server that answers after a fixed time.

The server is another process (`tests/model_server.py`). The ideal is the time of the latency alone:
batches of as many requests as are in flight. Each contender runs in a fresh process, in turns; the median
of the rounds counts, and their spread is shown. Ours make prompts, read answers and commit every record to
disk; the bare ones only send requests.
"""

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peer_python import ROOT, installed
from benchmarks.table import Row, per_round
from benchmarks.traces import write_traces
from tests.model_server import running


@dataclass(frozen=True)
class Load:
    """How many requests, how many in flight, and the server's latency (seconds)."""

    requests: int
    in_flight: int
    latency: float
    rounds: int

    @property
    def ideal(self) -> float:
        """Seconds for the latency alone."""
        return math.ceil(self.requests / self.in_flight) * self.latency


@dataclass(frozen=True)
class Took:
    """Wall and CPU seconds of one contender, round by round."""

    wall: list[float]
    cpu: list[float]


FAST = Load(requests=2000, in_flight=64, latency=0.1, rounds=3)
SLOW = Load(requests=160, in_flight=8, latency=0.5, rounds=3)
BRIEF = Load(requests=1000, in_flight=64, latency=0.1, rounds=3)


def many_in_flight() -> list[Row]:
    """2,000 requests of 100 ms, 64 in flight: clients are CPU-bound."""
    took = contend(("bare-ollama", "ollama", "bare-openai", "bare-aiohttp", "openai"), FAST)
    rows = [Row("ideal: the latency alone", f"{FAST.ideal:.2f} s")]
    rows += [_row(name, took[name], FAST, least=0.85 if name == "openai" else None) for name in took]
    return [*rows, _beside("ollama", "the bare Ollama client", took["ollama"], took["bare-ollama"])]


def few_in_flight() -> list[Row]:
    """160 requests of 500 ms, 8 in flight: a typical local server."""
    took = contend(("ollama", "openai"), SLOW)
    rows = [Row("ideal: the latency alone", f"{SLOW.ideal:.2f} s")]
    return rows + [_row(name, one, SLOW, least=0.97) for name, one in took.items()]


def clients() -> list[Row]:
    """Half of the requests of `many_in_flight`, and only clients that are installed anyway."""
    took = contend(("bare-ollama", "ollama", "bare-aiohttp", "openai"), BRIEF)
    rows = [Row("ideal: the latency alone", f"{BRIEF.ideal:.2f} s")]
    rows += [_row(name, one, BRIEF) for name, one in took.items()]
    return [*rows, _beside("ollama", "the bare Ollama client", took["ollama"], took["bare-ollama"])]


def contend(names: tuple[str, ...], load: Load) -> dict[str, Took]:
    """Return the wall and CPU seconds of each contender, with a round of all of them after the other."""
    seen = {name: Took([], []) for name in names}
    with tempfile.TemporaryDirectory() as folder, running("--latency", str(load.latency)) as port:
        traces = write_traces(Path(folder) / "traces.jsonl", load.requests)
        for number in range(load.rounds):
            for name in names:
                ledger = Path(folder) / f"{name}-{number}.jsonl"
                said = run(name, traces, f"127.0.0.1:{port}", load.in_flight, ledger)
                seen[name].wall.append(said["wall"])
                seen[name].cpu.append(said["cpu"])
    return seen


def run(name: str, traces: Path, address: str, in_flight: int, ledger: Path) -> dict[str, float]:
    """Run one contender in its own process; see `contenders.main`.

    Raises:
        CalledProcessError: it failed, or not every trace got its verdict.
    """
    python = installed() if name == "bare-openai" else sys.executable
    command = [python, "-m", "benchmarks.contenders", name, traces, address, in_flight, ledger]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [str(word) for word in command], stdout=subprocess.PIPE, text=True, check=True, env=env
    )
    said: dict[str, float] = json.loads(done.stdout)
    return said


def _row(name: str, took: Took, load: Load, *, least: float | None = None) -> Row:
    wall = statistics.median(took.wall)
    shown = name.replace("bare-", "bare client: ") if name.startswith("bare") else f"ours, `{name}:`, durable"
    each = 1000 * statistics.median(took.cpu) / load.requests
    figure = f"{wall:.2f} s, {load.requests / wall:.0f}/s, {each:.2f} ms CPU each"
    ratio, spread = per_round([load.requests / one for one in took.wall], load.requests / load.ideal)
    return Row(shown, figure, ratio, "the ideal rate", least=least, spread=spread)


def _beside(name: str, of: str, ours: Took, bare: Took) -> Row:
    ratio, spread = per_round(ours.wall, bare.wall)
    return Row(f"ours, `{name}:`, wall time", "", ratio, of, most=1.15, spread=spread)
