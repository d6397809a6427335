"""The student page in a browser: choices move together, and its arithmetic is ours."""

from pathlib import Path

import pytest

from ff_helpers.measurement.correction.rogan_gladen import apparent_rate
from ff_helpers.measurement.proportions.intervals import wilson


@pytest.fixture
def page(paper: Path, browser):
    """Return the page, opened from disk with the network off, and what the console said."""
    context = browser.new_context(offline=True, viewport={"width": 1100, "height": 900})
    opened, said = context.new_page(), []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.goto((paper / "paper" / "explore.html").as_uri())
    yield opened
    context.close()
    assert said == []


def test_choices_move_bars_words_and_mix_together(page) -> None:
    page.select_option("#set", "crescendo (published)")
    page.select_option("#grader", "new labels: deepseek-r1:1.5b and people")
    page.select_option("#denominator", "graded")
    assert "65.0% [43.3, 81.9], 13 of 20" in page.text_content("#said")
    page.select_option("#denominator", "adversarial")
    assert "72.2% [49.1, 87.5], 13 of 18" in page.text_content("#said")
    assert "72.2 (13/18)" in page.text_content("#rates")
    assert "BENIGN QUERY: 2" in page.text_content("#mix-list")
    page.select_option("#set", "collected")
    page.select_option("#grader", "smollm2-135m")
    page.select_option("#denominator", "graded")
    assert "a rejected grader would have reported" in page.text_content("#said")
    assert page.locator("#rates .row").count() == 6
    page.locator("#rates .row").first.press("Enter")
    assert page.locator("#intent").input_value() == "constraint_erosion"
    assert "of 20." in page.text_content("#said")


def test_labels_that_do_not_decide_a_tier_say_so(page) -> None:
    page.select_option("#set", "collected")
    page.select_option("#grader", "known labels")
    page.select_option("#tier", "broad")
    assert "do not decide" in page.text_content("#said")


def test_a_question_shows_what_it_asks_about(page) -> None:
    page.locator("details.q").first.locator("summary").click()
    page.locator("details.q button").first.click()
    assert "13 of 18" in page.text_content("#said")


def test_its_wilson_interval_and_its_report_are_ours(page) -> None:
    for k, n in ((0, 20), (13, 20), (20, 20), (3, 20), (500, 2000), (0, 0)):
        got, want = page.evaluate("([k, n]) => wilson(k, n)", [k, n]), wilson(k, n)
        assert (got["low"], got["high"]) == pytest.approx((want.low, want.high), abs=1e-12)
    got = page.evaluate("() => reported(0.2, 0.9, 0.7)")
    assert got == pytest.approx(apparent_rate(0.2, sensitivity=0.9, specificity=0.7))
    page.locator("#se").fill("0.3")
    assert "not identifiable" in page.text_content("#simulated")


def test_it_fits_a_phone(page) -> None:
    page.set_viewport_size({"width": 375, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
