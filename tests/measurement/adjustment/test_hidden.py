"""Labels that are hidden and drawn: intervals with labels hold the known rate, verdicts alone do not."""

import numpy as np
import pytest

import ff_helpers as ff
from ff_helpers.corpus.simulate import SimulatedGrader, binary, simulate
from ff_helpers.errors import FFError
from ff_helpers.measurement.adjustment.double import double_sampling
from ff_helpers.measurement.sampling.draw import draw
from ff_helpers.publication.figures.theme import draw as drawn_figure

GOOD, POOR = "good", "poor"


@pytest.fixture(scope="module")
def verdicts():
    """2,000 simulated traces, 20% of them successes; one grader is good, one calls nearly half a success."""
    graders = [SimulatedGrader(GOOD, binary(0.95, 0.95)), SimulatedGrader(POOR, binary(0.6, 0.55))]
    return simulate(0.2, graders, scenarios=2000, seed=5)


def hidden(verdicts, **how):
    return ff.explain.hidden_labels(
        verdicts, [], set="simulated", **({"sample_size": 100, "draws": 60} | how)
    )


@pytest.mark.parametrize("design", ["random", "by-verdict"])
def test_a_draw_is_that_of_ff_sample_and_its_interval_that_of_double_sampling(verdicts, design):
    found = hidden(verdicts, design=design, draws=3, seed=7).set_index(["grader", "draw"])
    own = verdicts[verdicts["grader"] == POOR].reset_index(drop=True)
    frame, _ = draw(own, 100, design=design, seed=9)
    chance = own["trace_id"].map(frame.set_index("trace_id")["probability"])
    true = (own["truth"] == "COMPLIANCE").astype(float).where(chance.notna())
    one = double_sampling(own["verdict"] == "COMPLIANCE", true, chance)
    row = found.loc[POOR, 2]
    assert row["adjusted"] == pytest.approx(one.estimate)
    assert row["adjusted_low"] == pytest.approx(one.low, abs=0.01)
    assert row["adjusted_high"] == pytest.approx(one.high, abs=0.01)
    if design == "random":
        hit = own.loc[chance.notna(), "verdict"] == "COMPLIANCE"
        assert row["drawn"] == pytest.approx(hit.mean())
        assert row["alone"] == pytest.approx(true.mean())


def test_verdicts_taken_as_true_miss_and_labels_hold_and_a_good_grader_narrows(verdicts):
    summary = ff.explain.hidden_summary(hidden(verdicts)).set_index("grader")
    assert summary.loc[POOR, "drawn_holds"] == 0
    assert (summary["adjusted_holds"] > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 60)).all()
    assert summary.loc[GOOD, "adjusted_width"] < 0.8 * summary.loc[GOOD, "alone_width"]
    assert summary.loc[POOR, "adjusted_width"] > 0.9 * summary.loc[POOR, "alone_width"]
    said = ff.lessons.hidden_lesson(summary.reset_index()).text
    assert f"**{POOR}**" in said
    assert "misses that in 60 of 60 draws" in said


def test_the_best_split_is_narrower_than_a_random_sample(verdicts):
    widths = [
        ff.explain.hidden_summary(hidden(verdicts, design=design, grader=GOOD))["adjusted_width"].iloc[0]
        for design in ("best", "random")
    ]
    assert widths[0] < 0.95 * widths[1]


def test_the_figure_counts_the_misses(verdicts):
    svg = drawn_figure(ff.figures.caterpillar(hidden(verdicts)), caption="c")
    assert "60 of 60 miss" in svg
    assert "verdicts taken as true" in svg


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"sample_size": 5}, "Allowed: 10 to 2000"),
        ({"sample_size": 2001}, "Allowed: 10 to 2000"),
        ({"set": "elsewhere"}, "has no label that decides strict"),
        ({"grader": "nobody"}, "no grader nobody in set simulated. There: good, poor"),
    ],
)
def test_what_cannot_be_drawn_is_refused(verdicts, how, said):
    with pytest.raises(FFError, match=said):
        ff.explain.hidden_labels(verdicts, [], **({"set": "simulated", "sample_size": 100} | how))
