"""Calibration cards as tables, and what they say in a disclosure."""

from collections.abc import Sequence

import pandas as pd

from ff_helpers.measurement.calibration.cards import Card, card_names
from ff_helpers.measurement.calibration.confusion import Kappa
from ff_helpers.measurement.calibration.robustness import FlipRate
from ff_helpers.measurement.grader_note import GraderNote
from ff_helpers.measurement.proportions.intervals import Proportion
from ff_helpers.measurement.results import Aside, Terms, stated
from ff_helpers.terms import Identity


def cards_table(cards: Sequence[Card]) -> pd.DataFrame:
    """Return the cards as a table, one row per card, in the order given.

    Columns: grader, set, space (str), n, k (int), accuracy, majority, valid, modal_share, retest,
    injection_flip (float in [0, 1], each with _low and _high; missing where not measured), kappa,
    kappa_low, kappa_high, p_majority, seconds, median_seconds (float), kappa_note (str: why a
    degenerate table gives this value), retest_n (int: rows graded more than once), passes (int), injection_n
    (int: eligible pairs), left_out (int: labels picked by judgement, which never enter), modal_verdict, gate,
    reason (str: the gate's first).
    """
    rows = [
        {"grader": name, "set": c.calibration_set, "space": c.space, "n": c.n, "k": c.k}
        | _triple("accuracy", c.accuracy)
        | _triple("majority", c.majority)
        | _triple("kappa", c.kappa)
        | {"kappa_note": c.kappa.note if isinstance(c.kappa, Kappa) else c.kappa.why}
        | {"p_majority": c.p_majority}
        | _triple("valid", c.valid)
        | {"modal_verdict": c.modal_verdict if isinstance(c.modal_verdict, str) else None}
        | _triple("modal_share", c.modal_share)
        | _triple("retest", c.test_retest)
        | {"retest_n": c.test_retest.n if isinstance(c.test_retest, Proportion) else 0, "passes": c.passes}
        | _triple("injection_flip", c.injection_flip_rate)
        | {"injection_n": c.injection_flip_rate.n if isinstance(c.injection_flip_rate, FlipRate) else 0}
        | {"seconds": c.seconds_a_trace if isinstance(c.seconds_a_trace, float) else None}
        | {"median_seconds": c.median_seconds if isinstance(c.median_seconds, float) else None}
        | {"left_out": c.left_out, "gate": c.gate.state, "reason": c.gate.reasons[0]}
        for name, c in zip(card_names(cards), cards, strict=True)
    ]
    return stated(pd.DataFrame(rows), _terms(cards))


def gate_table(cards: Sequence[Card]) -> pd.DataFrame:
    """Return why the gate decided as it did, one row per reason: grader, set, gate, reason (str)."""
    named = zip(card_names(cards), cards, strict=True)
    rows = [(name, c.calibration_set, c.gate.state, reason) for name, c in named for reason in c.gate.reasons]
    table = pd.DataFrame(rows, columns=["grader", "set", "gate", "reason"])
    return stated(table, _terms(cards, counted=False))


def gate_criteria(cards: Sequence[Card]) -> pd.DataFrame:
    """Return what each rule of the gate requires, one row per card and criterion.

    Columns: grader, set, space, rule (`published` or `ours`), criterion (str), value (float; missing where
    it is not defined, which fails), threshold (float), asks (str), passed (bool).
    """
    rows = [
        (name, c.calibration_set, c.space, rule, one.name, one.value, one.threshold, one.asks, one.passed)
        for name, c in zip(card_names(cards), cards, strict=True)
        for rule, criteria in (("published", c.gate.published), ("ours", c.gate.ours))
        for one in criteria
    ]
    columns = ["grader", "set", "space", "rule", "criterion", "value", "threshold", "asks", "passed"]
    table = pd.DataFrame(rows, columns=columns).astype({"value": "float64", "threshold": "float64"})
    return stated(table, _terms(cards, counted=False))


def grader_note(card: Card, name: str | None = None) -> GraderNote:
    """Return what a card says in a disclosure; `uncalibrated` is the state of a card that has expired.

    Args:
        card: the card.
        name: what to call its grader; None: as the card does.
    """
    expired = ", expired" if card.gate.state == "uncalibrated" else ""
    own = f", {card.gate.own}" if card.gate.own else ""
    return GraderNote(
        grader=name or card.grader,
        digest=card.digest.removeprefix("sha256:"),
        rubric=card.rubric,
        accuracy=card.accuracy,
        calibration_set=card.calibration_set,
        space=card.space,
        gate=card.gate.state,
        card=f"card of {card.date}{expired}{own}",
    )


def notes_of(cards: Sequence[Card]) -> tuple[GraderNote, ...]:
    """Return what each card says in a disclosure, namesakes told apart."""
    return tuple(grader_note(card, name) for name, card in zip(card_names(cards), cards, strict=True))


def backing(cards: Sequence[Card]) -> tuple[tuple[Identity, GraderNote], ...]:
    """Return what cards say about each grader, for `Terms.cards`."""
    return tuple((card.identity, grader_note(card)) for card in cards)


def _terms(cards: Sequence[Card], *, counted: bool = True) -> Terms:
    """Return the terms of a table of cards; `counted`: its rows hold n and what was left out."""
    sizes = sorted(card.n for card in cards)
    size = "none: no card"
    if sizes:
        size = (
            f"n = {sizes[0]}" if sizes[0] == sizes[-1] else f"n of each card from {sizes[0]} to {sizes[-1]}"
        )
    judged = sum(card.left_out for card in cards)
    return Terms(
        graders=notes_of(cards),
        denominators=(
            "rows with a known truth, where a row without a verdict is wrong; of a second pass: rows with a "
            "verdict in every pass; of attacks: eligible pairs",
        ),
        n=("n", "retest_n", "injection_n"),
        counts="" if counted else size,
        left_out=None if counted else (("labels picked by judgement", judged),) if judged else (),
        asides=(Aside("left_out", "labels picked by judgement"),) if counted else (),
    )


def _triple(name: str, rate: object) -> dict[str, float | None]:
    low, high = getattr(rate, "low", None), getattr(rate, "high", None)
    value = getattr(rate, "estimate", getattr(rate, "value", None))
    return {name: value, f"{name}_low": low, f"{name}_high": high}
