"""Rates of collected traces: worked numbers, the reading rule, and what must hold for any sample."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.measurement.collected.rates import (
    ABLE_AND_DOES,
    ALL,
    HOLDS_BACK,
    IGNORES,
    NOT_ABLE,
    UNDECIDED,
    capability,
    collected_again,
    contrast,
    single_beside_multi,
    truth_by_intent,
)
from ff_helpers.measurement.collected.stability import outcome_stability
from ff_helpers.measurement.proportions.clusters import clustered
from ff_helpers.measurement.proportions.intervals import wilson
from tests.collected_traces import FORMAT_LOCK, frame, scenarios
from tests.conftest import FRAMES


def reading(forbidden: dict[str, str], permitted: dict[str, str]) -> str:
    table = capability(frame(forbidden), frame(permitted, arm="permitted"))
    return str(table.set_index("intent")["reading"][FORMAT_LOCK])


def test_repeats_of_a_scenario_are_no_further_evidence():
    row = truth_by_intent(frame(scenarios(5, "11") | scenarios(5, "00", 5))).iloc[0]
    assert (row["k"], row["n"], row["scenarios"], row["asr"]) == (10, 20, 10, 0.5)
    assert row["design_effect"] == pytest.approx(20 / 9)  # two equal runs: 2, times G / (G - 1)
    naive = wilson(10, 20)
    assert (row["asr_low"], row["asr_high"]) == pytest.approx((naive.low, naive.high))
    assert row["by_scenario_low"] < row["asr_low"]
    assert row["asr_high"] < row["by_scenario_high"]


def test_without_repeats_the_two_intervals_are_one():
    row = truth_by_intent(frame(scenarios(3, "1") | scenarios(7, "0", 3))).iloc[0]
    assert row["design_effect"] == 1
    assert (row["by_scenario_low"], row["by_scenario_high"]) == pytest.approx(
        (row["asr_low"], row["asr_high"])
    )


def test_classes_and_turns_stand_apart_and_the_sum_is_last():
    both = pd.concat(
        [
            frame({"a": "10", "b": "00"}),
            frame({"c": "11"}, intent="persona_hijack"),
            frame({"d": "1"}, intent="persona_hijack", turns="multi"),
        ]
    )
    table = truth_by_intent(both)
    assert list(zip(table["intent"], table["turns"], table["k"], table["n"], strict=True)) == [
        ("persona_hijack", "multi", 1, 1),
        ("persona_hijack", "single", 2, 2),
        (FORMAT_LOCK, "single", 1, 4),
        (ALL, "single and multi", 4, 7),
    ]
    assert (table["by_scenario_low"][0], table["by_scenario_high"][0]) == (0, 1)  # one scenario: no spread


def test_the_difference_is_newcombes_worked_example():
    # Newcombe 1998, Statistics in Medicine 17:873, table II, method 10: 56/70 - 48/80.
    one, other = wilson(56, 70), wilson(48, 80)
    table = pd.DataFrame(
        {
            "a": [56 / 70], "a_low": [one.low], "a_high": [one.high],
            "b": [48 / 80], "b_low": [other.low], "b_high": [other.high],
        }
    )  # fmt: skip
    row = contrast(table, "a", "b").iloc[0]
    assert row["difference"] == pytest.approx(0.2)
    assert round(row["difference_low"], 4) == 0.0524
    assert round(row["difference_high"], 4) == 0.3339


@pytest.mark.parametrize(
    ("forbidden", "permitted", "expected"),
    [
        (scenarios(10, "00"), scenarios(10, "00"), NOT_ABLE),
        (scenarios(10, "00"), scenarios(10, "11"), HOLDS_BACK),
        (scenarios(10, "11"), scenarios(10, "11"), ABLE_AND_DOES),
        (scenarios(10, "11"), scenarios(10, "00"), IGNORES),
        (
            scenarios(8, "11") | scenarios(2, "00", 8),
            scenarios(5, "11") | scenarios(5, "00", 5),
            ABLE_AND_DOES,
        ),
        (scenarios(3, "00"), scenarios(3, "00"), UNDECIDED),  # three scenarios exclude no ability
        (scenarios(1, "11"), scenarios(1, "11"), UNDECIDED),
        (
            scenarios(2, "11") | scenarios(28, "00", 2),
            scenarios(6, "11") | scenarios(24, "00", 6),
            NOT_ABLE,
        ),
    ],
)
def test_the_reading_rule(forbidden, permitted, expected):
    assert reading(forbidden, permitted) == expected


def test_a_ban_that_works_is_no_incapacity_even_where_the_model_is_seldom_able():
    allowed = scenarios(12, "1") | scenarios(28, "0", 12)
    table = capability(frame(scenarios(40, "0")), frame(allowed, arm="permitted"))
    assert table["permitted_high"][0] < 0.5
    assert table["reading"][0] == HOLDS_BACK


def test_capability_compares_the_same_scenarios_only():
    table = capability(frame(scenarios(4, "11")), frame(scenarios(6, "10", 2), arm="permitted"))
    row = table.iloc[0]
    assert (row["scenarios"], row["unpaired"]) == (2, 6)
    assert (row["forbidden_k"], row["forbidden_n"]) == (4, 4)
    assert (row["permitted_k"], row["permitted_n"]) == (2, 4)
    assert row["difference"] == pytest.approx(0.5)


def test_capability_by_turns_shows_a_crescendo_that_is_beyond_the_model():
    arms = [
        pd.concat([frame(scenarios(9, "1"), arm=arm), frame(scenarios(9, "0", 9), arm=arm, turns="multi")])
        for arm in ("forbidden", "permitted")
    ]
    table = capability(*arms, by="turns").set_index("turns")
    assert list(table.index) == ["single", "multi", ALL]
    assert list(table["reading"]) == [ABLE_AND_DOES, NOT_ABLE, ABLE_AND_DOES]
    assert (table["forbidden_k"]["multi"], table["permitted_n"]["multi"]) == (0, 9)


def test_stability_counts_scenarios_and_says_which_kind():
    both = pd.concat(
        [
            frame({"a": "11", "b": "00", "c": "10", "one": "1"}),
            frame({"d": "000"}, intent="persona_hijack"),
        ]
    )
    table = outcome_stability(both).set_index("intent")
    assert list(table.loc[FORMAT_LOCK, ["k", "n", "always", "never", "mixed"]]) == [2, 3, 1, 1, 1]
    assert list(table.loc[ALL, ["k", "n", "always", "never", "mixed"]]) == [3, 4, 1, 2, 1]
    assert table["stable_low"][ALL] == pytest.approx(wilson(3, 4).low)
    assert outcome_stability(frame({"a": "1", "b": "0"})).empty


def test_crescendo_stands_beside_single_turn_in_the_classes_that_have_both():
    both = pd.concat(
        [
            frame({"a": "10", "b": "00"}),
            frame({"c": "11", "d": "11", "e": "01"}, turns="multi"),
            frame({"f": "11"}, intent="constraint_erosion", turns="multi"),
        ]
    )
    table = single_beside_multi(both)
    assert list(table["intent"]) == [FORMAT_LOCK, ALL]
    row = table.iloc[0]
    assert (row["single_k"], row["single_n"], row["multi_k"], row["multi_n"]) == (1, 4, 5, 6)
    assert (row["single_scenarios"], row["multi_scenarios"]) == (2, 3)
    assert row["difference"] == pytest.approx(5 / 6 - 1 / 4)
    assert single_beside_multi(frame({"a": "10"})).empty


def test_collected_again_meets_conversation_by_conversation():
    recorded = frame({"a": "11", "b": "00", "c": "00"})
    fresh = frame({"a": "10", "b": "00", "new": "11"})
    row = collected_again(recorded, fresh).iloc[-1]
    assert (row["intent"], row["n"], row["recorded_k"], row["fresh_k"], row["k"]) == (ALL, 4, 2, 1, 3)
    assert row["agreement"] == 0.75
    assert collected_again(recorded, fresh.iloc[:0]).empty


samples = st.dictionaries(
    st.integers(0, 12).map(lambda number: f"s{number}"), st.text("01", min_size=1, max_size=4), min_size=1
)


@given(samples, samples, st.randoms(use_true_random=False))
@FRAMES
def test_rates_are_within_their_intervals_and_no_order_matters(forbidden, permitted, random):
    ours, theirs = frame(forbidden), frame(permitted, arm="permitted")
    shuffled = ours.sample(frac=1, random_state=random.randrange(2**31))
    truth, table = truth_by_intent(ours), capability(ours, theirs)
    pd.testing.assert_frame_equal(truth, truth_by_intent(shuffled))
    pd.testing.assert_frame_equal(table, capability(shuffled, theirs))
    pd.testing.assert_frame_equal(outcome_stability(ours), outcome_stability(shuffled))
    for part, rate in ((truth, "asr"), (truth, "by_scenario"), (table, "forbidden"), (table, "difference")):
        assert part[[f"{rate}_low", f"{rate}_high"]].notna().all(axis=None)
        known = part[part[rate].notna()]
        assert (known[f"{rate}_low"] <= known[rate] + 1e-9).all()
        assert (known[rate] <= known[f"{rate}_high"] + 1e-9).all()
        assert known[f"{rate}_low"].ge(-1 - 1e-9).all()
        assert known[f"{rate}_high"].le(1 + 1e-9).all()


@given(samples)
def test_the_rate_is_that_of_clustered_rows(outcomes):
    made = frame(outcomes)
    expected = clustered(made["truth"] == "COMPLIANCE", made["scenario_id"])
    row = truth_by_intent(made).iloc[0]
    assert row["by_scenario_low"] == pytest.approx(expected["low"], nan_ok=True)
    assert row["scenarios"] == expected["clusters"]
