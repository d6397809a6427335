"""PPI++ for a rate: what it must do, and that it holds the truth."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ff_helpers.errors import FFError
from ff_helpers.measurement.adjustment.ppi import ppi, tuned_mean
from ff_helpers.measurement.proportions.intervals import wilson


def corpus(seed: int, rate: float = 0.3, rows: int = 600, se: float = 0.9, sp: float = 0.8):
    """Truth and verdict of independent rows."""
    rng = np.random.default_rng(seed)
    truth = rng.random(rows) < rate
    verdict = np.where(truth, rng.random(rows) < se, rng.random(rows) >= sp)
    return rng, truth, verdict


def sampled(seed: int, chance: float = 0.25, **more: float):
    rng, truth, verdict = corpus(seed, **more)
    return verdict, np.where(rng.random(len(truth)) < chance, truth, math.nan), np.full(len(truth), chance)


def test_the_estimate_is_that_of_the_paper():
    verdict, truth, chance = sampled(1)
    drawn = ~np.isnan(truth)
    y, f, g = truth[drawn], verdict[drawn].astype(float), verdict[~drawn].astype(float)
    n, rest = len(y), len(g)
    found = ppi(verdict, truth, chance)
    # arXiv:2311.01453: lambda = cov(y, f) / ((1 + n / N) var(f)); mean(y) + lambda (mean_N(f) - mean_n(f))
    one_each_y, one_each_f = np.append(y, [1, 1, 0, 0]), np.append(f, [1, 0, 1, 0])
    tuned = np.cov(one_each_y, one_each_f, ddof=0)[0, 1] / ((1 + n / rest) * one_each_f.var())
    assert found.estimate == pytest.approx(y.mean() + tuned * (g.mean() - f.mean()))
    assert found.method == "PPI++"


def test_a_good_grader_narrows_the_interval_and_a_useless_one_does_not():
    widths = []
    for se, sp in ((0.99, 0.99), (0.8, 0.8), (0.5, 0.5)):
        verdict, truth, chance = sampled(2, se=se, sp=sp)
        found = ppi(verdict, truth, chance)
        widths.append(found.high - found.low)
        known = truth[~np.isnan(truth)]
        alone = wilson(int(known.sum()), len(known))
    assert widths[0] < 0.8 * widths[1] < 0.8 * widths[2]
    assert widths[2] == pytest.approx(alone.high - alone.low, rel=0.1)


def test_fewer_than_ten_labels_of_a_kind_stand_alone():
    verdict = [True, False] * 50
    truth = [1.0] * 9 + [0.0] * 11 + [math.nan] * 80
    found, plain = ppi(verdict, truth, [0.2] * 100), wilson(9, 20)
    assert (found.method, found.estimate) == ("labels alone", 0.45)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high))
    assert "9 labels of the rarer kind; PPI++ needs 10" in found.note
    assert "only 9 of 20" in found.warning
    assert ppi(verdict, [1.0, *truth[:-1]], [0.2] * 100).method == "PPI++"


def test_where_every_row_is_labelled_the_labels_are_the_answer():
    _, truth, verdict = corpus(3)
    found, plain = ppi(verdict, truth, np.ones(600)), wilson(int(truth.sum()), 600)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high))
    assert (found.method, found.note) == ("labels alone", "every row is labelled")


def test_without_labels_nothing_is_identifiable():
    found = ppi([True, False], [math.nan, math.nan], [0.5, 0.5])
    assert (found.estimate, found.low, found.high) == (None, 0.0, 1.0)


@pytest.mark.parametrize("chance", [0.03, 0.2])
@pytest.mark.parametrize("rate", [0.1, 0.3, 0.7])
def test_unequal_probabilities_are_weighted(chance, rate):
    # Called successes are drawn more often: the plain mean of the labels is far too high.
    held, plain = 0, 0
    for seed in range(150):
        rng, truth, verdict = corpus(seed, rate=rate)
        chances = np.where(verdict, 0.4, chance)
        labels = np.where(rng.random(600) < chances, truth, math.nan)
        found = ppi(verdict, labels, chances)
        held += found.low <= rate <= found.high
        known = wilson(int(np.nansum(labels)), int((~np.isnan(labels)).sum()))
        plain += known.low <= rate <= known.high
    assert held >= 0.88 * 150
    assert plain < held


def test_runs_of_one_scenario_are_taken_together():
    verdict, truth, chance = sampled(4)
    alone = ppi(verdict, truth, chance)
    single = ppi(verdict, truth, chance, [f"s{i}" for i in range(600)])
    few = ppi(verdict, truth, chance, [f"s{i // 60}" for i in range(600)])
    assert (alone.low, alone.high) == (single.low, single.high)
    assert few.low < alone.low < alone.high < few.high
    one = ppi(verdict, truth, chance, ["s"] * 600)
    assert (one.estimate, one.low, one.high) == (None, 0.0, 1.0)


def test_scenarios_that_always_agree_are_covered():
    held, naive = 0, 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        truth = np.repeat(rng.random(40) < 0.3, 15)
        verdict = np.where(truth, rng.random(600) < 0.9, rng.random(600) < 0.2)
        labels = np.where(rng.random(600) < 0.25, truth, math.nan)
        for scenario in (np.repeat(np.arange(40), 15).astype(str), None):
            found = ppi(verdict, labels, np.full(600, 0.25), scenario)
            inside = found.low <= 0.3 <= found.high
            held, naive = held + (inside and scenario is not None), naive + (inside and scenario is None)
    assert held >= 0.9 * 150
    assert naive < 0.8 * 150


def test_a_faultless_sample_does_not_make_a_faultless_grader():
    # 20 labels, no error among them: an interval from the verdicts' 1,000 rows alone would be +- 3 points.
    verdict = np.arange(1000) % 2 == 0
    truth = np.where(np.arange(1000) < 20, verdict, math.nan)
    found = ppi(verdict, truth, np.full(1000, 0.02))
    assert found.high - found.low > 0.15


cases = st.tuples(*(st.integers(0, 60) for _ in range(6)))


def rows_of(case: tuple[int, ...]):
    """Counts of labelled (true called, true not, false called, false not) and unlabelled (called, not)."""
    verdict = np.repeat([1, 0, 1, 0, 1, 0], case).astype(bool)
    truth = np.repeat([1, 1, 0, 0, math.nan, math.nan], case)
    return verdict, truth, np.full(len(verdict), sum(case[:4]) / max(1, sum(case)))


@given(case=cases.filter(lambda case: sum(case[:4]) > 0))
@example(case=(0, 37, 0, 0, 0, 1))
def test_the_interval_holds_the_estimate_within_0_and_1_and_mirrors(case):
    verdict, truth, chance = rows_of(case)
    found, mirrored = ppi(verdict, truth, chance), ppi(~verdict, 1 - truth, chance)
    assert 0 <= found.low <= found.estimate <= found.high <= 1
    assert found.low < found.high
    assert (found.low, found.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low), abs=1e-9)


@settings(max_examples=20)
@given(case=cases.filter(lambda case: sum(case[:4]) > 2), seed=st.integers(0, 5))
def test_nothing_depends_on_the_order_of_the_rows(case, seed):
    columns = rows_of(case)
    order = np.random.default_rng(seed).permutation(len(columns[0]))
    one, other = ppi(*columns), ppi(*(column[order] for column in columns))
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-9)


@given(case=st.tuples(*(st.integers(10, 60) for _ in range(6))))
def test_ten_times_the_rows_narrow_the_interval(case):
    one, more = (ppi(*rows_of(tuple(n * c for c in case))) for n in (1, 10))
    assert more.high - more.low < one.high - one.low


def test_many_samples_at_once_give_what_each_gives_alone():
    verdict, truth, chance = sampled(5)
    drawn = ~np.isnan(truth)
    kind = (3 - 2 * truth - verdict)[drawn].astype(int)
    cells = np.bincount(kind, minlength=4).astype(float)
    rate, _, tuned = tuned_mean(
        np.stack([cells, cells]),
        np.stack([cells, cells]),
        np.stack([cells, cells]) * 0.75,
        np.full(2, verdict.sum()),
        np.full(2, 600.0),
    )
    found = ppi(verdict, truth, chance)
    assert rate.tolist() == pytest.approx([found.estimate] * 2)
    assert f"weight of the verdicts {tuned[0]:.2f}" in found.note


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        (([True], [1, 0], [0.5, 0.5]), "1 verdicts, 2 truths"),
        (([True, None], [1, 0], [0.5, 0.5]), "a verdict is missing"),
        (([True, False], [1, 0.5], [0.5, 0.5]), "neither 0 nor 1"),
        (([True, False], [1, 0], [0.5, 0]), "no probability"),
        (([True, False], [1, 0], [0.5, math.nan]), "no probability"),
        (([True, False], [1, 0], [0.5, 1.5]), "no probability"),
    ],
)
def test_rows_that_are_no_sample_are_refused(columns, problem):
    with pytest.raises(FFError, match=problem):
        ppi(*columns)
