"""Proportions with their Wilson interval, the only shape in which a rate leaves this room; and differences.

Differences of two proportions are of the same rows (paired), or of rows that have nothing in common.
McNemar's test of a paired difference, and the adjustment for many comparisons at once.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from ff_helpers.errors import FFError

Numbers = NDArray[np.float64]
Z = 1.959963984540054
"""The two-sided 95% quantile of the normal distribution."""
ENDS = ("", "_low", "_high")
"""A rate and its bounds, as suffixes of its column."""


def _bad_count(k: object, n: object) -> FFError:
    """Return the error about impossible counts."""
    return FFError(f"{k} of {n} is not a proportion: both must be whole numbers with 0 <= k <= n.")


@dataclass(frozen=True)
class Proportion:
    """k of n with its 95% Wilson interval; all but the counts in [0, 1].

    With n = 0 nothing is known: the estimate is None and the interval [0, 1]. Where rows were drawn with
    different probabilities, `weighted` is the estimate for all rows, and the interval is of the design.
    """

    k: int
    n: int
    low: float
    high: float
    weighted: Annotated[float | None, Field(exclude_if=lambda share: share is None)] = field(
        default=None, kw_only=True
    )

    @property
    def estimate(self) -> float | None:
        """The weighted estimate, else k / n, or None if n is 0."""
        if self.weighted is not None:
            return self.weighted
        return self.k / self.n if self.n else None

    @property
    def counts(self) -> str:
        """The counts behind the estimate: `13 of 20`; of a weighted one, `weighted from 13 of 20 labels`."""
        said = f"{self.k} of {self.n}"
        return said if self.weighted is None else f"weighted from {said} labels"


def wilson(k: int, n: int) -> Proportion:
    """Return k of n with its 95% Wilson score interval (Wilson 1927).

    Raises:
        FFError: not 0 <= k <= n, or not whole numbers.
    """
    if int(k) != k or int(n) != n or not 0 <= k <= n:
        raise _bad_count(k, n)
    low, high = wilson_bounds(np.array([k], dtype=float), np.array([n], dtype=float))
    return Proportion(int(k), int(n), float(low[0]), float(high[0]))


def wilson_bounds(k: Numbers, n: Numbers) -> tuple[Numbers, Numbers]:
    """Return the lower and upper 95% Wilson bounds of arrays of counts; [0, 1] where n is 0.

    Counts may be fractional: a share at an effective sample size. Wilson 1927, Journal of the American
    Statistical Association 22:209-212. Here and not from statsmodels, whose import alone takes longer than
    counting 140,000 verdicts.
    """
    hits, total = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
    known = total > 0
    size = np.where(known, total, 1.0)
    share, z2 = np.where(known, hits / size, 0.5), Z**2
    middle = (share + z2 / (2 * size)) / (1 + z2 / size)
    half = Z * np.sqrt(share * (1 - share) / size + z2 / (4 * size**2)) / (1 + z2 / size)
    low, high = np.where(known, middle - half, 0.0), np.where(known, middle + half, 1.0)
    # At 0 of n and n of n the bound is exactly 0 or 1; rounding leaves it 1e-17 off.
    low, high = np.where(hits <= 0, 0.0, low), np.where(known & (hits >= total), 1.0, high)
    return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)


def with_wilson(frame: pd.DataFrame, name: str, *, k: str = "k", n: str = "n") -> pd.DataFrame:
    """Return `frame` with the columns `name`, `name_low`, `name_high` (float in [0, 1]) from counts.

    Raises:
        FFError: a row whose counts are negative, fractional, missing or k > n.
    """
    counts = check_counts(frame[[k, n]])
    low, high = wilson_bounds(counts[:, 0], counts[:, 1])
    known = counts[:, 1] > 0
    rate = np.where(known, counts[:, 0] / np.where(known, counts[:, 1], 1), np.nan)
    return frame.assign(**{name: rate, f"{name}_low": low, f"{name}_high": high})


def triple(name: str, rate: object) -> dict[str, float | None]:
    """Return a rate as the columns `name`, `name_low`, `name_high`; missing where it was not measured.

    Args:
        name: of the column.
        rate: a `Proportion`, or anything else with `low`, `high` and an `estimate` or a `value`.
    """
    value = getattr(rate, "estimate", getattr(rate, "value", None))
    return {name: value} | {f"{name}_{end}": getattr(rate, end, None) for end in ("low", "high")}


def check_counts(frame: pd.DataFrame) -> Numbers:
    """Return the two columns (k, n) as an array of floats.

    Raises:
        FFError: a row whose counts are negative, fractional, missing or k > n.
    """
    counts = frame.to_numpy(dtype=float)
    good = np.isfinite(counts).all(axis=1) & (counts == np.floor(counts)).all(axis=1)
    good &= (counts[:, 0] >= 0) & (counts[:, 0] <= counts[:, 1])
    if not good.all():
        first = int(np.flatnonzero(~good)[0])
        raise _bad_count(frame.iloc[first, 0], frame.iloc[first, 1])
    return counts


def percent(share: float | None) -> str:
    """Return a share in [0, 1] as people read it: one decimal, no sign; an en dash where unknown."""
    return "–" if share is None or math.isnan(share) else f"{100 * share:.1f}"


def rate_text(rate: Proportion) -> str:
    """Return `65.0% [43.3, 81.9]`."""
    return f"{percent(rate.estimate)}% [{percent(rate.low)}, {percent(rate.high)}]"


def rate_counts(rate: Proportion) -> str:
    """Return `65.0% [43.3, 81.9] (13 of 20)`."""
    return f"{rate_text(rate)} ({rate.counts})"


Values = Numbers | float


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
        FFError: impossible counts.
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


def mcnemar(only_a: int, only_b: int) -> float:
    """Return the two-sided exact p-value that two paired proportions are the same: right for few pairs too.

    McNemar 1947, Psychometrika 12:153-157, with the binomial distribution in place of chi2.

    Args:
        only_a, only_b: pairs in which only the first, only the second is a success. Where there is
            neither, nothing speaks for a difference: the p-value is 1.

    Raises:
        FFError: a count that is negative or fractional.
    """
    from statsmodels.stats.contingency_tables import mcnemar as test

    n = only_a + only_b
    if int(only_a) != only_a or int(n) != n or min(only_a, only_b) < 0:
        raise _bad_count(only_a, n)
    return float(test([[0, only_a], [only_b, 0]], exact=True).pvalue) if n else 1.0


def benjamini_hochberg(p_values: Iterable[float]) -> list[float]:
    """Return the p-values of one family of comparisons, adjusted, in their order.

    Calling a difference real where its adjusted p-value is at most q keeps the expected share of false
    ones among those called at q or below (Benjamini and Hochberg 1995, Journal of the Royal Statistical
    Society B 57:289-300).

    Raises:
        FFError: a value that is missing or outside [0, 1].
    """
    return _several(p_values, "fdr_bh")


def holm(p_values: Iterable[float]) -> list[float]:
    """Return the p-values of one family of comparisons, adjusted, in their order.

    Calling a difference real where its adjusted p-value is at most q keeps the chance of any false one at q
    or below, however the comparisons depend on each other (Holm 1979, Scandinavian Journal of Statistics
    6:65-70).

    Raises:
        FFError: a value that is missing or outside [0, 1].
    """
    return _several(p_values, "holm")


def _several(p_values: Iterable[float], method: str) -> list[float]:
    from statsmodels.stats.multitest import multipletests

    p = np.array(list(p_values), dtype=float)
    wrong = np.flatnonzero(~((p >= 0) & (p <= 1)))
    if len(wrong):
        raise FFError(f"p-value {int(wrong[0]) + 1} is {float(p[wrong[0]])}. Allowed: a number from 0 to 1.")
    if not len(p):
        return []
    return [float(value) for value in multipletests(p, method=method)[1]]


def _joined(a: Numbers, b: Numbers, phi: Values) -> Numbers:
    return np.asarray(np.sqrt(np.maximum(a * a - 2 * phi * a * b + b * b, 0.0)))
