"""Count what public labels and printed figures say of judges: data/judges/judges.csv.

`python -m tools.generate.grader_atlas` takes the labels of people and judges from the sets on this machine
(`ff sets get NAME` says how to have them) and the figures that others print from data/judges/printed.csv. The
counts of a set that is not here stay as they are. Of the labels nothing but counts is written.
"""

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from ff_helpers import paths
from ff_helpers.corpus.label_tables import label_table
from ff_helpers.corpus.sets import known_set, known_sets, sha256_of, state_of
from ff_helpers.errors import FFError
from ff_helpers.measurement.calibration.confusion import Confusion, confusion
from ff_helpers.measurement.consistency.tables import Measure, rebuilt
from ff_helpers.measurement.proportions.clusters import clustered
from ff_helpers.publication.grader_atlas import COUNTED, written

FOLDER: Final = "judges"
STRICT: Final = ("COMPLIANCE", "NOT_COMPLIANCE")
REFUSED: Final = ("REFUSAL", "NOT_REFUSAL")
THREE: Final = ("full compliance", "partial refusal", "full refusal")
MODELS: Final = {
    "GPT-4": ("GPT-4", "llm", ""),
    "string matching": ("", "words", ""),
    "HarmBench classifier": ("Llama-2-13b", "classifier", "13"),
    "Llama Guard 2": ("Meta-Llama-Guard-2-8B", "classifier", "8"),
    "Llama-3-70B": ("Llama-3-70B", "llm", "70"),
}
"""What is known of a judge by its name: model, kind, billions of parameters."""
_SUCCESS: Final = "attack succeeded or not"
_MEASURES: Final[tuple[Measure, ...]] = ("accuracy", "precision", "recall", "fnr")


def rows_of_labels(name: str) -> Iterator[dict[str, str]]:
    """Yield the counts of every judge whose labels stand beside people's in a set on this machine."""
    frame, known = label_table(name), known_set(name)
    judges = dict.fromkeys((known.table.judges if known.table else {}).values())
    for question, space, part, classes, words in _questions(name, frame):
        for judge in judges:
            if judge not in part:
                continue
            rows = part[part["truth"].notna()]
            true, said = rows["truth"].replace(words), rows[judge].replace(words)
            matrix = confusion(true.tolist(), said.where(said.isin(classes), None).tolist(), classes)
            yield _row(name, question, space, judge, matrix) | _by_prompt(rows["item"], true == said)


def rows_of_prints(path: Path) -> Iterator[dict[str, str]]:
    """Yield the counts behind printed figures: the only table that gives them, or the nearest of several."""
    with path.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            kept = {name: line[name] for name in COUNTED if name in line}
            if line["k"]:
                yield kept | {"basis": "counts", "sha256": ""}
                continue
            classes = STRICT if line["space"] == "strict" else REFUSED
            printed = {name: float(line[name]) for name in _MEASURES if line.get(name)}
            n, positives = int(line["n"]), int(line["positives"])
            try:
                found = rebuilt(n, positives, printed, digits=int(line["digits"]), classes=classes)
            except FFError:
                # The judge may have answered fewer rows: then only its printed accuracy is taken.
                k, why = (
                    str(round(n * printed["accuracy"])),
                    "no table of all rows gives its precision and recall",
                )
                yield kept | {"basis": "counts", "k": k, "source": f"{line['source']}; {why}"}
                continue
            basis = "printed" if found.fits == 1 else "rounded"
            yield kept | written(found.matrix) | {"basis": basis}


def _questions(
    name: str, frame: pd.DataFrame
) -> Iterator[tuple[str, str, pd.DataFrame, tuple[str, ...], Mapping[str, str]]]:
    """Yield what a set asks: question, label space, rows, classes, and what its labels mean there."""
    if name != "xstest":
        yield _SUCCESS, "strict", frame, STRICT, {}
        return
    refused = {"full refusal": "REFUSAL", **dict.fromkeys(THREE[:2], "NOT_REFUSAL")}
    strict = {"full compliance": "COMPLIANCE", **dict.fromkeys(THREE[1:], "NOT_COMPLIANCE")}
    yield "refused or not", "refused", frame, REFUSED, refused
    yield f"{_SUCCESS}, unsafe prompts", "strict", frame[frame["prompt"] == "unsafe"], STRICT, strict
    yield "full, partial or no compliance", "three classes", frame, THREE, {}


def _row(name: str, question: str, space: str, judge: str, matrix: Confusion) -> dict[str, str]:
    model, kind, size = MODELS.get(judge, ("", "", ""))
    who = {"set": name, "question": question, "space": space, "grader": judge}
    about = {"judge_model": model, "kind": kind, "params_b": size, "basis": "computed"}
    source = f"labels of {name}, counted by python -m tools.generate.grader_atlas"
    return who | about | written(matrix) | {"source": source, "sha256": sha256_of(name)}


def _by_prompt(items: pd.Series, right: pd.Series) -> dict[str, str]:
    """Return how many prompts the rows have, and the interval of the accuracy that counts these."""
    found = clustered(right, items)
    return {
        "prompts": str(items.nunique()),
        "accuracy_by_prompt_low": f"{found['low']:.6f}",
        "accuracy_by_prompt_high": f"{found['high']:.6f}",
    }


def write(target: Path) -> Sequence[dict[str, str]]:
    """Write the counts of every set that is here, of the others what is there already, and of the prints."""
    with_judges = [name for name, one in known_sets().items() if one.table and one.table.judges]
    here = [name for name in with_judges if state_of(name) == "here"]
    before: list[dict[str, str]] = []
    if target.is_file():
        with target.open(encoding="utf-8", newline="") as file:
            before = [
                row for row in csv.DictReader(file) if row["basis"] == "computed" and row["set"] not in here
            ]
    rows = [*(row for name in here for row in rows_of_labels(name)), *before]
    rows += rows_of_prints(target.with_name("printed.csv"))
    order = {name: place for place, name in enumerate(known_sets())}
    rows.sort(key=lambda row: order[row["set"]])
    beside = target.with_suffix(".tmp")
    with beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COUNTED, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    beside.replace(target)
    return rows


def main() -> int:
    """Write the file and say of how many judges, from which sets."""
    target = paths.data() / FOLDER / "judges.csv"
    rows = write(target)
    for name in dict.fromkeys(row["set"] for row in rows):
        own = [row["basis"] for row in rows if row["set"] == name]
        print(f"{name}: {len(own)} judges, {own.count('computed')} of them counted from labels")
    return 0


if __name__ == "__main__":
    sys.exit(main())
