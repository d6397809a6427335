"""What it costs to pass the gate: chances, and the traces that a grader needs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.measurement.calibration.gate import (
    Rule,
    Thresholds,
    needed,
    needed_n,
    needed_table,
    passing_chance,
    power_table,
)
from ff_helpers.measurement.proportions.intervals import wilson_bounds

RULES: tuple[Rule, ...] = ("published", "ours")


def test_fifty_traces_need_42_right_and_twenty_need_14_by_the_published_rule() -> None:
    assert needed(50, "ours") == 42
    assert needed(20, "published") == 14
    assert needed(10, "ours") == 10  # ten of ten: lower bound 72%
    assert needed(5, "ours") == 6  # more than there are


@pytest.mark.parametrize("n", [*range(1, 121), 200, 263, 450, 1000, 2250])
def test_what_is_needed_is_the_smallest_count_whose_wilson_bound_suffices(n: int) -> None:
    low, _ = wilson_bounds(np.arange(n + 1.0), np.full(n + 1, float(n)))
    enough = np.flatnonzero(low >= 0.7)
    assert needed(n, "ours") == (enough[0] if len(enough) else n + 1)


@pytest.mark.parametrize(
    ("accuracy", "n", "rule", "chance"),
    [(0.8, 50, "ours", 0.31), (0.8, 200, "ours", 0.91), (0.6, 20, "published", 0.25)],
)
def test_power_is_what_the_design_says(accuracy: float, n: int, rule: str, chance: float) -> None:
    assert passing_chance(accuracy, n, rule) == pytest.approx(chance, abs=0.005)  # type: ignore[arg-type]


def test_a_set_smaller_than_the_rule_asks_for_never_passes() -> None:
    assert passing_chance(1.0, 49, "ours") == 0.0
    assert passing_chance(1.0, 19, "published") == 0.0


def test_power_grows_with_the_accuracy() -> None:
    for _, curve in power_table().groupby(["rule", "n"]):
        assert curve["chance"].is_monotonic_increasing
        assert curve["chance"].between(0, 1).all()


def test_the_smallest_size_of_own_thresholds_is_in_the_power_table() -> None:
    table = power_table(thresholds=Thresholds(n=30, accuracy_low=0.8))
    ours = table[table["rule"] == "ours"]
    assert sorted(set(ours["n"])) == [30, 50, 100, 200]
    assert set(ours["threshold"]) == {0.8}


def test_from_the_needed_n_on_every_larger_set_suffices_although_some_smaller_one_does_too() -> None:
    n = needed_n(0.8, "ours", 0.9)
    assert n == 207
    assert passing_chance(0.8, 206, "ours") < 0.9 <= passing_chance(0.8, 200, "ours")  # the saw
    assert all(passing_chance(0.8, m, "ours") >= 0.9 for m in range(n, 1000))


def test_a_grader_at_the_bar_never_gets_there_and_a_perfect_one_at_once() -> None:
    assert needed_n(0.7, "ours") is None
    assert needed_n(0.702, "ours") is None  # more than 10,000
    assert needed_n(0.6, "published", 0.5) is None
    assert needed_n(1.0, "ours") == 50
    assert needed_n(1.0, "published") == 20
    assert needed_n(0.9, "ours", thresholds=Thresholds(n=20_000)) is None


@given(st.floats(0.72, 1.0), st.floats(0.05, 0.95), st.sampled_from(RULES))
def test_needed_n_is_the_first_of_its_kind(accuracy: float, power: float, rule: Rule) -> None:
    n = needed_n(accuracy, rule, power)
    if n is None:
        return
    assert passing_chance(accuracy, n, rule) >= power
    assert passing_chance(accuracy, min(10_000, n + 7), rule) >= power
    assert n in (20, 50) or passing_chance(accuracy, n - 1, rule) < power
    better = needed_n(min(1.0, accuracy + 0.02), rule, power)
    assert better is not None and better <= n


def test_the_table_has_both_rules_and_grows_with_the_chance_asked_for() -> None:
    table = needed_table()
    assert table[table["rule"] == "ours"]["n_80"].tolist() == [654, 158, 69, 50, 50]
    assert ((table["n_50"] <= table["n_80"]) & (table["n_80"] <= table["n_90"])).all()
    hard = needed_table(Thresholds(accuracy_low=0.95))
    assert hard[hard["rule"] == "ours"]["n_50"].isna().tolist() == [True] * 5
