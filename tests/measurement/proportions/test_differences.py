"""Differences, McNemar and Benjamini-Hochberg against the numbers of their papers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.intervals import (
    benjamini_hochberg,
    difference_bounds,
    independent_difference,
    mcnemar,
    paired_difference,
    wilson,
)

pairs = st.tuples(st.integers(0, 80), st.integers(0, 80)).map(lambda pair: (min(pair), max(pair)))
few = st.integers(0, 40)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_independent_differences_are_newcombes(
    counts: tuple[int, int, int, int], low: float, high: float
) -> None:
    """Newcombe 1998, Statistics in Medicine 17:873-890, table II, method 10."""
    difference, *bounds = independent_difference(*counts)
    assert difference == pytest.approx(counts[0] / counts[1] - counts[2] / counts[3])
    assert [round(bound, 4) for bound in bounds] == [low, high]


@given(pairs, pairs)
def test_independent_differences_hold_the_estimate_and_mirror(
    one: tuple[int, int], two: tuple[int, int]
) -> None:
    difference, low, high = independent_difference(*one, *two)
    assert -1 <= low < high <= 1
    if not (one[1] and two[1]):
        assert math.isnan(difference)
        assert (low, high) == (-1, 1)
        return
    assert low <= difference + 1e-12 <= high + 2e-12
    swapped = independent_difference(*two, *one)
    assert swapped == pytest.approx((-difference, -high, -low), abs=1e-12)
    relabelled = independent_difference(one[1] - one[0], one[1], two[1] - two[0], two[1])
    assert relabelled == pytest.approx((-difference, -high, -low), abs=1e-12)


@given(pairs, pairs, st.integers(2, 9))
def test_independent_differences_narrow_with_more_rows(
    one: tuple[int, int], two: tuple[int, int], times: int
) -> None:
    _, low, high = independent_difference(*one, *two)
    _, closer_low, closer_high = independent_difference(*(times * count for count in (*one, *two)))
    assert closer_high - closer_low <= high - low


@given(few, few, few, few, st.integers(2, 9))
def test_paired_differences_turn_with_the_order_and_the_labels(
    a: int, b: int, c: int, d: int, times: int
) -> None:
    difference, low, high = paired_difference(a, b, c, d)
    if a + b + c + d == 0:
        return
    assert paired_difference(a, c, b, d) == pytest.approx((-difference, -high, -low), abs=1e-12)
    assert paired_difference(d, c, b, a) == pytest.approx((-difference, -high, -low), abs=1e-12)
    more = paired_difference(*(times * count for count in (a, b, c, d)))
    assert more[2] - more[1] < high - low


def test_a_correlation_narrows_the_difference() -> None:
    one, two = wilson(30, 50), wilson(25, 50)
    alone = difference_bounds(0.6, (one.low, one.high), 0.5, (two.low, two.high))
    paired = difference_bounds(0.6, (one.low, one.high), 0.5, (two.low, two.high), 0.5)
    assert alone[0] < paired[0] < 0.1 < paired[1] < alone[1]


def test_mcnemar_as_published() -> None:
    """121 pairs against 59: the exact p."""
    assert mcnemar(121, 59) == mcnemar(59, 121) == pytest.approx(4.434e-6, rel=1e-3)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_sign_test_of_the_pairs_that_differ(a: int, b: int) -> None:
    n = a + b
    tail = sum(math.comb(n, k) for k in range(min(a, b) + 1)) / 2**n
    assert mcnemar(a, b) == pytest.approx(min(1, 2 * tail))


def test_where_nothing_differs_nothing_speaks_for_a_difference() -> None:
    assert mcnemar(0, 0) == 1


@pytest.mark.parametrize(("a", "b"), [(-1, 3), (3, -1), (0.5, 3), (3, 0.5), (0.5, 0.5)])
def test_mcnemar_refuses_what_are_no_counts(a: float, b: float) -> None:
    with pytest.raises(FFError, match="is not a proportion"):
        mcnemar(a, b)  # type: ignore[arg-type]


PUBLISHED = [
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0),
]


def test_benjamini_and_hochberg_reject_four_of_their_fifteen() -> None:
    """Benjamini and Hochberg 1995: a trial of thrombolysis, 15 comparisons; Bonferroni rejects three."""
    adjusted = benjamini_hochberg(PUBLISHED)
    assert sum(p <= 0.05 for p in adjusted) == 4
    assert sum(p <= 0.05 / 15 for p in PUBLISHED) == 3
    assert adjusted[3] == pytest.approx(0.0095 * 15 / 4)


@given(st.lists(st.floats(0, 1)))
def test_the_adjustment_is_the_smallest_of_the_scaled_from_there_on(p_values: list[float]) -> None:
    ranked, m = sorted(p_values), len(p_values)
    expected = [min(ranked[at] * m / (at + 1) for at in range(first, m)) for first in range(m)]
    assert sorted(benjamini_hochberg(p_values)) == pytest.approx(expected)


@given(st.lists(st.floats(0, 1)), st.randoms())
def test_the_adjustment_keeps_the_order_and_never_helps(p_values: list[float], random: object) -> None:
    adjusted = benjamini_hochberg(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))
    ranked = [q for _, q in sorted(zip(p_values, adjusted, strict=True))]
    assert ranked == sorted(ranked)
    order = random.sample(range(len(p_values)), len(p_values))  # type: ignore[attr-defined]
    assert benjamini_hochberg([p_values[at] for at in order]) == [adjusted[at] for at in order]


@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.nan])
def test_what_is_no_p_value_is_refused_with_its_place(wrong: float) -> None:
    with pytest.raises(FFError, match="p-value 2 is"):
        benjamini_hochberg([0.5, wrong])
