"""What the figures show of the published record."""

import re

import pytest

import ff_helpers as ff
from ff_helpers.publication.figures.theme import draw


@pytest.mark.parametrize("denominator", ["rows", "adversarial"])
def test_bracket_of_the_published_graders(denominator):
    table = ff.case.facts.grader_bracket().query(
        "cohort == 'temporal-laundering cohort 3' and tier == 'broad'"
    )
    svg = draw(ff.figures.grader_bracket(table[table["denominator"] == denominator]), caption="c")
    expected = {"rows": ("66/400", "19/400", "7/400"), "adversarial": ("19/42", "66/341", "7/398")}[
        denominator
    ]
    places = [svg.index(f"({counts})") for counts in expected]
    assert places == sorted(places)


def test_printed_aggregates_have_no_interval_to_show():
    svg = draw(ff.figures.crescendo_correction(ff.case.crescendo()), caption="c")
    assert "30.0 (40 rows)" in svg
    assert "65.0 (13/20)" in svg
    # 2 tiers x 3 denominators x 2 sets of labels have an interval; the printed pairs have none.
    assert svg.count('aria-roledescription="rule mark"') == 12


def test_the_forest_shows_published_graders_too_and_says_which_are_relaxed() -> None:
    svg = draw(ff.figures.calibration_forest(ff.case.published_calibration()), caption="c")
    shown = [re.sub(r"<[^>]+>", " ", text) for text in re.findall(r"<text[^>]*>(.*?)</text>", svg)]
    assert sum("(relaxed)" in text for text in shown) == 6
    assert sum("n = 20" in text for text in shown) == 15
