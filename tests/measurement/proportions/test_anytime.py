"""Intervals that hold at every number of labels at once."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import beta, betaincinv

from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.anytime import FIRST, anytime, anytime_level
from ff_helpers.measurement.proportions.intervals import wilson, wilson_bounds

COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_without_successes_the_bound_is_where_the_mixture_reaches_twenty() -> None:
    """M(p) = B(1/2, n + 1/2) / (pi (1 - p)^n) = 20 can be solved for p by hand."""
    low, high = anytime(0, 30)
    assert low == 0
    assert math.isclose(float(high), 1 - (beta(0.5, 30.5) / (20 * math.pi)) ** (1 / 30), rel_tol=1e-9)
    assert round(float(high), 4) == 0.1612


def test_without_labels_nothing_is_known() -> None:
    assert tuple(map(float, anytime(0, 0))) == (0, 1)


@given(COUNTS)
def test_it_is_wider_than_wilsons_and_symmetric(counts: tuple[int, int]) -> None:
    k, n = counts
    low, high = map(float, anytime(k, n))
    fixed = wilson(k, n)
    assert 0 <= low <= k / n <= high <= 1
    assert high - low >= fixed.high - fixed.low
    mirrored = tuple(map(float, anytime(n - k, n)))
    assert np.allclose(mirrored, (1 - high, 1 - low))


@pytest.mark.parametrize("rate", [0.05, 0.5])
def test_looking_after_every_label_excludes_the_truth_no_more_often_than_it_says(rate: float) -> None:
    """A fixed interval excludes it at some look far more often; `python -m benchmarks sequential`."""
    rng = np.random.default_rng(0)
    labels = np.arange(1.0, 301)
    k = np.cumsum(rng.random((1000, 300)) < rate, axis=1).astype(float)
    n = np.broadcast_to(labels, k.shape)
    low, high = anytime(k, n)
    ever = ((low > rate) | (high < rate)).any(axis=1).mean()
    assert ever <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 1000)
    low, high = wilson_bounds(k, n)
    assert ((low > rate) | (high < rate))[:, FIRST - 1 :].any(axis=1).mean() > 0.2


@pytest.mark.parametrize("by_verdict", [False, True])
def test_an_adjusted_rate_at_that_level_holds_at_every_look(by_verdict: bool) -> None:
    """Rate 20%, a grader with Se = Sp = .9, 1,000 rows: double sampling's posterior, 30 to 300 labels."""
    rng, rows, q, within, rate = np.random.default_rng(1), 1000, 0.26, (0.18 / 0.26, 0.02 / 0.74), 0.2
    called = rng.binomial(rows, q, 600)[:, None]
    if by_verdict:
        hit = np.resize([True, False], (600, 300))
    else:
        hit = rng.permuted(np.arange(rows) < called, axis=1)[:, :300]
    true = rng.random(hit.shape) < np.where(hit, *within)
    mean, variance = [], []
    for one in (hit, ~hit):
        k, n = np.cumsum(true & one, axis=1), np.cumsum(one, axis=1)
        share = (k + 0.5) / (n + 1)
        mean.append(share)
        variance.append(share * (1 - share) / (n + 2))
    share = (called + 0.5) / (rows + 1)
    spread = share * (1 - share) / (rows + 2)
    centre = share * mean[0] + (1 - share) * mean[1]
    total = (share**2 + spread) * variance[0] + ((1 - share) ** 2 + spread) * variance[1]
    total += spread * (mean[0] - mean[1]) ** 2
    size = centre * (1 - centre) / total - 1

    def ever_wrong(level: object) -> float:
        tail = (1 - np.asarray(level)) / 2
        low, high = (
            betaincinv(centre * size, (1 - centre) * size, p)[:, FIRST - 1 :] for p in (tail, 1 - tail)
        )
        return float(((low > rate) | (high < rate)).any(axis=1).mean())

    levels = np.concatenate([np.full(FIRST - 1, 0.999), anytime_level(np.arange(FIRST, 301), 100)])
    assert ever_wrong(levels) <= 0.05
    assert ever_wrong(0.95) > 0.12


def test_the_level_is_lowest_at_the_number_that_was_planned() -> None:
    levels = anytime_level(np.arange(FIRST, 1001), 100)
    assert int(np.argmin(levels)) + FIRST in range(98, 103)
    assert round(float(anytime_level(100, 100)), 4) == 0.9976  # 3.035 standard errors
    assert (levels < 0.999).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: anytime(3, 2), "0 <= k <= n"),
        (lambda: anytime(-1, 2), "0 <= k <= n"),
        (lambda: anytime(1, math.inf), "finite"),
        (lambda: anytime(1, 2, alpha=0), "above 0 and below 1"),
        (lambda: anytime_level(29, 100), "needs 30 labels"),
        (lambda: anytime_level(100, 10), "needs 30 labels"),
    ],
)
def test_what_cannot_be_is_refused(call, said: str) -> None:
    with pytest.raises(FFError, match=said):
        call()
