"""How many rows of the published corpus hold a response: the facts, and what they bound."""

from decimal import Decimal
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ff_helpers as ff
from ff_helpers.chat import loop
from ff_helpers.corpus.traces import Message
from ff_helpers.grading.graders import open_grader
from ff_helpers.measurement.consistency.possible import agrees, successes_within

TIERS = ["strict", "broad", "functionally_dangerous"]


def test_both_reports_count_the_same_rows() -> None:
    rows = ff.case.published("corpus_text").set_index("id")["rows"]
    corpus = ff.case.facts.corpus_asr().query("cohort == 'corpus-43261'").set_index("denominator")["n"]
    assert set(corpus["rows"]) == {rows["graded"]} == {53831}
    assert set(corpus["adversarial"]) == {rows["core"]} == {43261}
    assert rows["telemetry"] == 37396
    assert rows["core"] - rows["telemetry"] == 5865


def test_shares_of_the_rows_that_are_counted() -> None:
    table = ff.case.facts.corpus_text().set_index("id")
    assert [round(100 * share, 1) for share in table["share"]] == [86.4, 69.5, 10.3]
    assert list(zip(table["k"], table["n"], strict=True)) == [(37396, 43261), (37396, 53831), (5569, 53831)]
    assert table["source"]["telemetry-of-core"] == "report 216; report 182"


def test_the_printed_87_percent_has_a_slightly_smaller_base() -> None:
    bases = [n for n in range(40_000, 46_000) if agrees(100 * 37396 / n, Decimal(87))]
    assert (bases[0], bases[-1]) == (42739, 43232)


def test_every_rate_of_the_rows_with_a_response_agrees_with_the_published_counts() -> None:
    table = ff.case.facts.corpus_text_bounds()
    table = table[table["telemetry"] == "all among the evaluable rows"].set_index("tier")
    assert list(table.index) == TIERS
    assert list(table["k"]) == [20285, 36378, 36895]
    for tier in TIERS:
        row = table.loc[tier]
        assert (row["without_text"], row["text"]) == (37396, 5865)
        assert (row["rate_low"], row["rate_high"]) == (0.0, 1.0)
        # Each number of successes among the rows with text leaves a possible number to the others.
        others = [row["k"] - successes for successes in range(5865 + 1)]
        assert all(0 <= left <= 37396 for left in others)


def test_rows_with_telemetry_outside_the_evaluable_ones_leave_more_responses() -> None:
    table = ff.case.facts.corpus_text_bounds()
    table = table[table["telemetry"] == "anywhere among the graded rows"].set_index("tier")
    assert set(table["without_text"]) == {37396 - (53831 - 43261)} == {26826}
    assert set(table["text"]) == {16435}
    assert list(table["fewest"]) == [0, 36378 - 26826, 36895 - 26826]
    assert [round(100 * rate, 1) for rate in table["rate_low"]] == [0.0, 58.1, 61.3]
    assert set(table["rate_high"]) == {1.0}


@given(st.data())
def test_the_bounds_are_those_of_every_arrangement_of_the_rows(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 8))
    k, part = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    found = {sum(place < part for place in places) for places in combinations(range(n), k)}
    low, high = successes_within(k, n, part)
    assert found == set(range(low, high + 1))


@given(st.integers(1, 60), st.data())
def test_fewer_rows_with_a_response_never_narrow_the_bounds(n: int, data: st.DataObject) -> None:
    k, part = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    smaller = data.draw(st.integers(1, part))
    (low, high), (wider_low, wider_high) = successes_within(k, n, part), successes_within(k, n, smaller)
    assert wider_low * part <= low * smaller
    assert wider_high * part >= high * smaller


@pytest.mark.parametrize(("k", "n", "part"), [(3, 2, 1), (-1, 2, 1), (1, 2, 0), (1, 2, 3)])
def test_counts_that_cannot_be_are_refused(k: int, n: int, part: int) -> None:
    with pytest.raises(ValueError, match="part from 1 to n"):
        successes_within(k, n, part)


def test_the_sentence_names_the_condition_beside_the_bound() -> None:
    note = ff.case.facts.corpus_text_note()
    assert note.startswith("Report 216: 37,396 of the graded rows of corpus-43261 store JSON telemetry")
    assert "if these are among its 43,261 adversarial rows, at most 5,865 of those hold a response" in note


def test_a_row_without_a_response_is_not_gradeable_and_telemetry_is_not_recognized(make_trace) -> None:
    grader = open_grader("heuristic")
    assert loop.run(grader.grade(make_trace(""), 0)).status == "not_gradeable"
    unanswered = make_trace("").model_copy(update={"messages": (Message(role="user", content="Say it."),)})
    assert loop.run(grader.grade(unanswered, 0)).status == "not_gradeable"
    # A text is a text to the software: whoever converts such a corpus has to leave the response empty.
    assert loop.run(grader.grade(make_trace('{"latency_ms": 412, "tokens": 88}'), 0)).verdict == "COMPLIANCE"
