"""Double sampling: the truth within each verdict."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.errors import FFError
from ff_helpers.measurement.adjustment.double import bounds, double_sampling

NONE = float("nan")


def rows(*cells):
    """Return verdict, truth and probability of cells: (verdict, rows, labelled true, labelled false)."""
    verdict, truth, chance = [], [], []
    for said, many, true, false in cells:
        verdict += [said] * many
        truth += [1.0] * true + [0.0] * false + [NONE] * (many - true - false)
        chance += [(true + false) / many or NONE] * many
    return verdict, truth, chance


def test_the_estimate_is_the_sum_of_shares_times_rates():
    """Tenenbaum's estimator: 300 of 1,000 called hits, of which 40 of 50 are true; of the others 5 of 50."""
    found = double_sampling(*rows((True, 300, 40, 10), (False, 700, 5, 45)))
    assert found.estimate == pytest.approx(0.3 * 0.8 + 0.7 * 0.1)
    assert found.method == "double sampling"
    assert found.low < found.estimate < found.high


def test_its_width_is_that_of_the_asymptotic_variance():
    """Var = sum q^2 r(1-r)/n_v + sum q (r-p)^2 / N (Tenenbaum 1970, section 3), for large counts."""
    found = double_sampling(*rows((True, 30_000, 4000, 1000), (False, 70_000, 500, 4500)))
    q, r, n = np.array([0.3, 0.7]), np.array([0.8, 0.1]), np.array([5000, 5000])
    p = q @ r
    variance = (q**2 * r * (1 - r) / n).sum() + (q * (r - p) ** 2).sum() / 100_000
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * variance**0.5, rel=0.03)


def test_a_good_grader_narrows_the_interval_and_a_useless_one_does_not():
    good = double_sampling(*rows((True, 200, 19, 1), (False, 800, 1, 79)))
    useless = double_sampling(*rows((True, 200, 4, 16), (False, 800, 16, 64)))
    assert good.estimate == pytest.approx(useless.estimate, abs=0.01)
    assert good.high - good.low < 0.7 * (useless.high - useless.low)


def test_more_labels_of_the_rarer_verdict_are_allowed_and_narrow():
    alike = double_sampling(*rows((True, 50, 5, 0), (False, 950, 1, 94)))
    more = double_sampling(*rows((True, 50, 45, 5), (False, 950, 0, 50)))
    assert more.estimate == pytest.approx(0.05 * 0.9)
    assert alike.estimate == pytest.approx(0.05 + 0.95 / 95)


def test_a_verdict_without_a_label_is_unknown_and_said():
    found = double_sampling(*rows((True, 100, 0, 0), (False, 900, 3, 87)))
    assert found.high - found.low > 0.08
    assert "no label among 100 rows of one verdict" in found.note


def test_where_every_row_is_labelled_the_labels_are_the_answer():
    found = double_sampling(*rows((True, 30, 20, 10), (False, 70, 5, 65)))
    assert (found.estimate, found.method) == (pytest.approx(0.25), "labels alone")
    assert (found.low, found.high) == pytest.approx((0.1755, 0.3430), abs=1e-3)  # Wilson of 25 of 100


def test_without_labels_nothing_is_identifiable():
    found = double_sampling([True, False], [NONE, NONE], [NONE, NONE])
    assert (found.estimate, found.low, found.high) == (None, 0.0, 1.0)


def test_unequal_probabilities_within_a_verdict_are_weighted():
    """Two models, one labelled ten times as often: each counts by its rows, not by its labels."""
    verdict = [True] * 200
    truth = [1.0] * 50 + [0.0] * 50 + [1.0] * 10 + [NONE] * 90
    chance = [1.0] * 100 + [0.1] * 100
    assert double_sampling(verdict, truth, chance).estimate == pytest.approx(0.75)


def test_runs_of_one_scenario_are_taken_together():
    verdict, truth, chance = rows((True, 100, 30, 10), (False, 100, 5, 35))
    alone = double_sampling(verdict, truth, chance)
    runs = [f"s{i // 5}" for i in range(200)]
    together = double_sampling(verdict, truth, chance, runs)
    assert together.estimate == pytest.approx(alone.estimate)
    assert together.high - together.low > 1.2 * (alone.high - alone.low)
    one = double_sampling(verdict, truth, chance, ["s"] * 200)
    assert (one.estimate, one.low, one.high) == (None, 0.0, 1.0)


cells = st.tuples(st.integers(1, 60), st.integers(0, 60), st.integers(0, 60)).map(
    lambda c: (c[0] + c[1] + c[2], c[1], c[2])
)


@given(cells, cells)
def test_the_interval_holds_the_estimate_within_0_and_1(one, other):
    found = double_sampling(*rows((True, *one), (False, *other)))
    if found.estimate is not None:
        assert 0 <= found.low <= found.estimate <= found.high <= 1
        assert found.high > found.low


@given(st.randoms())
def test_nothing_depends_on_the_order_of_the_rows(random):
    columns = list(zip(*rows((True, 40, 9, 6), (False, 60, 4, 11)), strict=True))
    before = double_sampling(*rows((True, 40, 9, 6), (False, 60, 4, 11)))
    random.shuffle(columns)
    after = double_sampling(*zip(*columns, strict=True))
    assert (after.low, after.high) == pytest.approx((before.low, before.high))


def test_the_same_counts_give_the_same_bounds():
    counts = np.array([[40.0, 60.0]]), np.array([[9.0, 4.0]]), np.array([[15.0, 15.0]])
    assert bounds(*counts) == bounds(*counts)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng, held, draws = np.random.default_rng(3), 0, 400
    p, se, sp, n, labels = 0.2, 0.9, 0.8, 500, 60
    for _ in range(draws):
        true = rng.random(n) < p
        said = np.where(true, rng.random(n) < se, rng.random(n) > sp)
        truth = np.where(np.arange(n) < labels, true, NONE)
        found = double_sampling(list(said), truth, np.full(n, labels / n))
        held += found.low <= p <= found.high
    assert 0.92 <= held / draws <= 0.98


@pytest.mark.parametrize(("rate", "labels"), [(0.01, 20), (0.02, 30)])
def test_few_labels_of_a_rare_success_hold_the_truth_with_a_judge_that_tosses_a_coin(rate, labels):
    """With half a success of prior in each verdict they held it in 83 and 91% of such samples."""
    rng, draws, rows = np.random.default_rng(5), 2000, 1000
    heads = rng.hypergeometric(500, 500, labels, draws)
    size = np.stack([heads, labels - heads], axis=1)
    low, high = bounds(
        np.full((draws, 2), rows / 2), rng.binomial(size, rate), size.astype(float), draws=1000
    )
    assert 0.92 <= ((low <= rate) & (rate <= high)).mean() <= 0.99


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        (([True], [1.0, 0.0], [1.0]), "1 verdicts, 2 truths"),
        (([True], [0.5], [1.0]), "neither 0 nor 1"),
        (([True], [1.0], [0.0]), "no probability"),
        (([None], [1.0], [1.0]), "a verdict is missing"),
    ],
)
def test_what_is_no_sample_is_refused(columns, problem):
    with pytest.raises(FFError, match=problem):
        double_sampling(*columns)
