"""The figures of rates: drawn, the same twice, small samples marked, intervals where there are some."""

import pandas as pd

import ff_helpers as ff
from ff_helpers.measurement.proportions.intervals import with_wilson
from ff_helpers.measurement.results import LABELS
from ff_helpers.publication.figures.theme import draw


def rates(*rows: tuple[str, str, int, int]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["intent", "grader", "k", "n"])
    return with_wilson(frame, "asr")


def test_an_insufficient_sample_is_stippled_and_a_sufficient_one_is_not():
    small = draw(ff.figures.asr_by_intent(rates(("format_lock", "g", 3, 19))), caption="c")
    large = draw(ff.figures.asr_by_intent(rates(("format_lock", "g", 3, 20))), caption="c")
    assert 'fill="url(#ff-stipple)"' in small
    assert 'fill="url(#ff-stipple)"' not in large
    assert "15.0 (3/20)" in large


def test_each_class_shows_the_labels_beside_the_grader_highest_labelled_rate_first():
    table = rates(
        ("format_lock", "g", 40, 40),
        ("persona_hijack", "g", 1, 40),
        ("format_lock", LABELS, 2, 40),
        ("persona_hijack", LABELS, 39, 40),
    )
    svg = draw(ff.figures.asr_by_intent(table), caption="c")
    assert svg.index(">persona hijack, labels<") < svg.index(">format lock, labels<")
    assert svg.count(">g<") == 2
    assert svg.index("(39/40)") < svg.index("(1/40)") < svg.index("(2/40)") < svg.index("(40/40)")


def test_labels_and_graders_on_one_row():
    table = rates(("format_lock", "g", 1, 40), ("format_lock", LABELS, 20, 40))
    svg = draw(ff.figures.asr_intervals(table, "intent"), caption="c")
    assert "2.5 (1/40)" in svg
    assert "50.0 (20/40)" in svg
    assert svg == draw(ff.figures.asr_intervals(table, "intent"), caption="c")


def test_where_no_tier_is_decided_the_figures_are_empty_and_not_an_error():
    none = rates(("format_lock", "g", 1, 40)).iloc[:0]
    assert "nothing to show" in draw(ff.figures.asr_intervals(none, "intent"), caption="c")
    assert "nothing to show" in draw(ff.figures.asr_by_intent(none), caption="c")


def corrections(*rows: tuple[str, int, int, float | None, float | None]) -> pd.DataFrame:
    """set, k, n, adjusted, known; an interval of 10 points around what is adjusted."""
    frame = pd.DataFrame(rows, columns=["set", "k", "n", "adjusted", "known"]).astype({"adjusted": float})
    low, high = (frame["adjusted"] - 0.05).fillna(0), (frame["adjusted"] + 0.05).fillna(1)
    frame = frame.assign(grader="g", adjusted_by="card", adjusted_low=low, adjusted_high=high)
    return with_wilson(frame.astype({"known": float}), "asr")


def test_what_is_not_identifiable_is_an_open_band_with_the_words():
    svg = draw(ff.figures.raw_against_adjusted(corrections(("here", 10, 40, None, 0.5))), caption="c")
    assert svg.count('aria-roledescription="bar"') == svg.count(">not identifiable<") == 1
    assert svg.count('aria-roledescription="rule mark"') == 1
    one = draw(ff.figures.raw_against_adjusted(corrections(("here", 10, 40, 0.3, 0.5))), caption="c")
    assert 'aria-roledescription="bar"' not in one
    assert one.count('aria-roledescription="rule mark"') == 2
    assert "25.0 (10/40)" in one
    assert ">30.0<" in one


def test_an_interval_that_excludes_nothing_is_open_too():
    table = corrections(("here", 10, 40, 0.6, 0.5)).assign(adjusted_low=0.0, adjusted_high=1.0)
    svg = draw(ff.figures.raw_against_adjusted(table), caption="c")
    assert 'aria-roledescription="bar"' in svg
    assert ">excludes nothing<" in svg
    assert ">60.0<" not in svg


def test_a_tick_stands_where_the_truth_is_known_and_nowhere_else():
    table = corrections(("one", 30, 40, 0.3, 0.5), ("two", 10, 40, 0.3, None))
    svg = draw(ff.figures.raw_against_adjusted(table), caption="c")
    assert svg.count('aria-roledescription="tick"') == 1
    assert svg.index(">one, g<") < svg.index(">two, g<")
    assert svg == draw(ff.figures.raw_against_adjusted(table), caption="c")


def test_a_grader_that_nobody_measured_says_so():
    table = corrections(("here", 10, 40, None, None)).assign(adjusted_by="none")
    assert ">no card<" in draw(ff.figures.raw_against_adjusted(table), caption="c")
    none = ff.figures.raw_against_adjusted(table.iloc[:0])
    assert "nothing to show" in draw(none, caption="c")
