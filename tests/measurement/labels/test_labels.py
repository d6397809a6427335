"""The card of two columns of labels, whatever the labels are called."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.corpus.tables import read_table
from ff_helpers.errors import FFError
from ff_helpers.measurement.labels.card import (
    LabelCard,
    card_of_labels,
)
from ff_helpers.measurement.labels.file import read_map, where


def card(pairs: list[tuple[object, object]], **options: object) -> LabelCard:
    frame = pd.DataFrame(pairs, columns=["t", "g"])
    return card_of_labels(frame, truth="t", grader="g", **options)


def test_what_is_no_label_is_wrong_and_shown() -> None:
    found = card([("a", "a"), ("b", "b"), ("a", ""), ("a", "x\x1b" + "y" * 60), ("", "a")])
    assert found.matrix.classes == ("a", "b")
    assert found.matrix.table == ((1, 0, 2), (0, 1, 0))
    assert found.invalid == {"": 1, "x\x1b" + "y" * 38 + "...": 1}
    assert found.no_truth == 1


@pytest.mark.parametrize("nothing", ["nan", "NaN", "NA", "N/A", "<NA>", "None", "null", " ", ""])
def test_words_for_nothing_are_no_label_unless_a_map_names_them(nothing) -> None:
    pairs = [("a", "a"), ("b", nothing), (nothing, "a"), (nothing, nothing)]
    found = card(pairs)
    assert (found.matrix.classes, found.matrix.table) == (("a", "b"), ((1, 0, 0), (0, 0, 1)))
    assert (found.no_truth, found.invalid) == (2, {nothing: 1})
    named = {"a": "a", "b": "b", nothing: "none"}
    assert card(pairs, mapping={"truth": named, "grader": named}).matrix.k == 2


def test_errors_are_left_out_of_both_columns_and_counted() -> None:
    pairs = [("a", "a"), ("b", "Error: 1"), ("[ERROR] x", "a"), ("b", "Error: 2"), ("b", "a")]
    found = card(pairs, errors=("Error: *", "[ERROR]*"))
    assert (found.matrix.table, found.errors) == (((1, 0, 0), (1, 0, 0)), {"Error: *": 2, "[ERROR]*": 1})
    assert found.matrix.n + found.no_truth + sum(found.errors.values()) == len(pairs)


@pytest.mark.parametrize("truth", [("true", "false"), ("True", "False"), ("1", "0"), (True, False), (1, 0)])
@pytest.mark.parametrize("graded", [("true", "false"), ("TRUE", "FALSE"), (1.0, 0.0), (True, False)])
@pytest.mark.parametrize("positive", ["true", "1"])
def test_yes_and_no_are_the_same_however_they_are_spelled(truth, graded, positive) -> None:
    yes, no = graded
    pairs = [(truth[0], yes)] * 6 + [(truth[0], no)] * 2 + [(truth[1], yes)] * 3 + [(truth[1], no)] * 9
    found = card(pairs, positive=positive)
    assert found.matrix.classes == (str(truth[0]), str(truth[1]))
    assert found.invalid == {}
    one = found.positive
    assert one is not None
    assert (one.precision.estimate, one.sensitivity.estimate) == (6 / 9, 6 / 8)
    assert (one.specificity.estimate, one.f1) == (9 / 12, 12 / 17)


def test_one_class_against_several_counts_no_label_as_wrong() -> None:
    found = card([("a", "a"), ("a", "b"), ("b", "c"), ("b", "?"), ("c", "a")], positive="a").positive
    assert found is not None
    assert (found.precision.k, found.precision.n) == (1, 2)
    assert (found.specificity.k, found.specificity.n) == (1, 3)
    assert found.f1 == 0.5


def test_true_alone_still_has_false_beside_it() -> None:
    found = card([("true", "true"), ("true", "false")])
    assert found.matrix.table == ((1, 1, 0), (0, 0, 0))
    assert not next(c for c in found.gate.ours if c.name == "truths of false").passed


def test_a_map_names_the_classes_leaves_truths_out_and_keeps_graded_values_wrong() -> None:
    mapping = {"truth": {"1": "yes", "2": "no", "3": None}, "grader": {"Y": "yes", "N": "no", "?": None}}
    found = card([("1", "Y"), ("2", "Y"), ("3", "Y"), ("", "N"), ("1", "?"), ("2", "new")], mapping=mapping)
    assert found.matrix.classes == ("yes", "no")
    assert found.matrix.table == ((1, 0, 1), (1, 0, 1))
    assert (found.no_truth, found.invalid) == (2, {"?": 1, "new": 1})
    with pytest.raises(
        FFError, match=r"line 2, column 't': the cell, of 1 characters, is not one of the 3 true labels"
    ):
        card([("1", "Y"), ("2", "Y"), ("4", "Y")], mapping=mapping)


def test_two_people_are_compared_where_both_labelled() -> None:
    frame = pd.DataFrame(
        {"t": list("aabba"), "g": list("aaaaa"), "one": ["a", "a", "b", "b", ""], "two": list("aabca")}
    )
    humans = card_of_labels(frame, truth="t", grader="g", annotators=("one", "two")).humans[0]
    assert humans is not None
    assert (humans.agreement.k, humans.agreement.n, humans.left_out) == (3, 4, 1)
    assert humans.kappa is not None
    assert humans.kappa.value == pytest.approx((3 / 4 - 3 / 8) / (1 - 3 / 8))


def test_a_column_is_not_measured_against_itself_or_a_namesake() -> None:
    frame = pd.DataFrame([("1", "1", "0"), ("0", "0", "0")], columns=["human", "judge", "judge"])
    with pytest.raises(FFError, match="the truth and the grader are both column 'human'"):
        card_of_labels(frame, truth="human", grader="human")
    with pytest.raises(FFError, match="the first annotator and the second are both"):
        card_of_labels(frame.iloc[:, :2], truth="human", grader="judge", annotators=("human", "human"))
    for use in (
        lambda: card_of_labels(frame, truth="human", grader="judge"),
        lambda: where(frame, "judge == 1"),
    ):
        with pytest.raises(
            FFError, match=r"columns 2 and 3 are both called 'judge'.* 'judge#1' or 'judge#2'"
        ):
            use()
    assert card_of_labels(frame, truth="human", grader="judge#1").matrix.k == 2
    assert card_of_labels(frame, truth="human", grader="judge#2").matrix.k == 1
    with pytest.raises(FFError, match="no column 'judge#3'"):
        card_of_labels(frame, truth="human", grader="judge#3")
    assert list(where(frame, "human == 1").index) == [0]  # a namesake that nobody asks for does no harm


@pytest.mark.parametrize(
    "table",
    [
        "r1,1,0\nr2,0,0\n",
        "r1,REFUSAL,COMPLIANCE\nr2,REFUSAL,COMPLIANCE\n",
        "Tell me how,I will not,no\nTell me why,I can not,yes\n",
        "a first prompt that goes on for longer than any name does,yes\nanother,no\n",
        "What is it?,yes\nanother,no\n",
        ",a\n1,2\n",
    ],
)
def test_columns_are_listed_only_where_the_first_row_names_them(tmp_path, table) -> None:
    (tmp_path / "l.csv").write_text(table)
    frame, _ = read_table(tmp_path / "l.csv")
    with pytest.raises(FFError, match=r"The table has \d columns, and its first row does not look"):
        card_of_labels(frame, truth="human", grader="judge")


def test_errors_say_what_is_there() -> None:
    with pytest.raises(FFError, match=r"no column 'h'\. Columns: 't', 'g'"):
        card_of_labels(pd.DataFrame({"t": ["a"], "g": ["a"]}), truth="t", grader="h")
    with pytest.raises(FFError, match="none of the 1 rows"):
        card([("", "a")])
    with pytest.raises(FFError, match=r"'c' is not one of the 2 classes"):
        card([("a", "a"), ("b", "b")], positive="c")
    with pytest.raises(FFError, match="300 different values") as text:
        card([(f"a long response {i}", "a") for i in range(300)])
    assert "long response" not in str(text.value)


pairs = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["a", "b", "c", "", "?"])), min_size=1)


@given(pairs, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_and_every_share_holds_its_estimate(rows, random) -> None:
    one = card(list(rows), positive=rows[0][0])
    random.shuffle(rows)
    assert card(rows, positive=one.positive.name if one.positive else None) == one
    assert one.matrix.n == len(rows)
    assert sum(one.invalid.values()) == sum(row[-1] for row in one.matrix.table)
    classes = range(len(one.matrix.classes))
    for share in (one.matrix.accuracy, one.matrix.baseline, *map(one.matrix.recall, classes)):
        assert 0 <= share.low <= (share.estimate or 0) <= share.high <= 1


def test_a_map_is_text_for_both_columns_or_for_each(tmp_path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text("yes: A\n1: B\nnull: null\n~: C\n")
    both = {"yes": "A", "1": "B", "null": None, "~": "C"}
    assert read_map(path) == {"truth": both, "grader": both}
    path.write_text("grader:\n  true: A\n  x:\n")
    assert read_map(path) == {"grader": {"true": "A", "x": None}}
    for wrong in ("", "- a", "a: [b]", "truth: {a: {b: c}}", "a: b: c"):
        path.write_text(wrong)
        with pytest.raises(FFError, match="raw value: class"):
            read_map(path)


ROWS = pd.DataFrame(
    {"model": ["m1", "m1", "m2"], "n": ["1", "", "12"], "safe": ["True", "False", "true"], "a b": ["x"] * 3}
)


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("model == 'm1'", [0, 1]),
        ("n > 2", [2]),
        ("safe", [0, 2]),
        ("not safe and model == 'm1'", [1]),
        ("(model == 'm2') | (n < 2)", [0, 2]),
        ("model in ['m2'] and `a b` == 'x'", [2]),
        ("model.str.endswith('1') and n.isna()", [1]),
        ("model != '`n`' and safe == False", [1]),
    ],
)
def test_a_query_keeps_the_rows_that_it_describes(query, kept) -> None:
    assert list(where(ROWS, query).index) == kept


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("model == ", "it is not a query"),
        ("modle == 'm1'", "there is no column 'modle'. Columns: 'model', 'n'"),
        ("model == 'm9'", "it keeps none of the 3 rows"),
        ("model", "it does not give yes or no for each row"),
        ("n > 'a'", "cannot compare"),
        ("@pd.io.common.os.system('true') == 0", "it is not a query"),
        ("model.to_csv('x') == 1", "it asks for 'to_csv'"),
        ("model.__class__ == 1", "it asks for '__class__'"),
        ("exp(n) > 1", "it calls a function"),
        ("[m for m in model]", "it may hold no listcomp"),
        ("model[0] == 'm1'", "it may hold no subscript"),
        ("n = 3", "it is not a query"),
        ("model == '`' + n.to_csv('x') + '`'", "it may hold no add"),
    ],
)
def test_a_query_can_compare_and_nothing_else(query, says) -> None:
    with pytest.raises(FFError, match=says):
        where(ROWS, query)
