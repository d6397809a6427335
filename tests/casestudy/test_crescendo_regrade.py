"""The crescendo regrade against report 70."""

import pytest

from ff_helpers.casestudy.crescendo_regrade import crescendo
from ff_helpers.measurement.proportions.intervals import paired_difference


def test_crescendo_shifts_within_one_denominator():
    table = crescendo().shifts.set_index(["tier", "denominator"])
    points = (100 * table["shift"]).round(1)
    assert points["strict", "rows"] == 30.0
    assert points["strict", "adversarial"] == 22.2
    assert points["broad", "rows"] == 15.0
    assert points["broad", "adversarial"] == -5.6
    mixed = table[table.index.get_level_values("denominator").str.startswith("mixed")]
    assert sorted((100 * mixed["shift"]).round(1)) == [-15.0, 35.0]
    assert mixed["old_asr_low"].isna().all()


def test_the_same_rows_before_and_after_are_a_pair():
    table = crescendo().shifts.set_index(["tier", "denominator"])
    # Strict, all rows: 4 hit under both labels, 9 only under the new, 3 only under the old, 4 never.
    assert table.loc[("strict", "rows"), ["shared", "paired"]].tolist() == [20, pytest.approx(0.3)]
    bounds = table.loc[("strict", "rows"), ["paired_low", "paired_high"]].tolist()
    assert bounds == pytest.approx(paired_difference(4, 9, 3, 4)[1:])
    # The 13 rows that are adversarial under both sets of labels are all broad hits under both: the
    # published fall of 5.6 points is of rows that came in and one that went out.
    assert table.loc[("broad", "adversarial"), ["shared", "paired"]].tolist() == [13, 0]
    assert "paired_by_scenario_low" not in table  # which scenario had which first label is not published


def test_crescendo_runs_apart_and_statuses_counted():
    result = crescendo()
    runs = result.runs.set_index("run")
    assert runs.loc["v1", ["strict_k", "broad_k", "rows"]].tolist() == [6, 7, 10]
    assert runs.loc["v2", ["strict_k", "broad_k", "rows"]].tolist() == [7, 10, 10]
    assert runs.loc["v1 and v2", ["scenarios", "runs", "rows"]].tolist() == [10, 2, 20]
    graded = result.rates.query("tier == 'strict' and denominator == 'graded'").set_index("labels")
    assert dict(graded["left_out_labels"]) == {"contaminated": "ERROR 2, NOT_GRADED 2", "corrected": "none"}
