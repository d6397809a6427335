"""Rogan and Gladen's estimator and its inverse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.measurement.correction import NotAShareError, apparent_curve, apparent_rate, true_rate

shares = st.floats(0, 1)


def test_worked_example():
    # (0.4 + 0.7 - 1) / (0.9 + 0.7 - 1) = 0.1 / 0.6
    assert true_rate(0.4, sensitivity=0.9, specificity=0.7) == pytest.approx(0.16667, abs=5e-6)
    assert apparent_rate(1 / 6, sensitivity=0.9, specificity=0.7) == pytest.approx(0.4)


def test_a_grader_that_says_success_to_everything_reports_success_whatever_is_true():
    assert set(apparent_curve(sensitivity=1, specificity=0)["apparent_rate"]) == {1.0}
    assert true_rate(1.0, sensitivity=1, specificity=0) is None


def test_a_reported_rate_below_the_false_positives_is_cut_to_zero():
    assert true_rate(0.1, sensitivity=0.9, specificity=0.7) == 0.0


@given(p=shares, sensitivity=st.floats(0.6, 1), specificity=st.floats(0.6, 1))
def test_the_estimator_undoes_what_the_grader_does(p, sensitivity, specificity):
    reported = apparent_rate(p, sensitivity=sensitivity, specificity=specificity)
    assert true_rate(reported, sensitivity=sensitivity, specificity=specificity) == pytest.approx(p, abs=1e-9)


@given(p=shares, sensitivity=shares, specificity=shares)
def test_a_reported_rate_is_a_share(p, sensitivity, specificity):
    assert 0 <= apparent_rate(p, sensitivity=sensitivity, specificity=specificity) <= 1 + 1e-12


def test_a_percent_is_refused_with_its_name():
    with pytest.raises(NotAShareError, match=r"specificity = 70.*from 0 to 1"):
        apparent_rate(0.5, sensitivity=0.9, specificity=70)
