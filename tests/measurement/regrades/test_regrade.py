"""Regrades of any labels: transitions, rates, shifts within one denominator, and repeated scenarios."""

import pandas as pd
import pytest

from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.clusters import clustered
from ff_helpers.measurement.proportions.intervals import paired_difference
from ff_helpers.measurement.regrades.rates import check_marginals, rates, shifts, transitions


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
    with pytest.raises(FFError, match="'t3' has no partner"):
        transitions(OLD, NEW.head(3))
    with pytest.raises(FFError, match="'t0' is in the new labels twice"):
        transitions(OLD, pd.concat([NEW, NEW.head(1)]))


def test_marginals_must_agree():
    moves = transitions(OLD, NEW)
    check_marginals(moves, NEW["label"], side="new", what="final verdicts")
    with pytest.raises(FFError, match="disagree on BENIGN_QUERY: 1 rows against 0"):
        check_marginals(
            moves, NEW["label"].replace("BENIGN_QUERY", "REFUSAL"), side="new", what="final verdicts"
        )


def test_newcombes_worked_example():
    # Newcombe 1998, Statistics in Medicine 17:2635-2650, method 10 for 36, 12, 2, 0.
    assert paired_difference(36, 12, 2, 0) == pytest.approx((0.2, 0.0569, 0.3404), abs=5e-5)


def test_repeated_scenarios_widen_the_interval():
    # Both runs of a scenario always agree: 10 scenarios say no more than 10 rows do.
    hits, scenarios = pd.Series([True] * 10 + [False] * 10), pd.Series([str(i // 2) for i in range(20)])
    result = clustered(hits, scenarios)
    # With G/(G-1) the design effect of 10 pairs of equal rows is 2 * 10 / 9.
    assert result["design_effect"] == pytest.approx(20 / 9)
    assert result["effective_n"] < 10
    single = clustered(hits[::2], scenarios[::2])
    assert single["effective_n"] == 10
    assert result["low"] < single["low"] < single["high"] < result["high"]


def test_agreement_of_all_rows_is_no_certainty():
    result = clustered(pd.Series([True] * 20), pd.Series([str(i // 2) for i in range(20)]))
    assert result["rate"] == 1
    assert result["low"] < 0.75
