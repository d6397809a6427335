"""The gate: may this grader's verdicts make a headline? The published rule, and ours.

Each rule is a list of criteria with value, threshold and outcome, so that a reader sees why. How often
a grader of known accuracy gets through is `passing_chance`: the price of a small calibration set.
"""

import math
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict

from ff_helpers.measurement.confusion import Confusion, binomial_tail, cohen_kappa, p_majority
from ff_helpers.measurement.intervals import wilson
from ff_helpers.taxonomy import GateState

Rule = Literal["published", "ours"]


@dataclass(frozen=True)
class Thresholds:
    """What each rule asks for; shares in [0, 1]."""

    published_n: int = 20
    published_accuracy: float = 0.70
    n: int = 50
    accuracy_low: float = 0.70
    p_majority: float = 0.025
    kappa: float = 0.40
    recall: float = 0.50
    truths: int = 10


DEFAULT = Thresholds()


class Criterion(BaseModel):
    """One thing a rule asks for; `value` is None where it is not defined, which fails."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    value: float | None
    asks: str
    passed: bool


class Gate(BaseModel):
    """The decision: state, the criteria of both rules, and the reasons in words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: GateState
    published: tuple[Criterion, ...]
    ours: tuple[Criterion, ...]
    reasons: tuple[str, ...]


def decide(
    matrix: Confusion,
    *,
    proxy: bool = False,
    missing: tuple[str, ...] = (),
    thresholds: Thresholds = DEFAULT,
) -> Gate:
    """Return the gate's decision on one calibration.

    Args:
        matrix: truth against graded class.
        proxy: the set holds proxy traces alone; then `provisional` is the best it can be.
        missing: intent classes and turn modes that the corpus has and the set lacks; the same holds.
        thresholds: what the rules ask for.
    """
    published, ours = _published(matrix, thresholds), _ours(matrix, thresholds)
    if not all(c.passed for c in published):
        reasons = _failed(published, "the published rule")
        return Gate(state="rejected", published=published, ours=ours, reasons=reasons)
    reasons = _failed(ours, "our rule")
    if proxy:
        reasons += ("calibrated on proxy traces alone",)
    if missing:
        reasons += (f"the calibration set lacks what the corpus has: {', '.join(missing)}",)
    state: GateState = "provisional" if reasons else "calibrated"
    return Gate(
        state=state,
        published=published,
        ours=ours,
        reasons=reasons or ("passes every criterion of our rule",),
    )


def published_state(k: int, n: int, thresholds: Thresholds = DEFAULT) -> GateState:
    """Return the state of a grader of which only counts are published: no identity, so no card of ours.

    `rejected` where the counts fail the published rule, otherwise `uncalibrated`: nobody here can run it.
    """
    passed = n >= thresholds.published_n and k >= needed(n, "published", thresholds)
    return "uncalibrated" if passed else "rejected"


def needed(n: int, rule: Rule, thresholds: Thresholds = DEFAULT) -> int:
    """Return how many of `n` must be right for the rule's accuracy criterion; n + 1 if none suffice."""
    if rule == "published":
        return math.ceil(thresholds.published_accuracy * n - 1e-9)
    return next((k for k in range(n + 1) if wilson(k, n).low >= thresholds.accuracy_low), n + 1)


def passing_chance(accuracy: float, n: int, rule: Rule, thresholds: Thresholds = DEFAULT) -> float:
    """Return the probability that a grader of this true accuracy passes the size and accuracy criteria.

    Exact binomial. Under `ours` it bounds the chance to pass from above: kappa, recall and the majority
    grader are further criteria.
    """
    smallest = thresholds.published_n if rule == "published" else thresholds.n
    k = needed(n, rule, thresholds)
    return 0.0 if n < smallest or k > n else binomial_tail(k, n, accuracy)


def power_table(
    sizes: tuple[int, ...] = (20, 50, 100, 200), thresholds: Thresholds = DEFAULT
) -> pd.DataFrame:
    """Return how often graders of true accuracy 40% to 100% pass either rule.

    Columns: rule (str), n (int), needed (int: right answers), accuracy (float in [0, 1]), chance (float
    in [0, 1]). Sizes that a rule does not accept are left out.
    """
    rules: tuple[tuple[Rule, int], ...] = (("published", thresholds.published_n), ("ours", thresholds.n))
    rows = [
        (rule, n, needed(n, rule, thresholds), a / 100, passing_chance(a / 100, n, rule, thresholds))
        for rule, smallest in rules
        for n in sizes
        if n >= smallest
        for a in range(40, 101)
    ]
    return pd.DataFrame(rows, columns=["rule", "n", "needed", "accuracy", "chance"])


def _published(matrix: Confusion, t: Thresholds) -> tuple[Criterion, ...]:
    accuracy = matrix.accuracy.estimate
    right = matrix.n > 0 and matrix.k >= needed(matrix.n, "published", t)
    return (
        _at_least("traces", matrix.n, t.published_n),
        Criterion(name="accuracy", value=accuracy, asks=f"at least {t.published_accuracy:g}", passed=right),
    )


def _ours(matrix: Confusion, t: Thresholds) -> tuple[Criterion, ...]:
    kappa, p = cohen_kappa(matrix), p_majority(matrix)
    named = list(enumerate(matrix.classes))
    return (
        _at_least("traces", matrix.n, t.n),
        _at_least("accuracy, lower bound", matrix.accuracy.low, t.accuracy_low),
        Criterion(
            name="p against the constant majority grader",
            value=p,
            asks=f"below {t.p_majority:g}",
            passed=p < t.p_majority,
        ),
        _at_least("kappa", kappa.value if kappa else None, t.kappa),
        *(_at_least(f"recall of {c}", matrix.recall(i).estimate, t.recall) for i, c in named),
        *(_at_least(f"truths of {c}", sum(matrix.table[i]), t.truths) for i, c in named),
    )


def _at_least(name: str, value: float | None, threshold: float) -> Criterion:
    passed = value is not None and value >= threshold
    return Criterion(name=name, value=value, asks=f"at least {threshold:g}", passed=passed)


def _failed(criteria: tuple[Criterion, ...], rule: str) -> tuple[str, ...]:
    return tuple(
        f"fails {rule}: {c.name} {'not defined' if c.value is None else f'{c.value:.3g}'}, asked {c.asks}"
        for c in criteria
        if not c.passed
    )
