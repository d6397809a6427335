"""Shares of rows that come in clusters: repeated runs of one scenario are not independent."""

import math

import numpy as np
import pandas as pd

from ff_helpers.measurement.intervals import wilson_bounds


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
