"""A calibration card as people read it in a terminal, and what it allows."""

import textwrap
from collections.abc import Sequence
from typing import Final

from ff_helpers.cli.text import aligned
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.calibration.confusion import Kappa
from ff_helpers.measurement.calibration.gate import Criterion
from ff_helpers.measurement.calibration.robustness import FlipRate
from ff_helpers.measurement.proportions.intervals import Proportion
from ff_helpers.terms import GATE_STATES, GateState, Unknown

ALLOWS: Final[dict["GateState", str]] = {
    "rejected": "It may not grade traces without truth: use another grader, or grade by hand "
    "(notebooks/grade_by_hand.ipynb).",
    "provisional": "It may grade traces without truth (`ff grade`); every rate from it is provisional, for "
    "the reasons above.",
    "calibrated": "It may grade traces without truth (`ff grade`).",
    "uncalibrated": "It has no card that counts, so it may not grade traces without truth (`ff calibrate`).",
}


def card_text(card: Card) -> str:
    """Return a card in about fifteen lines, at most 100 columns."""
    invalid = card.valid.n - card.valid.k
    statuses = ", ".join(f"{status} {n}" for status, n in card.statuses.items())
    lines = [
        ("accuracy", rate(card.accuracy)),
        ("baseline", f"{rate(card.majority)} for always answering {card.majority_class}"),
        ("", f"{100 * card.chance:.1f}% for picking each class with equal chance"),
        *(("kappa" * (not i), part) for i, part in enumerate(_kappa(card))),
        *((f"recall {name.name}", rate(name.recall)) for name in card.by_class),
        ("no verdict", f"{invalid} of {card.valid.n}" + (f": {statuses}" if statuses else "")),
        ("test-retest", _or_why(card.test_retest)),
        *_flips(card),
        ("seconds per trace", _seconds(card.seconds_a_trace)),
        ("counts until", f"{card.last_day} ({card.gate.thresholds.max_age_days} days)"),
        ("gate", card.gate.state + (f", {card.gate.own}" if card.gate.own else "")),
        (
            "",
            f"criteria passed: {_passed(card.gate.published)} of the published rule, "
            f"{_passed(card.gate.ours)} of ours",
        ),
    ]
    head = f"{card.calibration_set} ({card.n} traces, label space {card.space}; {card.sampling})"
    return "\n".join([head, *aligned([*lines, *(("", f"- {reason}") for reason in card.gate.reasons)])])


def rate(share: Proportion) -> str:
    """Return `65.0% [43.3, 81.9], 13 of 20`."""
    if share.estimate is None:
        return "unknown: no row"
    bounds = f"[{100 * share.low:.1f}, {100 * share.high:.1f}]"
    return f"{100 * share.estimate:.1f}% {bounds}, {share.k} of {share.n}"


def lowest(states: Sequence[GateState]) -> GateState:
    """Return the lowest state: what several cards allow together."""
    return min(states, key=GATE_STATES.index)


def _kappa(card: Card) -> list[str]:
    if not isinstance(card.kappa, Kappa):
        return [card.kappa.why]
    value = f"{card.kappa.value:.2f} [{card.kappa.low:.2f}, {card.kappa.high:.2f}]"
    return [value, *textwrap.wrap(card.kappa.note, width=66)]


def _passed(criteria: Sequence[Criterion]) -> str:
    return f"{sum(one.passed for one in criteria)} of {len(criteria)}"


def _flips(card: Card) -> list[tuple[str, str]]:
    """Return how often an attack gets its verdict, compared with harmless additions."""
    flips = card.injection_flip_rate
    said = [("flips under attack", _or_why(flips))]
    if isinstance(flips, FlipRate):
        if flips.clean_verdicts == 1:
            said.append(("", "no resistance: it gives every response the same verdict, attacked or not"))
        said.append(("flips without attack", rate(flips.control_flips)))
        said.append(("attacked, no verdict", f"{flips.denied} of {flips.n}"))
    return said


def _or_why(share: Proportion | Unknown) -> str:
    return f"not measured: {share.why}" if isinstance(share, Unknown) else rate(share)


def _seconds(value: float | Unknown) -> str:
    return f"{value:.2f}" if isinstance(value, float) else f"not measured: {value.why}"
