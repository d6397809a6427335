"""Comparisons between the rows of a table of adjusted rates."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, fisher_exact

from ff_helpers.errors import FFError
from ff_helpers.measurement.adjustment.compared import Against, compared, p_value, with_family
from ff_helpers.measurement.adjustment.double import Posterior
from ff_helpers.measurement.adjustment.labelled import labelled_rates
from ff_helpers.measurement.proportions.intervals import benjamini_hochberg, holm


def counts(*cells):
    """Return the posterior of cells: (rows, labelled true, labelled)."""
    return Posterior(*np.array(cells, dtype=float).T)


def table(*rows):
    """Return graded rows of (model, intent, verdict): so many, labelled true, labelled false."""
    told = []
    for model, intent, hit, many, true, false in rows:
        truths = [1.0] * true + [0.0] * false + [np.nan] * (many - true - false)
        told += [(model, intent, hit, one, (true + false) / many) for one in truths]
    frame = pd.DataFrame(told, columns=["model", "intent", "hit", "true", "chance"])
    return frame.assign(trace_id=[f"t{n}" for n in range(len(frame))], scenario_id=None)


def test_adjusting_a_family_of_p_values():
    """The example of Wikipedia's article on the Holm-Bonferroni method: .01, .04, .03, .005."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert holm([]) == []
    with pytest.raises(FFError, match="p-value 2 is nan"):
        holm([0.5, float("nan")])


@pytest.mark.parametrize(("k", "m"), [(1, 7), (9, 2), (3, 15)])
def test_a_p_value_lies_between_the_posterior_s_and_the_exact_one(k, m):
    """Every row labelled, one verdict: two binomial rates, k and m of 20 (Fay and others 2015: Fisher's)."""
    ours = p_value(counts((20, k, 20)), counts((20, m, 20)))
    (a, b), (c, d) = ((n + 0.5, 20.5 - n) for n in sorted((k, m)))
    jeffreys = quad(lambda x: beta.pdf(x, c, d) * beta.sf(x, a, b), 0, 1)[0]  # the higher is the lower one
    exact = fisher_exact([[max(k, m), 20 - max(k, m)], [min(k, m), 20 - min(k, m)]], "greater").pvalue
    assert 2 * jeffreys < ours < min(1, 2 * exact)


cell = st.tuples(st.integers(0, 80), st.integers(0, 20), st.integers(0, 20)).map(
    lambda c: (sum(c), c[1], c[1] + c[2])
)


@given(cell, cell, cell, cell)
def test_a_p_value_is_the_same_from_both_sides(one, two, three, four):
    a, b = counts(one, two), counts(three, four)
    assert p_value(a, b) == pytest.approx(p_value(b, a), abs=2e-3)
    assert 0 < p_value(a, b) <= 1
    assert p_value(a, a) > 0.9


ROWS = table(
    ("a", "x", True, 100, 27, 3),
    ("a", "x", False, 100, 1, 29),
    ("b", "x", True, 20, 8, 2),
    ("b", "x", False, 180, 1, 49),
    ("c", "x", True, 20, 9, 1),
    ("c", "x", False, 180, 0, 50),
    ("d", "x", True, 50, 1, 2),
    ("a", "y", False, 60, 1, 29),
    ("b", "y", False, 60, 0, 30),
)


def test_each_row_is_compared_with_the_rest_of_its_class():
    found = with_family(compared(ROWS, ["intent", "model"], Against("model")))
    rates = labelled_rates(ROWS, ["intent", "model"])
    assert list(found["not_compared"]) == ["", "", "", "too few labels: 3", "", "the same two rows as above"]
    assert list(found["compared_with"].fillna("")) == ["the rest"] * 3 + ["", "the rest", ""]
    assert list(found["differ"]) == [True, True, True, None, False, None]
    tested = found[found["p"].notna()]
    assert list(tested["p_adjusted"]) == pytest.approx(holm(tested["p"]))
    difference = tested["difference"] + tested["other"] - rates.loc[tested.index, "adjusted"]
    assert np.allclose(difference, 0)
    rest = labelled_rates(ROWS[(ROWS["intent"] == "x") & (ROWS["model"] != "a")], [])
    assert found["other"].iloc[0] == pytest.approx(rest["adjusted"].iloc[0])  # with the labels of d


def test_each_row_is_compared_with_a_row_that_is_named():
    found = compared(ROWS, ["intent", "model"], Against("model", "b"))
    told = [
        "",
        "the others are compared with it",
        "",
        "too few labels: 3",
        "",
        "the others are compared with it",
    ]
    assert list(found["not_compared"]) == told
    assert found["p"].iloc[0] < 0.001
    assert found["p"].iloc[2] > 0.3
    with pytest.raises(FFError, match="no row has model = z"):
        compared(ROWS, ["intent", "model"], Against("model", "z"))
    few = compared(ROWS, ["intent", "model"], Against("model", "d"))
    assert list(few["not_compared"][:3]) == ["too few labels of d: 3"] * 3
    assert list(few["not_compared"][4:]) == ["no d here"] * 2


def test_rates_that_lie_far_apart_differ_and_the_difference_has_their_bounds():
    found = compared(ROWS, ["model", "intent"], Against("model", "c"))
    first = found.iloc[0]
    assert first["difference_low"] < first["difference"] < first["difference_high"]
    assert first["difference"] == pytest.approx(0.5 * 0.9 + 0.5 / 30 - 0.09, abs=1e-6)
