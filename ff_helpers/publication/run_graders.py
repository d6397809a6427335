"""The graders of a run in a line or an entry each, for the summary at its end and for its crate."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from ff_helpers.grading.identities import shown_names
from ff_helpers.measurement.calibration.cards import card_names
from ff_helpers.measurement.standing import run_cards, saved_cards
from ff_helpers.paths import Run
from ff_helpers.terms import Identity

_PASSED: Final = {
    "calibrated": "passed the gate",
    "provisional": "passed the published rule, not ours",
}


def gate_lines(run: Run) -> list[str]:
    """Return one line per calibration card: who passed the gate, who did not, on what."""
    cards, said = run_cards(run), []
    for name, card in zip(card_names(cards), cards, strict=True):
        state = card.gate.state
        accuracy = f"{card.k} of {card.n} right" + (f", {card.k / card.n:.1%}" if card.n else "")
        said.append(
            f"{name} {_PASSED.get(state, 'did not pass the gate')}: {state} "
            f"({accuracy}; {card.calibration_set}, {card.space})"
        )
    return said


def measured_graders(folder: Path, as_of: date) -> Sequence[tuple[str, Identity]]:
    """Return the graders that have a card in `cards/` of a run's folder, by what to call them."""
    names = shown_names(card.identity for card in saved_cards(folder / "cards", on=as_of))
    return sorted((name, who) for who, name in names.items())
