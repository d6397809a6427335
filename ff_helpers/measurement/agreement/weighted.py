"""Agreement of two people over all rows, from a sample whose rows were drawn with different probabilities.

A row of probability p stands for 1 / p rows. The variance is that of the strata (Cochran 1977, Sampling
Techniques, section 5.3; without a finite population correction, as people might differ on another day), and
never below that of as many equally weighted rows as the weights are worth (Kish 1965, Survey Sampling): a
heavy stratum in which all agree by luck must not make the interval narrow.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ff_helpers.measurement.calibration.confusion import Kappa
from ff_helpers.measurement.proportions.intervals import Numbers, Z, wilson_bounds

_FEW = 2
"""Rows that a variance within a stratum needs; a smaller stratum is given the variance of all rows."""


@dataclass(frozen=True)
class Weighted:
    """Agreement as an estimate for all rows, in [0, 1], and Cohen's kappa, each with its 95% interval."""

    agreement: float
    low: float
    high: float
    kappa: Kappa


def weighted_agreement(
    a: "pd.Series[str]", b: "pd.Series[str]", chance: "pd.Series[float]", strata: "pd.Series[str]"
) -> Weighted:
    """Return the agreement of two people, weighted by design.

    The interval of the share is Wilson's at the effective number of rows; that of kappa is from its
    linearized values. Where both always say the same one class kappa is 0 in [-1, 1], as for equal weights.

    Args:
        a, b: the labels of the same rows, at least one.
        chance: their inclusion probabilities in (0, 1].
        strata: from which each was drawn.
    """
    weight = 1 / chance.to_numpy(dtype=float)
    share = weight / weight.sum()
    kish = 1 / float((share**2).sum())
    places, names = pd.factorize(pd.concat([a, b], ignore_index=True))
    one, two = places[: len(a)], places[len(a) :]
    equal = (one == two).astype(float)
    varied = equal.any() and not equal.all()
    seen = float(share @ equal) if varied else float(equal[0])
    spread = seen * (1 - seen)
    effective = spread / max(_variance(equal, share, strata), spread / kish) if varied else kish
    low, high = wilson_bounds(np.array([seen * effective]), np.array([effective]))
    rows = np.bincount(one, weights=share, minlength=len(names))
    columns = np.bincount(two, weights=share, minlength=len(names))
    met = float(rows @ columns)
    if met > 1 - 1e-12:
        nothing = Kappa(0.0, -1.0, 1.0, f"both always say {names[0]}: no kappa can be measured")
        return Weighted(seen, float(low[0]), float(high[0]), nothing)
    value = (seen - met) / (1 - met)
    tangent = equal / (1 - met) - (1 - seen) / (1 - met) ** 2 * (columns[one] + rows[two])
    middle = tangent - float(share @ tangent)
    half = Z * max(_variance(tangent, share, strata), float(share @ middle**2) / kish) ** 0.5
    ends = (value - half, value + half)
    if not varied:  # all agree, or none: the linearized values do not vary
        ends = (float(low[0] - met) / (1 - met), float(high[0] - met) / (1 - met))
    return Weighted(seen, float(low[0]), float(high[0]), Kappa(value, max(-1.0, ends[0]), min(1.0, ends[1])))


def _variance(values: Numbers, share: Numbers, strata: "pd.Series[str]") -> float:
    """Return the variance of a weighted mean of values that were drawn in strata."""
    everywhere = float(np.var(values, ddof=1)) if len(values) >= _FEW else 0.25
    total = 0.0
    for place in pd.Series(strata.to_numpy()).groupby(strata.to_numpy()).indices.values():
        within = float(np.var(values[place], ddof=1)) if len(place) >= _FEW else everywhere
        total += float(share[place].sum()) ** 2 * within / len(place)
    return total
