"""Record an embedded grader on all shipped traces, so that `paper` can replay it without the model.

`python -m tools.generate.recorded smollm2-135m gemma3-270m` grades what data/recorded/MODEL.jsonl
does not have yet, and continues after an interrupt. It takes about two seconds per trace and model.
"""

import shutil
import sys
from pathlib import Path

from ff_helpers import paths
from ff_helpers.corpus.readers import CALIBRATION
from ff_helpers.grading.campaign import grade

SETS = {
    **CALIBRATION,
    "collected": "data/collected/smollm2-135m.jsonl",
    "injections": "data/calibration/injections.jsonl",
}
REPEATED = 60


def recorded(model: str) -> str:
    """Return the project's ledger of a model, as the spec `recorded:` names it."""
    return f"data/recorded/{model}.jsonl"


def record(model: str) -> Path:
    """Grade the shipped traces with an embedded model; return the ledger's path."""
    target = paths.root() / recorded(model)
    run = paths.start(f"recording-{model}", as_of="2026-11-22")
    working = run.ledger("verdicts")
    if target.is_file() and not working.exists():
        shutil.copyfile(target, working)
    grade(run, SETS, [f"embedded:{model}"], repeat_rows=REPEATED)
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(working, target))


if __name__ == "__main__":
    for name in sys.argv[1:] or ["smollm2-135m"]:
        print(record(name))
