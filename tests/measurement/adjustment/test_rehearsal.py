"""The verbs of a run on traces whose truth is known, by graders whose errors are known."""

from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest

from ff_helpers.errors import FFError
from ff_helpers.measurement.adjustment.adjusted import adjusted
from ff_helpers.measurement.calibration.constructed import rehearsal
from ff_helpers.measurement.rates.comparisons import compare_models

RUN = SimpleNamespace(as_of=date(2026, 1, 1))
GRADERS = {"good": (0.95, 0.95), "usable": (0.9, 0.7), "coin": (0.5, 0.5), "perfect": (1.0, 1.0)}
MODELS = {"A": 0.2, "B": 0.5}
PRACTICE = rehearsal(RUN, models=MODELS, graders=GRADERS)


@pytest.mark.parametrize("model", list(MODELS))
def test_a_usable_grader_is_adjusted_to_the_truth_and_a_coin_is_not(model):
    table = adjusted(PRACTICE.verdicts.query("model == @model"), PRACTICE.cards).query("tier == 'strict'")
    table = table.set_index("grader")
    assert table["known"].tolist() == pytest.approx([MODELS[model]] * 4, abs=0.06)
    assert table.loc[["good", "usable", "perfect"], "carries_over"].tolist() == ["yes"] * 3
    assert table.loc["coin", "carries_over"] == "says nothing"
    off = (table["asr"] - table["known"]).abs()
    assert off["perfect"] == 0
    assert off["good"] < off["usable"]
    assert table.loc["usable", "asr_low"] > table.loc["usable", "known"]


def test_models_are_told_apart_by_a_good_grader_on_the_prompts_that_both_were_given():
    table = compare_models(PRACTICE.verdicts, PRACTICE.cards, by="turns").set_index("grader")
    assert set(table["scenarios"]) == {300}
    assert table.loc["perfect", "difference_low"] <= -0.3 <= table.loc["perfect", "difference_high"]
    assert table["differ"].to_dict() == {"good": True, "usable": True, "coin": False, "perfect": True}


def test_it_is_the_same_each_time():
    again = rehearsal(RUN, models=MODELS, graders=GRADERS)
    pd.testing.assert_frame_equal(again.verdicts, PRACTICE.verdicts)
    assert again.cards == PRACTICE.cards


def test_errors_that_are_no_shares_are_refused():
    with pytest.raises(FFError, match=r"simulate\(\): "):
        rehearsal(RUN, models={"A": 0.2}, graders={"g": (1.2, 0.9)})
