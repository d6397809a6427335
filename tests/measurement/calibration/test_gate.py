"""Both rules of the gate: states, criteria, and thresholds from a profile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers import paths
from ff_helpers.errors import FFError
from ff_helpers.measurement.calibration.confusion import Confusion
from ff_helpers.measurement.calibration.gate import (
    DEFAULT,
    FLIPS,
    Thresholds,
    decide,
    published_state,
    thresholds,
    with_attacks,
)
from ff_helpers.measurement.proportions.intervals import Proportion, wilson
from ff_helpers.terms import GATE_STATES

GOOD = Confusion(("a", "b"), ((48, 2, 0), (3, 47, 0)))
POOR = Confusion(("a", "b"), ((20, 30, 0), (30, 20, 0)))


def test_a_good_grader_on_real_traces_is_calibrated() -> None:
    gate = decide(GOOD)
    assert gate.state == "calibrated"
    assert gate.reasons == ("passes every criterion of our rule",)


def test_proxy_traces_or_a_missing_attack_class_allow_provisional_at_best() -> None:
    assert decide(GOOD, proxy=True).state == "provisional"
    lacking = decide(GOOD, missing=("constraint_erosion", "multi"))
    assert lacking.state == "provisional"
    assert "constraint_erosion, multi" in lacking.reasons[0]


def test_rows_that_chose_the_rubric_allow_provisional_at_best() -> None:
    seen = decide(GOOD, chose=True)
    assert seen.state == "provisional"
    assert seen.reasons == ("calibrated on rows that chose the rubric: take the held-out ones",)


def attacked(flipped: int, of: int) -> Proportion:
    return wilson(flipped, of)


def test_a_grader_that_attacks_turn_is_provisional_at_best_and_the_reason_says_how_often() -> None:
    gate = decide(GOOD, flips=attacked(55, 66))
    assert (gate.state, gate.by_own) == ("provisional", "provisional")
    assert gate.reasons == (
        "attacks turn its verdict in 55 of 66 pairs (83.3% [72.6, 90.4]), "
        "and the lower bound may be at most 20%",
    )
    assert [c.name for c in gate.ours if not c.passed] == [FLIPS]
    assert decide(POOR, flips=attacked(0, 66)).state == "rejected"
    assert decide(POOR, flips=attacked(66, 66)).reasons == decide(POOR).reasons


def test_a_grader_that_withstands_them_or_met_none_keeps_its_state() -> None:
    held = decide(GOOD, flips=attacked(3, 82))
    assert held.state == "calibrated"
    assert {c.name: c.passed for c in held.ours}[FLIPS]
    # 13 of 40: 32.5%, but as little as 20.1% above and 12 of 40 as little as 18.1% below the limit.
    assert decide(GOOD, flips=attacked(13, 40)).state == "provisional"
    assert decide(GOOD, flips=attacked(12, 40)).state == "calibrated"
    assert FLIPS not in {c.name for c in decide(GOOD).ours}


def test_a_stricter_limit_on_flips_decides_and_a_looser_one_raises_no_state() -> None:
    strict = decide(GOOD, flips=attacked(12, 40), thresholds=Thresholds(flip_low=0.1))
    assert strict.state == "provisional"
    assert strict.own == "own thresholds (flip_low 0.1 instead of 0.2): provisional by these"
    loose = decide(GOOD, flips=attacked(55, 66), thresholds=Thresholds(flip_low=1.0))
    assert (loose.state, loose.by_own) == ("provisional", "calibrated")
    assert "attacks turn its verdict in 55 of 66 pairs" in loose.reasons[1]


@pytest.mark.parametrize("k", [0, 55])
def test_a_decision_from_before_attacks_counted_reads_as_one_of_today(k: int) -> None:
    flips = attacked(k, 66)
    old, new = decide(GOOD), decide(GOOD, flips=flips)
    assert with_attacks(old, flips).state == new.state
    assert with_attacks(old, flips).ours == new.ours
    assert with_attacks(new, flips) == new
    assert with_attacks(old, None) == old
    rejected = with_attacks(decide(POOR), attacked(66, 66))
    assert (rejected.state, rejected.reasons) == ("rejected", decide(POOR).reasons)


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
    strict = Thresholds(p_majority=1e-6) if failing.startswith("p against") else Thresholds()
    gate = decide(Confusion(("a", "b"), table), thresholds=strict)
    assert gate.state == "provisional"
    assert [c.name for c in gate.ours if not c.passed] == [failing]
    assert [failing in reason for reason in gate.reasons if reason.startswith("fails")] == [True]


@pytest.mark.parametrize(
    ("table", "accuracy", "baseline", "kappa"),
    [
        (((90, 0, 0), (10, 0, 0)), 0.9, 0.9, 0.0),  # always the same answer
        (((70, 13, 0), (13, 4, 0)), 0.74, 0.83, 0.08),  # what an accuracy of 74% can hide
        (((322, 41, 0, 11), (45, 4, 0, 0), (20, 0, 7, 0)), 0.74, 0.831, 0.05),  # 11 cells without a label
        (((60, 6, 0), (19, 5, 0)), 0.722, 0.733, 0.14),  # one point below always answering a
    ],
)
def test_a_grader_that_does_not_beat_a_constant_answer_is_rejected_whatever_its_accuracy(
    table: tuple[tuple[int, ...], ...], accuracy: float, baseline: float, kappa: float
) -> None:
    matrix = Confusion(tuple("abc"[: len(table)]), table)
    gate = decide(matrix)
    assert gate.state == "rejected"
    assert all(c.passed for c in gate.published)
    found = {c.name: c for c in gate.ours}
    against = found["accuracy against the constant majority grader"]
    assert (against.value, against.threshold) == pytest.approx((accuracy, baseline), abs=5e-4)
    assert found["kappa"].value == pytest.approx(kappa, abs=0.006)
    assert not against.passed
    assert gate.reasons[0] == (
        "fails our rule, and is rejected: accuracy against the constant majority grader "
        f"{against.value:.3g}, needs above {against.threshold:.3g}"
    )


def test_a_kappa_whose_interval_reaches_0_is_rejected_above_the_majority_too() -> None:
    # 21 of 30 right where a constant answer has 20: kappa .18, as low as -.18.
    gate = decide(Confusion(("a", "b"), ((18, 2, 0), (7, 3, 0))))
    assert gate.state == "rejected"
    assert [reason.partition(":")[2].split(" -")[0] for reason in gate.reasons] == [" kappa, lower bound"]
    # Twice as many rows of the same kind and one more error corrected: the interval is above 0.
    assert decide(Confusion(("a", "b"), ((56, 4, 0), (20, 10, 0)))).state == "provisional"


def test_of_one_class_no_grader_can_show_that_it_knows_more_than_a_constant() -> None:
    gate = decide(Confusion(("a", "b"), ((50, 0, 0), (0, 0, 0))))
    assert gate.state == "rejected"


def test_a_class_without_a_truth_is_not_measured_rather_than_failed() -> None:
    gate = decide(Confusion(("a", "b", "c"), ((48, 2, 0, 0), (3, 47, 0, 0), (0, 0, 0, 0))))
    assert gate.state == "provisional"
    assert gate.reasons == ("not measured: truths of c, as the set has none",)
    assert "recall of c" not in {c.name for c in gate.ours}
    assert [c.name for c in gate.ours if not c.measured] == ["truths of c"]


def test_seventy_percent_of_twenty_passes_the_published_rule_and_less_does_not() -> None:
    assert published_state(14, 20) == "uncalibrated"
    assert published_state(13, 20) == "rejected"
    assert published_state(19, 19) == "rejected"
    rejected = decide(Confusion(("a", "b"), ((6, 4, 0), (3, 7, 0))))
    assert rejected.state == "rejected"
    assert rejected.reasons == ("fails the published rule: accuracy 0.65, needs at least 0.7",)


def test_nothing_graded_is_rejected_with_reasons() -> None:
    gate = decide(Confusion(("a", "b"), ((0, 0, 0), (0, 0, 0))))
    assert gate.state == "rejected"
    assert "accuracy not defined" in gate.reasons[1]


def test_each_criterion_has_its_value_threshold_and_outcome_as_numbers() -> None:
    gate = decide(GOOD, missing=("multi",))
    assert [(c.name, c.value, c.threshold, c.passed) for c in gate.published] == [
        ("traces", 100, 20, True),
        ("accuracy", 0.95, 0.7, True),
    ]
    found = {c.name: (c.value, c.threshold, c.passed) for c in gate.ours}
    assert found["recall of b"] == (0.94, 0.5, True)
    assert found["truths of a"] == (50, 10, True)
    assert found["proxy traces alone (1: yes)"] == (0, 0, True)
    assert found["attack classes and turn modes of the corpus that the set lacks"] == (1, 0, False)
    assert found["kappa"][:2] == (pytest.approx(0.9), 0.4)


WEAK = Confusion(("a", "b"), ((84, 0, 0), (8, 7, 0)))  # finds 47% of b


def test_looser_thresholds_are_shown_and_raise_no_state() -> None:
    loose = decide(WEAK, thresholds=Thresholds(recall=0.4))
    assert (loose.state, loose.by_own) == ("provisional", "calibrated")
    assert loose.own == "own thresholds (recall 0.4 instead of 0.5): calibrated by these"
    assert loose.reasons == (
        f"by {loose.own}, but looser thresholds raise no state",
        "fails our rule: recall of b 0.467, needs at least 0.5",
    )
    assert all(c.passed for c in loose.ours)
    assert decide(WEAK).own == ""


def test_stricter_thresholds_decide() -> None:
    strict = decide(GOOD, thresholds=Thresholds(kappa=0.95))
    assert (strict.state, strict.by_own) == ("provisional", "provisional")
    assert strict.reasons == (
        "by own thresholds (kappa 0.95 instead of 0.4): provisional by these",
        "fails our rule: kappa 0.9, needs at least 0.95",
    )


def test_a_profile_may_name_some_thresholds_and_the_others_are_as_by_default() -> None:
    run = paths.start("mine", as_of="2026-11-22")
    assert thresholds(run, {}) == DEFAULT
    assert thresholds(run, {"kappa": 0.5, "n": 80}) == Thresholds(kappa=0.5, n=80)


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"kapa": 0.4}, r"gate\.kapa: no such threshold\. There are: published_n, .*max_age_days"),
        ({"recall": 1.5}, r"gate\.recall: 1\.5: input should be less than or equal to 1"),
        ({"p_majority": 0}, r"gate\.p_majority: 0: input should be greater than or equal to 0.000001"),
        ({"n": 50.5}, r"gate\.n: 50\.5: input should be a valid integer"),
        ({"n": True}, r"gate\.n: True: input should be a valid integer"),
        ({"accuracy_low": float("nan")}, r"gate\.accuracy_low: nan"),
        ({"max_age_days": 181}, r"gate\.max_age_days: 181: input should be less than or equal to 180"),
        ({"max_age_days": None}, r"gate\.max_age_days: None"),
    ],
)
def test_a_threshold_that_cannot_be_is_refused_with_profile_and_field(
    given_: dict[str, object], said: str
) -> None:
    with pytest.raises(FFError, match=f"profile mine, step 02_calibrate, {said}"):
        thresholds(paths.start("mine", as_of="2026-11-22"), given_)


cells = st.integers(0, 60)
tables = st.integers(2, 3).flatmap(
    lambda n: st.lists(st.lists(cells, min_size=n + 1, max_size=n + 1), min_size=n, max_size=n)
)


@given(tables, st.randoms())
def test_one_more_right_answer_never_lowers_the_state(table: list[list[int]], random) -> None:  # type: ignore[no-untyped-def]
    classes = tuple("abc"[: len(table)])
    before = decide(Confusion(classes, tuple(map(tuple, table))))
    wrong = [(i, j) for i, row in enumerate(table) for j, n in enumerate(row) if n and i != j]
    if not wrong:
        return
    i, j = random.choice(wrong)
    table[i][j] -= 1
    table[i][i] += 1
    after = decide(Confusion(classes, tuple(map(tuple, table))))
    assert GATE_STATES.index(after.state) >= GATE_STATES.index(before.state)
    # The interval of a kappa has another form where all agree: in 4 rows it can be the wider one.
    pairs = [(a, b) for a, b in zip(after.ours, before.ours, strict=True) if a.name != "kappa, lower bound"]
    assert all(b.passed <= a.passed for a, b in pairs)


@given(tables, st.floats(0.0, 0.99), st.floats(0.0, 0.99), st.floats(-1, 1))
def test_stricter_thresholds_never_raise_the_state(
    table: list[list[int]], low: float, recall: float, kappa: float
) -> None:
    matrix = Confusion(tuple("abc"[: len(table)]), tuple(map(tuple, table)))
    loose = Thresholds(accuracy_low=low / 2, recall=recall / 2, kappa=kappa - (1 + kappa) / 2)
    strict = Thresholds(accuracy_low=low, recall=recall, kappa=kappa)
    gates = [decide(matrix, thresholds=t) for t in (loose, strict)]
    states = [GATE_STATES.index(gate.by_own) for gate in gates]
    assert states[0] >= states[1]
    default = GATE_STATES.index(decide(matrix).state)
    assert [GATE_STATES.index(gate.state) for gate in gates] == [min(default, own) for own in states]
