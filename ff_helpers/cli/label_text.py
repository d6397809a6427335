"""The card of a column of labels, as terminal text and as JSON."""

from dataclasses import asdict
from typing import Final

from ff_helpers.cli.cards import rate
from ff_helpers.cli.text import aligned
from ff_helpers.measurement.calibration.confusion import Confusion, Kappa
from ff_helpers.measurement.labels.card import LabelCard
from ff_helpers.measurement.proportions.intervals import Proportion

MOST: Final = 20
"""How many of the invalid values are shown, the most frequent first."""
_MEANS: Final = """
This measures the labels as they stand. It is not a grader's card and admits no grader to grading; `ff
calibrate --grader SPEC` makes one. It is valid for rows like these, if they are all the rows or a
random sample: not for rows picked because graders disagree."""


def label_text(card: LabelCard, left: dict[str, int]) -> str:
    """Return a card in about two dozen lines; `left` counts the rows left out, by reason."""
    matrix = card.matrix
    invalid = [f"{value!r} {n}" if value else f"empty {n}" for value, n in card.invalid.items()]
    said = f": {', '.join(invalid[:MOST])}" if invalid else ""
    said += f" and {len(invalid) - MOST} more values" if len(invalid) > MOST else ""
    lines = [
        ("accuracy", rate(matrix.accuracy)),
        ("baseline", f"{rate(matrix.baseline)} for always answering {matrix.classes[matrix.majority]}"),
        ("kappa", _kappa(card.kappa)),
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
            ("their kappa", _kappa(card.humans.kappa)),
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


def _kappa(kappa: Kappa | None) -> str:
    if kappa is None:
        return "unknown: no row"
    said = f"{kappa.value:.2f} [{kappa.low:.2f}, {kappa.high:.2f}]"
    return f"{said} ({kappa.note})" if kappa.note else said


def label_content(card: LabelCard) -> dict[str, object]:
    """Return the card as --json prints it: shares in [0, 1], intervals as [low, high], null where unknown."""
    matrix = card.matrix
    content: dict[str, object] = {"truth": card.truth, "grader": card.grader, "n": matrix.n, "k": matrix.k}
    content |= _share("accuracy", matrix.accuracy) | _kappas(card.kappa)
    content |= {"baseline": matrix.baseline.estimate, "majority_class": matrix.classes[matrix.majority]}
    content |= {"confusion": _nested(matrix, len(card.invalid) > 0)}
    content["per_class"] = {
        name: {"n": sum(matrix.table[i])}
        | _share("recall", matrix.recall(i))
        | _share("precision", matrix.precision(i))
        for i, name in enumerate(matrix.classes)
    }
    content |= {
        "invalid": sum(card.invalid.values()),
        "invalid_values": dict(list(card.invalid.items())[:MOST]),
    }
    if card.positive is not None:
        one = card.positive
        content |= {"positive": one.name, "f1": one.f1}
        content |= _share("precision", one.precision) | _share("recall", one.sensitivity)
        content |= _share("sensitivity", one.sensitivity) | _share("specificity", one.specificity)
    if card.humans is not None:
        agreed = card.humans.agreement
        content["annotators"] = (
            {"columns": card.humans.columns, "n": agreed.n, "k": agreed.k, "left_out": card.humans.left_out}
            | _share("agreement", agreed)
            | _kappas(card.humans.kappa)
        )
    criteria = [
        {"rule": rule} | asdict(one)
        for rule, every in (("published", card.gate.published), ("ours", card.gate.ours))
        for one in every
    ]
    content["gate"] = {"state": card.gate.state, "criteria": criteria, "reasons": card.gate.reasons}
    return content


def _share(name: str, share: Proportion) -> dict[str, object]:
    return {name: share.estimate, f"{name}_ci": [share.low, share.high]}


def _kappas(kappa: Kappa | None) -> dict[str, object]:
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
