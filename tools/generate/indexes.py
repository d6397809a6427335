"""The indexes of the human-labelled sets: `python -m tools.generate.indexes` (needs `make parts`).

Ids, labels and hashes of the PyRIT sets go to data/labelled/, so that `paper` can replay verdicts that were
recorded on them. No text of a set is written.
"""

import csv

from ff_helpers import paths
from ff_helpers.corpus.readers import load_set
from ff_helpers.corpus.readers.index import COLUMNS

SETS = ("refusal", "objective")


def write() -> None:
    """Write one CSV file per set."""
    for name in SETS:
        path = paths.root() / "data" / "labelled" / f"pyrit_{name}.csv"
        path.parent.mkdir(exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for t in load_set(f"pyrit:{name}"):
                row = [t.trace_id, t.source, t.truth, t.truth_space, t.sha256, t.response_sha256]
                writer.writerow(row)


if __name__ == "__main__":
    write()
