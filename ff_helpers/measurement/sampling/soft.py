"""Soft verdicts: rows of one verdict told apart by how sure the grader was.

For graders whose records hold the probability of each label. Rows that a grader is sure of and rows that it
is not have other rates of true successes, so each verdict is split into thirds of the grader's own
probability (strata of equal size, as quantiles are: Cochran 1977, Sampling Techniques, 5A.7-8). Only the
order of the rows counts, so nothing is assumed of the probabilities: neither that they are calibrated nor
that they say anything. A row without probabilities is in a part of its own.
"""

from typing import Final

import numpy as np
import pandas as pd

from ff_helpers.measurement.rates.known import hits
from ff_helpers.terms import Tier

UNKNOWN: Final = "-"
"""The part of rows whose label probabilities were not recorded."""
WEIGHTS: Final = {"a": 2.0, "b": 3.0, "c": 4.0, UNKNOWN: 3.0}
"""How often a row is drawn, compared with the others of its verdict: `a` are the surest.

Neyman's allocation for a good judge would be steeper. This one loses at most 4% in width where
probabilities say nothing: sqrt(mean(w) mean(1/w)) = 1.04.
"""

ENOUGH: Final = 10
"""Labels of a part below which it is merged with its neighbour: with 5, 2 to 6 points less are covered."""


def success_probability(rows: pd.DataFrame, tier: Tier) -> "pd.Series[float]":
    """Return the probability that the grader gave to a success of the tier; NaN where it is not recorded.

    Args:
        rows: with the columns `p_LABEL` of `ledger.verdict_frame`.
        tier: which labels are successes.
    """
    names = [f"p_{label}" for label in hits("five", tier)]
    if not set(names) <= set(rows.columns):
        return pd.Series(np.nan, index=rows.index, dtype="float64")
    return rows[names].astype("float64").sum(axis=1, min_count=len(names))


def shared_out(parts: "pd.Series[str]", strata: "pd.Series[str]", labels: float) -> dict[str, float]:
    """Return how many of a verdict's labels go to each of its strata.

    By WEIGHTS; in proportion where they are too few for three parts with ENOUGH, which are merged then.

    Args:
        parts, strata: of each row of the verdict.
        labels: of the verdict.
    """
    each = parts.map(WEIGHTS) if labels >= 3 * ENOUGH else pd.Series(1.0, index=parts.index)
    weights = each.groupby(strata).sum()
    return {str(stratum): labels * weight / weights.sum() for stratum, weight in weights.items()}


def thirds(
    probability: "pd.Series[float]", side: "pd.Series[str]", hit: "pd.Series[bool]"
) -> "pd.Series[str]":
    """Return the part of each row: `a` (the surest third of its side), `b`, `c`, or UNKNOWN.

    Rows with the same probability are in one part, so there may be fewer than three.

    Args:
        probability: of a success, in [0, 1]; missing where it is not recorded.
        side: rows that are split together: those of one grader and verdict.
        hit: whether the verdict is a success.
    """
    sure = probability.where(hit, 1 - probability)
    parts = pd.Series(UNKNOWN, index=sure.index, dtype="str")
    for _, own in sure.dropna().groupby(side):
        low, high = np.quantile(own, (1 / 3, 2 / 3), method="higher")
        parts[own.index] = np.select([own >= high, own >= low], ["a", "b"], "c")
    return parts
