"""Both rules of the gate, and what it costs to pass them."""

import pytest

from ff_helpers.measurement.confusion import Confusion
from ff_helpers.measurement.gate import (
    Thresholds,
    decide,
    needed,
    published_state,
)
from ff_helpers.measurement.power import passing_chance, power_table

GOOD = Confusion(("a", "b"), ((48, 2, 0), (3, 47, 0)))


def test_fifty_traces_need_42_right_and_twenty_need_14_by_the_published_rule() -> None:
    assert needed(50, "ours") == 42
    assert needed(20, "published") == 14
    assert needed(10, "ours") == 10  # ten of ten: lower bound 72%
    assert needed(5, "ours") == 6  # more than there are


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


def test_a_good_grader_on_real_traces_is_calibrated() -> None:
    gate = decide(GOOD)
    assert gate.state == "calibrated"
    assert gate.reasons == ("passes every criterion of our rule",)


def test_proxy_traces_or_a_missing_attack_class_allow_provisional_at_best() -> None:
    assert decide(GOOD, proxy=True).state == "provisional"
    lacking = decide(GOOD, missing=("constraint_erosion", "multi"))
    assert lacking.state == "provisional"
    assert "constraint_erosion, multi" in lacking.reasons[0]


@pytest.mark.parametrize(
    ("table", "failing"),
    [
        (((20, 1, 0), (1, 20, 0)), "traces"),
        (((33, 17, 0), (8, 42, 0)), "accuracy, lower bound"),
        (((84, 0, 0), (5, 11, 0)), "p against the constant majority grader"),
        (((84, 0, 0), (8, 7, 0)), "recall of b"),
        (((91, 0, 0), (0, 9, 0)), "truths of b"),
    ],
)
def test_each_criterion_of_ours_alone_holds_a_grader_back(
    table: tuple[tuple[int, ...], ...], failing: str
) -> None:
    strict = Thresholds(p_majority=1e-9) if failing.startswith("p against") else Thresholds()
    gate = decide(Confusion(("a", "b"), table), thresholds=strict)
    assert gate.state == "provisional"
    assert [c.name for c in gate.ours if not c.passed] == [failing]
    assert len(gate.reasons) == 1
    assert failing in gate.reasons[0]


def test_a_constant_majority_grader_of_high_accuracy_is_not_calibrated() -> None:
    gate = decide(Confusion(("a", "b"), ((90, 0, 0), (10, 0, 0))))
    assert gate.state == "provisional"
    failed = {c.name for c in gate.ours if not c.passed}
    assert failed == {"p against the constant majority grader", "kappa", "recall of b"}


def test_seventy_percent_of_twenty_passes_the_published_rule_and_less_does_not() -> None:
    assert published_state(14, 20) == "uncalibrated"
    assert published_state(13, 20) == "rejected"
    assert published_state(19, 19) == "rejected"
    rejected = decide(Confusion(("a", "b"), ((6, 4, 0), (3, 7, 0))))
    assert rejected.state == "rejected"
    assert rejected.reasons == ("fails the published rule: accuracy 0.65, asked at least 0.7",)


def test_nothing_graded_is_rejected_with_reasons() -> None:
    gate = decide(Confusion(("a", "b"), ((0, 0, 0), (0, 0, 0))))
    assert gate.state == "rejected"
    assert "accuracy not defined" in gate.reasons[1]
