"""How many labels a rate needs: formulas against worked numbers, and against simulated samples."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.anytime import anytime
from ff_helpers.measurement.proportions.intervals import Z, wilson
from ff_helpers.measurement.sampling.plan import (
    ALONE,
    BEST,
    DESIGNS,
    HALF,
    LINES,
    RANDOM,
    Outlook,
    from_hits,
    half_widths,
    needed,
    needed_labels,
    outlook,
    plan_labels,
)

SHARES = st.floats(0.01, 0.99)
FIFTH = outlook(0.2, 0.9, 0.9)


def test_the_outlook_is_bayes_rule() -> None:
    """Of 1,000 rows 180 of 260 hits are true, and 20 of 740 others."""
    assert math.isclose(FIFTH.hit, 0.26)
    assert math.isclose(FIFTH.in_hits, 180 / 260)
    assert math.isclose(FIFTH.in_others, 20 / 740)
    assert math.isclose(FIFTH.rate, 0.2)


@pytest.mark.parametrize(("rate", "se", "sp"), [(0, 0.5, 1), (1, 1, 0.5), (0, 1, 1), (1, 0, 0)])
def test_a_verdict_that_never_comes_changes_nothing(rate: float, se: float, sp: float) -> None:
    expected = outlook(rate, se, sp)
    assert expected.rate == rate
    assert all(np.isfinite(half_widths(expected, 100, design)) for design in DESIGNS)


def test_labels_alone_need_what_wilsons_interval_needs() -> None:
    """At 1/2 half its width is z / (2 sqrt(n + z^2)), so n = z^2 (1 / (4 h^2) - 1) = 380.3."""
    assert needed(outlook(0.5, 0.9, 0.9), 0.05, ALONE) == 381
    assert wilson(190, 380).high - wilson(190, 380).low > 0.1
    assert needed(outlook(0.5, 0.9, 0.9), 0.05, ALONE, stopping=True) > 2 * 381


def test_many_labels_give_the_variance_of_double_sampling() -> None:
    """Random: .26 r1 (1 - r1) + .74 r0 (1 - r0) = .0748441 over n. Neyman: (.12 + .12)^2 = .0576 over n."""
    n = 100_000
    assert math.isclose(half_widths(FIFTH, n, RANDOM), Z * math.sqrt(0.0748441 / n), rel_tol=1e-3)
    assert math.isclose(half_widths(FIFTH, n, BEST), Z * math.sqrt(0.0576 / n), rel_tol=1e-3)
    assert math.isclose(from_hits(FIFTH, n, BEST) / n, 0.12 / 0.24, rel_tol=1e-2)


def test_limited_rows_add_the_variance_of_the_verdicts_shares() -> None:
    """q (1 - q) (r1 - r0)^2 / rows = .0851559 / rows (with .0748441 it is p (1 - p) = .16)."""
    rows, n = 1_000_000, 100_000
    expected = Outlook(FIFTH.hit, FIFTH.in_hits, FIFTH.in_others, rows)
    assert math.isclose(
        half_widths(expected, n, RANDOM), Z * math.sqrt(0.0748441 / n + 0.0851559 / rows), rel_tol=1e-3
    )
    assert math.isclose(half_widths(expected, rows, BEST), Z * math.sqrt(0.16 / rows), rel_tol=1e-3)


@pytest.mark.parametrize("design", [RANDOM, HALF, BEST])
@pytest.mark.parametrize(("rate", "n"), [(0.02, 100), (0.05, 50), (0.2, 100), (0.5, 200)])
def test_simulated_samples_are_as_narrow_as_planned(design: str, rate: float, n: int) -> None:
    """Quantiles of the posterior of double sampling, 150 samples; the asymptotic formula is far off."""
    rng, rows = np.random.default_rng(0), 1000
    expected = outlook(rate, 0.9, 0.9, rows=rows)
    widths = []
    for _ in range(150):
        hits = (
            rng.binomial(n, expected.hit)
            if design == RANDOM
            else round(float(from_hits(expected, n, design)))
        )
        labels = np.array([hits, n - hits])
        true = rng.binomial(labels, [expected.in_hits, expected.in_others])
        called = rng.binomial(rows, expected.hit)
        share = rng.beta(called + 0.5, rows - called + 0.5, 1000)
        inside, outside = (rng.beta(k + 0.5, m - k + 0.5, 1000) for k, m in zip(true, labels, strict=True))
        low, high = np.quantile(share * inside + (1 - share) * outside, (0.025, 0.975))
        widths.append((high - low) / 2)
    assert math.isclose(float(half_widths(expected, n, design)), np.mean(widths), rel_tol=0.12)


@given(SHARES, SHARES, SHARES, st.integers(20, 2000), st.integers(5, 19))
def test_the_best_split_is_the_best_and_more_labels_are_never_worse(
    rate: float, se: float, sp: float, n: int, some: int
) -> None:
    expected = outlook(rate, se, sp, rows=2000)
    best = half_widths(expected, n, BEST)
    for design in (RANDOM, HALF):
        # The best split has the least variance; half-widths of skewed posteriors follow it within 2%.
        assert best <= half_widths(expected, n, design) * 1.02
    for design in DESIGNS:
        assert half_widths(expected, n, design) <= half_widths(expected, some, design) + 1e-9
        assert half_widths(expected, n, design, stopping=True) > half_widths(expected, n, design)
    assert 0 <= from_hits(expected, n, BEST) <= min(n, 2000 * expected.hit) + 1e-9


def test_a_target_beyond_all_rows_is_not_reached() -> None:
    expected = outlook(0.5, 0.9, 0.9, rows=300)
    table = needed_labels(expected, 0.05)
    assert table["labels_needed"].isna().all()
    whole = wilson(150, 300)
    assert np.allclose(table["at_most"], (whole.high - whole.low) / 2)
    assert needed(outlook(0.5, 0.9, 0.9), 1e-5, RANDOM) is None


def test_the_needed_number_is_the_least_that_is_narrow_enough() -> None:
    for design in DESIGNS:
        n = needed(FIFTH, 0.05, design)
        assert half_widths(FIFTH, n, design) <= 0.05 < half_widths(FIFTH, n - 1, design)
    low, high = anytime(0.2 * 100, 100)
    assert math.isclose(half_widths(FIFTH, 100, ALONE, stopping=True), (high - low) / 2)


def test_the_table_goes_one_step_beyond_the_target_and_never_beyond_the_rows() -> None:
    table = plan_labels(outlook(0.2, 0.9, 0.9, rows=1000), 0.05)
    assert sorted(set(table["to_label"])) == [50, 100, 150]
    assert table.groupby("design")["half_width"].is_monotonic_decreasing.all()
    assert table.loc[table["design"].isin((ALONE, RANDOM)), "drawn_hits"].isna().all()
    assert max(plan_labels(outlook(0.5, 0.9, 0.9, rows=120), 0.05)["to_label"]) == 100
    assert set(plan_labels(outlook(0.5, 0.9, 0.9, rows=30), 0.05)["to_label"]) == {30}
    many = plan_labels(outlook(0.5, 0.6, 0.6), 0.01)
    assert len(set(many["to_label"])) <= LINES
    assert (many["to_label"] % 50 == 0).all()


def test_what_a_pilot_leaves_open_is_a_range() -> None:
    others = [outlook(rate, 0.9, 0.9) for rate in (0.1, 0.2, 0.3, 0.4, 0.5)]
    table = needed_labels(FIFTH, 0.05, designs=[RANDOM], others=others)
    least, most = (needed(others[place], 0.05, RANDOM) for place in (0, 4))
    assert table[["needed_least", "needed_most"]].to_numpy().tolist() == [[least, most]]
    assert pd.isna(needed_labels(FIFTH, 0.05)["needed_least"]).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: outlook(1.2, 0.9, 0.9), "rate = 1.2 is not a share"),
        (lambda: outlook(0.2, math.nan, 0.9), "sensitivity = nan"),
        (lambda: outlook(0.2, 0.9, 0.9, rows=1), "at least 2 graded rows"),
        (lambda: needed(FIFTH, 0, RANDOM), "above 0 and below 0.5"),
        (lambda: needed_labels(FIFTH, 0.5), "above 0 and below 0.5"),
        (lambda: plan_labels(FIFTH, step=0), "step = 0"),
    ],
)
def test_what_cannot_be_planned_is_refused(call, said: str) -> None:
    with pytest.raises(FFError, match=said):
        call()
