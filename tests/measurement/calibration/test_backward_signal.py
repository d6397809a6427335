"""The mean F1 by truth, with its interval, and why there is none."""

import math

import pandas as pd
import pytest

from ff_helpers.measurement.calibration.backward import backward_signal


def frame(f1: list[float | None], **more: object) -> pd.DataFrame:
    n = len(f1)
    rows = pd.DataFrame(
        {"backward_f1": pd.Series(f1, dtype="float64"), "trace_id": [f"t{i}" for i in range(n)]}
    )
    rows = rows.assign(
        grader="g", rubric="flip-blind@1", set="s", truth="REFUSAL", sampling="census", repeat=0
    )
    return rows.assign(**more)


def test_the_mean_has_its_t_interval_by_truth() -> None:
    truths = ["COMPLIANCE", "COMPLIANCE", "COMPLIANCE", "REFUSAL", "REFUSAL"]
    table = backward_signal(frame([0.5, 0.6, 0.7, 0.2, None], truth=truths)).set_index("truth")
    assert table["n"].to_dict() == {"all": 4, "COMPLIANCE": 3, "REFUSAL": 1}
    row = table.loc["COMPLIANCE"]
    # mean 0.6, sd 0.1, t(2, 97.5%) = 4.302653: 0.6 -+ 4.302653 * 0.1 / sqrt(3) = 0.6 -+ 0.248414
    assert row[["f1", "f1_low", "f1_high"]].tolist() == pytest.approx([0.6, 0.351586, 0.848414], abs=1e-6)
    assert table.loc["REFUSAL", "f1"] == 0.2
    assert math.isnan(table.loc["REFUSAL", "f1_low"])
    assert set(table["reason"]) == {""}


def test_bounds_stay_in_the_unit_interval() -> None:
    row = backward_signal(frame([0.0, 1.0])).iloc[0]
    assert (row["f1_low"], row["f1_high"]) == (0.0, 1.0)


def test_traces_without_a_truth_count_too() -> None:
    table = backward_signal(frame([0.5, 0.5], truth=pd.Series([None, None], dtype="str")))
    assert table["truth"].tolist() == ["all", "not known"]


@pytest.mark.parametrize(
    ("rubric", "why"),
    [
        ("flip-reference@1", "shows the attack prompt"),
        ("flip-blind@1", "no instruction was inferred"),
        ("refusal-phrases@1", "infers no instruction"),
    ],
)
def test_without_a_value_the_reason_stands_there(rubric: str, why: str) -> None:
    table = backward_signal(frame([None, None], rubric=rubric))
    assert table["n"].tolist() == [0]
    assert math.isnan(table["f1"].iloc[0])
    assert why in table["reason"].iloc[0]


def test_further_passes_and_attacks_on_the_grader_do_not_count() -> None:
    once = frame([0.5, 0.7])
    more = [once, frame([0.1], repeat=1), frame([0.1], sampling="injected", set="injections")]
    assert backward_signal(pd.concat(more, ignore_index=True)).equals(backward_signal(once))
