"""Differences of two proportions: of the same rows (paired), and of rows that have nothing in common.

McNemar's test of a paired difference, and the adjustment for many comparisons at once.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.intervals import BadCountError, Numbers, wilson, wilson_bounds

Values = Numbers | float


class BadPValueError(FFError):
    """An invalid p-value."""

    def __init__(self, place: int, value: float) -> None:
        super().__init__(f"p-value {place} is {value}. Allowed: a number from 0 to 1.")


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of two paired proportions.

    Attributes:
        chi2: the statistic, without continuity correction.
        p_chi2: its p-value on one degree of freedom.
        p_exact: the two-sided exact (binomial) p-value: right for few pairs too.
    """

    chi2: float
    p_chi2: float
    p_exact: float


def paired_difference(both: int, first: int, second: int, neither: int) -> tuple[float, float, float]:
    """Return the difference of two paired proportions with its 95% interval.

    Newcombe's method 10 (Statistics in Medicine 17, 1998, 2635-2650): the Wilson intervals of the two
    proportions, squared and added, less their correlation.

    Args:
        both: pairs in which both are successes.
        first, second: pairs in which only the first, only the second one is.
        neither: pairs in which neither is.

    Returns:
        The first proportion minus the second, lower bound, upper bound, in [-1, 1]; NaN, -1, 1 without pairs.
    """
    n = both + first + second + neither
    wilson(both + first, n), wilson(both + second, n)  # refuses invalid counts
    return paired_bounds(both, first, second, neither)


def paired_bounds(both: float, first: float, second: float, neither: float) -> tuple[float, float, float]:
    """Return what `paired_difference` does, of counts that may be fractional: those at an effective n."""
    n = both + first + second + neither
    if n <= 0:
        return math.nan, -1.0, 1.0
    lows, highs = wilson_bounds(np.array([both + first, both + second]), np.array([n, n]))
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    covariance = float(both * neither - first * second)
    if covariance > 0:
        covariance = max(covariance - n / 2, 0.0)
    phi = covariance / math.sqrt(margins) if margins else 0.0
    bounds = list(zip(lows, highs, strict=True))
    low, high = difference_bounds((both + first) / n, bounds[0], (both + second) / n, bounds[1], phi)
    return (first - second) / n, float(low), float(high)


def independent_difference(k1: int, n1: int, k2: int, n2: int) -> tuple[float, float, float]:
    """Return the difference of two proportions of different rows with its 95% interval.

    Newcombe's method 10 for unpaired proportions (Statistics in Medicine 17, 1998, 873-890): the Wilson
    intervals of the two, squared and added.

    Returns:
        k1 / n1 - k2 / n2, lower bound, upper bound, in [-1, 1]; NaN, -1, 1 where one of them has no rows.

    Raises:
        BadCountError: impossible counts.
    """
    one, two = wilson(k1, n1), wilson(k2, n2)
    p, q = (math.nan if x.estimate is None else x.estimate for x in (one, two))
    low, high = difference_bounds(p, (one.low, one.high), q, (two.low, two.high))
    return p - q, float(low), float(high)


def difference_bounds(
    p: Values, p_bounds: tuple[Values, ...], q: Values, q_bounds: tuple[Values, ...], phi: Values = 0.0
) -> tuple[Numbers, Numbers]:
    """Return the lower and upper bounds of p - q from those of p and of q: numbers, or arrays alike.

    Newcombe's square-and-add, which works for the bounds of any two proportions (Zou and Donner 2008,
    Statistics in Medicine 27:1693-1702): so with Wilson bounds at an effective n it serves clusters.

    Args:
        p, q: the proportions; where one of them is missing (NaN) the bounds are -1 and 1.
        p_bounds, q_bounds: lower and upper bound of each.
        phi: the correlation of the two; 0 where they are of different rows.
    """
    one, two = np.asarray(p, dtype=float), np.asarray(q, dtype=float)
    (p_low, p_high), (q_low, q_high) = p_bounds, q_bounds
    low = one - two - _joined(one - p_low, q_high - two, phi)
    high = one - two + _joined(p_high - one, two - q_low, phi)
    unknown = np.isnan(one - two)
    return np.where(unknown, -1.0, np.clip(low, -1, 1)), np.where(unknown, 1.0, np.clip(high, -1, 1))


def mcnemar(only_a: int, only_b: int) -> McNemar:
    """Test whether two paired proportions differ (McNemar 1947, Psychometrika 12:153-157).

    Args:
        only_a, only_b: pairs in which only the first, only the second is a success. Where there is
            neither, nothing speaks for a difference: chi2 is 0 and both p-values are 1.

    Raises:
        BadCountError: a count that is negative or fractional.
    """
    from statsmodels.stats.contingency_tables import mcnemar as test

    n = only_a + only_b
    if int(only_a) != only_a or int(n) != n or min(only_a, only_b) < 0:
        raise BadCountError(only_a, n)
    if n == 0:
        return McNemar(0.0, 1.0, 1.0)
    pairs = [[0, only_a], [only_b, 0]]
    usual, exact = test(pairs, exact=False, correction=False), test(pairs, exact=True)
    return McNemar(float(usual.statistic), float(usual.pvalue), float(exact.pvalue))


def benjamini_hochberg(p_values: Iterable[float]) -> list[float]:
    """Return the p-values of one family of comparisons, adjusted, in their order.

    Calling a difference real where its adjusted p-value is at most q keeps the expected share of false
    ones among those called at q or below (Benjamini and Hochberg 1995, Journal of the Royal Statistical
    Society B 57:289-300).

    Raises:
        BadPValueError: a value that is missing or outside [0, 1].
    """
    from statsmodels.stats.multitest import multipletests

    p = np.array(list(p_values), dtype=float)
    wrong = np.flatnonzero(~((p >= 0) & (p <= 1)))
    if len(wrong):
        raise BadPValueError(int(wrong[0]) + 1, float(p[wrong[0]]))
    if not len(p):
        return []
    return [float(value) for value in multipletests(p, method="fdr_bh")[1]]


def _joined(a: Numbers, b: Numbers, phi: Values) -> Numbers:
    return np.asarray(np.sqrt(np.maximum(a * a - 2 * phi * a * b + b * b, 0.0)))
