"""`kill -9` at random moments of a campaign: no verdict lost, none twice, none torn.

    python -m tests.grading.test_kill 100

runs a hundred kills and prints what was seen; the test runs a few, or FF_KILLS of them.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ff_helpers.corpus.journal import torn_tail
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.grading.outcome import Record

TRACES, LATENCY, IN_FLIGHT = 500, 0.05, 6
CHILD = """
import sys
from pathlib import Path
from ff_helpers.grading.stream import grade_file

print("starting", flush=True)
grade_file(Path(sys.argv[1]), "ollama:good:1", Path(sys.argv[2]), concurrency=int(sys.argv[3]))
"""


@dataclass
class Seen:
    """What the kills did: how many, how many lines they left torn, at how many records they struck."""

    kills: int = 0
    torn: int = 0
    campaigns: int = 0
    struck: list[int] = field(default_factory=list)


def kill_campaigns(folder: Path, kills: int, host: str, seed: int) -> Seen:
    """Run campaigns until they were killed so often; check the ledger after each kill and each end."""
    traces = folder / "traces.jsonl"
    write_records(traces, (trace(n) for n in range(TRACES)))
    seen, dice = Seen(), random.Random(seed)
    while seen.kills < kills:
        ledger = folder / f"verdicts-{seen.campaigns}.jsonl"
        ledger.unlink(missing_ok=True)
        kept: list[bytes] = []
        ended = False
        while not ended:
            killed_after = dice.uniform(0.0, 2.0) if seen.kills < kills else None
            told, ended = run_once(traces, ledger, host, killed_after)
            before, kept = kept, check(ledger, kept)
            assert len(kept) >= len(before) + told, "a verdict that was told as done is lost"
            if not ended:
                seen.kills += 1
                seen.torn += ledger.exists() and torn_tail(ledger, Record) > 0
                seen.struck.append(len(kept))
        graded = Counter(r.trace_id for r in read_ledger(ledger))
        assert graded == Counter(f"t{n:03d}" for n in range(TRACES)), "not every trace exactly once"
        seen.campaigns += 1
    return seen


def run_once(traces: Path, ledger: Path, host: str, killed_after: float | None) -> tuple[int, bool]:
    """Grade in a child; return how many rows it told as done, and whether it came to its end."""
    told = ledger.with_suffix(".progress")
    told.unlink(missing_ok=True)
    command = [sys.executable, "-c", CHILD, str(traces), str(ledger), str(IN_FLIGHT)]
    env = os.environ | {"OLLAMA_HOST": host, "FF_PROGRESS": str(told)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"starting\n"
        try:
            child.wait(timeout=killed_after)
        except subprocess.TimeoutExpired:
            child.kill()
    assert child.returncode in (0, -signal.SIGKILL), f"the child ended by itself: {child.returncode}"
    return json.loads(told.read_text())["done"] if told.exists() else 0, child.returncode == 0


def check(ledger: Path, kept: list[bytes]) -> list[bytes]:
    """Return the whole records; what was there before is there still, byte for byte, and none is twice."""
    if not ledger.exists():
        assert not kept
        return []
    content = ledger.read_bytes()
    lines = content[: len(content) - torn_tail(ledger, Record)].splitlines()
    assert lines[: len(kept)] == kept, "a committed line is lost or changed"
    records = list(read_ledger(ledger))
    assert len(records) == len(lines)
    assert all(record.verdict == "REFUSAL" for record in records)
    assert len({(r.key, r.trace_id) for r in records}) == len(records), "a trace is graded twice"
    return lines


def trace(n: int) -> Trace:
    """Return one of the campaign's traces."""
    messages = (Message(role="user", content="Code?"), Message(role="assistant", content=f"No. {n}"))
    truth = {"truth": "REFUSAL", "truth_space": "five"}
    return Trace(trace_id=f"t{n:03d}", model="m", source="s", messages=messages, **truth)


class Server:
    """A model server process."""

    def __enter__(self) -> str:
        command = [sys.executable, "-m", "tests.model_server", "--latency", str(LATENCY)]
        root = Path(__file__).resolve().parents[2]
        # of its clients that are killed the server says a lot
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=quiet, text=True, cwd=root)
        return f"127.0.0.1:{self._process.stdout.readline().strip()}"

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)
        self._process.stdout.close()


def test_no_verdict_is_lost_twice_or_torn_when_campaigns_are_killed(tmp_path: Path) -> None:
    kills = int(os.environ.get("FF_KILLS", "8"))
    with Server() as host:
        seen = kill_campaigns(tmp_path, kills, host, seed=kills)
    assert seen.kills == kills
    assert any(0 < struck < TRACES for struck in seen.struck), "no kill struck while verdicts were written"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place, Server() as running:
        done = kill_campaigns(Path(place), int(sys.argv[1]), running, seed=int(sys.argv[1]))
    midway = sum(0 < struck < TRACES for struck in done.struck)
    print(
        f"{done.kills} kills, {midway} of them midway, over {done.campaigns} campaigns of {TRACES} traces: "
        f"0 verdicts lost, 0 twice, 0 torn ({done.torn} kills left a torn line, which the next run cut off)"
    )
