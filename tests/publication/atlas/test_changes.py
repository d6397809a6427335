"""What changed between two signals, and what is due: the published refresh rule."""

from datetime import timedelta

import pytest

from ff_helpers.publication.atlas.changes import compare_signals, due_rows, refreshed
from tests.publication.atlas.signals import DAY, signals

G = "gemma3:12b"


def due(old, new, days=0):
    return {row.change.model: row for row in due_rows(old, new, as_of=DAY + timedelta(days=days))}


@pytest.mark.parametrize(("k", "is_due"), [(50, False), (55, False), (56, True), (45, False), (44, True)])
def test_a_row_is_due_when_it_moved_by_more_than_five_points(k, is_due):
    (row,) = due(signals(("gpt-5.2", 50, 100, G), as_of=DAY), signals(("gpt-5.2", k, 100, G))).values()
    assert row.due is is_due
    assert row.change.moved is is_due


@pytest.mark.parametrize(("days", "is_due"), [(0, False), (6, False), (7, True), (30, True)])
def test_a_row_is_due_after_seven_days(days, is_due):
    published = signals(("gpt-5.2", 50, 100, G), as_of=DAY)
    (row,) = due(published, signals(("gpt-5.2", 50, 100, G)), days).values()
    assert (row.due, row.age_days) == (is_due, days)


def test_a_grader_that_fell_makes_a_row_due_though_nothing_moved():
    old = signals(("gpt-5.2", 50, 100, G), as_of=DAY)
    fallen = old[0].graders[0].model_copy(update={"gate": "rejected", "standing": "rejected"})
    new = [old[0].model_copy(update={"graders": (fallen,), "as_of": None})]
    (row,) = due(old, new).values()
    assert row.due
    assert "grader gemma3:12b: uncalibrated, measured before, rejected, rejected now" in row.reasons


def test_new_and_gone_rows_are_due_and_a_renamed_one_says_where_it_went():
    old = signals(("mystery-1b", 1, 50, G), ("gpt-5.2", 1, 50, G), as_of=DAY)
    resolved = signals(("gemma3:27b", 1, 50, G))[0]
    new = [
        resolved.model_copy(update={"aliases": ("gemma3:27b", "mystery-1b")}),
        *signals(("gpt-5.2", 1, 50, G)),
    ]
    rows = due(old, new)
    assert rows["mystery-1b"].reasons == ("its names are counted as gemma/gemma@3-27b-it now",)
    assert rows["gemma/gemma@3-27b-it"].reasons == ("new",)
    assert not rows["gpt-5.2"].due


def test_what_changed_is_said():
    old = signals(("gemma3:27b", 9, 19, G), as_of=DAY)
    new = signals(("gemma3:27b", 12, 20, f"{G}|qwen3:1.7b"), ("google/gemma-3-27b-it", 0, 0, G))
    (change,) = compare_signals(old, new)
    assert change.kind == "changed"
    assert change.why[:4] == (
        "47.4% (9 of 19 as exported, unknown) before, 60.0% (12 of 20 as exported, unknown) now",
        "confidence insufficient_sample before, low now",
        "names: + google/gemma-3-27b-it",
        "graders: + qwen3:1.7b",
    )
    assert change.shift == pytest.approx(12 / 20 - 9 / 19, abs=1e-5)


def test_nothing_changed_is_the_same_whatever_the_day():
    (change,) = compare_signals(signals(("gpt-5.2", 5, 10, G), as_of=DAY), signals(("gpt-5.2", 5, 10, G)))
    assert (change.kind, change.why, change.shift) == ("same", (), 0.0)


def test_a_refresh_takes_due_rows_and_keeps_the_others_so_that_slow_drift_adds_up():
    published = signals(("gpt-5.2", 50, 100, G), ("glm-5", 10, 100, G), as_of=DAY)
    # Four points a day: after one the row stays as published, after two it has moved by eight.
    for day, k, shown in ((1, 54, 50), (2, 58, 58)):
        fresh = signals(("gpt-5.2", k, 100, G), ("glm-5", 10, 100, G))
        published_now = refreshed(published, fresh, as_of=DAY + timedelta(days=day))
        counts = {signal.label: signal.asr.k for signal in published_now}
        assert counts["gpt-5.2"] == shown
        assert counts["glm/glm@5-744b-a40b"] == 10
        ages = {signal.label: signal.as_of for signal in published_now}
        assert ages["glm/glm@5-744b-a40b"] == DAY
        assert ages["gpt-5.2"] == (DAY if shown == 50 else None)
