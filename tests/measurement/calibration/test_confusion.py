"""Kappa, exact tests and confusion matrices against worked numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.casestudy.facts import heuristic_agreement
from ff_helpers.casestudy.record import published
from ff_helpers.errors import FFError
from ff_helpers.measurement.calibration.confusion import (
    Confusion,
    cohen_kappa,
    confusion,
    p_chance,
    p_majority,
)
from ff_helpers.measurement.calibration.gate import decide
from ff_helpers.measurement.proportions.intervals import wilson


def table(*rows: tuple[int, ...]) -> Confusion:
    """A table in which every row has a verdict."""
    return Confusion(tuple("abc"[: len(rows)]), tuple((*row, 0) for row in rows))


def test_kappa_of_the_worked_table_with_the_fleiss_cohen_everitt_interval() -> None:
    kappa = cohen_kappa(table((0, 4, 1), (0, 8, 0), (0, 1, 5)))
    assert kappa is not None
    assert [round(x, 4) for x in (kappa.value, kappa.low, kappa.high)] == [0.4842, 0.2137, 0.7547]
    assert kappa.note == ""


def test_kappa_of_the_published_heuristic_table() -> None:
    assert int(published("heuristic_vs_llm_confusion")["count"].sum()) == 3218
    assert heuristic_agreement()["kappa"].iloc[0] == pytest.approx(0.2690, abs=5e-5)


def test_a_missing_verdict_has_its_own_column_and_is_wrong() -> None:
    matrix = confusion(["a", "a", "b"], ["a", None, float("nan")], ("a", "b"))
    assert matrix.table == ((1, 0, 1), (0, 0, 1))
    assert (matrix.k, matrix.n) == (1, 3)


@pytest.mark.parametrize(("truth", "graded"), [(["x"], ["a"]), (["a"], ["x"])])
def test_a_label_outside_the_classes_is_refused_by_name(truth: list[str], graded: list[str]) -> None:
    with pytest.raises(FFError, match=r"'x' is not a class here\. Allowed: a, b"):
        confusion(truth, graded, ("a", "b"))


@pytest.mark.parametrize(
    ("classes", "rows", "says"),
    [
        ((), (), r"its classes are \[\]"),
        (("a", "a"), ((1, 0, 0), (0, 1, 0)), "its classes are"),
        (("a", "b"), ((1, 0), (0, 1)), "2 classes, but rows of"),
        (("a", "b"), ((1, -1, 0), (0, 1, 0)), "the count -1"),
        (("a", "b"), ((1, 0.5, 0), (0, 1, 0)), "the count 0.5"),
    ],
)
def test_what_no_counting_gives_is_no_table(classes, rows, says) -> None:
    with pytest.raises(FFError, match=says):
        Confusion(classes, rows)


def test_kappa_at_the_edges_has_a_value_a_width_and_a_reason() -> None:
    perfect, constant, never = table((10, 0), (0, 10)), table((10, 0), (90, 0)), table((0, 20), (0, 0))
    one_truth, opposite = table((7, 3), (0, 0)), table((0, 50), (50, 0))
    found = [cohen_kappa(matrix) for matrix in (perfect, constant, never, one_truth, opposite)]
    assert [kappa and kappa.value for kappa in found] == [1.0, 0.0, 0.0, 0.0, -1.0]
    notes = [kappa.note if kappa else "" for kappa in found]
    assert all(word in note for word, note in zip(
        ("always agree", "always says the same", "always says the same", "one true class", "never agree"),
        notes, strict=True,
    ))  # fmt: skip
    assert all(kappa and kappa.low < kappa.high for kappa in found)
    # Perfect agreement of 20, half by chance: the bound of the agreement, .8389, is 2 * .8389 - 1 as kappa.
    assert found[0] and found[0].low == pytest.approx(2 * wilson(20, 20).low - 1)
    assert found[2] and found[2].high == pytest.approx(wilson(0, 20).high)


def test_kappa_of_one_word_on_both_sides_says_that_nothing_can_be_measured() -> None:
    kappa = cohen_kappa(table((5, 0), (0, 0)))
    assert kappa is not None
    assert (kappa.value, kappa.low, kappa.high) == (0.0, -1.0, 1.0)
    assert "no kappa can be measured" in kappa.note
    assert cohen_kappa(table((0, 0), (0, 0))) is None


def test_degenerate_tables_have_defined_values() -> None:
    empty = confusion([], [], ("a", "b"))
    silent = cohen_kappa(confusion(["a", "b"], [None, None], ("a", "b")))
    assert (p_chance(empty), p_majority(empty), empty.accuracy.estimate) == (1.0, 1.0, None)
    assert p_majority(table((5, 0), (0, 0))) == 1.0
    assert silent is not None
    assert silent.value == 0.0
    assert table((2, 0), (2, 0)).precision(1).estimate is None


def test_p_majority_is_the_exact_sign_test_on_the_rows_where_only_one_is_right() -> None:
    # 6 rows only the grader gets right, 1 only the majority grader: P(X >= 6 | 7, 1/2) = 8/128.
    assert p_majority(table((9, 1), (0, 6))) == pytest.approx(8 / 128)


labels = st.sampled_from(["a", "b", "c"])
rows = st.lists(st.tuples(labels, st.one_of(labels, st.none())), max_size=40)


def of(pairs: list[tuple[str, str | None]], classes: tuple[str, ...] = ("a", "b", "c")) -> Confusion:
    return confusion([t for t, _ in pairs], [g for _, g in pairs], classes)


@given(rows)
def test_every_table_gives_finite_numbers_in_their_range(pairs: list[tuple[str, str | None]]) -> None:
    matrix = of(pairs)
    kappa = cohen_kappa(matrix)
    assert matrix.n == len(pairs)
    assert 0 <= p_chance(matrix) <= 1
    assert 0 <= p_majority(matrix) <= 1
    assert (kappa is None) == (not pairs)
    if kappa is not None:
        assert -1 <= kappa.low <= kappa.value <= kappa.high <= 1
        assert kappa.low < kappa.high
        accuracy = matrix.accuracy
        assert accuracy.estimate is not None
        assert 0 <= accuracy.low <= accuracy.estimate <= accuracy.high <= 1
    assert decide(matrix).state in ("rejected", "provisional", "calibrated")


@given(rows, st.permutations(["a", "b", "c"]), st.randoms(use_true_random=False))
def test_neither_names_nor_their_order_nor_that_of_rows_matter(pairs, named, random) -> None:
    new = dict(zip("abc", named, strict=True))
    other = [(new[truth], None if graded is None else new[graded]) for truth, graded in pairs]
    random.shuffle(other)
    one, two = of(pairs), of(other, ("c", "a", "b"))
    assert (one.k, one.n, one.baseline, p_chance(one)) == (two.k, two.n, two.baseline, p_chance(two))
    assert p_majority(one) == p_majority(two)
    a, b = cohen_kappa(one), cohen_kappa(two)
    if a is not None and b is not None:
        assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high), abs=1e-9)


@given(rows)
def test_kappa_and_its_error_are_those_of_fleiss_cohen_and_everitt(pairs) -> None:
    """The formulas of their paper (Psychological Bulletin 72:323-327), cell by cell."""
    matrix = of(pairs)
    kappa = cohen_kappa(matrix)
    if kappa is None or kappa.note:
        return
    share = np.array([*matrix.table, [0, 0, 0, 0]], dtype=float) / matrix.n
    rows, columns, cells = share.sum(axis=1), share.sum(axis=0), range(4)
    agree, chance = float(share.diagonal().sum()), float(rows @ columns)
    value = (agree - chance) / (1 - chance)
    on = sum(share[i][i] * (1 - (rows[i] + columns[i]) * (1 - value)) ** 2 for i in cells)
    off = sum(share[i][j] * (columns[i] + rows[j]) ** 2 for i in cells for j in cells if i != j)
    variance = on + (1 - value) ** 2 * off - (value - chance * (1 - value)) ** 2
    half = 1.959963984540054 * (variance / matrix.n) ** 0.5 / (1 - chance)
    expected = (value, max(-1, value - half), min(1, value + half))
    assert (kappa.value, kappa.low, kappa.high) == pytest.approx(expected, abs=1e-7)


def test_two_who_never_agree_are_not_surely_at_kappa_0() -> None:
    # The large-sample error is tiny here, because kappa cannot fall much lower with these margins.
    never = cohen_kappa(Confusion(("a", "b", "c"), ((0, 30, 20, 0), (2, 0, 3, 0), (1, 4, 0, 0))))
    assert never is not None
    assert never.high - never.low > 0.06
    assert never.note.startswith("the grader and the truth never agree")
