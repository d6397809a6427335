"""Record a grader on all shipped sets, so that `paper` can replay it without the model.

`python -m tools.generate.recorded qwen2.5-coder-1.5b heuristic` grades what data/recorded/NAME.jsonl does not
have yet, and continues after an interrupt. On two slow cores it takes about two seconds per trace with a
model of 135 million parameters, seven with one of 1.5 billion: hours, on a machine that does nothing else.
"""

import shutil
import sys
from pathlib import Path
from typing import Final

from ff_helpers import paths
from ff_helpers.corpus.readers import CALIBRATION
from ff_helpers.grading.campaign import grade

SETS: Final = {
    **CALIBRATION,
    "collected": "data/collected/smollm2-135m.jsonl",
    "injections": "data/calibration/injections.jsonl",
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
    spec = name if name == "heuristic" else f"embedded:{name}"
    grade(run, SETS, [spec], sample=SAMPLE, repeat_rows=REPEATED)
    grade(run, OTHER_MODELS, [spec])
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(working, target))


if __name__ == "__main__":
    for one in sys.argv[1:] or ["smollm2-135m"]:
        print(record(one))
