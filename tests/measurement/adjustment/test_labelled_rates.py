"""Tables of rates from labels of some rows."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency

from ff_helpers.measurement.adjustment.labelled import drawn_otherwise, labelled_rates


def rows(n=400):
    frame = pd.DataFrame({"trace_id": [f"t{i}" for i in range(n)], "model": ["a", "b", "c", "d"] * (n // 4)})
    rng = np.random.default_rng(0)
    hit = pd.Series(rng.random(n) < 0.3)
    true = pd.Series(np.where(rng.random(n) < 0.85, hit, ~hit)).astype(float).where(rng.random(n) < 0.3)
    return frame.assign(hit=hit, true=true, chance=0.3, scenario_id=None)


def test_labels_are_unlike_the_others_where_scipy_s_test_says_so():
    told = rows()
    told.loc[told["model"] == "a", "true"] = np.nan
    labelled = told["true"].notna()
    for what, side in (("model", told["model"]), ("verdict", told["hit"])):
        p = float(chi2_contingency(pd.crosstab(side, labelled)).pvalue)
        assert what in drawn_otherwise(told, limit=p * 1.001)
        assert what not in drawn_otherwise(told, limit=p * 0.999)


def test_a_row_with_few_labels_says_so_or_takes_the_others_errors():
    told = rows()
    told.loc[(told["model"] == "a") & (told.index > 40), "true"] = np.nan
    alone = labelled_rates(told, ["model"]).iloc[0]
    assert alone["note"].startswith("too few labels: ")
    assert np.isnan(alone["adjusted"])
    carried = labelled_rates(told, ["model"], carry=True).iloc[0]
    assert carried["method"] == "errors carried over"
    assert carried["adjusted_low"] < carried["adjusted"] < carried["adjusted_high"]
    assert labelled_rates(told, ["model"], least=1).iloc[0]["method"] == "double sampling"


def test_groups_are_sorted_and_a_missing_value_is_one_of_them():
    told = rows().assign(place=["y", "x", None, "x"] * 100)
    found = labelled_rates(told, ["place"])
    assert list(found["place"].fillna("-")) == ["x", "y", "-"]
    assert list(found["n"]) == [200, 100, 100]
    assert found["labels"].sum() == told["true"].notna().sum()
    whole = labelled_rates(told, [])
    assert whole["n"].tolist() == [400]
    assert whole["k"].iloc[0] == pytest.approx(told["hit"].sum())
