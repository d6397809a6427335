"""Proportions with their Wilson interval: the only shape in which a rate leaves this room."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ff_helpers.errors import FFError

Numbers = NDArray[np.float64]
Z = 1.959963984540054
"""The two-sided 95% quantile of the normal distribution."""


class BadCountError(FFError):
    """Impossible counts."""

    def __init__(self, k: object, n: object) -> None:
        super().__init__(f"{k} of {n} is not a proportion: both must be whole numbers with 0 <= k <= n.")


@dataclass(frozen=True)
class Proportion:
    """k of n with its 95% Wilson interval; all but the counts in [0, 1].

    With n = 0 nothing is known: the estimate is None and the interval [0, 1].
    """

    k: int
    n: int
    low: float
    high: float

    @property
    def estimate(self) -> float | None:
        """k / n, or None if n is 0."""
        return self.k / self.n if self.n else None


def wilson(k: int, n: int) -> Proportion:
    """Return k of n with its 95% Wilson score interval (Wilson 1927).

    Raises:
        BadCountError: not 0 <= k <= n, or not whole numbers.
    """
    if int(k) != k or int(n) != n or not 0 <= k <= n:
        raise BadCountError(k, n)
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
        BadCountError: a row whose counts are negative, fractional, missing or k > n.
    """
    counts = check_counts(frame[[k, n]])
    low, high = wilson_bounds(counts[:, 0], counts[:, 1])
    known = counts[:, 1] > 0
    rate = np.where(known, counts[:, 0] / np.where(known, counts[:, 1], 1), np.nan)
    return frame.assign(**{name: rate, f"{name}_low": low, f"{name}_high": high})


def check_counts(frame: pd.DataFrame) -> Numbers:
    """Return the two columns (k, n) as an array of floats.

    Raises:
        BadCountError: a row whose counts are negative, fractional, missing or k > n.
    """
    counts = frame.to_numpy(dtype=float)
    good = np.isfinite(counts).all(axis=1) & (counts == np.floor(counts)).all(axis=1)
    good &= (counts[:, 0] >= 0) & (counts[:, 0] <= counts[:, 1])
    if not good.all():
        first = int(np.flatnonzero(~good)[0])
        raise BadCountError(frame.iloc[first, 0], frame.iloc[first, 1])
    return counts


def percent(share: float | None) -> str:
    """Return a share in [0, 1] as people read it: one decimal, no sign; an en dash where unknown."""
    return "–" if share is None or math.isnan(share) else f"{100 * share:.1f}"


def rate_text(rate: Proportion) -> str:
    """Return `65.0% [43.3, 81.9]`."""
    return f"{percent(rate.estimate)}% [{percent(rate.low)}, {percent(rate.high)}]"
