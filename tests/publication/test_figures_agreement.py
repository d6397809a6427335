"""The figures of agreement and of the bracket: what they say in words, marked not by colour alone."""

import re

import pandas as pd

import ff_helpers as ff
from ff_helpers.measurement.agreement.bracket import with_range
from ff_helpers.measurement.proportions.intervals import with_wilson
from ff_helpers.publication.figures.theme import draw


def texts(svg: str) -> list[str]:
    return re.findall(r">([^<>]+)</(?:text|tspan)>", svg)


def pairs() -> pd.DataFrame:
    table = pd.DataFrame(
        {"grader_a": ["a", "a", "b"], "grader_b": ["b", "truth (human labels)", "truth (human labels)"]}
        | {"set": "s", "n": [20, 20, 0], "_k": [10, 1, 0], "kappa": [-0.001, -0.25, None]}
        | {"flagged": [True, False, False]}
    )
    table = with_wilson(table, "disagreement", k="_k")
    return table.assign(agreement=1 - table["disagreement"])


def test_disagreement_names_pairs_with_kappa_also_where_it_is_not_defined() -> None:
    shown = texts(draw(ff.figures.disagreement(pairs()), caption="c"))
    assert any("κ −0.25" in text for text in shown)
    assert any("κ 0.00" in text for text in shown)
    assert any("κ not defined" in text for text in shown)


def test_the_matrix_is_a_lower_triangle_with_numbers_and_marks_in_words() -> None:
    svg = draw(ff.figures.agreement_matrix(pairs()), caption="c")
    shown = texts(svg)
    assert [text for text in shown if text.startswith("! ") and "%" in text] == ["! 50.0%"]
    assert {"95.0%", "no rows", "κ −0.25", "n = 20", "n = 0", "human labels"} <= set(shown)
    assert (shown.count("a"), shown.count("b")) == (2, 1)  # columns truth and a, rows a and b
    assert svg == draw(ff.figures.agreement_matrix(pairs()), caption="c")


def bracket(*rows: tuple[str, str, int, int, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["set", "grader", "k", "n", "gate"])
    return with_range(with_wilson(frame, "asr").assign(tier="strict", denominator="graded"))


def test_the_bracket_labels_its_range_and_tells_rejected_graders() -> None:
    table = bracket(("s", "low", 1, 40, "rejected"), ("s", "high", 20, 40, "calibrated"))
    shown = texts(draw(ff.figures.grader_bracket(table), caption="c"))
    assert "range 2.5 to 50.0" in shown
    assert {"rejected", "calibrated", "50.0 (20/40)", "2.5 (1/40)"} <= set(shown)
    assert shown.index("50.0 (20/40)") < shown.index("2.5 (1/40)")


def test_a_grader_without_rows_and_no_graders_at_all_are_drawn() -> None:
    table = bracket(("s", "a", 0, 0, "rejected"), ("s", "b", 4, 40, "rejected"), ("t", "b", 1, 1, "rejected"))
    shown = texts(draw(ff.figures.grader_bracket(table), caption="c"))
    assert {"no rows", "s, of graded", "t, of graded"} <= set(shown)
    empty = draw(ff.figures.grader_bracket(table.iloc[:0]), caption="c")
    assert "nothing to show" in empty


def test_the_published_bracket() -> None:
    table = ff.case.facts.grader_bracket().query(
        "cohort == 'temporal-laundering cohort 3' and tier == 'broad'"
    )
    shown = texts(draw(ff.figures.grader_bracket(table), caption="c"))
    assert {"range 1.8 to 16.5", "range 1.8 to 45.2", "4.8 (19/400)"} <= set(shown)
