"""Figures and words of collected traces: drawn, the same twice, and saying what the control says."""

from pathlib import Path

import pandas as pd
import pytest

import ff_helpers as ff
from ff_helpers.measurement.collected.rates import capability, collected_again, single_beside_multi
from ff_helpers.measurement.collected.replay import collected
from ff_helpers.measurement.collected.stability import outcome_stability
from ff_helpers.publication.collected import (
    beside_recorded,
    collected_words,
    example_conversation,
    incapacity_lesson,
)
from ff_helpers.publication.figures.theme import draw
from tests import collected_traces
from tests.collected_traces import FORMAT_LOCK, frame, scenarios


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ff.outputs.Run:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    monkeypatch.delenv("FF_STAGING", raising=False)
    return ff.start("trial", as_of="2026-11-22")


@pytest.fixture
def recorded(tmp_path: Path) -> dict[str, str]:
    return collected_traces.recorded(tmp_path)


def test_forbidden_stands_beside_permitted_joined_with_its_reading():
    svg = draw(ff.figures.forbidden_beside_permitted(capability(*collected_traces.two_arms())), caption="c")
    for words in ("format lock", "able and does", "able, holds back", "not able", "permitted (control)"):
        assert f">{words}<" in svg
    assert svg.count("mark-line role-mark") == 4  # three classes, and all of them
    assert svg.index(">format lock<") < svg.index(">persona hijack<") < svg.index(">all classes<")
    assert svg == draw(
        ff.figures.forbidden_beside_permitted(capability(*collected_traces.two_arms())), caption="c"
    )


def test_a_point_from_fewer_than_20_traces_is_hollow():
    arms = [frame(scenarios(count, "1"), arm="forbidden") for count in (19, 20)]
    drawn = [draw(ff.figures.forbidden_beside_permitted(capability(a, a)), caption="c") for a in arms]
    assert drawn[0].count('fill="white"') > drawn[1].count('fill="white"')


def test_crescendo_stability_and_fresh_samples_are_drawn_with_their_counts():
    attacks, _ = collected_traces.two_arms()
    assert "100.0 (12/12)" in draw(ff.figures.single_beside_multi(single_beside_multi(attacks)), caption="c")
    stable = outcome_stability(frame({"a": "11", "b": "00", "c": "10"}))
    assert "66.7 (1/1/1)" in draw(ff.figures.outcome_stability(stable), caption="c")
    again = collected_again(frame({"a": "11", "b": "00"}), frame({"a": "10", "b": "00"}))
    svg = draw(ff.figures.fresh_beside_recorded(again), caption="c")
    assert "50.0 (2/4)" in svg
    assert "25.0 (1/4)" in svg


def test_nothing_to_show_is_said_and_no_error():
    none = frame({"a": "1"}).iloc[:0]
    for chart in (
        ff.figures.forbidden_beside_permitted(capability(none, none)),
        ff.figures.single_beside_multi(single_beside_multi(none)),
        ff.figures.outcome_stability(outcome_stability(none)),
        ff.figures.fresh_beside_recorded(collected_again(none, none)),
    ):
        assert "nothing to show" in draw(chart, caption="c")


def test_the_lesson_names_the_class_that_looks_safest_and_is_not_able():
    text = incapacity_lesson(capability(*collected_traces.two_arms())).text
    assert "**not able**: even where the policy allows it" in text
    assert "persona hijack (0.0% forbidden, 0.0% permitted)" in text
    assert "the safest class, with 0.0%" in text
    assert "*persona hijack*" in text.splitlines()[-1]
    assert "33.3%" in text.splitlines()[0]  # one class of three under the ban


def test_the_lesson_of_no_common_scenario_says_so():
    arms = frame({"a": "1"}), frame({"b": "1"}, intent="persona_hijack", arm="permitted")
    assert incapacity_lesson(capability(*arms)).text.startswith("No scenario is in both arms")


def test_the_words_hold_the_counts_of_the_tables(run, recorded):
    words = collected_words(collected(run, recorded))
    assert "Recorded: 12 attacks on 6 scenarios, and 6 controls" in words.sample.text
    assert "33.3% [13.8, 60.9] (4 of 12)" in words.truth.text
    assert "6 independent scenarios" in words.truth.text
    assert "(6 of 6)" in words.stability.text
    assert "- multi-turn: 33.3% [1.1, 95.6] (2 of 6) forbidden, 100.0%" in words.turns_ability.text
    assert words.turns.text == "No class has both single-turn and multi-turn attacks here."


def test_a_replay_writes_no_comparison(run, recorded):
    said, picture = beside_recorded(run, collected(run, recorded))
    assert "nothing to compare" in str(said)
    assert picture is None
    assert not (run.folder / "tables").exists()


def test_the_example_is_escaped_and_the_shortest_that_succeeded(recorded):
    shown = example_conversation(Path(recorded["forbidden"]))
    assert "&lt;b&gt;4417&lt;/b&gt;" in shown.markup
    assert "<b>" not in shown.markup
    assert shown.text.startswith("m/s0/forbidden/r0")


def test_a_withheld_conversation_is_not_shown(tmp_path, recorded):
    lines = Path(recorded["forbidden"]).read_text(encoding="utf-8")
    hidden = tmp_path / "hidden.jsonl"
    hidden.write_text(lines.replace('"withheld":false', '"withheld":true'), encoding="utf-8")
    assert "4417" not in example_conversation(hidden).markup
    assert example_conversation(hidden).text == "No conversation may be shown."


def test_the_disclosure_says_what_a_checker_knows_and_that_nobody_measured_it(run, recorded):
    sentence = ff.disclose(run, collected(run, recorded).truth).sentence()
    assert "known by construction" in sentence
    assert "not measured against people" in sentence
    assert "Tier: strict" in sentence


def test_tables_of_collected_traces_are_written_with_their_disclosure(run, recorded):
    sample = collected(run, recorded)
    ff.save_table(run, sample.capability, "collected_capability", title="t")
    table = pd.read_csv(run.read("tables/collected_capability.csv"))
    assert table["disclosure"].str.contains("not measured against people").all()
    assert set(table["intent"]) >= {FORMAT_LOCK, "all classes"}
