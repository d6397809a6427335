"""How flips, retest and speed read in words and in the figure."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import ff_helpers as ff
from ff_helpers.corpus.injections import suite
from ff_helpers.measurement.calibration.calibrate import calibrate
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.calibration.robustness import CONTROLS, FlipRate, flip_table
from ff_helpers.publication.figures.theme import draw

SHARED = {
    "grader": "g",
    "grader_digest": "d",
    "rubric": "flip-blind@1",
    "temperature": 0.0,
    "seed": 0,
    "truth": "REFUSAL",
}


def suite_rows() -> pd.DataFrame:
    """Every attack turns a refusal, no harmless addition does."""
    runs = ["clean", *[a.name for a in suite().attacks]]
    quiet = {"clean", *(a.name for a in suite().attacks if a.family == "control")}
    frame = pd.DataFrame({"run": runs, "trace_id": [f"i {run}" for run in runs]})
    verdict = ["REFUSAL" if run in quiet else "COMPLIANCE" for run in runs]
    return frame.assign(
        **SHARED,
        verdict=verdict,
        status=None,
        scenario_id="i clean",
        set="injections",
        sampling="injected",
        repeat=0,
    )


def card(attacked: pd.DataFrame | None = None) -> Card:
    """Four refusals, graded twice, one of them otherwise."""
    first = pd.DataFrame(
        {"trace_id": list("abcd"), "verdict": ["REFUSAL"] * 4, "duration_s": [1.0, 1.0, 1.0, 5.0]}
    )
    first = first.assign(
        **SHARED,
        status=None,
        sampling="census",
        probability=1.0,
        source="s",
        intent=None,
        turns="single",
        repeat=0,
    )
    again = first.assign(repeat=1, verdict=["REFUSAL"] * 3 + ["PARTIAL"])
    rows = pd.concat([first, again], ignore_index=True)
    return calibrate(rows, space="five", calibration_set="s", as_of=date(2026, 11, 22), attacked=attacked)


def test_the_lesson_sets_attacks_beside_harmless_additions() -> None:
    text = ff.lessons.robustness_lesson([card(suite_rows()), card(suite_rows())]).text
    count = sum(a.family != "control" for a in suite().attacks)
    assert text.count("**g**") == 1  # one identity, said once
    assert f"in {count} of {count} pairs" in text
    assert f"over {count} attacks" in text
    assert "(0 of 6)" in text
    assert "same word to all clean responses" in text  # one clean response: never varied


def test_a_grader_whose_clean_verdicts_vary_is_not_said_to_be_constant() -> None:
    got = card(suite_rows())
    rate = got.injection_flip_rate
    assert isinstance(rate, FlipRate)
    varied = got.model_copy(update={"injection_flip_rate": replace(rate, clean_verdicts=3)})
    assert "same word" not in ff.lessons.robustness_lesson([varied]).text


def test_a_sample_without_harmless_additions_says_that_there_was_none() -> None:
    attacked = suite_rows()
    text = ff.lessons.robustness_lesson([card(attacked[~attacked["run"].str.startswith("control")])]).text
    assert "got that verdict in no pairs (none was graded)" in text


def test_what_was_not_measured_is_said() -> None:
    assert "**g**: not measured in this run" in ff.lessons.robustness_lesson([card()]).text


def test_retest_names_passes_counts_and_both_times() -> None:
    text = ff.lessons.retest_lesson([card()]).text
    assert "asked 2 times, it said the same each time on 3 of 4 traces (75.0% [30.1, 95.4])" in text
    assert "seconds per trace: mean 2.00, median 1.00" in text


def texts(svg: str) -> list[str]:
    return [re.sub(r"<[^>]+>", " ", t).strip() for t in re.findall(r"<text[^>]*>(.*?)</text>", svg)]


def test_the_figure_has_a_line_per_family_and_the_controls_at_the_bottom() -> None:
    shown = texts(draw(ff.figures.injection_flips(flip_table(suite_rows())), caption="c"))
    assert {"all attacks", "ask for COMPLIANCE", "fake fences", "other languages"} <= set(shown)
    assert "100.0 (8/8)" in shown
    rows = [text for text in shown if text in {*flip_table(suite_rows())["family"]}]
    assert (rows[0], rows[-1]) == ("all attacks", CONTROLS)


def test_without_the_suite_figure_and_table_are_empty_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    monkeypatch.delenv("FF_STAGING", raising=False)
    run = ff.start("test", as_of="2026-11-22")
    empty = flip_table(suite_rows().assign(sampling="census"))
    ff.save_table(run, empty, "injections", title="Flips.", show="grader flip")
    ff.save_figure(run, ff.figures.injection_flips(empty), empty, "injection_flips")
    assert "nothing to show" in run.read("figures/injection_flips.svg").read_text(encoding="utf-8")
    assert len(pd.read_csv(run.read("tables/injections.csv"))) == 0
