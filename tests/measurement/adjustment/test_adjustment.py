"""Rogan and Gladen's estimator, its inverse, and the interval of Lang and Reiczigel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.errors import FFError
from ff_helpers.measurement.adjustment.rogan_gladen import (
    apparent_curve,
    apparent_rate,
    rogan_gladen,
    youden,
)
from ff_helpers.measurement.proportions.intervals import independent_difference, wilson

shares = st.floats(0, 1)
sizes = st.integers(10, 400)


def counts(share: float, size: int) -> tuple[int, int]:
    return round(share * size), size


def test_worked_example():
    # (0.4 + 0.7 - 1) / (0.9 + 0.7 - 1) = 0.1 / 0.6
    found = rogan_gladen(400, 1000, (90, 100), (70, 100))
    assert found.estimate == pytest.approx(0.16667, abs=5e-6)
    assert apparent_rate(1 / 6, sensitivity=0.9, specificity=0.7) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("k", "n", "sensitivity", "specificity", "expected"),
    [
        (4060, 11284, (178, 179), (358, 359), (0.36003, 0.34867, 0.37208)),
        (400, 1000, (180, 200), (140, 200), (0.16667, 0.05635, 0.26273)),
    ],
)
def test_lang_reiczigel_worked_numbers(k, n, sensitivity, specificity, expected):
    found = rogan_gladen(k, n, sensitivity, specificity)
    assert (found.estimate, found.low, found.high) == pytest.approx(expected, abs=6e-6)
    assert (found.method, found.estimate is not None, found.warning) == ("Rogan-Gladen", True, "")


def test_a_coin_is_not_identifiable_and_says_why():
    found = rogan_gladen(300, 1000, (55, 100), (55, 100))
    assert (found.estimate, found.low, found.high) == (None, 0.0, 1.0)
    assert "sensitivity + specificity - 1 is 0.10 [-0.04, 0.23]" in found.note


def test_a_grader_that_is_wrong_on_purpose_is_not_turned_round():
    assert rogan_gladen(700, 1000, (5, 100), (5, 100)).estimate is None


@pytest.mark.parametrize(
    ("k", "n", "sensitivity", "specificity", "missing"),
    [
        (0, 0, (9, 10), (9, 10), "no graded row"),
        (5, 10, (0, 0), (9, 10), "no labelled success"),
        (5, 10, (9, 10), (0, 0), "no labelled failure"),
        (0, 0, (0, 0), (0, 0), "no graded row, labelled success, labelled failure"),
    ],
)
def test_without_rows_or_labels_nothing_is_identifiable(k, n, sensitivity, specificity, missing):
    found = rogan_gladen(k, n, sensitivity, specificity)
    assert (found.estimate, found.low, found.high) == (None, 0.0, 1.0)
    assert found.note == f"not identifiable: {missing}"


@pytest.mark.parametrize(
    "wrong",
    [
        (11, 10, (9, 10), (9, 10)),
        (-1, 10, (9, 10), (9, 10)),
        (float("nan"), 10, (9, 10), (9, 10)),
        (1, float("inf"), (9, 10), (9, 10)),
        (1, 10, (11, 10), (9, 10)),
        (1, 10, (9, 10), (-1, 10)),
    ],
)
def test_counts_that_no_experiment_gives_are_refused(wrong):
    with pytest.raises(FFError, match="is not a valid count"):
        rogan_gladen(*wrong)


def test_few_labels_of_a_class_and_a_grader_near_chance_carry_a_warning():
    assert "only 4 labels" in rogan_gladen(100, 1000, (4, 4), (190, 196)).warning
    assert "close to chance" in rogan_gladen(100, 1000, (62, 100), (60, 100)).warning
    assert rogan_gladen(100, 1000, (90, 100), (90, 100)).warning == ""


def test_few_labels_widen_the_interval_beyond_the_formula():
    # With 1 true success labelled the published formula puts the lower bound above a rare true rate.
    found = rogan_gladen(100, 1000, (1, 1), (189, 199))
    assert found.low < 0.02 < found.high


@given(p=shares, se=st.floats(0.6, 1), sp=st.floats(0.6, 1), n=sizes, m=sizes, q=sizes)
def test_the_interval_holds_the_estimate_and_stays_within_0_and_1(p, se, sp, n, m, q):
    found = rogan_gladen(*counts(p, n), counts(se, m), counts(sp, q))
    assert 0 <= found.low < found.high <= 1
    if found.estimate is not None:
        assert found.low <= found.estimate <= found.high


@given(p=shares, se=shares, sp=shares, n=sizes, m=sizes, q=sizes)
def test_swapping_success_and_failure_mirrors_the_interval(p, se, sp, n, m, q):
    k, _ = counts(p, n)
    one = rogan_gladen(k, n, counts(se, m), counts(sp, q))
    other = rogan_gladen(n - k, n, counts(sp, q), counts(se, m))
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low), abs=1e-9)
    assert (one.estimate is None) == (other.estimate is None)


@given(p=st.floats(0.3, 0.7), se=st.floats(0.8, 1), sp=st.floats(0.8, 1), n=st.integers(50, 200), m=sizes)
def test_more_rows_and_more_labels_narrow_the_interval(p, se, sp, n, m):
    k, found, told = round(p * n), round(se * m), round(sp * m)
    one = rogan_gladen(k, n, (found, m), (told, m))
    rows = rogan_gladen(10 * k, 10 * n, (found, m), (told, m))
    labels = rogan_gladen(k, n, (10 * found, 10 * m), (10 * told, 10 * m))
    assert rows.high - rows.low <= one.high - one.low
    assert labels.high - labels.low <= one.high - one.low


@given(k=st.integers(0, 200))
def test_a_perfect_grader_measured_often_gives_about_wilson(k):
    found, plain = rogan_gladen(k, 200, (100_000, 100_000), (100_000, 100_000)), wilson(k, 200)
    assert found.estimate == pytest.approx(k / 200)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=0.005)


def test_an_effective_n_widens_the_interval():
    rows, scenarios = (rogan_gladen(0.4 * n, n, (90, 100), (85, 100)) for n in (200, 23.7))
    assert rows.estimate == pytest.approx(scenarios.estimate)
    assert scenarios.low < rows.low < rows.high < scenarios.high


def test_youden_is_the_difference_of_two_proportions():
    found = youden((180, 200), (140, 200))
    assert found == pytest.approx(independent_difference(180, 200, 60, 200))
    nothing, low, high = youden((0, 0), (5, 10))
    assert np.isnan(nothing)
    assert (low, high) == (-1.0, 1.0)


def test_a_grader_that_says_success_to_everything_reports_success_whatever_is_true():
    assert set(apparent_curve(sensitivity=1, specificity=0)["apparent_rate"]) == {1.0}
    assert rogan_gladen(100, 100, (100, 100), (0, 100)).estimate is None


def test_a_reported_rate_below_the_false_positives_is_cut_to_zero():
    found = rogan_gladen(10, 100, (90, 100), (70, 100))
    assert found.estimate == found.low == 0.0
    assert found.high > 0.05
    assert "more or less than the measured errors explain" in found.note


@given(p=shares, sensitivity=st.floats(0.6, 1), specificity=st.floats(0.6, 1))
def test_the_estimator_undoes_what_the_grader_does(p, sensitivity, specificity):
    reported = apparent_rate(p, sensitivity=sensitivity, specificity=specificity)
    errors = ((sensitivity * 10_000, 10_000), (specificity * 10_000, 10_000))
    assert rogan_gladen(reported * 10_000, 10_000, *errors).estimate == pytest.approx(p, abs=1e-9)


@given(p=shares, sensitivity=shares, specificity=shares)
def test_a_reported_rate_is_a_share(p, sensitivity, specificity):
    assert 0 <= apparent_rate(p, sensitivity=sensitivity, specificity=specificity) <= 1 + 1e-12


def test_a_percent_is_refused_with_its_name():
    with pytest.raises(FFError, match=r"specificity = 70.*from 0 to 1"):
        apparent_rate(0.5, sensitivity=0.9, specificity=70)
