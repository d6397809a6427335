"""Reliability, Brier score and abstention, on counts that can be done by hand."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.measurement.calibration.reliability import LEAST, abstention, reliability
from ff_helpers.publication.lessons import certainty_lesson
from ff_helpers.terms import VERDICTS
from tests.verdict_rows import rows

C, R, N = "COMPLIANCE", "REFUSAL", "NOT_REFUSAL"


def sure(triples, space="refused"):
    """Return one row per truth, verdict and its probability; REFUSAL or COMPLIANCE gets the rest."""
    frame = rows([(truth, verdict) for truth, verdict, _ in triples], truth_space=space, set="s")
    shares = []
    for _, verdict, share in triples:
        other = C if verdict == R else R
        shares.append(dict.fromkeys(VERDICTS, 0.0) | {verdict: share, other: 1 - share})
    return frame.join(pd.DataFrame(shares).add_prefix("p_"))


def test_verdicts_are_counted_by_tenths_of_what_their_class_got():
    table = reliability(sure([(R, R, 0.95), (R, R, 0.91), (N, R, 0.97), (N, C, 0.62), (R, C, 0.68)]))
    assert table[["n", "k"]].to_numpy().tolist() == [[2, 1], [3, 2]]
    assert table["sure"].tolist() == pytest.approx([0.65, (0.95 + 0.91 + 0.97) / 3])


def test_the_probability_of_a_class_is_the_sum_over_its_labels():
    frame = sure([(N, C, 0.4)])
    frame["p_REFUSAL"], frame["p_PARTIAL"] = 0.1, 0.5
    assert reliability(frame)["sure"].tolist() == pytest.approx([0.9])


def test_briers_score_of_two_classes_is_twice_the_squared_error():
    table = abstention(sure([(R, R, 0.9), (N, R, 0.6)]))
    assert table["brier"].iloc[0] == pytest.approx((2 * 0.1**2 + 2 * 0.6**2) / 2)
    assert table["brier_base"].iloc[0] == pytest.approx(0.5)


def test_abstaining_leaves_out_what_is_less_sure_and_counts_it():
    table = abstention(sure([(R, R, 0.95), (R, R, 0.85), (N, R, 0.75), (N, R, 0.55)])).set_index("least")
    assert table.loc[0.0, ["n", "k", "unsure"]].tolist() == [4, 2, 0]
    assert table.loc[0.8, ["n", "k", "unsure"]].tolist() == [2, 2, 2]


def test_two_builds_of_one_name_are_counted_apart():
    one, other = sure([(R, R, 0.95)] * 4), sure([(N, R, 0.95)] * 6)
    other = other.assign(grader_digest="sha256:another0123456789")
    both = pd.concat([one, other], ignore_index=True)
    assert sorted(reliability(both)["n"]) == [4, 6]
    assert reliability(both)["grader"].nunique() == 2
    said = str(certainty_lesson(abstention(both)))
    assert "right in 100.0%" in said
    assert "right in 0.0%" in said


def test_without_probabilities_it_says_so():
    assert "says how probable" in str(certainty_lesson(abstention(sure([(R, R, 0.9)]).iloc[:0])))


def test_rows_without_a_probability_a_verdict_or_a_truth_do_not_count():
    frame = sure([(R, R, 0.9), (R, R, 0.9), (R, R, 0.9)])
    frame.loc[0, [f"p_{label}" for label in VERDICTS]] = float("nan")
    frame.loc[1, ["verdict", "status"]] = [None, "timeout"]
    assert reliability(frame)["n"].tolist() == [1]
    assert reliability(frame.iloc[:2]).empty
    assert abstention(frame.iloc[:2]).empty


triple = st.tuples(st.sampled_from([R, N]), st.sampled_from([R, C]), st.floats(0.5, 1))


@given(st.lists(triple, min_size=1, max_size=30))
def test_every_row_is_in_one_tenth_and_above_or_below_each_threshold(triples):
    frame = sure(triples)
    assert reliability(frame)["n"].sum() == len(triples)
    table = abstention(frame)
    assert len(table) == len(LEAST)
    assert (table["n"] + table["unsure"] == len(triples)).all()
    assert table["brier"].between(0, 2).all()
