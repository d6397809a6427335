"""Record a grader with two traces in flight: `python -m tools.generate.slots qwen2.5-coder-1.5b`.

Grades the rows that the recording in data/recorded/ has twice, into data/recorded/slots/, and continues after
an interrupt. Two slots share a batch, which can change a verdict at temperature 0 too.
"""

import sys
from pathlib import Path

from ff_helpers import paths
from ff_helpers.chat.progress import Progress
from ff_helpers.corpus.readers import load_set
from ff_helpers.grading.graders import open_grader
from ff_helpers.grading.ledger import Ledger, live_records
from ff_helpers.grading.outcome import record_key
from ff_helpers.grading.stream import grade_all
from tools.generate.recorded import SETS, recorded

SLOTS = 2


def record(name: str) -> Path:
    """Grade the rows that were graded twice once more, two at a time; return the ledger's path."""
    twice = {r.trace_id for r in live_records(paths.root() / recorded(name)) if r.repeat == 1}
    rows = [trace for spec in SETS.values() for trace in load_set(spec) if trace.trace_id in twice]
    out = paths.data() / "recorded" / "slots" / f"{name}.jsonl"
    out.parent.mkdir(exist_ok=True)
    grader = open_grader(f"embedded:{name}", concurrency=SLOTS)
    grader.fit(rows)
    who = grader.setup.identity
    with Ledger(out) as ledger:
        todo = [(t, 0) for t in rows if (record_key(who, t, 0), t.trace_id) not in ledger.done]
        grade_all(grader, todo, ledger, Progress(f"{name}, {SLOTS} slots", len(todo), local=True))
    return out


if __name__ == "__main__":
    for one in sys.argv[1:] or ["qwen2.5-coder-1.5b"]:
        print(record(one))
