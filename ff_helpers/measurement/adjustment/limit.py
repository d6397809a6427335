"""Is a rate below a limit? A test from labels and verdicts whose error is at most alpha in any sample.

Feng and others (2026, arXiv:2601.20913) pose the question for noisy judges. This is another test: it takes
labels of some of the judged rows themselves, as `double_sampling` does, and needs no approximation. The
labelled rows of a verdict are drawn from it at random, so true successes among them are binomial, whatever
the judge gets wrong. The p-value is the largest probability, over all error rates that the null hypothesis
allows, of a sample that speaks as much against it (Buehler 1957, JASA 52:482-493, on limits of functions of
several binomials). The share of hits is known from all rows up to a Clopper-Pearson bound, whose own error is
added (Berger and Boos 1994, JASA 89:1012-1016): the upper bound where hits are true more often than others,
else the lower one, so that only one of the two can be wrong. The test is cautious: at the limit it passes
0.7% of simulated samples, 2.4% in the worst cell (`python -m benchmarks gates`, which has its power, too).
"""

import numpy as np

from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.intervals import Numbers

ALPHA = 0.05
"""How often the test may call a rate lower than the limit that is not."""
SPENT = 0.1
"""Part of alpha that goes to the share of hits."""
_CELLS = 400
"""Pieces into which the null hypothesis is cut; each is bounded from above, so fewer only cost power."""


def p_above(
    limit: float,
    called: tuple[int, int],
    labels: tuple[int, int],
    true: tuple[int, int],
    *,
    alpha: float = ALPHA,
) -> float:
    """Return the p-value of the hypothesis that the true rate is at least `limit`.

    The rate is q r1 + (1 - q) r0: the share of hits and the rates of true successes among hits and others.
    Samples are ordered by the mean of its posterior and one standard deviation. Where every row is labelled
    the labels are a binomial sample of the rate, and verdicts add nothing.

    Args:
        limit: above 0 and below 1.
        called: rows that the judge calls a success, and others; independent of each other.
        labels: labelled rows of each, drawn from it at random.
        true: true successes among these.
        alpha: the level of the test; a part of it, `SPENT`, is in every p-value.

    Returns:
        In (0, 1]: at most alpha with a probability of at most alpha where the rate is `limit` or more.

    Raises:
        FFError: a limit outside (0, 1), or counts that cannot be.
    """
    from scipy.special import bdtr

    if not 0 < limit < 1:
        raise FFError(f"a limit of {limit} cannot be tested. Allowed: above 0 and below 1.")
    pairs = list(zip(true, labels, called, strict=True))
    if any(not 0 <= k <= n <= rows for k, n, rows in pairs) or not sum(called):
        raise FFError("p_above(): impossible counts. Needed: rows, and 0 <= true <= labels <= rows of each.")
    if labels == called:
        return float(bdtr(sum(true), sum(called), limit))
    spent = SPENT * alpha
    ends = _clopper_pearson(called[0], sum(called), spent)
    most = _most(labels, true, called[0] / sum(called))
    hit, other = _pieces(limit, *ends)
    rates = _below(most, labels, hit, other)
    return min(1.0, float(rates.max()) + spent)


def _clopper_pearson(k: int, n: int, error: float) -> tuple[float, float]:
    """Return the exact bounds of a proportion (Clopper and Pearson 1934), each with this error."""
    from scipy.special import betaincinv

    low = float(betaincinv(k, n - k + 1, error)) if k else 0.0
    high = float(betaincinv(k + 1, n - k, 1 - error)) if k < n else 1.0
    return low, high


def _most(labels: tuple[int, int], true: tuple[int, int], share: float) -> Numbers:
    """Return for each number of true hits the most true others that speak as much for a low rate; -1: none.

    A sample with fewer successes of either kind speaks as much, too, so that the probability of all of them
    falls as either rate grows.
    """
    scores = [_score(np.arange(n + 1.0), n, part) for n, part in zip(labels, (share, 1 - share), strict=True)]
    (mean, spread), (others, widths) = scores
    bound = mean[:, None] + others[None, :] + np.sqrt(spread[:, None] + widths[None, :])
    within = bound <= bound[true] + 1e-12
    last = np.where(within.any(axis=1), within.shape[1] - 1 - within[:, ::-1].argmax(axis=1), -1)
    return np.maximum.accumulate(last[::-1])[::-1].astype(np.float64)


def _score(k: Numbers, n: int, part: float) -> tuple[Numbers, Numbers]:
    """Return what k true of n labels of one verdict add to mean and variance of the rate; Jeffreys prior."""
    rate = (k + 0.5) / (n + 1)
    return part * rate, part**2 * rate * (1 - rate) / (n + 2)


def _pieces(limit: float, low: float, high: float) -> tuple[Numbers, Numbers]:
    """Return pairs of rates (among hits, among others), such that each null pair is at least one of them.

    Null pairs are those whose rate is `limit` or more at some share of hits between `low` and `high`: at
    `high` where hits are true more often than others, else at `low`. On the edge of that set one rate falls
    as the other grows; a piece of the edge is replaced by its lower corner.
    """
    down = np.linspace(limit, 0.0, _CELLS + 1)
    edges = []
    for share in (high, 1 - low):
        # The verdict of this share has the higher rate: limit or more, up to 1.
        up = (limit - (1 - share) * down) / share
        inside = up[:-1] <= 1
        edges.append((np.minimum(up[:-1], 1.0)[inside], down[1:][inside]))
    (hit, other), (more, fewer) = edges
    return np.concatenate([hit, fewer]), np.concatenate([other, more])


def _below(most: Numbers, labels: tuple[int, int], hit: Numbers, other: Numbers) -> Numbers:
    """Return for each pair of rates the probability of a sample with at most `most` true others."""
    from scipy.special import bdtr

    some = np.flatnonzero(most >= 0)
    k = some[None, :].astype(np.float64)
    whole = bdtr(k, labels[0], hit[:, None])
    before = np.where(k > 0, bdtr(np.maximum(k - 1, 0), labels[0], hit[:, None]), 0.0)
    return np.asarray(((whole - before) * bdtr(most[some][None, :], labels[1], other[:, None])).sum(axis=1))
