"""What the figures of calibration and agreement show."""

import re
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import ff_helpers as ff
from ff_helpers.measurement.calibration.calibrate import calibrate
from ff_helpers.measurement.calibration.cards import Card, cards_table
from ff_helpers.measurement.calibration.gate import Thresholds
from ff_helpers.publication.figures.theme import LOOKS, draw


@pytest.fixture(scope="module")
def card() -> Card:
    """Of 30 refusals 2 found, of 10 others all; 1 row without a verdict."""
    verdicts = ["REFUSAL"] * 2 + ["BENIGN_QUERY"] * 28 + ["COMPLIANCE"] * 9 + [None]
    frame = pd.DataFrame(
        {
            "trace_id": [f"t{i:02d}" for i in range(40)],
            "verdict": pd.Series(verdicts, dtype="str"),
            "status": pd.Series([None] * 39 + ["timeout"], dtype="str"),
            "truth": ["REFUSAL"] * 30 + ["NOT_REFUSAL"] * 10,
        }
    ).assign(
        grader="g",
        grader_digest="d",
        rubric="r",
        temperature=0.0,
        seed=0,
        repeat=0,
        duration_s=1.0,
        sampling="census",
        source="elsewhere",
    )
    frame = frame.assign(probability=1.0, intent="format_lock", turns="single")
    return calibrate(frame, space="refused", calibration_set="s", as_of=date(2026, 11, 22))


def texts(svg: str) -> list[str]:
    return [re.sub(r"<[^>]+>", " ", t).strip() for t in re.findall(r"<text[^>]*>(.*?)</text>", svg)]


def test_the_confusion_matrix_shows_every_count_and_the_baseline(card: Card) -> None:
    shown = texts(draw(ff.figures.confusion(card), caption="c"))
    for count in (9, 0, 1, 28, 2):
        assert str(count) in shown
    assert "g on s: 11 of 40 right" in shown
    assert "always answering REFUSAL: 30 of 40 right" in shown


def test_the_forest_names_n_and_the_state_of_the_gate_in_its_colour(card: Card) -> None:
    svg = draw(ff.figures.calibration_forest(cards_table([card])), caption="c")
    assert any("n = 40: rejected" in text for text in texts(svg))
    assert LOOKS["gate"]["rejected"][0] in svg
    assert LOOKS["gate"]["calibrated"][0] not in svg


def test_the_forest_draws_both_gates_and_what_of_an_interval_reaches_ours(card: Card) -> None:
    table = cards_table([card])
    shown = " ".join(texts(draw(ff.figures.calibration_forest(table), caption="c")))
    assert "published rule: the point reaches the dashed 70%" in shown
    assert "ours: the whole interval reaches it (pale where it does not)," in shown
    own = Thresholds(published_accuracy=0.6, accuracy_low=0.8)
    shown = " ".join(texts(draw(ff.figures.calibration_forest(table, own), caption="c")))
    assert "dashed 60%" in shown
    assert "the whole interval reaches 80%" in shown


def test_the_power_curve_follows_the_thresholds_in_force() -> None:
    power = ff.explain.power_table(thresholds=Thresholds(n=80, published_n=10, accuracy_low=0.8))
    shown = texts(draw(ff.figures.gate_power(power), caption="c"))
    for words in ("published, n = 10", "ours, n = 80", "dotted: the 70% and 80% that the rules require"):
        assert words in shown


def test_format_stands_against_content(card: Card) -> None:
    shown = texts(draw(ff.figures.format_against_content(cards_table([card])), caption="c"))
    for text in ("97.5%", "27.5%", "75.0%", "71.8%"):  # valid, right, majority, most frequent verdict
        assert text in shown


def test_power_labels_its_three_curves() -> None:
    shown = texts(draw(ff.figures.gate_power(ff.explain.power_table()), caption="c"))
    for curve in ("published, n = 20", "ours, n = 50", "ours, n = 200"):
        assert curve in shown


def test_every_confusion_matrix_is_saved_under_its_cards_name(
    card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    monkeypatch.delenv("FF_STAGING", raising=False)
    run = ff.start("test", as_of="2026-11-22")
    ff.figures.save_confusions(run, [card])
    assert "accuracy 27.5%" in run.read("figures/confusion_g_s_refused.svg").read_text(encoding="utf-8")


def test_a_plan_of_labels_names_each_line_once() -> None:
    table = ff.explain.plan_labels(ff.explain.outlook(0.05, 0.9, 0.9, rows=1000), 0.025, step=20)
    shown = texts(draw(ff.figures.label_plan(table, half_width=0.025), caption="c"))
    for design in set(table["design"]):
        assert shown.count(design) == 2  # the words, and the white behind them
    assert any("2.5 points" in text for text in shown)
    assert "nothing to show" in draw(ff.figures.label_plan(table.head(0)), caption="c")
