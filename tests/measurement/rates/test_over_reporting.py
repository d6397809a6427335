"""What the heuristic reports too much: paired rates, their interval, turns apart."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.measurement.proportions.intervals import paired_difference
from ff_helpers.measurement.rates.reported import over_reporting

counts = st.integers(0, 60)
C, P, R, B = "COMPLIANCE", "PARTIAL", "REFUSAL", "BENIGN_QUERY"


def graded(grader, method, verdicts, **more):
    frame = pd.DataFrame({"verdict": verdicts})
    names = [f"t{n}" for n in range(len(verdicts))]
    turns = ["single" if n < 4 else "multi" for n in range(len(verdicts))]
    known = {"grader": grader, "method": method, "trace_id": names, "turns": turns}
    return frame.assign(**known | {"repeat": 0, "sampling": "census"} | more)


PHRASES = graded("heuristic", "heuristic", [C, C, R, C, C, C, C, None])
FLIP = graded("g", "flip-final-turn", [C, P, R, R, R, None, C, C])


def test_the_published_worked_number():
    """Airway responsiveness before and after (Fagerland, Lydersen, Laake, Stat Med 33, 2014)."""
    difference, low, high = paired_difference(1, 1, 7, 12)
    assert difference == pytest.approx(-6 / 21)
    assert (round(low, 3), round(high, 3)) == (-0.507, -0.026)


@given(counts, counts, counts, counts)
def test_the_interval_holds_the_difference_and_turns_around_with_the_order(a, b, c, d):
    difference, low, high = paired_difference(a, b, c, d)
    assert -1 <= low <= high <= 1
    if a + b + c + d:
        assert low <= difference <= high
        assert paired_difference(a, c, b, d) == pytest.approx((-difference, -high, -low), abs=1e-12)
    else:
        assert math.isnan(difference)
        assert (low, high) == (-1, 1)


def test_no_disagreement_is_not_no_doubt():
    difference, low, high = paired_difference(10, 0, 0, 10)
    assert difference == 0
    assert low < 0 < high


def test_turns_are_apart_and_both_rates_are_over_the_same_traces():
    table = over_reporting(pd.concat([PHRASES, FLIP])).set_index(["turns", "tier"])
    assert list(table.index.unique("turns")) == ["single", "multi"]
    single, multi = table.loc[("single", "strict")], table.loc[("multi", "strict")]
    assert single[["n", "left_out", "heuristic_k", "grader_k"]].tolist() == [4, 0, 3, 1]
    assert multi[["n", "left_out", "heuristic_k", "grader_k"]].tolist() == [2, 2, 2, 1]
    assert single["difference"] == pytest.approx(0.5)
    assert (single["difference_low"], single["difference_high"]) == paired_difference(1, 2, 0, 1)[1:]
    assert table.loc[("single", "broad"), "grader_k"] == 2
    assert set(table["gate"]) == {"uncalibrated"}


def test_second_passes_attacks_on_the_grader_and_other_traces_do_not_count():
    again = FLIP.assign(repeat=1, verdict=C)
    attacks = graded("g", "flip-final-turn", [C] * 4, sampling="injected").assign(trace_id=list("wxyz"))
    alone = FLIP.assign(trace_id=[f"other{n}" for n in range(8)])
    rows = pd.concat([PHRASES, FLIP])
    more = pd.concat([rows, again, attacks, PHRASES.assign(trace_id="x", sampling="injected"), alone])
    pd.testing.assert_frame_equal(over_reporting(more), over_reporting(rows))


def test_without_the_heuristic_or_another_grader_there_is_nothing_to_compare():
    assert over_reporting(FLIP).empty
    assert over_reporting(PHRASES).empty
    assert "difference" in over_reporting(PHRASES).columns


def test_where_nothing_is_shared_the_rates_are_unknown():
    silent = FLIP.assign(verdict=None)
    row = over_reporting(pd.concat([PHRASES, silent])).iloc[0]
    assert (row["n"], row["left_out"]) == (0, 4)
    assert math.isnan(row["heuristic"])
    assert (row["difference_low"], row["difference_high"]) == (-1, 1)
