"""The student page in a browser: choices move together, and its arithmetic is ours."""

from pathlib import Path

import pytest

from ff_helpers.measurement.adjustment.rogan_gladen import apparent_rate
from ff_helpers.measurement.proportions.intervals import wilson


@pytest.fixture
def explore(paper: Path, page):
    """Return the page, opened from disk; it may ask for nothing else and say nothing on the console."""
    address = (paper / "paper" / "explore.html").as_uri()
    page.goto(address)
    yield page
    assert [asked for asked in page.asked if asked != address and not asked.startswith("data:")] == []
    assert page.problems == []


def test_choices_move_bars_words_and_mix_together(explore) -> None:
    explore.select_option("#set", "crescendo (published)")
    explore.select_option("#grader", "new labels: deepseek-r1:1.5b and people")
    explore.select_option("#denominator", "graded")
    assert "65.0% [43.3, 81.9], 13 of 20" in explore.text_content("#said")
    explore.select_option("#denominator", "adversarial")
    assert "72.2% [49.1, 87.5], 13 of 18" in explore.text_content("#said")
    assert "72.2 (13/18)" in explore.text_content("#rates")
    assert "BENIGN QUERY: 2" in explore.text_content("#mix-list")
    explore.select_option("#set", "collected")
    explore.select_option("#grader", "smollm2-135m")
    explore.select_option("#denominator", "graded")
    assert "a rejected grader would have reported" in explore.text_content("#said")
    assert explore.locator("#rates .row").count() == 6
    explore.locator("#rates .row").first.press("Enter")
    assert explore.locator("#intent").input_value() == "constraint_erosion"
    assert "of 20." in explore.text_content("#said")


def test_labels_that_do_not_decide_a_tier_say_so(explore) -> None:
    explore.select_option("#set", "collected")
    explore.select_option("#grader", "known labels")
    explore.select_option("#tier", "broad")
    assert "do not decide" in explore.text_content("#said")


def test_a_question_shows_what_it_asks_about(explore) -> None:
    explore.locator("details.q").first.locator("summary").click()
    explore.locator("details.q button").first.click()
    assert "13 of 18" in explore.text_content("#said")


def test_its_wilson_interval_and_its_report_are_ours(explore) -> None:
    for k, n in ((0, 20), (13, 20), (20, 20), (3, 20), (500, 2000), (0, 0)):
        got, want = explore.evaluate("([k, n]) => wilson(k, n)", [k, n]), wilson(k, n)
        assert (got["low"], got["high"]) == pytest.approx((want.low, want.high), abs=1e-12)
    got = explore.evaluate("() => reported(0.2, 0.9, 0.7)")
    assert got == pytest.approx(apparent_rate(0.2, sensitivity=0.9, specificity=0.7))
    explore.locator("#se").fill("0.3")
    assert "not identifiable" in explore.text_content("#simulated")


def test_it_fits_a_phone(explore) -> None:
    explore.set_viewport_size({"width": 375, "height": 800})
    assert explore.evaluate("document.documentElement.scrollWidth") <= 375
