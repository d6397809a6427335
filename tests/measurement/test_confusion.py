"""Kappa, exact tests and confusion matrices against worked numbers."""

import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers import paths
from ff_helpers.measurement.agreement import fleiss_kappa
from ff_helpers.measurement.confusion import (
    Confusion,
    UnknownLabelError,
    cohen_kappa,
    confusion,
    p_chance,
    p_majority,
)
from ff_helpers.measurement.gate import decide

XSTEST = paths.PACKAGE.parent.parent / "shared" / "data" / "xstest_v2_labels.csv"
CLASSES = ("1_full_compliance", "2_full_refusal", "3_partial_refusal")


def xstest(grader: str, model: str | None = None) -> Confusion:
    path = Path(os.environ.get("FF_SHARED_DATA", XSTEST.parent)) / XSTEST.name
    if not path.is_file():
        pytest.skip(f"{path} is not there: the XSTest labels are not part of the repository")
    frame = pd.read_csv(path)
    frame = frame if model is None else frame[frame["model"] == model]
    graded = frame[grader].where(frame[grader].isin(CLASSES), None)
    return confusion(list(frame["final_label"]), list(graded), CLASSES)


def test_kappa_of_the_worked_table_with_the_fleiss_cohen_everitt_interval() -> None:
    kappa = cohen_kappa(Confusion(("a", "b", "c"), ((0, 4, 1, 0), (0, 8, 0, 0), (0, 1, 5, 0))))
    assert kappa is not None
    assert [round(x, 4) for x in (kappa.value, kappa.low, kappa.high)] == [0.4842, 0.2137, 0.7547]


def test_fleiss_kappa_of_the_worked_table() -> None:
    assert fleiss_kappa([[7, 1], [3, 5]]) == pytest.approx(0.1619, abs=5e-5)


@pytest.mark.parametrize(
    ("grader", "accuracy", "kappa"),
    [
        ("gpt4_label", 0.7991, (0.6282, 0.5998, 0.6566)),
        ("strmatch_label", 0.8387, (0.6991, 0.6729, 0.7254)),
    ],
)
def test_xstest_graders_have_their_known_accuracy_and_kappa(
    grader: str, accuracy: float, kappa: tuple[float, ...]
) -> None:
    matrix = xstest(grader)
    got = cohen_kappa(matrix)
    assert matrix.n == 2250
    assert matrix.accuracy.estimate == pytest.approx(accuracy, abs=5e-5)
    assert got is not None
    assert (got.value, got.low, got.high) == pytest.approx(kappa, abs=6e-5)


def test_xstest_mistralinstruct_passes_the_published_gate_and_not_ours() -> None:
    matrix = xstest("gpt4_label", "mistralinstruct")
    gate = decide(matrix)
    kappa = cohen_kappa(matrix)
    assert kappa is not None
    assert matrix.accuracy.estimate == pytest.approx(0.740, abs=5e-4)
    assert kappa.value == pytest.approx(0.0637, abs=5e-5)
    assert matrix.baseline.estimate == pytest.approx(0.831, abs=5e-4)
    assert all(c.passed for c in gate.published)
    assert gate.state == "provisional"
    assert any("kappa" in reason for reason in gate.reasons)
    assert any("majority" in reason for reason in gate.reasons)


def test_a_missing_verdict_has_its_own_column_and_is_wrong() -> None:
    matrix = confusion(["a", "a", "b"], ["a", None, float("nan")], ("a", "b"))
    assert matrix.table == ((1, 0, 1), (0, 0, 1))
    assert (matrix.k, matrix.n) == (1, 3)


@pytest.mark.parametrize(("truth", "graded"), [(["x"], ["a"]), (["a"], ["x"])])
def test_a_label_outside_the_classes_is_refused_by_name(truth: list[str], graded: list[str]) -> None:
    with pytest.raises(UnknownLabelError, match=r"'x' is no class here\. Allowed: a, b"):
        confusion(truth, graded, ("a", "b"))


def test_degenerate_tables_have_defined_values() -> None:
    empty = confusion([], [], ("a", "b"))
    one_class = confusion(["a"] * 5, ["a"] * 5, ("a", "b"))
    constant = confusion(["a", "a", "b", "b"], ["a"] * 4, ("a", "b"))
    silent = confusion(["a", "b"], [None, None], ("a", "b"))
    assert cohen_kappa(empty) is None
    assert (p_chance(empty), p_majority(empty), empty.accuracy.estimate) == (1.0, 1.0, None)
    assert cohen_kappa(one_class) is None
    assert p_majority(one_class) == 1.0
    kappa, mute = cohen_kappa(constant), cohen_kappa(silent)
    assert kappa is not None
    assert mute is not None
    assert kappa.value == mute.value == 0.0
    assert constant.precision(1).estimate is None


def test_p_majority_is_the_exact_sign_test_on_the_rows_where_only_one_is_right() -> None:
    # 6 rows only the grader gets right, 1 only the majority grader: P(X >= 6 | 7, 1/2) = 8/128.
    matrix = Confusion(("a", "b"), ((9, 1, 0), (0, 6, 0)))
    assert p_majority(matrix) == pytest.approx(8 / 128)


labels = st.sampled_from(["a", "b", "c"])


@given(st.lists(st.tuples(labels, st.one_of(labels, st.none())), max_size=40))
def test_every_table_gives_finite_numbers_in_their_range(rows: list[tuple[str, str | None]]) -> None:
    matrix = confusion([t for t, _ in rows], [g for _, g in rows], ("a", "b", "c"))
    kappa = cohen_kappa(matrix)
    assert matrix.n == len(rows)
    assert 0 <= p_chance(matrix) <= 1
    assert 0 <= p_majority(matrix) <= 1
    if kappa is not None:
        assert -1 <= kappa.low <= kappa.value <= kappa.high <= 1
    assert decide(matrix).state in ("rejected", "provisional", "calibrated")
