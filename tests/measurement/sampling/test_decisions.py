"""What people decided about a sample: whose word is the truth, and that no label is lost."""

from pathlib import Path

import pandas as pd
import pytest

from ff_helpers.corpus.journal import Journal
from ff_helpers.errors import FFError
from ff_helpers.measurement.agreement.people import compare_people
from ff_helpers.measurement.sampling.draw import draw
from ff_helpers.measurement.sampling.files import (
    Decision,
    Design,
    Stratum,
    decisions_path,
    read_sample,
    write_sample,
)

IDS = [f"t{n}" for n in range(6)]
YES, NO = "COMPLIANCE", "NOT_COMPLIANCE"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    frame = pd.DataFrame({"trace_id": IDS, "stratum": "all", "probability": 0.5, "truth": None})
    strata = (Stratum(stratum="all", rows=12, drawn=6),)
    write_sample(
        path,
        frame,
        Design(design="random", seed=1, tier="strict", space="strict", rows_sha256="0", strata=strata),
    )
    return path


def decide(path: Path, who: str, trace_id: str, label: str | None, **more: object) -> None:
    one = Decision(
        trace_id=trace_id, annotator=who, space="strict", label=label, started="2026-01-01T00:00:00Z", **more
    )
    with Journal(decisions_path(path, who), Decision) as journal:
        journal.append(one)


def truths(path: Path) -> list[str | None]:
    return read_sample(path).frame["truth"].tolist()


def test_agreement_is_the_truth_and_a_dispute_has_none(sample: Path) -> None:
    for trace_id, anna, ben in (("t0", YES, YES), ("t1", YES, NO), ("t2", NO, None), ("t3", None, None)):
        decide(sample, "anna", trace_id, anna)
        decide(sample, "ben", trace_id, ben)
    found = read_sample(sample)
    assert found.frame["truth"].tolist() == [YES, None, NO, None, None, None]
    assert found.disputed == ("t1",)
    assert found.decided["ben"] == {"t0": YES, "t1": NO, "t2": None, "t3": None}


def test_an_adjudicator_decides_a_dispute_and_two_who_differ_do_not(sample: Path) -> None:
    decide(sample, "anna", "t1", YES)
    decide(sample, "ben", "t1", NO)
    decide(sample, "cleo", "t1", NO, role="adjudicate")
    assert truths(sample)[1] == NO
    decide(sample, "dora", "t1", YES, role="adjudicate")
    assert truths(sample)[1] is None
    assert read_sample(sample).disputed == ("t1",)
    decide(sample, "dora", "t1", NO, role="adjudicate")
    assert truths(sample)[1] == NO


def test_a_later_decision_replaces_an_earlier_one_and_an_undone_one_is_gone(sample: Path) -> None:
    decide(sample, "anna", "t0", YES)
    decide(sample, "anna", "t1", YES)
    decide(sample, "anna", "t0", NO)
    assert truths(sample)[:2] == [NO, YES]
    assert [one.trace_id for one in read_sample(sample).decisions] == ["t1", "t0"]
    decide(sample, "anna", "t1", None, withdrawn=True)
    assert truths(sample)[:2] == [NO, None]
    assert decisions_path(sample, "anna").read_bytes().count(b"\n") == 4


def test_a_cell_counts_where_nobody_decided(sample: Path) -> None:
    text = (
        sample.read_text()
        .replace("t4,all,0.5,", f"t4,all,0.5,{YES}")
        .replace("t5,all,0.5,", f"t5,all,0.5,{NO}")
    )
    sample.write_text(text)
    decide(sample, "anna", "t5", YES)
    assert truths(sample)[4:] == [YES, YES]


def test_people_who_label_at_once_write_to_their_own_files_and_names_cannot_leave_the_folder(
    sample: Path,
) -> None:
    with Journal(decisions_path(sample, "anna"), Decision):
        decide(sample, "ben", "t0", YES)
    decide(sample, "../../x", "t1", NO)
    decide(sample, "王 é", "t2", NO)
    assert truths(sample)[:3] == [YES, NO, NO]
    assert {path.parent for path in sample.parent.rglob("*.jsonl")} == {sample.parent}


def test_a_file_sent_by_another_person_counts_as_soon_as_it_is_there(sample: Path, tmp_path: Path) -> None:
    decide(sample, "anna", "t0", YES)
    there = tmp_path / "elsewhere"
    there.mkdir()
    decisions_path(sample, "anna").rename(there / "mine.jsonl")
    assert truths(sample)[0] is None
    (there / "mine.jsonl").rename(sample.with_name("labels.csv.decisions (1).jsonl"))
    assert truths(sample)[0] == YES


def test_a_second_draw_neither_empties_a_cell_nor_fills_one_with_what_may_be_undone(tmp_path: Path) -> None:
    rows = pd.DataFrame({"trace_id": [f"t{n}" for n in range(9)], "verdict": "REFUSAL"})
    path = tmp_path / "labels.csv"
    frame, design = draw(rows, 3)
    first, second, third = frame["trace_id"]
    frame.loc[0, "truth"] = YES
    write_sample(path, frame, design)
    for who, label in (("anna", YES), ("ben", NO)):
        decide(path, who, first, label)
        decide(path, who, second, YES)
    assert read_sample(path).disputed == (first,)
    write_sample(path, *draw(rows, 6, before=read_sample(path)))
    decide(path, "anna", second, None, withdrawn=True)
    decide(path, "ben", second, None, withdrawn=True)
    decide(path, "ben", first, None, withdrawn=True)
    decide(path, "anna", first, None, withdrawn=True)
    found = read_sample(path).frame.set_index("trace_id")["truth"]
    assert len(found) == 6
    assert (found[first], found[second], found[third]) == (YES, None, None)


@pytest.mark.parametrize(
    ("trace_id", "space", "field"), [("t9", "strict", "trace_id"), ("t0", "broad", "space")]
)
def test_a_decision_about_another_sample_is_an_error_with_its_line(
    sample: Path, trace_id: str, space: str, field: str
) -> None:
    decide(sample, "anna", "t0", YES)
    with Journal(decisions_path(sample, "anna"), Decision) as journal:
        journal.append(Decision(trace_id=trace_id, annotator="anna", space=space, started="x"))
    with pytest.raises(FFError, match=rf"labels\.csv\.decisions\.anna\.jsonl:2:{field}: "):
        read_sample(sample)


HEAD = "trace_id,annotator,label,space"
SAID = [("t0", YES, YES, NO), ("t1", YES, NO, ""), ("t2", "", "", "")]


@pytest.fixture
def by_person(tmp_path: Path) -> Path:
    """What `ff import` writes of three people, who label three traces."""
    lines = [
        f"{trace_id},{who},{label},strict"
        for trace_id, *labels in SAID
        for who, label in zip(("anna", "ben", "cleo"), labels, strict=True)
    ]
    path = tmp_path / "labels.csv"
    path.write_text("\n".join([HEAD, *lines, f"t0,anna,{NO},refused".replace(NO, "REFUSAL")]) + "\n")
    return path


def test_of_a_file_by_person_the_majority_is_the_truth(by_person: Path) -> None:
    found = read_sample(by_person, space="strict")
    assert found.frame["truth"].tolist() == [YES, None, None]
    assert found.disputed == ("t1",)
    assert found.decided["cleo"] == {"t0": NO, "t1": None, "t2": None}
    compared = compare_people(found)
    assert [pair.matrix.n for pair in compared.pairs] == [2, 1, 1]
    assert compared.undecided == ("t2",)
    with pytest.raises(FFError, match="spaces strict, refused: --space"):
        read_sample(by_person)


def test_people_go_on_labelling_a_file_by_person(by_person: Path) -> None:
    """Further labels and adjudications go to journals, as for a sample."""
    decide(by_person, "dora", "t1", NO)
    decide(by_person, "emil", "t2", YES)
    found = read_sample(by_person, space="strict")
    assert found.frame["truth"].tolist() == [YES, NO, YES]
    decide(by_person, "fred", "t0", NO, role="adjudicate")
    assert read_sample(by_person, space="strict").frame["truth"].tolist() == [NO, NO, YES]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("t0,anna,maybe,strict", ":2:label: must be one of COMPLIANCE"),
        (f",anna,{YES},strict", ":2:trace_id: it is empty"),
        (f"t0,,{YES},strict", ":2:annotator: it is empty"),
        (f"t0,anna,{YES},strict\nt0,anna,{NO},strict", ":3:annotator: a second label"),
        (f"t0,anna,{YES},odd", "no label is in the space strict"),
    ],
)
def test_a_bad_line_of_a_file_by_person_is_named(tmp_path: Path, line: str, problem: str) -> None:
    (tmp_path / "l.csv").write_text(f"{HEAD}\n{line}\n")
    with pytest.raises(FFError, match=problem) as error:
        read_sample(tmp_path / "l.csv", space="strict")
    assert "maybe" not in str(error.value)
