"""Several judges: patterns of verdicts as strata."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.errors import FFError
from ff_helpers.measurement.adjustment.patterns import merged, together


def test_patterns_with_few_labels_are_merged_with_the_neighbour_that_has_fewer():
    pattern = pd.Series(["00"] * 20 + ["01"] * 2 + ["10"] * 6 + ["11"] * 9)
    found = merged(pattern, pd.Series([True] * 37))
    assert dict(zip(pattern, found, strict=True)) == {"00": "00", "01": "01/10", "10": "01/10", "11": "11"}
    assert set(merged(pattern, pd.Series([False] * 37))) == {"00/01/10/11"}


@given(st.lists(st.tuples(st.sampled_from(["00", "01", "10", "11"]), st.booleans()), min_size=1))
def test_every_stratum_has_enough_labels_or_is_the_only_one(rows):
    pattern, labelled = (pd.Series(list(side)) for side in zip(*rows, strict=True))
    found = merged(pattern, labelled)
    assert labelled.groupby(found).sum().min() >= 5 or found.nunique() == 1
    assert all(one in name.split("/") for one, name in zip(pattern, found, strict=True))


def test_only_traces_that_every_judge_graded_count_together():
    rows = pd.DataFrame(
        {
            "grader": ["b", "b", "a", "a", "a"],
            "trace_id": ["t1", "t2", "t1", "t2", "t3"],
            "hit": [True, False, False, False, True],
            "true": [1.0, None, 1.0, None, None],
        }
    )
    found, left = together(rows)
    assert left == 1
    assert found[["trace_id", "grader", "pattern"]].to_numpy().tolist() == [
        ["t1", "a + b", "01"],
        ["t2", "a + b", "00"],
    ]
    with pytest.raises(FFError, match="two judges are needed"):
        together(rows[rows["grader"] == "a"])
