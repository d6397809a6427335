"""Samples to label: sizes, probabilities, a second draw, and what cannot be added to."""

import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.errors import FFError
from ff_helpers.measurement.sampling.draw import draw
from ff_helpers.measurement.sampling.files import Sample, Within, read_sample, write_sample


def graded(hits=20, others=180, models=("a",)):
    verdicts = ["COMPLIANCE"] * hits + ["REFUSAL"] * others
    parts = [
        pd.DataFrame({"trace_id": [f"{m}{i}" for i in range(len(verdicts))], "verdict": verdicts, "model": m})
        for m in models
    ]
    return pd.concat(parts, ignore_index=True)


def test_at_random_every_row_has_the_same_probability():
    frame, design = draw(graded(), 50)
    assert len(frame) == 50
    assert set(frame["probability"]) == {0.25}
    assert [(s.stratum, s.rows, s.drawn) for s in design.strata] == [("all rows", 200, 50)]


def test_by_verdict_the_rarer_verdict_gets_half_as_far_as_it_goes():
    _, design = draw(graded(), 30, design="by-verdict")
    assert {s.stratum: s.drawn for s in design.strata} == {"all rows / hit": 15, "all rows / other": 15}
    frame, design = draw(graded(), 60, design="by-verdict")
    assert {s.stratum: s.drawn for s in design.strata} == {"all rows / hit": 20, "all rows / other": 40}
    assert set(frame["probability"]) == {1.0, 40 / 180}


def test_by_verdict_needs_a_judge_that_decides_the_tier():
    rows = graded().assign(space="refused", verdict=["NOT_REFUSAL"] * 20 + ["REFUSAL"] * 180)
    with pytest.raises(FFError, match="does not decide the tier strict"):
        draw(rows, 30, design="by-verdict")
    assert len(draw(rows, 30)[0]) == 30


def test_the_best_split_is_neymans_where_there_are_many_labels():
    """q sqrt(r (1 - r)): .1 sqrt(.5 .5) of hits to .9 sqrt(.1 .9) of others, 5 to 27 (Cochran 1977, 12.3)."""
    rows = graded(hits=4000, others=36000)
    _, design = draw(rows, 3200, design="best", expected=Within(in_hits=0.5, in_others=0.1))
    drawn = {s.stratum: s.drawn for s in design.strata}
    assert drawn["all rows / hit"] == pytest.approx(3200 * 5 / 32, rel=0.02)


def test_by_model_the_best_split_is_of_each_models_own_hits():
    rows = pd.concat([graded(0, 200, ("a",)), graded(20, 180, ("b",)), graded(100, 100, ("c",))])
    _, design = draw(rows, 90, design="best", by=["model"], expected=Within(in_hits=0.6, in_others=0.1))
    drawn = {s.stratum: s.drawn for s in design.strata}
    assert drawn["a / other"] == 30 == drawn["b / hit"] + drawn["b / other"]
    assert drawn["b / hit"] < drawn["c / hit"]


def test_the_best_split_asks_what_is_expected():
    with pytest.raises(FFError, match="Give --rate, --se and --sp"):
        draw(graded(), 30, design="best")


@given(st.integers(1, 30), st.integers(1, 60), st.integers(3, 80), st.floats(0, 1), st.floats(0, 1))
def test_a_draw_by_verdict_adds_to_any_other_and_every_row_counts_once(hits, others, n, inside, outside):
    rows, expected = graded(hits, others), Within(in_hits=inside, in_others=outside)
    if n > len(rows):
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.csv"
        for first in ("random", "by-verdict", "best"):
            frame, design = draw(rows, max(2, n // 2), design=first, expected=expected)
            write_sample(path, frame, design)
            more, made = draw(rows, n, design="best", expected=expected, before=read_sample(path))
            assert set(frame["trace_id"]) <= set(more["trace_id"])
            assert (1 / more["probability"]).sum() == pytest.approx(len(rows))
            write_sample(path, more, made)
            assert len(read_sample(path).frame) == n


def test_a_random_sample_that_grows_by_verdict_draws_every_row_of_a_verdict_alike():
    """Over 2,000 seeds each of 3 hits and 7 others is drawn as often as its probability says."""
    rows, seeds = graded(3, 7), 2000
    drawn = dict.fromkeys(rows["trace_id"], 0.0)
    for seed in range(seeds):
        frame, design = draw(rows, 4, seed=seed)
        sample = Sample(Path("l"), design, "strict", frame, {}, (), (), {})
        more, _ = draw(rows, 6, design="by-verdict", seed=seed, before=sample)
        for trace, chance in zip(more["trace_id"], more["probability"], strict=True):
            drawn[trace] += 1 / chance / seeds
    assert all(value == pytest.approx(1, abs=0.12) for value in drawn.values())


def test_by_model_each_gets_its_share():
    rows = pd.concat([graded(models=("a",)), graded(hits=40, others=360, models=("b",))])
    _, design = draw(rows, 60, by=["model"])
    assert {s.stratum: s.drawn for s in design.strata} == {"a": 20, "b": 40}


def test_a_second_draw_holds_the_first_and_its_labels(tmp_path):
    path = tmp_path / "labels.csv"
    frame, design = draw(graded(), 20, seed=4)
    frame.loc[:9, "truth"] = "COMPLIANCE"
    write_sample(path, frame, design)
    again, _ = draw(graded(), 60, seed=4, before=read_sample(path))
    assert set(frame["trace_id"]) < set(again["trace_id"])
    assert set(again["probability"]) == {0.3}
    kept = again.set_index("trace_id")["truth"].dropna()
    assert set(kept.index) == set(frame["trace_id"][:10])


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"seed": 1}, "seed differ"),
        ({"design": "random"}, "design differ"),
        ({"space": "five"}, "space differ"),
    ],
)
def test_a_sample_drawn_otherwise_is_not_added_to(tmp_path, changed, problem):
    path = tmp_path / "labels.csv"
    write_sample(path, *draw(graded(), 20, design="by-verdict"))
    with pytest.raises(FFError, match=problem):
        draw(graded(), 40, before=read_sample(path), **({"design": "by-verdict"} | changed))


def test_a_sample_of_other_rows_is_not_added_to(tmp_path):
    path = tmp_path / "labels.csv"
    write_sample(path, *draw(graded(), 20))
    with pytest.raises(FFError, match="the rows that can be drawn differ"):
        draw(graded(others=181), 40, before=read_sample(path))


@pytest.mark.parametrize("n", [0, 201])
def test_a_number_that_cannot_be_drawn_names_those_that_can(n):
    with pytest.raises(FFError, match="between 1 and 200 labels"):
        draw(graded(), n)


@given(st.integers(1, 30), st.integers(1, 60), st.integers(2, 90), st.integers(0, 99))
def test_sizes_and_probabilities_add_up(hits, others, n, seed):
    rows = graded(hits, others)
    if n > len(rows):
        return
    frame, design = draw(rows, n, design="by-verdict", seed=seed)
    assert len(frame) == n == sum(s.drawn for s in design.strata)
    assert (1 / frame["probability"]).sum() == pytest.approx(len(rows))
    assert frame["trace_id"].is_unique


def repeated(scenarios=30, runs=3):
    rows = pd.DataFrame({"scenario_id": [f"s{n % scenarios}" for n in range(scenarios * runs)]})
    rows["trace_id"] = [f"t{n}" for n in range(len(rows))]
    return rows.assign(verdict=["COMPLIANCE" if n % 7 == 0 else "REFUSAL" for n in range(len(rows))])


def test_runs_of_one_scenario_count_as_one_draw(tmp_path):
    path = tmp_path / "labels.csv"
    rows = repeated()
    frame, design = draw(rows, 10, by_scenario=True)
    assert len(frame) == 30
    assert set(frame["probability"]) == {1 / 3}
    scenarios = rows.set_index("trace_id")["scenario_id"].loc[frame["trace_id"]]
    assert scenarios.nunique() == 10
    write_sample(path, frame, design)
    more, made = draw(rows, 20, by_scenario=True, design="by-verdict", before=read_sample(path))
    assert set(frame["trace_id"]) < set(more["trace_id"])
    assert sum(s.scenarios_drawn for s in made.strata) == 20
    assert (1 / more["probability"]).groupby(more["stratum"]).mean().round(6).to_dict() == {
        s.stratum: round(s.scenarios / s.scenarios_drawn, 6) for s in made.strata
    }
    write_sample(path, more, made)
    assert len(read_sample(path).frame) == len(more)
    with pytest.raises(FFError, match="by_scenario differ"):
        draw(rows, 60, design="by-verdict", before=read_sample(path))
    with pytest.raises(FFError, match="between 1 and 30 scenarios"):
        draw(rows, 31, by_scenario=True)


def test_a_trace_without_a_scenario_is_one_of_its_own():
    rows = repeated().assign(scenario_id=None)
    assert len(draw(rows, 10, by_scenario=True)[0]) == 10


def edited(path, change):
    text = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(change(text)) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda t: [*t, t[-1]], ":22:trace_id: the trace of line 21 again"),
        (lambda t: [*t, t[-1] + "COMPLIANCE"], "with another truth"),
        (lambda t: t[:-1], "other rows or probabilities than its design"),
        (lambda t: [t[0], t[1].replace("0.1", "0.2"), *t[2:]], "other rows or probabilities"),
        (lambda t: [t[0], t[1] + "MAYBE", *t[2:]], r":2:truth: must be one of COMPLIANCE, NOT_COMPLIANCE"),
        (lambda t: [t[0].replace("truth", "label"), *t[1:]], "no column truth"),
    ],
)
def test_an_edited_file_is_refused_with_line_and_field(tmp_path, change, problem):
    path = tmp_path / "labels.csv"
    write_sample(path, *draw(graded(), 20))
    edited(path, change)
    with pytest.raises(FFError, match=problem):
        read_sample(path)
