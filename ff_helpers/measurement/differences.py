"""Differences of two proportions: of the same rows (paired), and of rows that have nothing in common."""

import math

from ff_helpers.measurement.intervals import wilson


def paired_difference(both: int, first: int, second: int, neither: int) -> tuple[float, float, float]:
    """Return the difference of two paired proportions with its 95% interval.

    Newcombe's method 10 (Statistics in Medicine 17, 1998, 2635-2650): the Wilson intervals of the two
    proportions, squared and added, less their correlation.

    Args:
        both: pairs in which both are successes.
        first, second: pairs in which only the first, only the second one is.
        neither: pairs in which none is.

    Returns:
        The first proportion minus the second, lower bound, upper bound, in [-1, 1]; NaN, -1, 1 without pairs.
    """
    n = both + first + second + neither
    if n == 0:
        return math.nan, -1.0, 1.0
    one, two = wilson(both + first, n), wilson(both + second, n)
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    covariance = float(both * neither - first * second)
    if covariance > 0:
        covariance = max(covariance - n / 2, 0.0)
    phi = covariance / math.sqrt(margins) if margins else 0.0
    p, q = one.k / n, two.k / n
    difference = (first - second) / n
    low = difference - _joined(p - one.low, two.high - q, phi)
    high = difference + _joined(q - two.low, one.high - p, phi)
    return difference, max(low, -1.0), min(high, 1.0)


def _joined(a: float, b: float, phi: float) -> float:
    return math.sqrt(max(a * a - 2 * phi * a * b + b * b, 0.0))
