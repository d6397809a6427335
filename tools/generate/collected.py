"""The collected traces that ship: `python -m tools.generate.collected` asks the embedded model again."""

from collections.abc import Iterator
from pathlib import Path

from ff_helpers import paths
from ff_helpers.corpus.collect import COLLECTED, SCENARIOS, CollectSummary, collect


def record() -> Iterator[CollectSummary]:
    """Collect the shipped traces of the embedded model again: each attack twice, each control once."""
    for arm, name in COLLECTED.items():
        out = paths.root() / name
        out.unlink(missing_ok=True)
        repeats = 2 if arm == "forbidden" else 1
        yield collect("embedded:smollm2-135m", Path(SCENARIOS), out, repeats=repeats, arm=arm)


if __name__ == "__main__":
    for summary in record():
        print(summary)
