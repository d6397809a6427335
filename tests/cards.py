"""Calibration cards of any identity and state, without a calibration."""

from datetime import date
from pathlib import Path
from typing import get_args

from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.calibration.gate import Thresholds
from ff_helpers.terms import GateState, Identity, Space
from tests import verdict_rows

QWEN = Identity(
    "qwen3:1.7b",
    "sha256:" + "ab" * 32,
    rubric="flip-reference@0123456789ab",
    temperature=0.0,
    seed=0,
    method="flip-final-turn",
)


def make_card(
    who: Identity = QWEN,
    state: str = "provisional",
    *,
    name: str = "proxies",
    space: Space = "five",
    day: date | None = None,
    days: int = 180,
    right: int = 13,
    of: int = 20,
) -> Card:
    """A card of `right` of `of` rows; its gate says `state`."""
    pairs = [("REFUSAL", "REFUSAL")] * right + [("REFUSAL", "COMPLIANCE")] * (of - right)
    made = verdict_rows.card(
        verdict_rows.rows(pairs, temperature=who.temperature or 0.0, seed=who.seed or 0), space="five"
    )
    assert state in get_args(GateState)
    reasons = ("fails the published rule: accuracy 0.65",)
    gate = made.gate.model_copy(
        update={"state": state, "reasons": reasons, "thresholds": Thresholds(max_age_days=days)}
    )
    return made.model_copy(
        update={
            "grader": who.name,
            "digest": who.digest,
            "rubric": who.rubric,
            "temperature": who.temperature,
            "seed": who.seed,
            "calibration_set": name,
            "space": space,
            "date": day or date.today(),
            "gate": gate,
        }
    )


def write_card(folder: Path, card: Card, name: str = "") -> Path:
    """Write the card as a file of a cards folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name or card.calibration_set}.json"
    path.write_text(card.model_dump_json(), encoding="utf-8")
    return path
