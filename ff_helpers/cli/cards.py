"""Cards as people read them in a terminal: of a grader, with what it allows, and of a column of labels."""

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from ff_helpers.cli.text import aligned
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.calibration.confusion import Confusion, Kappa
from ff_helpers.measurement.calibration.gate import Criterion
from ff_helpers.measurement.calibration.robustness import FlipRate
from ff_helpers.measurement.labels.card import LabelCard
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


MOST: Final = 20
"""How many of the invalid values are shown, the most frequent first."""
_MEANS: Final = """
This measures the labels as they stand. It is not a grader's card and admits no grader to grading; `ff
calibrate --grader SPEC` makes one. It is valid for rows like these, if they are all the rows or a
random sample: not for rows picked because graders disagree."""


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


def label_text(card: LabelCard, left: dict[str, int]) -> str:
    """Return a card in about two dozen lines; `left` counts the rows left out, by reason."""
    matrix = card.matrix
    invalid = [f"{value!r} {n}" if value else f"empty {n}" for value, n in card.invalid.items()]
    said = f": {', '.join(invalid[:MOST])}" if invalid else ""
    said += f" and {len(invalid) - MOST} more values" if len(invalid) > MOST else ""
    lines = [
        ("accuracy", rate(matrix.accuracy)),
        ("baseline", f"{rate(matrix.baseline)} for always answering {matrix.classes[matrix.majority]}"),
        ("kappa", _kappa_of_labels(card.kappa)),
        *((f"recall {name}", rate(matrix.recall(i))) for i, name in enumerate(matrix.classes)),
        ("invalid", f"{sum(card.invalid.values())} of {matrix.n}{said}"),
        ("no true label", f"{left['no_truth']} rows, left out"),
        *([("not in ledger", f"{left['not_in_ledger']} rows, left out")] if left["not_in_ledger"] else []),
    ]
    if card.positive is not None:
        one = card.positive
        lines += [
            (f"positive {one.name}", "against all others"),
            ("precision", rate(one.precision)),
            ("sensitivity (recall)", rate(one.sensitivity)),
            ("specificity", rate(one.specificity)),
            ("F1", "unknown: nothing is positive" if one.f1 is None else f"{one.f1:.3f}"),
        ]
    if card.humans is not None:
        lines += [
            (" and ".join(card.humans.columns), f"agree on {rate(card.humans.agreement)}"),
            ("their kappa", _kappa_of_labels(card.humans.kappa)),
        ]
    lines.append(("gate", card.gate.state))
    text = aligned(lines)
    for one_rule, criteria in (("published rule", card.gate.published), ("our rule", card.gate.ours)):
        for c in criteria:
            value = "not defined" if c.value is None else f"{c.value:.3g}"
            text.append(
                f"    {'passes' if c.passed else 'FAILS '} {one_rule}: {c.name} {value}, required {c.asks}"
            )
    # A label may contain control sequences.
    plain = "\n".join([*text, _MEANS])
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in plain)


def _kappa_of_labels(kappa: Kappa | None) -> str:
    if kappa is None:
        return "unknown: no row"
    said = f"{kappa.value:.2f} [{kappa.low:.2f}, {kappa.high:.2f}]"
    return f"{said} ({kappa.note})" if kappa.note else said


def label_content(card: LabelCard) -> dict[str, object]:
    """Return the card as --json prints it: shares in [0, 1], intervals as [low, high], null where unknown."""
    matrix = card.matrix
    content: dict[str, object] = {"truth": card.truth, "grader": card.grader, "n": matrix.n, "k": matrix.k}
    content |= _share_json("accuracy", matrix.accuracy) | _kappa_json(card.kappa)
    content |= {"baseline": matrix.baseline.estimate, "majority_class": matrix.classes[matrix.majority]}
    content |= {"confusion": _nested(matrix, len(card.invalid) > 0)}
    content["per_class"] = {
        name: {"n": sum(matrix.table[i])}
        | _share_json("recall", matrix.recall(i))
        | _share_json("precision", matrix.precision(i))
        for i, name in enumerate(matrix.classes)
    }
    content |= {
        "invalid": sum(card.invalid.values()),
        "invalid_values": dict(list(card.invalid.items())[:MOST]),
    }
    if card.positive is not None:
        one = card.positive
        content |= {"positive": one.name, "f1": one.f1}
        content |= _share_json("precision", one.precision) | _share_json("recall", one.sensitivity)
        content |= _share_json("sensitivity", one.sensitivity) | _share_json("specificity", one.specificity)
    if card.humans is not None:
        agreed = card.humans.agreement
        content["annotators"] = (
            {"columns": card.humans.columns, "n": agreed.n, "k": agreed.k, "left_out": card.humans.left_out}
            | _share_json("agreement", agreed)
            | _kappa_json(card.humans.kappa)
        )
    criteria = [
        {"rule": rule} | asdict(one)
        for rule, every in (("published", card.gate.published), ("ours", card.gate.ours))
        for one in every
    ]
    content["gate"] = {"state": card.gate.state, "criteria": criteria, "reasons": card.gate.reasons}
    return content


def _share_json(name: str, share: Proportion) -> dict[str, object]:
    return {name: share.estimate, f"{name}_ci": [share.low, share.high]}


def _kappa_json(kappa: Kappa | None) -> dict[str, object]:
    if kappa is None:
        return {"kappa": None, "kappa_ci": [-1.0, 1.0], "kappa_note": "no row"}
    return {"kappa": kappa.value, "kappa_ci": [kappa.low, kappa.high], "kappa_note": kappa.note}


def _nested(matrix: Confusion, invalid: bool) -> dict[str, dict[str, int]]:
    """Return truth -> graded class -> count; the column `invalid` only where some label is invalid."""
    last = "invalid" if "invalid" not in matrix.classes else "no label"
    columns = (*matrix.classes, last) if invalid else matrix.classes
    return {
        name: dict(zip(columns, row, strict=False))
        for name, row in zip(matrix.classes, matrix.table, strict=True)
    }
