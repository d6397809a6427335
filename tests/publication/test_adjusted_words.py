"""Raw and adjusted rates in words: each with what is assumed for it."""

import pandas as pd

from ff_helpers.publication.lessons import adjusted_lesson

ROW = {
    "set": "here", "tier": "functionally_dangerous", "grader": "g", "gate": "rejected", "k": 41, "n": 100,
    "adjusted_by": "card", "card_set": "there", "note": "", "warning": "", "labels_judgement": 0,
    "errors": "18 of 20 successes found, 16 of 20 failures cleared",
    "adjusted": 0.3, "adjusted_low": 0.1, "adjusted_high": 0.5,
    "known": float("nan"), "carries_over": "not checked", "assumptions": "It errs here as there",
}  # fmt: skip


def words(**changed: object) -> str:
    return adjusted_lesson(pd.DataFrame([ROW | changed])).text


def test_an_adjusted_figure_stands_beside_the_raw_one_with_its_card_and_assumption():
    text = words()
    assert "functionally dangerous: **g** (rejected) reports 41.0% [31.9, 50.8] (41 of 100)." in text
    assert "With its errors on `there`, 18 of 20 successes found, 16 of 20 failures cleared: 30.0%" in text
    assert "[10.0, 50.0]" in text
    assert text.endswith("**What is assumed.** It errs here as there.")


def test_what_is_not_identifiable_is_no_number():
    text = words(adjusted=float("nan"), adjusted_low=0.0, adjusted_high=1.0, note="not identifiable: a coin")
    assert "not identifiable: a coin: it may be anything from 0.0% to 100.0%." in text
    assert "excludes nothing" in words(adjusted_low=0.0, adjusted_high=1.0)


def test_a_bracket_says_what_it_holds_for():
    text = words(adjusted=float("nan"), adjusted_low=0.2, adjusted_high=0.4)
    assert "between 20.0% and 40.0% if it errs here as on one of them" in text


def test_a_grader_that_nobody_measured_and_labels_that_are_not_used_are_said():
    text = words(adjusted_by="none", card_set="none", errors="", adjusted=float("nan"), labels_judgement=7)
    assert "It was not measured for this tier" in text
    assert "7 labels picked by judgement are not used." in text


def test_a_check_says_whether_the_card_carries_over():
    assert "The labels say 20.0%; the interval contains it." in words(known=0.2, carries_over="yes")
    assert "The labels say 60.0%; the interval **misses** it." in words(known=0.6, carries_over="no")
    assert "Warning: close to a coin." in words(warning="close to a coin")


def test_without_a_row_it_says_so():
    assert "No grader" in adjusted_lesson(pd.DataFrame([ROW]).iloc[:0]).text
