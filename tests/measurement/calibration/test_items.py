"""Rows of one item are not independent: n, intervals and gate by item."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.measurement.calibration.confusion import Confusion
from ff_helpers.measurement.calibration.gate import decide
from ff_helpers.measurement.calibration.items import by_item, by_row


def matrix_of(true: list[int], graded: list[int], size: int = 2) -> Confusion:
    counts = np.zeros((size, size + 1), dtype=int)
    np.add.at(counts, (np.array(true), np.array(graded)), 1)
    return Confusion(tuple("abc"[:size]), tuple(tuple(map(int, row)) for row in counts))


def items(true: list[int], graded: list[int], of: list[int]):  # type: ignore[no-untyped-def]
    return by_item(matrix_of(true, graded), np.array(true), np.array(graded), np.array(of))


TRUE = [0] * 20 + [1] * 20
GRADED = [0] * 18 + [1] * 2 + [1] * 17 + [0] * 3


def test_an_item_that_is_graded_three_times_is_one_item() -> None:
    once = items(TRUE, GRADED, list(range(40)))
    thrice = items(TRUE * 3, GRADED * 3, list(range(40)) * 3)
    assert (thrice.n, thrice.truths, thrice.accuracy.k, thrice.accuracy.n) == (40, (20, 20), 105, 120)
    assert thrice.p_majority == once.p_majority
    assert thrice.accuracy.low <= once.accuracy.low
    assert thrice.accuracy.high - thrice.accuracy.low == pytest.approx(
        once.accuracy.high - once.accuracy.low, abs=0.02
    )
    assert thrice.kappa is not None
    assert once.kappa is not None
    assert thrice.kappa.value == pytest.approx(once.kappa.value)
    assert thrice.kappa.low == pytest.approx(once.kappa.low, abs=0.02)
    rows = matrix_of(TRUE * 3, GRADED * 3)
    assert decide(rows).state == "calibrated"
    by_items = decide(rows, evidence=thrice)
    assert by_items.state == "provisional"
    assert "fails our rule: traces 40, needs at least 50" in by_items.reasons


def test_items_of_one_row_each_are_rows() -> None:
    rows, one = by_row(matrix_of(TRUE, GRADED)), items(TRUE, GRADED, list(range(40)))
    assert (one.n, one.truths, one.p_majority) == (rows.n, rows.truths, rows.p_majority)
    assert one.accuracy == rows.accuracy
    assert one.recalls == rows.recalls
    # The linearized variance is that of Fleiss, Cohen and Everitt, with t in place of z.
    assert one.kappa is not None
    assert rows.kappa is not None
    assert one.kappa.low == pytest.approx(rows.kappa.low, abs=0.015)


def test_one_item_says_nothing_about_others() -> None:
    found = items(TRUE, GRADED, [0] * 40)
    assert (found.n, found.accuracy.low, found.accuracy.high) == (1, 0.0, 1.0)
    assert found.kappa is not None
    assert (found.kappa.low, found.kappa.high) == (-1.0, 1.0)


rows = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(0, 7)), min_size=1, max_size=40)


@given(rows)
def test_no_interval_by_item_is_narrower_than_by_row_and_each_holds_its_estimate(drawn) -> None:
    true, graded, of = map(list, zip(*drawn, strict=True))
    found, alone = items(true, graded, of), by_row(matrix_of(true, graded))
    for one, other in zip(
        (found.accuracy, *found.recalls, *found.precisions),
        (alone.accuracy, *alone.recalls, *alone.precisions),
        strict=True,
    ):
        assert (one.k, one.n) == (other.k, other.n)
        assert 0 <= one.low <= (one.estimate or 0) + 1e-12
        assert one.high - one.low >= (other.high - other.low) - 1e-9
    assert found.kappa is not None
    assert alone.kappa is not None
    assert -1 <= found.kappa.low <= found.kappa.value <= found.kappa.high <= 1
    assert found.kappa.high - found.kappa.low >= alone.kappa.high - alone.kappa.low - 1e-9
