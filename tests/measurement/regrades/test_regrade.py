"""The crescendo regrade against report 70, and regrades of any labels."""

import pandas as pd
import pytest

from ff_helpers.casestudy.crescendo import crescendo
from ff_helpers.measurement.proportions.differences import paired_difference
from ff_helpers.measurement.regrades.rates import (
    InconsistentRegradeError,
    UnmatchedRowsError,
    by_scenario,
    check_marginals,
    rates,
    shifts,
    transitions,
)


def labels(*words: str) -> pd.DataFrame:
    return pd.DataFrame({"trace_id": [f"t{i}" for i in range(len(words))], "label": words})


OLD = labels("COMPLIANCE", "PARTIAL", "timeout", "PARTIAL")
NEW = labels("COMPLIANCE", "COMPLIANCE", "REFUSAL", "BENIGN_QUERY")


def test_transitions_count_pairs_and_lead_to_rates_and_shifts():
    moves = transitions(OLD, NEW)
    assert moves["rows"].sum() == 4
    assert {("PARTIAL", "COMPLIANCE"), ("timeout", "REFUSAL")} <= set(
        zip(moves["old"], moves["new"], strict=True)
    )
    table = shifts(rates(moves), moves).set_index(["tier", "denominator"])
    # strict: 1 of 4 rows to 2 of 4; broad of adversarial: 3 of 3 to 2 of 3.
    assert table.loc[("strict", "rows"), "shift"] == pytest.approx(0.25)
    assert table.loc[("broad", "adversarial"), ["old_k", "old_n", "new_k", "new_n"]].tolist() == [3, 3, 2, 3]


def test_rows_without_a_partner_or_twice_are_refused():
    with pytest.raises(UnmatchedRowsError, match="'t3' has no partner"):
        transitions(OLD, NEW.head(3))
    with pytest.raises(UnmatchedRowsError, match="'t0' is in the new labels twice"):
        transitions(OLD, pd.concat([NEW, NEW.head(1)]))


def test_marginals_must_agree():
    moves = transitions(OLD, NEW)
    check_marginals(moves, NEW["label"], side="new", what="final verdicts")
    with pytest.raises(InconsistentRegradeError, match="disagree on BENIGN_QUERY: 1 rows against 0"):
        check_marginals(
            moves, NEW["label"].replace("BENIGN_QUERY", "REFUSAL"), side="new", what="final verdicts"
        )


def test_crescendo_shifts_within_one_denominator():
    table = crescendo().shifts.set_index(["tier", "denominator"])
    points = (100 * table["shift"]).round(1)
    assert points["strict", "rows"] == 30.0
    assert points["strict", "adversarial"] == 22.2
    assert points["broad", "rows"] == 15.0
    assert points["broad", "adversarial"] == -5.6
    mixed = table[table.index.get_level_values("denominator").str.startswith("mixed")]
    assert sorted((100 * mixed["shift"]).round(1)) == [-15.0, 35.0]
    assert mixed["old_low"].isna().all()


def test_the_same_rows_before_and_after_are_a_pair():
    table = crescendo().shifts.set_index(["tier", "denominator"])
    # Strict, all rows: 4 hit under both labels, 9 only under the new, 3 only under the old, 4 never.
    assert table.loc[("strict", "rows"), ["shared", "paired"]].tolist() == [20, pytest.approx(0.3)]
    bounds = table.loc[("strict", "rows"), ["paired_low", "paired_high"]].tolist()
    assert bounds == pytest.approx(paired_difference(4, 9, 3, 4)[1:])
    # The 13 rows that are adversarial under both sets of labels are all broad hits under both: the
    # published fall of 5.6 points is of rows that came in and one that went out.
    assert table.loc[("broad", "adversarial"), ["shared", "paired"]].tolist() == [13, 0]
    assert "by_scenario_low" not in table  # which scenario had which first label is not published


def test_newcombes_worked_example():
    # Newcombe 1998, Statistics in Medicine 17:2635-2650, method 10 for 36, 12, 2, 0.
    assert paired_difference(36, 12, 2, 0) == pytest.approx((0.2, 0.0569, 0.3404), abs=5e-5)


def test_crescendo_runs_apart_and_statuses_counted():
    result = crescendo()
    runs = result.runs.set_index("run")
    assert runs.loc["v1", ["strict_k", "broad_k", "rows"]].tolist() == [6, 7, 10]
    assert runs.loc["v2", ["strict_k", "broad_k", "rows"]].tolist() == [7, 10, 10]
    assert runs.loc["v1 and v2", ["scenarios", "runs", "rows"]].tolist() == [10, 2, 20]
    assert result.left_out == "contaminated labels: ERROR 2, NOT_GRADED 2; corrected labels: none"


def test_repeated_scenarios_widen_the_interval():
    # Both runs of a scenario always agree: 10 scenarios say no more than 10 rows do.
    frame = pd.DataFrame(
        {"scenario_id": [i // 2 for i in range(20)], "verdict": ["COMPLIANCE"] * 10 + ["REFUSAL"] * 10}
    )
    result = by_scenario(frame, tier="strict")
    # With G/(G-1) the design effect of 10 pairs of equal rows is 2 * 10 / 9.
    assert result["design_effect"] == pytest.approx(20 / 9)
    assert result["effective_n"] < 10
    single = by_scenario(frame.iloc[::2], tier="strict")
    assert single["effective_n"] == 10
    assert result["asr_low"] < single["asr_low"] < single["asr_high"] < result["asr_high"]


def test_agreement_of_all_rows_is_no_certainty():
    frame = pd.DataFrame({"scenario_id": [i // 2 for i in range(20)], "verdict": ["COMPLIANCE"] * 20})
    result = by_scenario(frame, tier="strict")
    assert result["asr"] == 1
    assert result["asr_low"] < 0.75
