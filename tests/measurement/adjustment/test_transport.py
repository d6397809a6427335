"""Errors that were measured on other models: the between-model variance, the bracket, and XSTest left out."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ff_helpers.measurement.adjustment.rogan_gladen import rogan_gladen
from ff_helpers.measurement.adjustment.transport import BRACKET, CARRIED, Errors, carried_over, covers
from ff_helpers.measurement.proportions.between import LOGITS, heterogeneity, predicted
from tests.shared_labels import shared

BCG = [
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
    (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232),
    (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
]  # fmt: skip
"""13 trials of the BCG vaccine (Colditz and others 1994, JAMA 271:698-702): ill, well; with, without."""
RATS = (
    "0/20 0/20 0/20 0/20 0/20 0/20 0/20 0/19 0/19 0/19 0/19 0/18 0/18 0/17 1/20 1/20 "
    "1/20 1/20 1/19 1/19 1/18 1/18 2/25 2/24 2/23 2/20 2/20 2/20 2/20 2/20 2/20 1/10 "
    "5/49 2/19 5/46 3/27 2/17 7/49 7/47 3/20 3/20 2/13 9/48 10/50 4/20 4/20 4/20 4/20 "
    "4/20 4/20 4/20 10/48 4/19 4/19 4/19 5/22 11/46 12/49 5/20 5/20 6/23 5/19 6/22 6/20 "
    "6/20 6/20 16/52 15/46 15/47 9/24 4/14"
)
"""Tumours in 71 groups of rats (Gelman and others, Bayesian Data Analysis, table 5.1)."""
SIDES = ("sensitivity", "specificity")


def test_cochrans_q_and_i2_are_those_published_for_the_bcg_trials():
    """Q = 152.23 on 12 degrees of freedom (Viechtbauer 2010, Journal of Statistical Software 36(3))."""
    a, b, c, d = np.array(BCG, dtype=float).T
    found = heterogeneity(np.log(a / (a + b) / (c / (c + d))), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))
    assert (round(found.q, 2), found.df) == (152.23, 12)
    assert round(found.i2, 3) == 0.921
    assert found.p < 1e-4


def test_one_more_group_of_rats_is_predicted_as_in_the_textbook():
    """There Beta(2.4, 14.3) describes the groups: mean .144, standard deviation .083."""
    k, n = np.array([one.split("/") for one in RATS.split()], dtype=float).T
    share, chance = 1 / (1 + np.exp(-LOGITS)), predicted(k, n)
    mean = float(chance @ share)
    assert mean == pytest.approx(2.4 / 16.7, abs=0.01)
    assert float(chance @ (share - mean) ** 2) ** 0.5 == pytest.approx(0.083, abs=0.015)


def test_where_models_agree_it_is_nearly_rogan_gladen_and_where_they_differ_it_is_wider():
    alike = [Errors(str(i), (180, 200), (160, 200)) for i in range(12)]
    apart = [Errors(str(i), (180, 200), (160 + 30 * (-1) ** i, 200)) for i in range(12)]
    pooled = rogan_gladen(410, 1000, (2160, 2400), (1920, 2400))
    near, far = carried_over(410, 1000, alike), carried_over(410, 1000, apart)
    assert near.method == far.method == CARRIED
    assert near.estimate == pytest.approx(0.3, abs=0.02)
    assert pooled.high - pooled.low < near.high - near.low < 0.5 * (far.high - far.low)
    assert "specificity 65% to 95% (they differ: I² 9" in far.note
    assert "differ" not in near.note


def test_with_fewer_than_three_models_there_is_a_bracket_and_no_estimate():
    """From the lowest to the highest bound of Rogan-Gladen under the errors of each."""
    one, other = Errors("a", (180, 200), (160, 200)), Errors("b", (160, 200), (190, 200))
    found = carried_over(410, 1000, [one, other])
    each = [rogan_gladen(410, 1000, e.sensitivity, e.specificity) for e in (one, other)]
    assert (found.estimate, found.method) == (None, BRACKET)
    assert (found.low, found.high) == (min(e.low for e in each), max(e.high for e in each))
    assert "with fewer than 3 it is not known how much errors differ" in found.note
    assert carried_over(410, 1000, [one]).estimate is None


def test_nothing_is_concluded_from_nothing():
    no_failures = [Errors(str(i), (9, 10), (0, 0)) for i in range(5)]
    for found in (carried_over(4, 10, []), carried_over(4, 10, no_failures), carried_over(0, 0, [])):
        assert (found.estimate, found.low, found.high) == (None, 0.0, 1.0)
        assert found.note.startswith("not identifiable")


def test_labels_of_the_model_itself_pull_its_errors_away_from_the_others():
    """A judge that clears 9 of 10 failures elsewhere and 4 of 20 here: 60% of 480 are reported."""
    elsewhere = [Errors(str(i), (95, 100), (90 + i, 100)) for i in range(5)]
    without = carried_over(288, 480, elsewhere)
    with_them = carried_over(288, 480, elsewhere, here=Errors("m", (9, 10), (4, 10)))
    assert with_them.high - with_them.low > without.high - without.low
    assert with_them.low < 0.5 < with_them.high
    assert with_them.estimate < without.estimate


def test_a_rate_that_errors_elsewhere_hardly_explain_carries_a_warning():
    found = carried_over(990, 1000, [Errors(str(i), (160, 200), (180, 200)) for i in range(4)])
    assert "hardly explain" in found.warning


def test_errors_of_the_same_set_and_model_are_not_carried():
    measured = [Errors("a", (9, 10), (9, 10), "s"), Errors("b", (9, 10), (9, 10), "s")]
    assert covers(measured, {("s", "a")})
    assert not covers(measured, {("s", "a"), ("t", "a")})


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 300),
    st.lists(st.tuples(*[st.integers(1, 40)] * 4), min_size=3, max_size=6),
)
def test_an_interval_is_ordered_within_0_and_1_and_does_not_depend_on_the_order_of_models(k, counts):
    models = [Errors(str(i), (min(a, b), b), (min(c, d), d)) for i, (a, b, c, d) in enumerate(counts)]
    found, turned = carried_over(k, 300, models), carried_over(k, 300, models[::-1])
    assert 0 <= found.low <= found.high <= 1
    if found.estimate is not None:
        assert found.low <= found.estimate <= found.high
        assert turned.estimate == pytest.approx(found.estimate, abs=1e-6)


@pytest.fixture(scope="module")
def xstest() -> pd.DataFrame:
    frame = pd.read_csv(shared("xstest_v2_labels.csv"))
    frame = frame[frame["gpt4_label"] != "INVALID"]
    return pd.DataFrame(
        {
            "model": frame["model"],
            "true": frame["final_label"] == "1_full_compliance",
            "hit": frame["gpt4_label"] == "1_full_compliance",
        }
    )


def test_on_xstest_the_model_left_out_is_covered_five_times_in_five(xstest):
    """GPT-4's errors on the four others gave 38.2 [29.9, 46.2] for `gpt4`, where 51.1 is true."""
    errors = {
        model: Errors(
            str(model),
            (int((own["true"] & own["hit"]).sum()), int(own["true"].sum())),
            (int((~own["true"] & ~own["hit"]).sum()), int((~own["true"]).sum())),
        )
        for model, own in xstest.groupby("model")
    }
    covered, missed = [], set()
    for model, own in xstest.groupby("model"):
        others = [one for name, one in errors.items() if name != model]
        k, n, truth = int(own["hit"].sum()), len(own), float(own["true"].mean())
        found = carried_over(k, n, others)
        covered.append(found.low <= truth <= found.high)
        assert found.high - found.low < 1
        assert "they differ" in found.note
        sides = [[sum(x) for x in zip(*(getattr(e, s) for e in others), strict=True)] for s in SIDES]
        pooled = rogan_gladen(k, n, *(tuple(side) for side in sides))
        if not pooled.low <= truth <= pooled.high:
            missed.add(model)
    assert covered == [True] * 5
    assert missed == {"gpt4"}  # by one pooled error rate
