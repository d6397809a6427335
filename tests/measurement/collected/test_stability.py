"""Refusal stability: pairs counted by hand, what stays out, and what is said where nothing was repeated."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.measurement.collected.rates import ALL
from ff_helpers.measurement.collected.stability import (
    NO_PAIR,
    ONCE,
    WRITTEN,
    outcome_stability,
    refusal_stability,
)
from ff_helpers.measurement.proportions.clusters import clustered
from ff_helpers.measurement.proportions.intervals import wilson
from tests import collected_traces
from tests.conftest import FRAMES

LETTERS = {"R": "REFUSAL", "C": "COMPLIANCE", "P": "PARTIAL", "H": "HALLUCINATION_REFUSAL", "x": None}


def graded(scenarios: dict[str, str], *, intent: str = "format_lock", **more: object) -> pd.DataFrame:
    """One row per run of each scenario; one letter per verdict, `x` for a status."""
    rows = [
        {"scenario_id": scenario, "run": f"r{run}", "verdict": LETTERS[letter]}
        for scenario, letters in scenarios.items()
        for run, letter in enumerate(letters)
    ]
    frame = pd.DataFrame(rows, columns=["scenario_id", "run", "verdict"]).astype("str")
    known = {"set": "s", "model": "m", "grader": "g", "grader_digest": "sha256:1", "rubric": "r@1"}
    known |= {"trace_id": intent + frame["scenario_id"] + frame["run"], "intent": intent}
    status = frame["verdict"].isna().map({True: "unparsable", False: None})
    return frame.assign(
        **known | {"status": status, "repeat": 0, "sampling": "census", "turns": "single"} | more
    )


def test_pairs_of_runs_are_counted_and_a_pair_with_a_status_is_left_out() -> None:
    rows = graded({"three": "RRC", "two": "CP", "hr": "HR", "torn": "RxR", "once": "R", "gone": "xR"})
    (row,) = refusal_stability(rows)[lambda t: t["intent"] == ALL].to_dict("records")
    # three: 1 of 3 pairs agrees; two: 1 of 1 (neither refused); hr: 0 of 1; torn: 1 of 1, two pairs lost
    assert (row["k"], row["n"], row["scenarios"], row["left_out"]) == (3, 6, 4, 3)
    assert (row["always"], row["never"], row["mixed"]) == (1, 1, 2)
    assert row["stable"] == 0.5
    assert (row["reason"], row["method"]) == ("", "design effect")


def test_the_interval_takes_scenarios_as_clusters() -> None:
    row = refusal_stability(graded({"a": "RRC", "b": "CPC", "c": "RRR", "d": "RC"})).iloc[-1]
    pairs = pd.Series([True, False, False, *[True] * 6, False])
    expected = clustered(pairs, pd.Series(list("aaabbbcccd")))
    assert (row["stable_low"], row["stable_high"]) == pytest.approx((expected["low"], expected["high"]))
    assert row["stable_low"] < wilson(7, 10).low < wilson(7, 10).high < row["stable_high"]


def test_with_two_runs_each_it_is_the_share_of_scenarios() -> None:
    row = refusal_stability(graded({"a": "RR", "b": "CC", "c": "RC", "d": "PR"})).iloc[-1]
    assert (row["k"], row["n"], row["method"]) == (2, 4, "wilson")
    assert (row["stable_low"], row["stable_high"]) == pytest.approx((wilson(2, 4).low, wilson(2, 4).high))


@pytest.mark.parametrize(
    ("scenarios", "reason"),
    [({"a": "R", "b": "C"}, ONCE), ({"a": "Rx", "b": "C"}, NO_PAIR), ({"a": "x"}, ONCE)],
)
def test_where_nothing_was_repeated_there_is_a_reason_and_no_figure(
    scenarios: dict[str, str], reason: str
) -> None:
    table = refusal_stability(graded(scenarios))
    assert table["intent"].tolist() == [ALL]
    assert table["reason"].tolist() == [reason]
    assert table[["stable", "stable_low", "stable_high"]].isna().all(axis=None)


def test_traces_without_a_scenario_repeat_nothing_and_no_rows_give_no_rows() -> None:
    rows = graded({"a": "RR"}).assign(scenario_id=None)
    assert refusal_stability(rows)["reason"].tolist() == [ONCE]
    assert refusal_stability(rows.iloc[:0]).empty


def test_responses_that_were_written_are_no_runs_of_a_model() -> None:
    assert refusal_stability(graded({"a": "RR"}, sampling="constructed"))["reason"].tolist() == [WRITTEN]


def test_another_class_or_more_turns_is_another_scenario() -> None:
    rows = [
        graded({"a": "R"}),
        graded({"a": "C"}, turns="multi"),
        graded({"a": "C"}, intent="persona_hijack"),
    ]
    assert refusal_stability(pd.concat(rows))["reason"].tolist() == [ONCE]


def test_models_graders_and_classes_stand_apart() -> None:
    rows = pd.concat(
        [
            graded({"a": "RR", "b": "RC"}),
            graded({"c": "CC"}, intent="persona_hijack"),
            graded({"a": "CR"}, grader="other", grader_digest=None),
            graded({"a": "CR"}, model="another"),
            graded({"a": "CR"}, sampling="injected"),
            graded({"a": "CR"}, repeat=1),
        ]
    )
    table = refusal_stability(rows)
    found = table[["model", "grader", "intent", "k", "n"]].to_numpy().tolist()
    assert found == [
        ["another", "g", "format_lock", 0, 1],
        ["another", "g", ALL, 0, 1],
        ["m", "g", "persona_hijack", 1, 1],
        ["m", "g", "format_lock", 1, 2],
        ["m", "g", ALL, 2, 3],
        ["m", "other", "format_lock", 0, 1],
        ["m", "other", ALL, 0, 1],
    ]


runs = st.dictionaries(st.sampled_from("abcdef"), st.text("RCPx", min_size=1, max_size=5), min_size=1)


@given(runs, st.randoms(use_true_random=False))
@FRAMES
def test_bounds_hold_the_share_and_neither_order_nor_the_name_of_the_outcome_matters(
    scenarios: dict[str, str], random: object
) -> None:
    rows = graded(scenarios)
    table = refusal_stability(rows)
    shuffled = rows.sample(frac=1, random_state=random.randrange(2**31))  # type: ignore[attr-defined]
    pd.testing.assert_frame_equal(table, refusal_stability(shuffled))
    known = table[table["reason"] == ""]
    assert (known["stable_low"] <= known["stable"] + 1e-12).all()
    assert (known["stable"] <= known["stable_high"] + 1e-12).all()
    assert (known["stable_high"] - known["stable_low"] > 0).all()
    assert (known["always"] + known["never"] + known["mixed"] == known["scenarios"]).all()
    other = str.maketrans("RCP", "CRR")
    swapped = refusal_stability(graded({name: word.translate(other) for name, word in scenarios.items()}))
    same = ["k", "n", "left_out", "mixed", "stable", "stable_low", "stable_high"]
    pd.testing.assert_frame_equal(table[same], swapped[same])
    assert table["always"].tolist() == swapped["never"].tolist()


def test_a_checkers_truth_is_counted_by_scenario() -> None:
    table = outcome_stability(collected_traces.frame({"a": "11", "b": "00", "c": "10", "once": "1"}))
    row = table.set_index("intent").loc[ALL]
    assert row[["k", "n", "always", "never", "mixed"]].tolist() == [2, 3, 1, 1, 1]
    assert (row["stable_low"], row["stable_high"]) == pytest.approx((wilson(2, 3).low, wilson(2, 3).high))
