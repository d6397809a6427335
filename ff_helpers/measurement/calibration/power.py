"""What a rule of the gate costs: how often a grader of known accuracy passes, and how many traces it takes.

Arithmetic, not measurement: exact binomial, size and accuracy criteria alone. Under our rule kappa, recall
and the majority grader are further criteria, so a real chance is lower and a real n is higher.
"""

import numpy as np
import pandas as pd

from ff_helpers.measurement.calibration.confusion import binomial_tail
from ff_helpers.measurement.calibration.gate import DEFAULT, Rule, Thresholds, needed, needed_right
from ff_helpers.measurement.results import Terms, stated

LARGEST = 10_000
"""The largest calibration set that `needed_n` considers."""
_EXACT = Terms(
    graders=(), denominators=("traces of a calibration set",), counts="none: exact binomial", left_out=()
)


def passing_chance(accuracy: float, n: int, rule: Rule, thresholds: Thresholds = DEFAULT) -> float:
    """Return the probability that a grader of this true accuracy passes the size and accuracy criteria."""
    k = needed(n, rule, thresholds)
    return 0.0 if n < _smallest(rule, thresholds) or k > n else binomial_tail(k, n, accuracy)


def power_table(
    sizes: tuple[int, ...] = (20, 50, 100, 200), thresholds: Thresholds = DEFAULT
) -> pd.DataFrame:
    """Return how often graders of true accuracy 40% to 100% pass either rule.

    Columns: rule (str), n (int), needed (int: right answers), accuracy (float in [0, 1]), chance (float
    in [0, 1]), threshold (float in [0, 1]: of the rule's accuracy criterion). The smallest size that a rule
    accepts is added; sizes below it are left out.
    """
    rules: tuple[tuple[Rule, float], ...] = (
        ("published", thresholds.published_accuracy),
        ("ours", thresholds.accuracy_low),
    )
    rows = [
        (rule, n, needed(n, rule, thresholds), a / 100, passing_chance(a / 100, n, rule, thresholds), bar)
        for rule, bar in rules
        for n in sorted({_smallest(rule, thresholds), *sizes})
        if n >= _smallest(rule, thresholds)
        for a in range(40, 101)
    ]
    table = pd.DataFrame(rows, columns=["rule", "n", "needed", "accuracy", "chance", "threshold"])
    return stated(table, _EXACT)


def needed_n(accuracy: float, rule: Rule, power: float = 0.8, thresholds: Thresholds = DEFAULT) -> int | None:
    """Return the n from which a grader of this true accuracy passes with probability `power` or more.

    It holds for every larger n too: the chance is a saw-tooth in n, because the
    number of right answers that a rule requires is whole. None: not up to 10,000 traces.
    """
    from scipy.special import bdtrc

    sizes = np.arange(_smallest(rule, thresholds), LARGEST + 1)
    k = needed_right(sizes, rule, thresholds)
    chance = np.where(k > 0, bdtrc(np.maximum(k - 1, 0), sizes, accuracy), 1.0)
    short = np.flatnonzero(~((chance >= power) & (k <= sizes)))
    if not len(short):
        return int(sizes[0]) if len(sizes) else None
    return None if short[-1] == len(sizes) - 1 else int(sizes[short[-1] + 1])


def needed_table(thresholds: Thresholds = DEFAULT) -> pd.DataFrame:
    """Return how many labelled traces a grader needs to pass with a chance of 50, 80 and 90%.

    Columns: rule (str), accuracy (float in [0, 1]: the true one), n_50, n_80, n_90 (Int64; missing where
    10,000 traces are not enough).
    """
    rules: tuple[Rule, ...] = ("published", "ours")
    rows = [
        (rule, accuracy, *(needed_n(accuracy, rule, power, thresholds) for power in (0.5, 0.8, 0.9)))
        for rule in rules
        for accuracy in (0.75, 0.8, 0.85, 0.9, 0.95)
    ]
    table = pd.DataFrame(rows, columns=["rule", "accuracy", "n_50", "n_80", "n_90"])
    return stated(table.astype(dict.fromkeys(("n_50", "n_80", "n_90"), "Int64")), _EXACT)


def _smallest(rule: Rule, thresholds: Thresholds) -> int:
    return thresholds.published_n if rule == "published" else thresholds.n
