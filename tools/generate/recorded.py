"""Record a grader on all shipped sets, so that `paper` can replay it without the model.

`python -m tools.generate.recorded qwen2.5-coder-1.5b heuristic` grades what data/recorded/NAME.jsonl does not
have yet, and continues after an interrupt. On two slow cores it takes about two seconds per trace with a
model of 135 million parameters, seven with one of 1.5 billion: hours, on a machine that does nothing else.

`python -m tools.generate.recorded --attacks qwen2.5-coder-1.5b [--minutes 30] [--rows 5]` grades only attacks
that the recording lacks, and writes into it as it goes: in random order, so that those it has graded when the
time is over are a random sample of the new ones, and the next call goes on.
"""

import argparse
import shutil
import time
from itertools import islice
from pathlib import Path
from typing import Final

from ff_helpers import paths
from ff_helpers.chat.progress import Progress
from ff_helpers.corpus.readers import CALIBRATION, load_set
from ff_helpers.errors import FFError
from ff_helpers.grading import budget
from ff_helpers.grading.campaign import grade
from ff_helpers.grading.graders import open_grader
from ff_helpers.grading.ledger import Ledger
from ff_helpers.grading.outcome import record_key
from ff_helpers.grading.stream import grade_all

ATTACKS: Final = "data/calibration/injections.jsonl"
SETS: Final = {
    **CALIBRATION,
    "collected": "data/collected/smollm2-135m.jsonl",
    "injections": ATTACKS,
    "refusal": "pyrit:refusal",
    "objective": "pyrit:objective",
}
OTHER_MODELS: Final = {
    "collected-0.5b": "data/collected/qwen2.5-coder-0.5b.jsonl",
    "collected-1.5b": "data/collected/qwen2.5-coder-1.5b.jsonl",
}
"""More models under test, graded once."""
SAMPLE: Final = {"objective": 200}
REPEATED: Final = 60


def recorded(name: str) -> str:
    """Return the project's ledger of a grader, as the spec `recorded:` names it."""
    return f"data/recorded/{name}.jsonl"


def record(name: str) -> Path:
    """Grade the shipped traces with an embedded model or the heuristic; return the ledger's path."""
    target = paths.root() / recorded(name)
    run = paths.start(f"recording-{name}", as_of="2026-11-22")
    working = run.ledger("verdicts")
    if target.is_file() and not working.exists():
        shutil.copyfile(target, working)
    spec = _spec(name)
    grade(run, SETS, [spec], sample=SAMPLE, repeat_rows=REPEATED)
    grade(run, OTHER_MODELS, [spec])
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(working, target))


def record_attacks(name: str, ledger: Path, *, minutes: float = 0.0, rows: int = 0) -> tuple[int, int]:
    """Grade attacks that a recording lacks, into it.

    Args:
        name: an embedded model, or `heuristic`.
        ledger: the recording.
        minutes: how long; 0: to the end.
        rows: how many at most; 0: all.

    Returns:
        How many were graded now, and how many it lacks still.

    Raises:
        FFError: the recording is of another grader than this one.
    """
    suite = load_set(ATTACKS)
    grader = open_grader(_spec(name))
    grader.fit(suite)
    who = grader.setup.identity
    with Ledger(ledger) as open_ledger:
        others = {record.identity for record in open_ledger.records()} - {who}
        if others:
            raise FFError(
                f"{ledger} was recorded with other weights or another rubric than {name} has here: record "
                "all of it anew, into another file."
            )
        ahead = budget.order({"injections": suite}, seed=0)
        todo = [(t, 0) for t in ahead if (record_key(who, t, 0), t.trace_id) not in open_ledger.done]
        work = islice(todo, rows or None)
        timed = budget.until(work, time.monotonic() + 60 * minutes) if minutes else work
        progress = Progress(f"recording {name}", rows or len(todo), local=grader.setup.is_local)
        grade_all(grader, timed, open_ledger, progress)
        left = sum((record_key(who, t, 0), t.trace_id) not in open_ledger.done for t, _ in todo)
    return len(todo) - left, left


def _spec(name: str) -> str:
    return name if name == "heuristic" else f"embedded:{name}"


def main() -> None:
    """Record what is missing for each grader named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("graders", nargs="*", default=["smollm2-135m"])
    parser.add_argument("--attacks", action="store_true", help="only attacks that the recording lacks")
    parser.add_argument(
        "--minutes", type=float, default=0.0, help="how long each grader may take (0: to the end)"
    )
    parser.add_argument("--rows", type=int, default=0, help="how many attacks at most (0: all)")
    options = parser.parse_args()
    for name in options.graders:
        if options.attacks:
            target = paths.root() / recorded(name)
            done, left = record_attacks(name, target, minutes=options.minutes, rows=options.rows)
            print(f"{target}: {done} attacks graded, {left} left")
        else:
            print(record(name))


if __name__ == "__main__":
    main()
