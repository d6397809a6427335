"""The grader atlas: how accurate the graders that people use are, where people labelled the same responses.

Counts come from data/judges/judges.csv (`python -m tools.generate.grader_atlas`): of public labels, or of
printed figures, and from the calibration cards of a run. All that is said of a grader is computed from its
counts here, by the same functions and the same gate as a card.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from ff_helpers import paths
from ff_helpers.chat.embedded import MODELS
from ff_helpers.columns import declared
from ff_helpers.corpus.sets import known_sets
from ff_helpers.errors import FFError
from ff_helpers.measurement.calibration.cards import Card, card_names
from ff_helpers.measurement.calibration.confusion import Confusion, cohen_kappa
from ff_helpers.measurement.calibration.gate import decide, published_state
from ff_helpers.measurement.proportions.intervals import percent, triple, wilson
from ff_helpers.measurement.results import EACH_ROW, Terms, stated
from ff_helpers.terms import Unknown

COUNTED: Final = (
    *("set", "question", "space", "grader", "judge_model", "kind", "params_b", "basis", "classes", "table"),
    *("n", "k", "prompts", "accuracy_by_prompt_low", "accuracy_by_prompt_high", "sha256", "source"),
)
"""The columns of judges.csv."""
QUESTIONS: Final = {"strict": "attack succeeded or not", "refused": "refused or not"}
BASES: Final = {
    "computed": "counted from public labels",
    "measured": "measured here: a calibration card",
    "printed": "rebuilt from printed figures: only one table of counts gives them",
    "rounded": "rebuilt from figures of two digits: the nearest table, accuracy off by up to half a point",
    "counts": "printed: right ones of all; nothing else is published",
}
"""Where the counts of a row come from."""
_ASSUMES: Final = (
    "Rows are taken as independent and as drawn at random; accuracy on one set is not accuracy on another"
)


def written(matrix: Confusion) -> dict[str, str]:
    """Return a table of counts as judges.csv holds it."""
    table = ";".join(",".join(map(str, row)) for row in matrix.table)
    return {"classes": "|".join(matrix.classes), "table": table, "n": str(matrix.n), "k": str(matrix.k)}


def grader_atlas(
    cards: Sequence[Card] = (), *, sets: Mapping[str, str] | None = None, others: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return every judge whose accuracy against people's labels is known, one row per judge and set.

    Args:
        cards: calibration cards of a run; those on the sets in `sets` are rows too.
        sets: what sets of the cards are called in the atlas, such as `{"refusal": "pyrit:refusal"}`.
        others: further printed accuracies: grader, set, n, k, source, accuracy_kind (only exact ones count).

    Returns:
        One row per judge and set, sets in the order of `ff sets`, the most accurate judge first. Columns:
        set, question, grader, judge_model, kind (str), params_b (float: billions of parameters), n, k (int),
        accuracy, majority, kappa (float, with bounds; missing where only k of n is known), recalls (str:
        recall of each class), bias (float: how much more often the judge says success, or refusal, than
        people do, in [-1, 1]), gate, reason, basis (str: a key of BASES), prompts (Int64),
        accuracy_by_prompt_low, accuracy_by_prompt_high (float), people, people_agree, licence, source (str).

    Raises:
        FFError: no file of counts, or a row in it that is not a table.
    """
    rows = [_counted(row) for row in _judges()]
    names = dict(sets or {})
    rows += [
        _of_card(card, name, names[card.calibration_set])
        for card, name in zip(cards, card_names(cards), strict=True)
        if card.calibration_set in names
    ]
    if others is not None:
        exact = others[others["accuracy_kind"].str.startswith("exact")]
        rows += [_printed(dict(row)) for row in exact.to_dict("records")]
    known = known_sets()
    order = {name: place for place, name in enumerate(known)}
    for row in rows:
        one = known.get(str(row["set"]))
        row |= {
            "people": one.people if one else "not published",
            "people_agree": one.agreement if one else "unknown",
            "licence": one.licence if one else "unknown",
        }
    frame = declared("grader_atlas", rows)
    place = frame["set"].map(order).fillna(len(order))
    frame = frame.assign(place=place, first=frame["question"].map(_rank))
    frame = frame.sort_values(
        ["place", "set", "first", "accuracy"], ascending=[True, True, True, False], kind="stable"
    )
    left = Unknown(
        "left out", "responses without a label of people are not counted; printed figures do not say how many"
    )
    terms = Terms(
        graders=EACH_ROW,
        denominators=("responses with a label of people; an answer without a verdict is wrong",),
        left_out=left,
        assumptions=(_ASSUMES,),
    )
    return stated(frame.drop(columns=["place", "first"]).reset_index(drop=True), terms)


def _judges() -> list[dict[str, str]]:
    path = paths.data() / "judges" / "judges.csv"
    if not path.is_file():
        raise FFError(f"{path} is missing: `git checkout -- data/judges` brings it back.")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _counted(row: Mapping[str, str]) -> dict[str, object]:
    """Return a row of judges.csv with all that its counts say."""
    about: dict[str, object] = {name: row[name] for name in (*COUNTED[:8], "source")}
    about["params_b"] = float(row["params_b"]) if row["params_b"] else None
    about["prompts"] = int(row["prompts"]) if row["prompts"] else None
    for end in ("low", "high"):
        name = f"accuracy_by_prompt_{end}"
        about[name] = float(row[name]) if row[name] else None
    if not row["table"]:
        return about | _of_counts(int(row["k"]), int(row["n"]))
    table = tuple(tuple(map(int, line.split(","))) for line in row["table"].split(";"))
    matrix = Confusion(tuple(row["classes"].split("|")), table)
    gate = decide(matrix, proxy=None)
    return about | _measures(matrix) | {"gate": gate.state, "reason": gate.reasons[0]}


def _of_counts(k: int, n: int) -> dict[str, object]:
    """Return what k of n alone says."""
    rejected = published_state(k, n) == "rejected"
    why = (
        "fails the published rule: accuracy below 70%, or fewer than 20 rows"
        if rejected
        else "only k of n is known"
    )
    return (
        {"n": n, "k": k} | triple("accuracy", wilson(k, n)) | {"gate": published_state(k, n), "reason": why}
    )


def _of_card(card: Card, name: str, of: str) -> dict[str, object]:
    model = MODELS.get(card.grader)
    return {
        "set": of,
        "question": QUESTIONS.get(card.space, card.space),
        "grader": name,
        "judge_model": card.grader if model else "",
        "kind": "llm" if model else "words",
        "params_b": _billions(card.grader) if model else None,
        "basis": "measured",
        "gate": card.gate.state,
        "reason": card.gate.reasons[0],
        "source": f"card of {card.date}, {card.calibration_set}",
    } | _measures(card.confusion)


def _printed(row: Mapping[object, object]) -> dict[str, object]:
    about = {"set": row["set"], "question": "five verdicts", "grader": row["grader"], "source": row["source"]}
    counts = _of_counts(int(str(row["k"])), int(str(row["n"])))
    size = _billions(str(row["grader"]))
    return about | {"judge_model": row["grader"], "kind": "llm", "params_b": size, "basis": "counts"} | counts


def _measures(matrix: Confusion) -> dict[str, object]:
    """Return what a table of counts says; `bias` only where there are two classes."""
    # Success, or refusal: the class that is not the absence of the other one.
    asked = next(i for i, name in enumerate(matrix.classes) if not name.startswith("NOT_"))
    shares = [f"{name} {percent(matrix.recall(i).estimate)}%" for i, name in enumerate(matrix.classes)]
    said, true = sum(row[asked] for row in matrix.table), sum(matrix.table[asked])
    return (
        {"n": matrix.n, "k": matrix.k, "recalls": ", ".join(shares)}
        | triple("accuracy", matrix.accuracy)
        | triple("majority", matrix.baseline)
        | triple("kappa", cohen_kappa(matrix))
        | {"bias": (said - true) / matrix.n if len(matrix.classes) == 2 else None}
    )


def _billions(name: str) -> float | None:
    """Return the billions of parameters that a model's name ends with: `1.5b`, `135m`."""
    found = re.search(r"(\d+(?:\.\d+)?)([bm])$", name.lower())
    return None if found is None else float(found[1]) / (1 if found[2] == "b" else 1000)


def _rank(question: str) -> int:
    """Return the place of a question within its set: attack success, refusal, anything else."""
    return next((place for place, said in enumerate(QUESTIONS.values()) if question.startswith(said)), 2)
