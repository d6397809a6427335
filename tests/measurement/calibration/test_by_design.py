"""Measures of a grader from labels that were drawn with different probabilities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ff_helpers.measurement.adjustment.double import double_sampling
from ff_helpers.measurement.calibration.by_design import (
    Drawn,
    Posterior,
    drawn_from,
    effective_table,
    evidence_by_design,
)
from ff_helpers.measurement.calibration.confusion import cohen_kappa
from ff_helpers.measurement.calibration.gate import decide
from ff_helpers.measurement.calibration.items import by_row

YES, NO = 0, 1


def halves(rng: np.random.Generator, rate: float, se: float, sp: float, rows: int, labels: int) -> Drawn:
    """Graded rows of which as many hits as others are labelled."""
    true = rng.random(rows) < rate
    hit = np.where(true, rng.random(rows) < se, rng.random(rows) >= sp)
    truth, chance = np.full(rows, -1), np.ones(rows)
    for side in (hit, ~hit):
        places = np.flatnonzero(side)
        drawn = rng.choice(places, min(labels // 2, len(places)), replace=False)
        truth[drawn], chance[drawn] = 1 - true[drawn], len(drawn) / len(places)
    return Drawn(("yes", "no"), 1 - hit.astype(int), truth, chance)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([(t, g) for t in (0, 1, 2) for g in (0, 1, 2, 3)]), min_size=1, max_size=60))
def test_with_every_row_labelled_each_estimate_is_the_one_of_its_rows(pairs) -> None:
    true, graded = (np.array(side, dtype=np.intp) for side in zip(*pairs, strict=True))
    drawn = Drawn(("a", "b", "c"), graded, true, np.ones(len(true)))
    found, rows = evidence_by_design(Posterior(drawn, draws=50)), by_row(drawn.matrix)
    assert found.accuracy.estimate == pytest.approx(rows.accuracy.estimate)
    for weighted, counted in zip(
        found.recalls + found.precisions, rows.recalls + rows.precisions, strict=True
    ):
        assert weighted.estimate == (None if counted.estimate is None else pytest.approx(counted.estimate))
        assert 0 <= weighted.low <= (weighted.estimate or 0) <= weighted.high <= 1
    kappa = cohen_kappa(drawn.matrix)
    assert kappa is not None
    assert found.kappa.value == pytest.approx(kappa.value)
    assert (found.n, found.truths) == (rows.n, rows.truths)


def test_the_rate_behind_it_is_that_of_double_sampling() -> None:
    drawn = halves(np.random.default_rng(1), 0.3, 0.8, 0.9, 800, 80)
    some = drawn.truth >= 0
    true = [1.0 - t if on else None for t, on in zip(drawn.truth, some, strict=True)]
    rate = double_sampling(list(drawn.graded == YES), true, list(drawn.chance))
    majority = evidence_by_design(Posterior(drawn)).baseline
    assert rate.estimate is not None
    assert majority.estimate == pytest.approx(1 - rate.estimate)
    assert (majority.low, majority.high) == pytest.approx((1 - rate.high, 1 - rate.low), abs=0.005)


def test_intervals_hold_what_they_claim_to() -> None:
    """120 samples of 60 labels, half from hits, at a true rate of 10%, Se = .8, Sp = .95."""
    rng, runs = np.random.default_rng(5), 120
    inside = {"accuracy": 0, "sensitivity": 0, "specificity": 0}
    for _ in range(runs):
        found = evidence_by_design(Posterior(halves(rng, 0.1, 0.8, 0.95, 600, 60), draws=300))
        for name, one, true in (
            ("accuracy", found.accuracy, 0.1 * 0.8 + 0.9 * 0.95),
            ("sensitivity", found.recalls[YES], 0.8),
            ("specificity", found.recalls[NO], 0.95),
        ):
            inside[name] += one.low <= true <= one.high
    assert min(inside.values()) >= 0.9 * runs, inside


def test_no_miss_among_few_labels_of_a_large_verdict_leaves_sensitivity_open() -> None:
    """30 of 100 hits and 30 of 900 others are labelled, none of these a miss; but 60 misses are possible."""
    graded = np.repeat([YES, NO], [100, 900])
    truth, chance = np.full(1000, -1), np.ones(1000)
    truth[:30], chance[:30] = YES, 0.3
    truth[100:130], chance[100:130] = NO, 30 / 900
    found = evidence_by_design(Posterior(Drawn(("yes", "no"), graded, truth, chance)))
    assert found.recalls[YES].estimate == 1
    assert 0.5 < found.recalls[YES].low < 0.75
    (kept, missed, _), _ = effective_table(Posterior(Drawn(("yes", "no"), graded, truth, chance)))
    assert kept / (kept + missed) < 1  # for whom takes the card's errors elsewhere
    assert kept + missed < 30


def test_the_gate_goes_by_weighted_figures() -> None:
    """90% of the labels are right, and 99% of the rows: the sample is half hits, of which 80% are right."""
    graded = np.repeat([YES, NO], [50, 950])
    truth, chance = np.full(1000, -1), np.ones(1000)
    truth[:50], chance[:50] = np.repeat([YES, NO], [40, 10]), 1.0
    truth[50:100], chance[50:100] = NO, 50 / 950
    drawn = Drawn(("yes", "no"), graded, truth, chance)
    gate = decide(drawn.matrix, evidence=evidence_by_design(Posterior(drawn)))
    values = {one.name: one.value for one in (*gate.published, *gate.ours)}
    assert values["accuracy"] == pytest.approx(0.99)
    assert values["accuracy against the constant majority grader"] == pytest.approx(0.99)
    assert values["traces"] == 100
    majority = next(one for one in gate.ours if one.name.startswith("accuracy against"))
    assert majority.threshold == pytest.approx(0.96)


def test_scenarios_are_the_units_and_one_alone_says_nothing() -> None:
    graded, truth = ["a", "b"] * 20, ["a", "b", "b", "b"] * 10
    chance = [0.5, 0.25] * 20
    apart = evidence_by_design(Posterior(drawn_from(("a", "b"), graded, truth, chance)))
    four = np.arange(40) // 4
    together = evidence_by_design(Posterior(drawn_from(("a", "b"), graded, truth, chance, four)))
    assert (apart.n, together.n, together.truths) == (40, 10, (10, 10))
    one = evidence_by_design(
        Posterior(drawn_from(("a", "b"), graded, truth, chance, np.zeros(40, dtype=int)))
    )
    assert (one.accuracy.low, one.accuracy.high, one.p_majority) == (0, 1, 1)
    assert one.kappa is not None
    assert (one.kappa.low, one.kappa.high) == (-1, 1)
