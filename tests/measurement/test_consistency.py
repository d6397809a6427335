"""Which counts can stand behind a printed figure: the figures of the posts, and every figure we print."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ff_helpers.measurement.consistency import Printed, agrees, below_chance, possible_counts
from ff_helpers.measurement.intervals import wilson


def printed(value: str, low: str | None = None, high: str | None = None) -> Printed:
    return Printed(Decimal(value), low and Decimal(low), high and Decimal(high))


def test_62_with_54_to_70_leaves_125_to_154():
    ns = [n for _, n in possible_counts(printed("62", "54", "70"))]
    assert (min(ns), max(ns)) == (125, 154)


def test_62_with_38_to_81_is_impossible_unless_digits_are_cut_off():
    figure = printed("62", "38", "81")
    assert possible_counts(figure) == []
    assert possible_counts(figure, cut=True) == [(10, 16)]


def test_58_percent_of_20_is_impossible_and_of_33_is_19():
    assert possible_counts(printed("58"), [20]) == []
    assert possible_counts(printed("58"), [33]) == [(19, 33)]


@pytest.mark.parametrize(
    ("exact", "text", "same"),
    [
        (1.75, "1.8", True),
        (4.75, "4.8", True),
        (4.75, "4.7", True),
        (4.76, "4.7", False),
        (65.0, "65.0", True),
    ],
)
def test_a_tie_may_be_rounded_either_way(exact, text, same):
    assert agrees(exact, Decimal(text)) is same


def test_three_of_twenty_is_not_below_chance():
    assert below_chance(3, 20, 0.2) == pytest.approx(0.4114, abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 150).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.integers(0, 2))
def test_the_counts_that_a_figure_was_printed_from_are_always_found(pair, digits):
    rate = wilson(*pair)
    value, low, high = (f"{100 * v:.{digits}f}" for v in (rate.estimate, rate.low, rate.high))
    assert pair in possible_counts(printed(value, low, high), range(1, 151))
