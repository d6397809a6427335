"""AC1, Fleiss' kappa and Krippendorff's alpha: worked numbers, properties, edges."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ff_helpers.errors import FFError
from ff_helpers.measurement.agreement.panels import (
    fleiss,
    gwet_ac1,
    krippendorff_alpha,
)
from ff_helpers.measurement.calibration.confusion import Confusion, Kappa
from ff_helpers.measurement.proportions.intervals import wilson

DATA_C = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""
"""Krippendorff 2011, section C: a row an observer, a column a unit."""


def units() -> pd.DataFrame:
    rows = [[None if x == "." else int(x) for x in line.split()] for line in DATA_C.split("\n") if line]
    return pd.DataFrame(rows).T


def ac1(*rows: tuple[int, ...]) -> Kappa:
    found = gwet_ac1(Confusion(tuple("abcdef"[: len(rows)]), tuple((*row, 0) for row in rows)))
    assert found is not None
    return found


def test_alpha_of_krippendorffs_data_with_missing_ratings() -> None:
    alpha = krippendorff_alpha(units())
    assert round(alpha.value, 4) == 0.7434
    assert alpha.low < alpha.value < alpha.high <= 1


def test_a_unit_that_one_rated_says_nothing() -> None:
    one = krippendorff_alpha(units())
    assert krippendorff_alpha(units().drop(index=11)) == one  # one rating
    assert krippendorff_alpha(pd.concat([units(), pd.DataFrame([[9, None, None, None]])])) == one


def test_fleiss_of_the_worked_table() -> None:
    found = fleiss([[7, 1], [3, 5]])
    assert found.value == pytest.approx(0.1619, abs=5e-5)
    assert (found.low, found.high) == (-1, 1)
    assert "too few to resample" in found.note


def test_ac1_of_the_worked_table_and_of_the_kappa_paradox() -> None:
    assert round(ac1((13, 0, 0), (0, 20, 7), (0, 4, 56)).value, 4) == 0.8493
    # Feinstein and Cicchetti's two tables of the same agreement, .85, by hand from Gwet's formula.
    assert ac1((80, 10), (5, 5)).value == pytest.approx((0.85 - 0.21875) / (1 - 0.21875))
    assert ac1((40, 9), (6, 45)).value == pytest.approx((0.85 - 0.49875) / (1 - 0.49875))


def test_the_error_of_ac1_is_that_of_the_linearised_estimate() -> None:
    """Gwet's handbook gives the variance as one of per-subject values; both agree but for n - 1."""
    table = np.array([[13, 0, 0], [0, 20, 7], [0, 4, 56]])
    n, value = table.sum(), ac1(*map(tuple, table.tolist()))
    pi = (table.sum(axis=0) + table.sum(axis=1)) / (2 * n)
    chance = (pi * (1 - pi)).sum() / 2
    each = []
    for i, j in np.ndindex(3, 3):
        expected = ((1 - pi[i]) + (1 - pi[j])) / 2 / 2
        one = ((i == j) - chance) / (1 - chance) - 2 * (1 - value.value) * (expected - chance) / (1 - chance)
        each += [one] * int(table[i, j])
    assert (value.high - value.low) / 2 == pytest.approx(1.959964 * np.std(each) / n**0.5, rel=1e-6)


@pytest.mark.parametrize(
    ("found", "value", "note"),
    [
        (lambda: ac1((10, 0), (0, 0)), 1, "Wilson"),
        (lambda: ac1((0, 10), (0, 0)), -1, "Wilson"),
        (lambda: ac1((1, 0), (0, 0)), 1, "Wilson"),
        (lambda: fleiss([]), 0, "nothing is known"),
        (lambda: fleiss([[3, 0]] * 4), 0, "only one class"),
        (lambda: fleiss([[2, 1]]), -0.5, "one unit"),
        (lambda: fleiss([[2, 0]] * 5 + [[0, 2]] * 5), 1, "Wilson"),
        (lambda: fleiss([[1, 1]] * 10), -1, "Wilson"),
        (lambda: krippendorff_alpha(pd.DataFrame({"a": [], "b": []})), 0, "nothing is known"),
        (lambda: krippendorff_alpha(pd.DataFrame([["x", None], [None, "y"]])), 0, "nothing is known"),
    ],
)  # fmt: skip
def test_the_edges_have_a_value_a_width_and_a_reason(found, value: float, note: str) -> None:
    kappa = found()
    assert kappa.value == pytest.approx(value)
    assert -1 <= kappa.low <= kappa.value <= kappa.high <= 1
    assert kappa.low < kappa.high
    assert note in kappa.note
    assert gwet_ac1(Confusion(("a", "b"), ((0, 0, 0), (0, 0, 0)))) is None


def test_perfect_agreement_is_as_wide_as_wilson_allows() -> None:
    # Half of each class: chance agrees on half, and the bound L of the agreement is 2 L - 1 as kappa.
    low = 2 * wilson(10, 10).low - 1
    assert fleiss([[2, 0]] * 5 + [[0, 2]] * 5).low == pytest.approx(1 - (1 - low) * 20 / 19)
    assert krippendorff_alpha(pd.DataFrame({"a": [1, 2] * 5, "b": [1, 2] * 5})).low == pytest.approx(low)


@pytest.mark.parametrize("rows", [[[2, 1], [1, 1]], [[1, 0], [0, 1]], [[3, -1], [1, 1]], [[1.5, 0.5]]])
def test_counts_that_no_panel_gives_are_refused(rows) -> None:
    with pytest.raises(FFError, match="cannot be compared"):
        fleiss(rows)


def test_units_in_clusters_are_resampled_together() -> None:
    rng = np.random.default_rng(1)
    truth = np.repeat(rng.integers(0, 2, 12), 20)
    wrong = np.repeat(rng.random(12) < 0.3, 20)
    frame = pd.DataFrame({"a": truth, "b": np.where(wrong, 1 - truth, truth)})
    clusters = pd.Series(np.repeat([f"s{i}" for i in range(12)], 20))
    alone, together = krippendorff_alpha(frame), krippendorff_alpha(frame, clusters=clusters)
    assert alone.value == pytest.approx(together.value)
    assert together.high - together.low > 2 * (alone.high - alone.low)


ratings = st.lists(
    st.lists(st.sampled_from([1, 2, 3, None]), min_size=3, max_size=3), min_size=1, max_size=30
)


@given(ratings, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_alpha_knows_neither_the_order_of_rows_nor_of_raters(rows, random) -> None:
    frame = pd.DataFrame(rows, dtype=object)
    places, columns = list(range(len(rows))), [0, 1, 2]
    random.shuffle(places)
    random.shuffle(columns)
    one = krippendorff_alpha(frame)
    assert -1 <= one.low <= one.value <= one.high <= 1
    assert krippendorff_alpha(frame.iloc[places][columns]) == one


@given(ratings, st.permutations([1, 2, 3]))
@settings(max_examples=60)
def test_nominal_alpha_and_ac1_know_no_names(rows, names) -> None:
    new = dict(zip([1, 2, 3], names, strict=True)) | {None: None}
    frame = pd.DataFrame(rows, dtype=object)
    other = pd.DataFrame([[new[x] for x in row] for row in rows], dtype=object)
    assert krippendorff_alpha(frame).value == pytest.approx(krippendorff_alpha(other).value)
    table = [[sum(r[0] == a and r[1] == b for r in rows) for b in (1, 2, 3)] for a in (1, 2, 3)]
    if np.sum(table):
        one = ac1(*map(tuple, table))
        moved = [[table[a - 1][b - 1] for b in names] for a in names]
        swapped = [list(column) for column in zip(*table, strict=True)]
        for again in (ac1(*map(tuple, moved)), ac1(*map(tuple, swapped))):
            assert (again.value, again.low, again.high) == pytest.approx((one.value, one.low, one.high))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=2, max_size=30))
def test_alpha_of_two_complete_raters_is_scotts_pi_but_for_the_small_sample_term(pairs) -> None:
    shares = pd.Series([x for pair in pairs for x in pair]).value_counts(normalize=True)
    chance, agree = float((shares**2).sum()), float(np.mean([a == b for a, b in pairs]))
    if len(shares) > 1:
        pi, n = (agree - chance) / (1 - chance), 2 * len(pairs)
        assert krippendorff_alpha(pd.DataFrame(pairs)).value == pytest.approx(pi + (1 - pi) / n)


@given(st.lists(st.lists(st.integers(0, 2), min_size=4, max_size=4), min_size=1, max_size=25))
@settings(max_examples=60)
def test_fleiss_compares_pairs_that_agree_with_chance_wherever_it_is_defined(rows) -> None:
    counts = [[row.count(x) for x in range(3)] for row in rows]
    shares = np.array(counts).sum(axis=0) / (4 * len(rows))
    agree = np.mean([sum(a == b for a, b in combinations(row, 2)) / 6 for row in rows])
    if (shares > 0).sum() > 1:
        chance = float((shares**2).sum())
        kappa = fleiss(counts)
        assert kappa.value == pytest.approx((agree - chance) / (1 - chance))
        assert kappa.low <= kappa.value <= kappa.high
