"""Ten million verdicts in one ledger: what is left to grade of a trace file, with an index and without.

The ledger holds verdicts of a hundred graders on each of 100,000 traces. Each command is a whole `ff grade`,
in a fresh process, that has nothing left to grade: it opens the ledger, checks the trace file, looks up every
trace, and prints its summary. `cold`: without an index; `indexed`: again; `grown`: after another program
appended 1% more lines; `touched`: nothing but the time of the file changed, so that its bytes are hashed. The
baselines read the same bytes, and the JSON of each line. Ratios are of seconds of the processor.

`FF_BENCH_ROWS` sets another number of lines.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Final

from benchmarks.table import Row
from benchmarks.traces import write_traces
from ff_helpers.corpus.jsonl import line_of, read_records
from ff_helpers.corpus.traces import Trace
from ff_helpers.grading.graders import open_grader
from ff_helpers.grading.index import index_of
from ff_helpers.grading.outcome import Outcome, to_record

ROWS: Final = int(os.environ.get("FF_BENCH_ROWS", "10_000_000"))
GRADERS: Final = 100
SECONDS: Final = 20.0
MEGABYTES: Final = 500.0
_BYTES: Final = """
with open({!r}, "rb") as file:
    while file.read(1 << 20):
        pass
"""
_JSON: Final = """
import json
with open({!r}, "rb") as file:
    for line in file:
        json.loads(line)
"""
_GRADE: Final = """
import resource, runpy, sys
sys.argv = {!r}
try:
    runpy.run_module("ff_helpers.cli", run_name="__main__")
except SystemExit as ended:
    assert not ended.code, ended
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def ledger() -> list[Row]:
    """Open it and find what is left, cold, indexed, grown, touched; time of the clock and peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        traces = write_traces(Path(folder, "traces.jsonl"), max(1000, ROWS // GRADERS))
        path = Path(folder, "verdicts.jsonl")
        lines = _lines(traces)
        with path.open("wb") as file:
            file.writelines(islice(lines, ROWS))
        size = path.stat().st_size / 1e9
        bare, parsed = (_run(script.format(str(path))) for script in (_BYTES, _JSON))
        command = ["ff", "grade", "--traces", str(traces), "--grader", "heuristic"]
        script = _GRADE.format([*command, "--ledger", str(path)])
        rows = [
            Row(f"reading the {size:.1f} GB of {ROWS:,} lines", f"{bare}"),
            Row("`json.loads` of each line", f"{parsed}"),
            *_rows("cold: no index", _run(script), parsed),
            *_rows("indexed", _run(script)),
            Row("size of the index", f"{index_of(path).stat().st_size / 1e6:.0f} MB"),
        ]
        with path.open("ab") as file:
            file.writelines(islice(lines, ROWS // 100))
        rows += _rows("grown by 1%", _run(script))
        path.touch()
        rows += _rows("touched: every byte is hashed", _run(script))
    return rows


def _lines(traces: Path) -> Iterator[bytes]:
    """Yield the lines of the phrases, then those of one other grader after another."""
    setup = open_grader("heuristic").setup
    outcome = Outcome(verdict="REFUSAL", started="2026-11-22T15:01:12")
    known = [line_of(to_record(setup, trace, outcome, 0)) for trace in read_records(traces, Trace)]
    yield from known
    start, end = len('{"key":"'), len('{"key":"') + 64
    for number in count(1):
        for place, line in enumerate(known):
            key = f"{number:032x}{place:032x}".encode()
            renamed = line[end:].replace(b'"grader":"heuristic', b'"grader":"judge-%d' % number, 1)
            yield line[:start] + key + renamed


@dataclass(frozen=True)
class _Took:
    """Seconds of the clock and of the processor, and the peak memory in MB where the script tells it."""

    clock: float
    processor: float
    peak: float

    def __str__(self) -> str:
        return f"{self.processor:.1f} s (clock: {self.clock:.1f} s)"


def _run(script: str) -> _Took:
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    taken, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    told = done.stderr.split()
    return _Took(taken, used, int(told[-1]) / 1e3 if told else 0.0)


def _rows(what: str, took: _Took, parsed: _Took | None = None) -> list[Row]:
    """Return a row for the time, and one for the memory; without an index, time is against parsing."""
    base = parsed.processor if parsed else SECONDS
    of, most = ("json.loads", None) if parsed else (f"{SECONDS:g} s", 1.0)
    return [
        Row(what, f"{took}", took.processor / base, of, most=most),
        Row("  its peak memory", f"{took.peak:.0f} MB", took.peak / MEGABYTES, f"{MEGABYTES:g} MB", most=1),
    ]
