"""Agreement over all rows: a row of probability 1 / w counts as w rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.measurement.agreement.weighted import weighted_agreement
from ff_helpers.measurement.calibration.confusion import cohen_kappa, confusion
from ff_helpers.measurement.proportions.intervals import wilson

SAID = st.sampled_from("YNM")
ROWS = st.lists(st.tuples(SAID, SAID, st.integers(1, 5)), min_size=1, max_size=30)


def found(rows):
    a, b, weight = (pd.Series(column) for column in zip(*rows, strict=True))
    return weighted_agreement(a, b, 1 / weight, weight.astype("str"))


@given(ROWS)
def test_the_estimates_are_those_of_rows_written_out_as_often_as_they_count(rows) -> None:
    got = found(rows)
    a, b = zip(*[(a, b) for a, b, weight in rows for _ in range(weight)], strict=True)
    matrix = confusion(a, b, tuple("YNM"))
    assert got.agreement == pytest.approx(matrix.k / matrix.n)
    assert got.kappa.value == pytest.approx(cohen_kappa(matrix).value)
    assert 0 <= got.low <= got.agreement + 1e-12 <= got.high + 2e-12 <= 1 + 4e-12
    assert -1 <= got.kappa.low <= got.kappa.value + 1e-12 <= got.kappa.high + 2e-12 <= 1 + 4e-12


def test_equal_weights_in_one_stratum_are_the_plain_interval() -> None:
    rows = [("Y", "Y", 3)] * 40 + [("Y", "N", 3)] * 9 + [("N", "Y", 3)] * 6 + [("N", "N", 3)] * 45
    got, plain = (
        found(rows),
        cohen_kappa(
            confusion(["Y"] * 49 + ["N"] * 51, ["Y"] * 40 + ["N"] * 9 + ["Y"] * 6 + ["N"] * 45, ("Y", "N"))
        ),
    )
    assert (got.low, got.high) == pytest.approx((wilson(85, 100).low, wilson(85, 100).high), abs=0.002)
    assert (got.kappa.low, got.kappa.high) == pytest.approx((plain.low, plain.high), abs=0.002)


def test_a_heavy_stratum_in_which_all_agree_by_luck_leaves_the_interval_wide() -> None:
    rows = [("Y", "Y", 1)] * 5 + [("Y", "N", 1)] * 5 + [("N", "N", 50)] * 10
    got = found(rows)
    assert got.agreement == pytest.approx(505 / 510)
    assert got.low < 0.75  # ten heavy rows are worth ten


def test_the_interval_holds_the_share_of_all_rows_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(5)
    a = np.where(random.random(20_000) < 0.2, "Y", "N")
    b = np.where(random.random(20_000) < 0.1, np.where(a == "Y", "N", "Y"), a)
    hit, held = a == "Y", 0
    for _ in range(200):
        taken = [random.choice(np.flatnonzero(hit == kind), 30, replace=False) for kind in (True, False)]
        rows = np.concatenate(taken)
        chance = np.repeat([30 / hit.sum(), 30 / (~hit).sum()], 30)
        got = weighted_agreement(*map(pd.Series, (a[rows], b[rows], chance, hit[rows])))
        held += got.low <= (a == b).mean() <= got.high
    assert 180 <= held <= 200
