"""Cards of earlier versions: what they do not say yet is filled in, and their gate is brought up to date.

Cards of 22 November 2026 lack the accuracy of chance, the thresholds of their gate and that of each
criterion. Those before 29 November were decided by a gate that let a grader pass which is no better than a
constant answer: such a grader is rejected on reading, with the reason. So a card says today what the same
numbers would say if they were measured today.
"""

import json
import re
from typing import Final

from pydantic import JsonValue

from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.calibration.confusion import Kappa
from ff_helpers.measurement.calibration.gate import DEFAULT, USEFUL

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?$")


def completed(text: str) -> str:
    """Return the text of a card with the fields that the first day's cards lack.

    Raises:
        ValueError: it is not the text of a card.
    """
    content = _object(json.loads(text))
    gate, classes = _object(content.get("gate")), _list(_object(content.get("confusion")).get("classes"))
    rules = {name: [_with_threshold(one) for one in _list(gate.get(name))] for name in ("published", "ours")}
    filled = {"by_own": gate.get("state"), "thresholds": DEFAULT.model_dump()} | gate | rules
    return json.dumps({"chance": 1 / max(len(classes), 1)} | content | {"gate": filled})


def decided_again(card: Card) -> Card:
    """Return a card whose gate did not ask whether its grader beats a constant answer as one that asks."""
    asked = any(one.name == USEFUL for one in card.gate.ours)
    if asked or card.gate.state not in ("provisional", "calibrated"):
        return card
    right, constant = card.accuracy.estimate or 0.0, card.majority.estimate or 0.0
    low = card.kappa.low if isinstance(card.kappa, Kappa) else None
    if right > constant and low is not None and low > 0:
        return card
    kappa = "not defined" if low is None else f"from {low:.3g}"
    why = (
        f"no better than a constant answer: accuracy {right:.3g}, always {card.majority_class} "
        f"{constant:.3g}, kappa {kappa}; the gate did not ask this when the card was written"
    )
    changed = {"state": "rejected", "by_own": "rejected", "reasons": (why, *card.gate.reasons)}
    return card.model_copy(update={"gate": card.gate.model_copy(update=changed)})


def _with_threshold(criterion: JsonValue) -> JsonValue:
    """Return a criterion with the number that its words (`at least 0.7`) end in."""
    found = _NUMBER.search(str(_object(criterion).get("asks")))
    return ({"threshold": float(found[0])} if found else {}) | _object(criterion)


def _object(value: JsonValue) -> dict[str, JsonValue]:
    if not isinstance(value, dict):
        raise ValueError("not a card")  # noqa: TRY004 - the caller says what is wrong with the file
    return value


def _list(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        raise ValueError("not a card")  # noqa: TRY004 - as above
    return value
