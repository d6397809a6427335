"""Shares that differ between groups: do they, and where may the share of a new group lie?

The groups are models under test and the share is a judge's sensitivity or specificity on each. A new model
is taken as one more draw from the same distribution: its logit is normal around a mean with a standard
deviation between groups, and the counts of each group are binomial (a random effect; prediction as in
Higgins, Thompson and Spiegelhalter 2009, Journal of the Royal Statistical Society A 172:137-159, section 5).
The likelihood of the counts is taken as it is, not as a normal one with 1/2 added to each cell: with 10 to 25
labels of a class and a share near 1, prediction intervals of that kind contain the share too seldom.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import numpy as np

from ff_helpers.measurement.proportions.intervals import Numbers

STEP: Final = 0.1
LOGITS: Final[Numbers] = np.arange(-9, 9 + STEP / 2, STEP)
"""The shares that are told apart, as logits: .0001 to .9999."""
DIFFER: Final = 0.1
"""p of Cochran's test below which groups differ; with few groups the test has little power."""
_SPREADS: Final[Numbers] = np.concatenate([[0.0], np.geomspace(0.1, 4, 15)])
"""Standard deviations between groups, on the logit scale."""


@dataclass(frozen=True)
class Heterogeneity:
    """Whether groups differ by more than chance explains.

    Attributes:
        q: Cochran's Q (1954, Biometrics 10:101-129).
        df: its degrees of freedom, one less than the groups.
        p: of the chi-square test.
        i2: the share of the variation that chance does not explain, in [0, 1] (Higgins and Thompson 2002,
            Statistics in Medicine 21:1539-1558).
    """

    q: float
    df: int
    p: float
    i2: float


def heterogeneity(effects: Sequence[float] | Numbers, variances: Sequence[float] | Numbers) -> Heterogeneity:
    """Return the test of whether effects with these variances within groups are all the same."""
    from scipy.special import chdtrc

    effect, weight = np.asarray(effects, dtype=float), 1 / np.asarray(variances, dtype=float)
    df = len(effect) - 1
    if df < 1:
        return Heterogeneity(0.0, 0, 1.0, 0.0)
    q = float((weight * (effect - (weight @ effect) / weight.sum()) ** 2).sum())
    return Heterogeneity(q, df, float(chdtrc(df, q)), max(0.0, 1 - df / q) if q > 0 else 0.0)


def shares_differ(found: Numbers, all_of: Numbers) -> Heterogeneity:
    """Return the test for shares: of logits with 1/2 added to each count; groups of no rows are left out."""
    some = all_of > 0
    k, n = found[some], all_of[some]
    return heterogeneity(np.log((k + 0.5) / (n - k + 0.5)), 1 / (k + 0.5) + 1 / (n - k + 0.5))


def predicted(found: Numbers, all_of: Numbers) -> Numbers:
    """Return how probable each of `LOGITS` is as the share of one more group; sums to 1.

    Priors: Jeffreys for the mean; for the standard deviation between groups half-Cauchy with scale 1 (Gelman
    2006, Bayesian Analysis 1:515-533), which matters below some ten groups.

    Args:
        found, all_of: hits and rows of each group; fractional where they are effective numbers.
    """
    some = np.asarray(all_of) > 0
    alike, often = np.unique(np.column_stack([found, all_of])[some], axis=0, return_counts=True)
    return _predicted(tuple(map(tuple, alike.tolist())), tuple(often.tolist()))


def likelihood(found: Numbers | float, all_of: Numbers | float) -> Numbers:
    """Return how likely each of `LOGITS` makes hits among rows, up to a factor: its largest value is 1."""
    hit, miss = -np.logaddexp(0, -LOGITS), -np.logaddexp(0, LOGITS)
    log = found * hit + (all_of - found) * miss
    return np.asarray(np.exp(log - log.max(axis=-1, keepdims=True)))


@lru_cache(maxsize=64)  # every row of a table asks about the same models but itself
def _predicted(groups: tuple[tuple[float, ...], ...], often: tuple[int, ...]) -> Numbers:
    hit, miss = -np.logaddexp(0, -LOGITS), -np.logaddexp(0, LOGITS)
    mean = (hit + miss) / 2  # sqrt(p (1 - p)): the Jeffreys prior of p, as a density of its logit
    spread = np.log(np.gradient(_SPREADS) / (1 + _SPREADS**2))
    one_by_one = [_explained(*group) for group in groups]
    none = np.zeros((len(_SPREADS), 0, len(LOGITS)))
    explained = np.stack(one_by_one, axis=1) if groups else none
    log = np.einsum("k,tkj->tj", np.array(often, dtype=float), explained)
    log += mean + spread[:, None]
    weight = np.exp(log - log.max())
    one_more = np.einsum("tkj,tj->k", _kernels(), weight)
    return np.asarray(one_more / one_more.sum())


@lru_cache(maxsize=4096)  # one by one: the same groups but one are asked about again and again
def _explained(found: float, all_of: float) -> Numbers:
    """Return the log of how likely each spread and mean (first, last axis) makes the counts of a group."""
    return np.asarray(np.log(likelihood(found, all_of) @ _kernels() + 1e-300))


@cache
def _kernels() -> Numbers:
    """Return for each spread and each mean (last axis) how probable each logit of a group is."""
    far = LOGITS[:, None] - LOGITS
    normal = np.exp(-0.5 * (far / _SPREADS[1:, None, None]) ** 2)
    return np.concatenate([np.eye(len(LOGITS))[None], normal / normal.sum(axis=1, keepdims=True)])
