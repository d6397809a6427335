"""The collected traces that ship: embedded models under attack.

`python -m tools.generate.collected smollm2-135m qwen2.5-coder-0.5b` asks what data/collected/NAME.jsonl and
NAME_permitted.jsonl do not have yet: each attack twice, each control once. Delete the files to ask again.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from ff_helpers import paths
from ff_helpers.corpus.collect import SCENARIOS, CollectSummary, collect, recorded


def record(name: str) -> Iterator[CollectSummary]:
    """Ask an embedded model both arms of the scenarios."""
    for arm, file in recorded(name).items():
        repeats = 2 if arm == "forbidden" else 1
        yield collect(f"embedded:{name}", Path(SCENARIOS), paths.root() / file, repeats=repeats, arm=arm)


if __name__ == "__main__":
    for one in sys.argv[1:] or ["smollm2-135m"]:
        for summary in record(one):
            print(summary)
