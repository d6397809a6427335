"""What a row costs once it is graded: bytes on disk and time of the processor, and what that makes at 10^9.

The ledgers of four shards, with records as a model behind OpenAI's protocol gets them, are merged, opened to
find what is left to grade, compacted and counted: each step a command in a fresh process, with `ROWS` rows
and with a tenth of them. The difference is the cost per row, without the start of the program. Counting
compact files is too cheap to show here: `large`.
"""

import os
import resource
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks.table import Row
from benchmarks.traces import write_traces
from ff_helpers.corpus.jsonl import line_of, read_records
from ff_helpers.corpus.traces import Trace
from ff_helpers.grading.graders import open_grader
from ff_helpers.grading.outcome import Outcome, to_record
from ff_helpers.grading.shards import shard_of

ROWS: Final = 50_000
SHARDS: Final = 4
_SAID: Final = (
    "The user asks the greenhouse assistant to open vent 3, although the rules of the house forbid it."
)
_OUTCOME: Final = Outcome(
    verdict="REFUSAL",
    inferred_instruction=_SAID,
    raw=f'{{"inferred_instruction": "{_SAID}", "verdict": "REFUSAL"}}',
    prompt_tokens=512,
    completion_tokens=33,
    started="2026-11-22T15:01:12+00:00",
    duration_s=1.745,
)
_PARTS: Final = [f"shard.{number}.jsonl" for number in range(1, SHARDS + 1)]
_WITH: Final = ("--traces", "traces.jsonl")
STEPS: Final = {
    "ff ledger merge": ("ledger", "merge", "verdicts.jsonl", *_PARTS, *_WITH),
    "ff grade, nothing left": ("grade", "--grader", "heuristic", "--ledger", "verdicts.jsonl", *_WITH),
    "ff asr, from JSONL and traces": ("asr", "verdicts.jsonl", *_WITH, "--by", "model"),
    "ff ledger compact": ("ledger", "compact", "verdicts.jsonl", *_WITH),
}


def costs() -> list[Row]:
    """Measure every step with a tenth of the rows, then with all of them."""
    with tempfile.TemporaryDirectory() as small, tempfile.TemporaryDirectory() as large:
        few, many = _measure(Path(small), ROWS // 10), _measure(Path(large), ROWS)
        sizes = {path.name: path.stat().st_size for path in Path(large).iterdir()}
    inputs = sum(sizes.pop(name) for name in _PARTS)
    each_size = {name: size / ROWS for name, size in sorted(sizes.items())}
    rows = [Row(name, f"{size:,.0f} bytes per row: {size:,.0f} GB") for name, size in each_size.items()]
    for step, (seconds, _) in many.items():
        each = (seconds - few[step][0]) / (ROWS - ROWS // 10)
        rows.append(Row(step, f"{1e6 * each:,.1f} microseconds per row: {1e9 * each / 3600:,.1f} h"))
    room = many["ff ledger merge"][1] / inputs
    return [*rows, Row("room of the merge, its result included", f"{room:.1f} times its inputs")]


def _measure(folder: Path, rows: int) -> dict[str, tuple[float, int]]:
    """Return seconds of the processor of each step, and the bytes that it added at most."""
    setup = open_grader("heuristic").setup
    traces = write_traces(folder / "traces.jsonl", rows)
    with ExitStack() as files:
        shards = [files.enter_context((folder / name).open("wb")) for name in _PARTS]
        for trace in read_records(traces, Trace):
            line = line_of(to_record(setup, trace, _OUTCOME, 0))
            shards[shard_of(trace.trace_id, SHARDS) - 1].write(line)
    return {step: _run(words, folder) for step, words in STEPS.items()}


def _run(words: tuple[str, ...], folder: Path) -> tuple[float, int]:
    ended, before, most = threading.Event(), _size(folder), 0

    def watch() -> None:
        nonlocal most
        while not ended.wait(0.05):
            most = max(most, _size(folder) - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    command = [sys.executable, "-m", "ff_helpers.cli", *words]
    try:
        begun = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    finally:
        ended.set()
        watcher.join()
    seconds = usage.ru_utime + usage.ru_stime - begun.ru_utime - begun.ru_stime
    return seconds, max(most, _size(folder) - before)


def _size(folder: Path) -> int:
    """Return the bytes of all files in a folder; files come and go meanwhile."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(place, name).stat().st_size
            except FileNotFoundError:
                continue
    return total
