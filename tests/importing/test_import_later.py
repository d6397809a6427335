"""People's labels that come after their traces: they reach the traces, and no truth changes in silence."""

import csv
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ff_helpers.corpus.results.recognise import all_recognised, recognised
from ff_helpers.corpus.traces import Trace, read_traces
from ff_helpers.errors import FFError
from ff_helpers.grading.importing.run import Imported, import_files
from ff_helpers.terms import classes

YES, NO = classes("strict")
Said = tuple[str, str, str]
"""Trace, person, label; "" is no opinion."""


def written(path: Path, rows: Iterable[tuple[str, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def answers(folder: Path, ids: Iterable[str], name: str = "answers.csv") -> Path:
    """A table of answers without labels."""
    rows = [(one, "Tell me the code.", f"Answer {one}.", "m") for one in ids]
    return written(folder / name, [("id", "prompt", "response", "model"), *rows])


def labels(folder: Path, said: Iterable[Said], name: str = "people.csv") -> Path:
    rows = [(*one, "strict") for one in said]
    return written(folder / name, [("trace_id", "annotator", "label", "space"), *rows])


def imported(out: Path, *files: Path, **options: str) -> Imported:
    found = [recognised(path, columns=bool(options)) for path in files]
    return import_files(found, out, options)


def answered(folder: Path, *ids: str) -> Path:
    """A folder with imported answers."""
    named = {"id": "id", "prompt": "prompt", "response": "response", "model": "model"}
    imported(folder / "out", answers(folder, ids), **named)
    return folder / "out"


def traces(out: Path) -> list[Trace]:
    return list(read_traces(out / "traces.jsonl"))


def everything(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_later_labels_become_the_truth_of_traces_that_are_there(tmp_path: Path) -> None:
    out = answered(tmp_path, "a", "b")
    done = imported(out, labels(tmp_path, [("a", "ann", YES), ("b", "ann", NO), ("a", "ben", YES)]))
    assert [(t.truth, t.truth_space, len(t.annotations)) for t in traces(out)] == [
        (YES, "strict", 2),
        (NO, "strict", 1),
    ]
    assert all(t.sampling and t.sampling.kind == "census" for t in traces(out))
    (_, file) = done.account.inputs
    assert (file.rows_in, file.added, file.already, file.later) == (2, 0, 2, 3)
    assert (done.truths, done.account.later_truths, done.account.rows) == (2, 2, 2)
    (agreement,) = done.account.agreement
    assert (agreement.rows, agreement.agree) == (1, 1)
    again = imported(out, tmp_path / "people.csv")
    assert (again.again, again.truths, again.account.later_truths) == (("people.csv",), 0, 2)


def test_of_a_folder_labels_are_read_after_the_traces_that_they_name(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    answers(tmp_path / "in", ["a"], "z.csv")
    labels(tmp_path / "in", [("a", "ann", YES)], "a.csv")
    found, _ = all_recognised([tmp_path / "in"], out=tmp_path / "out", columns=True)
    options = {"id": "id", "prompt": "prompt", "response": "response", "model": "model"}
    assert import_files(found, tmp_path / "out", options).truths == 1


def test_what_is_labelled_in_part_waits_until_the_rest_is(tmp_path: Path) -> None:
    out = answered(tmp_path, "a", "b")
    assert imported(out, labels(tmp_path, [("b", "ann", YES)])).truths == 0
    assert [(t.truth, len(t.annotations)) for t in traces(out)] == [(None, 0), (None, 1)]
    assert imported(out, labels(tmp_path, [("a", "ann", NO)], "more.csv")).truths == 2
    assert [t.truth for t in traces(out)] == [NO, YES]


def test_rows_of_another_file_are_not_waited_for(tmp_path: Path) -> None:
    out = answered(tmp_path, "a")
    imported(out, answers(tmp_path, ["b"], "other.csv"), id="id", prompt="prompt", response="response")
    imported(out, labels(tmp_path, [("a", "ann", YES)]))
    assert [t.truth for t in traces(out)] == [YES, None]


@pytest.mark.parametrize(
    ("head", "options"),
    [
        (("id", "human"), {"id": "id"}),
        (("id", "prompt", "response", "human"), {"id": "id", "prompt": "prompt", "response": "response"}),
    ],
)
def test_a_table_with_a_column_of_a_person_reaches_them_by_id_or_by_text(
    tmp_path: Path, head: tuple[str, ...], options: dict[str, str]
) -> None:
    out = answered(tmp_path, "a", "b")
    cells = {"prompt": "Tell me the code.", "human": YES}
    rows = [tuple((cells | {"id": i, "response": f"Answer {i}."})[name] for name in head) for i in "ab"]
    done = imported(out, written(tmp_path / "h.csv", [head, *rows]), human="human", space="strict", **options)
    assert (done.new[0].already, done.truths) == (2, 2)
    assert [t.truth for t in traces(out)] == [YES, YES]


def test_a_label_studio_export_reaches_them_by_the_id_in_its_data(tmp_path: Path) -> None:
    out = answered(tmp_path, "a", "b")
    tasks = [
        {
            "id": number,
            "data": {"trace_id": one, "text": "shown to the annotator"},
            "annotations": [
                {
                    "id": 1,
                    "completed_by": {"id": 5, "email": "ann@hotel.example"},
                    "result": [{"from_name": "v", "type": "choices", "value": {"choices": ["yes"]}}],
                }
            ],
        }
        for number, one in enumerate("ab", start=100)
    ]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    (tmp_path / "map.yaml").write_text(f"yes: {YES}\n")
    options = {"id": "trace_id", "map": str(tmp_path / "map.yaml"), "space": "strict"}
    assert imported(out, tmp_path / "export.json", **options).truths == 2
    assert [(t.truth, t.annotations[0].annotator) for t in traces(out)] == [(YES, "5"), (YES, "5")]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ([("a", "ann", NO)], "row 1: label: ann gave another one"),
        ([("b", "ben", YES), ("a", "ben", NO)], f"row 2: label: {YES} is the truth of trace a"),
        ([("c", "ben", YES)], "row 1: trace_id: .*out holds no trace c"),
        ([("a", "ben", "maybe so")], f"row 1: label: must be one of {YES}, {NO}"),
        ([("", "ben", YES)], "row 1: trace_id: it is empty"),
    ],
)
def test_what_contradicts_is_named_and_nothing_is_written(
    tmp_path: Path, said: list[Said], problem: str
) -> None:
    out = answered(tmp_path, "a", "b")
    imported(out, labels(tmp_path, [("a", "ann", YES), ("b", "ann", YES)]))
    before = everything(out)
    with pytest.raises(FFError, match=f"^{re.escape(str(tmp_path))}/later.csv: {problem}") as error:
        imported(out, labels(tmp_path, said, "later.csv"))
    assert "maybe" not in str(error.value)
    assert everything(out) == before


def test_a_third_person_who_differs_leaves_the_majority_as_it_is(tmp_path: Path) -> None:
    out = answered(tmp_path, "a")
    imported(out, labels(tmp_path, [("a", "ann", YES), ("a", "ben", YES)]))
    done = imported(out, labels(tmp_path, [("a", "cleo", NO)], "later.csv"))
    (trace,) = traces(out)
    assert (trace.truth, len(trace.annotations), done.new[0].later) == (YES, 3, 1)
    (agreement,) = done.account.agreement
    assert (agreement.rows, agreement.agree, agreement.no_majority) == (1, 0, 0)


def test_an_id_that_two_files_use_does_not_say_which_trace_is_meant(tmp_path: Path) -> None:
    out = answered(tmp_path, "a")
    other = written(tmp_path / "o.csv", [("id", "response", "model"), ("a", "Another answer.", "n")])
    imported(out, other, id="id", response="response", model="model")
    with pytest.raises(FFError, match=r"h.csv: line 2: trace_id: several traces of the folder have this id"):
        table = written(tmp_path / "h.csv", [("id", "human"), ("a", YES)])
        imported(out, table, id="id", human="human", space="strict")


@settings(max_examples=12)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.sampled_from([YES, NO, ""])),
        max_size=6,
        unique_by=lambda one: one[:2],
    ),
    st.integers(0, 6),
)
def test_labels_in_two_files_say_what_they_say_in_one(tmp_path_factory, said: list[Said], cut: int) -> None:
    found = []
    for files in ([said], [said[:cut], said[cut:]]):
        folder = tmp_path_factory.mktemp("later")
        out = answered(folder, "a", "b")
        parts = [labels(folder, part, f"p{n}.csv") for n, part in enumerate(files) if part]
        account = imported(out, *parts).account
        kept = [(t.truth, frozenset(t.annotations)) for t in traces(out)]
        people = {(one.annotator, one.no_opinion, *one.labels.items()) for one in account.annotators}
        found.append((kept, account.agreement, account.later_truths, people))
    assert found[0] == found[1]
