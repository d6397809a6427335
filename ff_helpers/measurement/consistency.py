"""Which integer counts could have given a printed figure?

A printed percentage with its Wilson interval leaves few counts open, sometimes none: 58% of 20 rows
is impossible (11.6 rows). Rounding is taken both ways at a tie (half up, half to even), because the
printer does not say which.

Source of the idea: the GRIM test, Brown and Heathers 2017, doi:10.1177/1948550616673876; here with
the bounds of the interval as further witnesses.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from ff_helpers.measurement.intervals import wilson_bounds

LARGEST_N = 1000
"""How far `possible_counts` looks when nothing says what n was."""
_TIE = 1e-9


@dataclass(frozen=True)
class Printed:
    """A figure as it was printed: in percent, `digits` after the point, interval where one was given."""

    value: Decimal
    low: Decimal | None = None
    high: Decimal | None = None


def agrees(exact: float, printed: Decimal) -> bool:
    """Return whether `exact` (in the unit of `printed`) rounds to `printed` at its printed precision."""
    return abs(exact - float(printed)) <= half_unit(printed) + _TIE


def half_unit(printed: Decimal) -> float:
    """Return half a unit in the last printed place: how far rounding can have moved the figure."""
    exponent = printed.as_tuple().exponent
    return 0.5 * 10.0 ** int(exponent)


def possible_counts(
    printed: Printed, ns: Iterable[int] = range(1, LARGEST_N + 1), *, cut: bool = False
) -> list[tuple[int, int]]:
    """Return every (k, n), n in `ns`, whose percentage and Wilson bounds round to what was printed.

    Args:
        printed: the figure in percent, with or without its 95% interval.
        ns: the totals to try (default: 1 to LARGEST_N).
        cut: take the digits as cut off instead of rounded.

    Returns:
        Pairs sorted by n, then k; empty if no counts can give the figure.
    """
    fits = _cut_off if cut else agrees
    reach = 2 * half_unit(printed.value)
    found: list[tuple[int, int]] = []
    for n in sorted(set(ns)):
        first = max(0, int(np.floor((float(printed.value) - reach) * n / 100)))
        last = min(n, int(np.ceil((float(printed.value) + reach) * n / 100)))
        found += [(k, n) for k in range(first, last + 1) if fits(100 * k / n, printed.value)]
    if printed.low is None or printed.high is None or not found:
        return found
    pairs = np.array(found, dtype=float)
    low, high = wilson_bounds(pairs[:, 0], pairs[:, 1])
    return [
        pair
        for pair, lower, upper in zip(found, 100 * low, 100 * high, strict=True)
        if fits(float(lower), printed.low) and fits(float(upper), printed.high)
    ]


def _cut_off(exact: float, printed: Decimal) -> bool:
    return -_TIE <= exact - float(printed) < 2 * half_unit(printed) - _TIE


def below_chance(k: int, n: int, chance: float) -> float:
    """Return P(X <= k) for X ~ Binomial(n, chance): the one-sided exact test that a score is below chance."""
    from scipy.stats import binomtest

    return float(binomtest(k, n, chance, alternative="less").pvalue)
