"""A rate below a limit: the exact test, its error and what it does with labels."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from ff_helpers.errors import FFError
from ff_helpers.measurement.adjustment.limit import ALPHA, p_above

ROWS, EACH = 40, 6
cached = cache(p_above)


@pytest.mark.parametrize("limit", [0.5, 0.8])
@pytest.mark.parametrize(
    ("se", "sp"), [(0.9, 0.9), (0.7, 0.9), (0.62, 0.74), (1.0, 0.95), (0.5, 0.5), (0.2, 0.3)]
)
def test_a_rate_at_the_limit_is_called_lower_in_at_most_alpha_of_all_samples(limit, se, sp) -> None:
    """Every sample of 40 rows with 6 labels of each verdict, weighted by its probability."""
    share = limit * se + (1 - limit) * (1 - sp)
    hit, other = limit * se / share, limit * (1 - se) / (1 - share)
    wrong = 0.0
    for called in range(ROWS + 1):
        labels = min(EACH, called), min(EACH, ROWS - called)
        first, second = (binom.pmf(range(n + 1), n, r) for n, r in zip(labels, (hit, other), strict=True))
        for k, j in np.ndindex(len(first), len(second)):
            if cached(limit, (called, ROWS - called), labels, (k, j)) <= ALPHA:
                wrong += float(binom.pmf(called, ROWS, share)) * first[k] * second[j]
    assert 0.0 < wrong <= ALPHA


def test_with_every_row_labelled_it_is_the_binomial_test() -> None:
    """3 of 100 at a rate of 10%: .0078 in tables of the binomial distribution."""
    assert p_above(0.1, (20, 80), (20, 80), (3, 0)) == pytest.approx(0.0078, abs=5e-5)


def test_a_judge_that_is_right_makes_the_same_labels_say_more() -> None:
    alone = p_above(0.1, (100, 0), (100, 0), (5, 0))
    assert p_above(0.1, (60, 940), (6, 94), (5, 0)) < alone


@pytest.mark.parametrize("called", [(100, 900), (0, 1000), (1000, 0)])
def test_without_a_label_of_some_verdict_nothing_is_shown(called) -> None:
    assert p_above(0.05, called, (0, 0), (0, 0)) == 1
    assert p_above(0.05, (100, 900), (100, 0), (0, 0)) == 1


counts = st.tuples(st.integers(1, 60), st.integers(1, 60)).flatmap(
    lambda called: st.tuples(st.just(called), *(st.integers(0, n) for n in called))
)


@settings(deadline=None, max_examples=25)
@given(counts, st.floats(0, 1), st.floats(0, 1), st.floats(0.05, 0.95))
def test_neither_the_names_of_verdicts_matter_nor_do_fewer_successes_speak_for_a_higher_rate(
    drawn, first, second, limit
) -> None:
    called, *labels = drawn
    true = round(first * labels[0]), round(second * labels[1])
    p = p_above(limit, called, tuple(labels), true)
    assert 0 < p <= 1
    assert p == pytest.approx(p_above(limit, called[::-1], tuple(labels[::-1]), true[::-1]))
    if true[0]:
        assert p_above(limit, called, tuple(labels), (true[0] - 1, true[1])) <= p + 1e-9


@pytest.mark.parametrize(
    ("limit", "called", "labels", "true", "says"),
    [
        (0.0, (1, 1), (1, 1), (0, 0), "a limit of 0"),
        (0.1, (0, 0), (0, 0), (0, 0), "impossible counts"),
        (0.1, (5, 5), (6, 5), (0, 0), "impossible counts"),
        (0.1, (5, 5), (4, 5), (5, 0), "impossible counts"),
    ],
)
def test_what_cannot_be_is_refused(limit, called, labels, true, says) -> None:
    with pytest.raises(FFError, match=says):
        p_above(limit, called, labels, true)
