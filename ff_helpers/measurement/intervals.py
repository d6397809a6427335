"""Proportions with their Wilson interval: the only shape in which a rate leaves this room."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ff_helpers.errors import FFError

Numbers = NDArray[np.float64]


class BadCountError(FFError):
    """Counts that no experiment can give."""

    def __init__(self, k: object, n: object) -> None:
        super().__init__(f"{k} of {n} is no proportion: both must be whole numbers with 0 <= k <= n.")


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
    """Return k of n with its 95% Wilson score interval (Wilson 1927; statsmodels' `wilson`).

    Raises:
        BadCountError: not 0 <= k <= n, or not whole numbers.
    """
    if int(k) != k or int(n) != n or not 0 <= k <= n:
        raise BadCountError(k, n)
    low, high = wilson_bounds(np.array([k], dtype=float), np.array([n], dtype=float))
    return Proportion(int(k), int(n), float(low[0]), float(high[0]))


def wilson_bounds(k: Numbers, n: Numbers) -> tuple[Numbers, Numbers]:
    """Return the lower and upper 95% Wilson bounds of arrays of counts; [0, 1] where n is 0."""
    from statsmodels.stats.proportion import proportion_confint

    known = np.asarray(n) > 0
    low, high = np.zeros(len(known)), np.ones(len(known))
    if known.any():
        low[known], high[known] = proportion_confint(
            np.asarray(k)[known], np.asarray(n)[known], method="wilson"
        )
    return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)


def clustered(hits: "pd.Series[bool]", clusters: "pd.Series[str]") -> dict[str, float]:
    """Return a design-effect interval of a share whose rows come in clusters, and are not independent.

    The variance of the share is estimated between the G clusters, the effective n is n / max(1, design
    effect), shrunk by (z / t)^2 with t on G - 1 degrees of freedom, and Wilson's interval is taken at
    that n (Korn and Graubard 1998 do so for the exact interval). A design effect below 1 is taken as 1:
    with few clusters it is luck. Where all rows agree no variance can be seen, and each cluster counts
    once. Where every cluster is one row the rows are independent, and the interval is Wilson's.

    Returns:
        rate (NaN without rows), clusters, design_effect, effective_n, low, high; the last four are NaN
        with fewer than two clusters.
    """
    from scipy.stats import norm, t

    hit = hits.astype(float)
    n, groups = len(hit), clusters.nunique()
    share = float(hit.mean()) if n else math.nan
    result = {"rate": share, "clusters": float(groups)}
    if groups < 2:
        return result | dict.fromkeys(("design_effect", "effective_n", "low", "high"), math.nan)
    excess = (hit - share).groupby(clusters).sum().to_numpy()
    between = groups / (groups - 1) * float(np.square(excess).sum()) / n**2
    within = share * (1 - share) / n
    if groups == n:
        effect, shrink = 1.0, 1.0
    else:
        effect = max(1.0, between / within) if within else n / groups
        shrink = float(norm.ppf(0.975) / t.ppf(0.975, groups - 1)) ** 2
    effective = n / effect * shrink
    low, high = wilson_bounds(np.array([share * effective]), np.array([effective]))
    found = {"design_effect": effect, "effective_n": effective, "low": float(low[0]), "high": float(high[0])}
    return result | found


def with_wilson(frame: pd.DataFrame, name: str, *, k: str = "k", n: str = "n") -> pd.DataFrame:
    """Return `frame` with the columns `name`, `name_low`, `name_high` (float in [0, 1]) from counts.

    Raises:
        BadCountError: a row whose counts are negative, fractional, missing or k > n.
    """
    counts = frame[[k, n]].to_numpy(dtype=float)
    good = np.isfinite(counts).all(axis=1) & (counts == np.floor(counts)).all(axis=1)
    good &= (counts[:, 0] >= 0) & (counts[:, 0] <= counts[:, 1])
    if not good.all():
        first = int(np.flatnonzero(~good)[0])
        raise BadCountError(frame[k].iloc[first], frame[n].iloc[first])
    low, high = wilson_bounds(counts[:, 0], counts[:, 1])
    known = counts[:, 1] > 0
    rate = np.where(known, counts[:, 0] / np.where(known, counts[:, 1], 1), np.nan)
    return frame.assign(**{name: rate, f"{name}_low": low, f"{name}_high": high})
