"""The coverage that is shipped: recomputed in part, on target, and seen through our own functions."""

import math

import numpy as np
import pandas as pd
import pytest

import ff_helpers as ff
from benchmarks.coverage import (
    CORPUS,
    CORRELATIONS,
    ERRORS,
    LABELLED,
    RATES,
    XSTEST,
    grid,
    measure,
    rows_of,
    xstest,
)
from benchmarks.splits import LEARNED, split
from ff_helpers.corpus.simulate import SimulatedGrader, binary, simulate
from ff_helpers.measurement.adjustment.adjusted import adjusted, hide_truth
from ff_helpers.measurement.adjustment.coverage import ADJUSTED, coverage_table, listed
from ff_helpers.measurement.rates.drift import drift
from ff_helpers.measurement.sampling.plan import BEST
from ff_helpers.publication.figures.theme import draw
from tests.shared_labels import shared

KEYS = ["method", "labels", "true_asr", "sensitivity", "specificity", "calibration_n", "corpus_n"]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return coverage_table()


def test_the_grid_is_the_one_that_was_agreed(table):
    assert set(table["true_asr"]) == {0.02, 0.05, 0.1, 0.2, 0.4, 0.65, 0.85, 0.95} == set(RATES)
    pairs = {(0.95, 0.95), (0.9, 0.7), (0.7, 0.9), (0.62, 0.74), (0.55, 0.55)}
    assert set(zip(table["sensitivity"], table["specificity"], strict=True)) == pairs == set(ERRORS)
    assert set(table["calibration_n"]) - {0} == {20, 50, 100, 200} == set(LABELLED)
    assert set(table["corpus_n"]) == {100, 1000, 20} == {*CORPUS, 20}
    assert set(table["icc"].dropna()) == {0.0, 0.3, 0.7} == set(CORRELATIONS)
    cells = table[table["method"] == "Rogan-Gladen"].groupby(["labels", table["icc"].notna()]).size()
    assert cells.to_dict() == {
        ("as they come", False): 320,
        ("half and half", False): 320,
        ("half and half", True): 480,
    }


def test_the_shipped_table_meets_the_targets_and_every_listed_cell_is_warned_of(table):
    rows = table[table["method"].isin(ADJUSTED)]
    assert rows["coverage"].mean() >= 0.945
    assert rows.loc[rows["method"] == "Rogan-Gladen", "coverage"].min() >= 0.92
    sample = rows[rows["method"] == "double sampling"]
    assert sample["coverage"].min() >= 0.90
    assert sample.loc[sample["answered"] >= 0.5, "coverage_answered"].min() >= 0.90
    assert (listed(table)["warned_answered"] >= 0.5).all()
    assert (rows["warned"] >= 0.5).mean() < 0.5
    assert not any(row.met is False for row in rows_of(table))


@pytest.mark.parametrize(
    ("method", "change"),
    [
        ("Rogan-Gladen", {"coverage": 0.91}),
        ("double sampling", {"coverage": 0.89}),
        ("Rogan-Gladen", {"coverage": 0.93, "warned": 0}),
    ],
    ids=["Rogan-Gladen below .92", "double sampling below .90", "below .94 without a warning"],
)
def test_one_cell_off_target_is_missed(table, method, change):
    place = table.index[table["method"] == method][0]
    rows = rows_of(
        table.assign(**{name: table[name].mask(table.index == place, v) for name, v in change.items()})
    )
    assert any(row.met is False for row in rows)


@pytest.mark.parametrize("name", ["rows", "clusters"])
def test_some_cells_recomputed_agree_with_the_shipped_ones(table, name):
    cells = grid(name)[3::11]
    fresh, draws = measure(cells, draws=1000), 1000
    fresh["icc"], shipped = fresh["icc"].fillna(-1), table.assign(icc=table["icc"].fillna(-1))
    both = fresh.merge(shipped, on=[*KEYS, "icc"], suffixes=("", "_shipped"), validate="one_to_one")
    assert len(both) == len(fresh) > 50
    p = both["coverage_shipped"].clip(0.005, 0.995)
    error = np.sqrt(p * (1 - p) * (1 / draws + 1 / 10_000))
    assert ((both["coverage"] - both["coverage_shipped"]).abs() / error).max() < 4.5
    assert (both["answered"] - both["answered_shipped"]).abs().max() < 0.08


def test_a_cell_does_not_depend_on_the_others():
    cells = grid("rows")
    pd.testing.assert_frame_equal(
        measure(cells[5:6], draws=200),
        measure(cells[4:6], draws=200).iloc[-len(measure(cells[5:6], 200)) :].reset_index(drop=True),
    )


def test_labels_drawn_in_the_best_split_by_verdict_give_narrower_intervals_that_hold():
    """At a true rate of 5% and 200 labels at least 20% narrower than PPI++, with or without a guess."""
    found = split(0.05, 200, draws=400)
    for design in (BEST, LEARNED):
        width, held = found[design]
        assert width < 0.8
        assert held > 0.95 - 4 * math.sqrt(0.95 * 0.05 / 400)


def test_a_naive_interval_never_holds_the_truth_where_the_grader_errs_as_gpt_4_on_xstest():
    assert xstest().figure == "covers the truth 0 of 2000 times"


def test_the_counts_of_xstest_are_those_of_its_labels():
    frame = pd.read_csv(shared("xstest_v2_labels.csv")).query("unsafe_prompt")
    true, called = (frame[name] == "1_full_compliance" for name in ("final_label", "gpt4_label"))
    counts = (int(true.sum()), int((true & called).sum()), int((~true).sum()), int((~true & ~called).sum()))
    assert counts == XSTEST


def test_our_own_functions_find_what_was_simulated():
    grader = SimulatedGrader("g", binary(0.95, 0.9), then=binary(0.95, 0.4), after=200)
    frame = simulate(0.3, [grader], scenarios=400, seed=3)
    found = drift(frame.assign(sampling="random"))
    flagged = set(found.loc[found["flagged"], "first"])
    assert flagged == {201, 301}
    row = adjusted(hide_truth(frame, set="simulated", keep=200), []).query("tier == 'strict'").iloc[0]
    assert row["adjusted_low"] < 0.3 < row["adjusted_high"] < row["asr"]


def test_the_figure_shows_every_grader_and_how_often_nothing_is_said(table):
    svg = draw(ff.figures.coverage(table), caption="c")
    for se, sp in ERRORS:
        assert f"Se {se:.2f}, Sp {sp:.2f}" in svg
    cells = table.query("method == 'Rogan-Gladen' and labels == 'half and half' and icc.isna()")
    cells = cells.query("corpus_n == 1000 and calibration_n == 100 and sensitivity == .55")
    assert f"[0, 1] in {1 - cells['answered'].mean():.0%}" in svg
    assert not math.isnan(cells["answered"].mean())
