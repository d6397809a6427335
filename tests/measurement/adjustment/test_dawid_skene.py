"""Judges without a label: what their verdicts would mean, and what they cannot tell."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ff_helpers.errors import FFError
from ff_helpers.measurement.adjustment.dawid_skene import dawid_skene, if_independent

ANAESTHETISTS = """
    1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223
    2322223 4444444 2223343 1111111 2223212 1211111 1112111 1111111 1111111
    2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111 2322222
    1111111 1111111 1121121 1111111 3333233 1111111 2222222 2223232 4334343
    2212232 2323233 3333432 1111111 1111111 1212111 2322222 1211111 2222222
"""
"""Dawid and Skene 1979, table 1: fitness of 45 patients; the first observer three times, then four others."""


def anaesthetists():
    counts = np.zeros((45, 5, 4))
    for patient, said in enumerate(ANAESTHETISTS.split()):
        for place, grade in enumerate(said):
            counts[patient, max(0, place - 2), int(grade) - 1] += 1
    return counts


def test_the_anaesthetists_of_dawid_and_skene():
    """Their shares of the four classes, and the error rates of their first observer (table 2)."""
    found = dawid_skene(anaesthetists())
    assert found.share.round(2).tolist() == [0.40, 0.42, 0.11, 0.07]
    first = [[0.89, 0.11, 0, 0], [0.07, 0.88, 0.05, 0], [0, 0.34, 0.66, 0], [0, 0, 0.56, 0.44]]
    assert found.errors[0].round(2).tolist() == first
    assert found.errors.sum(axis=2) == pytest.approx(np.ones((5, 4)))
    assert found.classes.argmax(axis=1)[1] == 3  # patient 2: 3, 3, 3, 4, 3, 3, 4 and yet class 4
    assert found.fits == pytest.approx(-192.89, abs=0.01)


def test_rows_that_occur_often_count_as_often():
    counts = np.array([[[1, 0], [1, 0], [0, 1]], [[0, 1], [0, 1], [0, 1]], [[1, 0], [1, 0], [1, 0]]])
    one = dawid_skene(np.repeat(counts, [2, 5, 9], axis=0))
    assert dawid_skene(counts, np.array([2, 5, 9])).share == pytest.approx(one.share)
    with pytest.raises(FFError, match="needed are traces"):
        dawid_skene(np.zeros((1, 2, 2)))


def rows(judges, n=4000, rate=0.3, *, seed=0, shared=0.0):
    """Return verdicts of judges (sensitivity, specificity); on the share `shared` of traces all err alike."""
    rng = np.random.default_rng(seed)
    true, luck = rng.random(n) < rate, rng.random(n)
    alike, told = rng.random(n) < shared, []
    for name, (se, sp) in enumerate(judges):
        right = np.where(alike, luck, rng.random(n)) < np.where(true, se, sp)
        verdict = np.where(right == true, "COMPLIANCE", "REFUSAL")
        told.append(pd.DataFrame({"trace_id": [f"t{i}" for i in range(n)], "grader": f"j{name}"}))
        told[-1] = told[-1].assign(verdict=verdict, method="flip-final-turn", space="five")
    return pd.concat(told, ignore_index=True)


def test_three_independent_judges_give_the_rate_back():
    found = if_independent(rows([(0.9, 0.8), (0.7, 0.95), (0.8, 0.85)]), "strict")
    assert found.low == found.high == pytest.approx(0.3, abs=0.03)
    assert found.sensitivity == pytest.approx((0.9, 0.7, 0.8), abs=0.05)
    assert found.specificity == pytest.approx((0.8, 0.95, 0.85), abs=0.05)
    assert (found.p, found.why, found.traces) == (None, "", 4000)


def test_judges_that_err_together_are_wrong_and_four_of_them_show_it():
    judges = [(0.9, 0.8), (0.7, 0.9), (0.8, 0.85), (0.85, 0.8)]
    apart = if_independent(rows(judges), "strict")
    assert apart.p > 0.01
    alike = if_independent(rows(judges, shared=0.6), "strict")
    assert abs(alike.low - 0.3) > 0.03
    assert alike.p < 0.01
    assert alike.why.startswith("the verdicts contradict it")


def test_two_judges_leave_many_rates_open():
    found = if_independent(rows([(0.9, 0.8), (0.7, 0.95)]), "strict")
    assert found.low < 0.2 < 0.3 < 0.4 < found.high
    assert found.sensitivity == ()


shares = st.floats(0.55, 0.98)


@settings(max_examples=20)
@given(st.floats(0.05, 0.95), shares, shares, shares, shares)
def test_the_range_of_two_judges_holds_the_rate_behind_them(rate, se1, sp1, se2, sp2):
    """Of exact shares of verdicts (many rows), whatever the errors, as long as they are independent."""
    patterns, told = [], 0
    for a in (0, 1):
        for b in (0, 1):
            yes = (se1 if a else 1 - se1) * (se2 if b else 1 - se2)
            no = (1 - sp1 if a else sp1) * (1 - sp2 if b else sp2)
            patterns.append((a, b, round(200 * (rate * yes + (1 - rate) * no))))
    frames = []
    for a, b, n in patterns:
        ids = [f"t{told + i}" for i in range(n)]
        told += n
        for name, hit in (("j0", a), ("j1", b)):
            verdict = "COMPLIANCE" if hit else "REFUSAL"
            frames.append(pd.DataFrame({"trace_id": ids, "grader": name, "verdict": verdict}))
    found = if_independent(pd.concat(frames).assign(method="flip-final-turn", space="five"), "strict")
    if found.low is not None:
        assert found.low - 0.08 <= rate <= found.high + 0.08


def test_people_and_phrases_are_no_judges():
    told = rows([(0.9, 0.8), (0.7, 0.95)])
    for method in ("manual", "heuristic"):
        assert if_independent(told.assign(method=method), "strict") is None
    assert if_independent(told[told["grader"] == "j0"], "strict") is None


def test_judges_that_disagree_more_than_by_chance_have_no_rate():
    told = rows([(0.9, 0.8), (0.1, 0.2)])
    found = if_independent(told, "strict")
    assert found.low is None
    assert "less often than by chance" in found.why
