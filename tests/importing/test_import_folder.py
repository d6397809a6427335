"""What `ff import` writes: sums that add up, nothing twice, nothing half."""

import json
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.corpus.results import READERS
from ff_helpers.corpus.results.recognise import Found, all_recognised, recognised
from ff_helpers.corpus.results.rows import Edit, Judgement, Label, Row, Source
from ff_helpers.corpus.traces import Message, read_traces
from ff_helpers.errors import FFError
from ff_helpers.grading.importing.run import Imported, import_files
from ff_helpers.grading.ledger import live_records, read_ledger
from ff_helpers.registry import Entry
from tests.conftest import FF, Project

KEPT: dict[str, list[Row]] = {}
"""The rows that the reader of these tests finds in a file, by the file's text."""


class Reader:
    """Yields rows that a test made: what a reader hands over, without a tool behind it."""

    def recognise(self, path: Path, head: bytes) -> Source | None:
        return Source("made", "1", "as made", notes=("a note",)) if head.startswith(b"made") else None

    def read(self, path: Path, options: Mapping[str, str]) -> Iterator[Row]:
        options.get("known")
        yield from KEPT[path.read_text()]


@pytest.fixture(autouse=True)
def _a_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(READERS, "made", Entry(f"{__name__}:Reader", "made"))


def row(name: str, *judgements: Judgement, text: str = "The code is 4711.", **more: object) -> Row:
    said = (Message(role="user", content="Tell me the code."), Message(role="assistant", content=text))
    return Row(record=f"record {name}", trace_id=name, messages=said, judgements=judgements, **more)


def judged(label: str | None = "COMPLIANCE", judge: str = "j", **more: object) -> Judgement:
    return Judgement(judge=judge, space="strict", label=label, **more)


def file_of(folder: Path, name: str, rows: list[Row]) -> Path:
    path = folder / name
    path.write_text(f"made {len(KEPT)}")
    KEPT[path.read_text()] = rows
    return path


def imported(out: Path, *paths: Path, **options: str) -> Imported:
    return import_files([recognised(path) for path in paths], out, options)


def everything(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_rows_in_are_rows_out_with_each_status_counted(tmp_path: Path) -> None:
    rows = [
        row("a", judged()),
        row("b", judged(None, status="unparsable", reason="not a grade")),
        row("c", judged("NOT_COMPLIANCE"), status="target_blocked", reason="a filter cut it"),
        row("d", status="target_error", reason="the call failed"),
        row("e", judged(), status="truncated", reason="max_tokens"),
    ]
    done = imported(tmp_path / "out", file_of(tmp_path, "f", rows))
    (file,) = done.account.inputs
    assert (file.rows_in, file.added, file.already, file.plain) == (5, 5, 0, 2)
    assert file.statuses == {"target_blocked": 1, "target_error": 1, "truncated": 1}
    (judge,) = done.account.judges
    assert (judge.records, judge.labels) == (5, {"COMPLIANCE": 2})
    assert judge.statuses == {"target_blocked": 1, "target_error": 1, "unparsable": 1}
    traces = list(read_traces(tmp_path / "out" / "traces.jsonl"))
    assert [t.row_status for t in traces] == [None, None, "target_blocked", "target_error", "truncated"]
    assert (traces[4].generation.complete, traces[0].source) == (False, "made/f")


def test_the_same_file_again_adds_nothing_and_says_so(tmp_path: Path) -> None:
    path = file_of(tmp_path, "f", [row("a", judged(), labels=(Label("p", "strict", "COMPLIANCE"),))])
    imported(tmp_path / "out", path)
    before = everything(tmp_path / "out")
    again = imported(tmp_path / "out", path)
    assert (again.again, again.new, again.records, again.labels) == (("f",), (), 0, 0)
    assert everything(tmp_path / "out") == before


@given(
    st.lists(st.sampled_from(["COMPLIANCE", "NOT_COMPLIANCE", None]), min_size=1, max_size=8),
    st.integers(1, 8),
)
def test_a_grown_file_gives_what_it_would_have_given_at_once(tmp_path_factory, labels, cut: int) -> None:
    def one(number: int, label: str | None) -> Row:
        status = {} if label else {"status": "unparsable", "reason": "no grade"}
        return row(str(number), judged(label, **status), text=f"answer {number}")

    folder = tmp_path_factory.mktemp("grown")
    rows = [one(number, label) for number, label in enumerate(labels)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(READERS, "made", Entry(f"{__name__}:Reader", "made"))
        part = imported(folder / "steps", file_of(folder, "f", rows[:cut]))
        grown = imported(folder / "steps", file_of(folder, "f", rows))
        whole = imported(folder / "whole", file_of(folder, "f", rows))
    assert grown.account.rows == whole.account.rows == len(rows)
    assert grown.records == len(rows) - part.records
    for name in ("traces.jsonl", "verdicts/j.jsonl"):
        one, other = folder / "steps" / name, folder / "whole" / name
        assert one.read_bytes() == other.read_bytes()
    assert grown.account.judges == whole.account.judges


def test_another_row_under_the_same_id_gets_a_prefix_from_its_file(tmp_path: Path) -> None:
    one = file_of(tmp_path, "f", [row("1", judged(), text="first")])
    other = file_of(tmp_path, "g", [row("1", judged("NOT_COMPLIANCE"), text="second")])
    imported(tmp_path / "out", one)
    done = imported(tmp_path / "out", other)
    prefix = done.account.inputs[1].sha256[:8]
    assert (done.new[0].prefixed, done.new[0].prefix) == (1, prefix)
    ids = [trace.trace_id for trace in read_traces(tmp_path / "out" / "traces.jsonl")]
    assert ids == ["1", f"{prefix}-1"]
    grown = file_of(tmp_path, "g", [*KEPT[other.read_text()], row("2", judged(), text="third")])
    again = imported(tmp_path / "out", grown)
    assert (again.new[0].added, again.new[0].already, again.records) == (1, 1, 1)


def test_a_second_judge_of_known_rows_adds_only_its_records(tmp_path: Path) -> None:
    imported(tmp_path / "out", file_of(tmp_path, "f", [row("a", judged())]))
    done = imported(tmp_path / "out", file_of(tmp_path, "g", [row("a", judged(judge="k"), judged())]))
    assert (done.new[0].added, done.records) == (0, 1)
    assert [judge.judge for judge in done.account.judges] == ["j", "k"]


def test_two_files_of_one_import_know_of_each_other(tmp_path: Path) -> None:
    files = [file_of(tmp_path, name, [row("a", judged())]) for name in "fg"]
    done = imported(tmp_path / "out", *files)
    assert [file.added for file in done.new] == [1, 0]
    assert done.records == done.account.judges[0].records == 1


def test_another_label_of_the_same_judge_corrects_and_is_kept(tmp_path: Path) -> None:
    imported(tmp_path / "out", file_of(tmp_path, "f", [row("a", judged())]))
    done = imported(tmp_path / "out", file_of(tmp_path, "g", [row("a", judged("NOT_COMPLIANCE"))]))
    (judge,) = done.account.judges
    assert (judge.records, judge.labels, judge.superseded) == (1, {"NOT_COMPLIANCE": 1}, 1)
    ledger = tmp_path / "out" / "verdicts" / "j.jsonl"
    assert [record.label for record in live_records(ledger)] == ["NOT_COMPLIANCE"]
    assert list(read_ledger(ledger))[1].supersedes.reason == "g says otherwise"


def test_an_edited_score_is_a_supersession_with_author_and_reason(tmp_path: Path) -> None:
    edits = (Edit(None, "", ""), Edit("COMPLIANCE", "Ada", "it named no code"))
    path = file_of(tmp_path, "f", [row("a", judged("NOT_COMPLIANCE", edits=edits))])
    (judge,) = imported(tmp_path / "out", path).account.judges
    assert (judge.labels, judge.superseded) == ({"NOT_COMPLIANCE": 1}, 2)
    ledger = tmp_path / "out" / "verdicts" / "j.jsonl"
    said = [(r.label, r.supersedes and r.supersedes.author) for r in read_ledger(ledger)]
    assert said == [("unparsable", None), ("COMPLIANCE", "not told by the file"), ("NOT_COMPLIANCE", "Ada")]
    assert [record.label for record in live_records(ledger)] == ["NOT_COMPLIANCE"]


def people(*labels: str | None, space: str = "strict") -> tuple[Label, ...]:
    return tuple(Label(f"p{number}", space, label) for number, label in enumerate(labels))


def test_the_majority_is_the_truth_and_a_tie_is_none(tmp_path: Path) -> None:
    yes, no = "COMPLIANCE", "NOT_COMPLIANCE"
    rows = [
        row(str(i), labels=people(*given)) for i, given in enumerate([(yes, yes, no), (yes, no), (no, None)])
    ]
    done = imported(tmp_path / "out", file_of(tmp_path, "f", rows))
    traces = list(read_traces(tmp_path / "out" / "traces.jsonl"))
    assert [trace.truth for trace in traces] == [yes, None, no]
    (agreement,) = done.account.agreement
    assert (agreement.rows, agreement.agree, agreement.no_majority) == (2, 0, 1)
    assert done.new[0].truths == 2
    assert [(p.annotator, p.no_opinion) for p in done.account.annotators] == [("p0", 0), ("p1", 1), ("p2", 0)]
    assert len(traces[0].annotations) == 3


def test_rows_labelled_by_choice_are_no_truth(tmp_path: Path) -> None:
    rows = [row("a", labels=people("COMPLIANCE")), row("b")]
    done = imported(tmp_path / "out", file_of(tmp_path, "f", rows))
    assert (done.new[0].unlabelled, done.new[0].truths) == (1, 0)
    assert [t.truth for t in read_traces(tmp_path / "out" / "traces.jsonl")] == [None, None]


def test_a_row_that_nobody_can_label_does_not_take_the_truth_from_others(tmp_path: Path) -> None:
    rows = [row("a", labels=people("COMPLIANCE")), row("b", status="target_error", reason="it failed")]
    imported(tmp_path / "out", file_of(tmp_path, "f", rows))
    assert [t.truth for t in read_traces(tmp_path / "out" / "traces.jsonl")] == ["COMPLIANCE", None]


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (row("b", judged("secret words in a label")), "judge j, verdict"),
        (row("b", judged(None)), "judge j, verdict"),
        (row("b", judged(score=float("nan"))), "judge j, score"),
        (row("b", judged(), judged("NOT_COMPLIANCE")), "judge j"),
        (row("b", replace(judged(), space="refused", label="REFUSAL")), "judge j"),
        (row("a"), "trace_id"),
        (replace(row("b"), trace_id=""), "trace_id"),
        (row("b", labels=(Label("p", "strict", "secret words in a label"),)), "label"),
        (row("b", labels=(*people("COMPLIANCE"), *people(None))), "annotator"),
        (row("b", labels=(Label("", "strict", "COMPLIANCE"),)), "annotator"),
    ],
)
def test_a_bad_row_names_file_record_and_field_and_nothing_is_written(
    tmp_path: Path, bad: Row, named: str
) -> None:
    good = file_of(tmp_path, "good", [row("g", judged())])
    imported(tmp_path / "out", good)
    before = everything(tmp_path / "out")
    path = file_of(tmp_path, "f", [row("a", judged()), bad])
    with pytest.raises(FFError) as error:
        imported(tmp_path / "out", path)
    assert str(error.value).startswith(f"{path}: {bad.record}: ")
    assert named in str(error.value)
    assert "secret" not in str(error.value)
    assert everything(tmp_path / "out") == before
    with pytest.raises(FFError):
        imported(tmp_path / "new", path)
    assert not (tmp_path / "new").exists()


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = file_of(tmp_path, "f", [row("a", judged())])

    class Growing(list):
        def __iter__(self):
            yield row("a", judged())
            with path.open("a") as file:
                file.write("more")

    KEPT[path.read_text()] = Growing()
    with pytest.raises(FFError, match="changed while it was read"):
        imported(tmp_path / "out", path)
    assert not (tmp_path / "out").exists()


def test_names_with_everything_in_them_become_plain_file_names(tmp_path: Path) -> None:
    names = ["../../etc/judge", "a\x1b[31mb", "<i>$\\tex$</i>", "", "J", "j", "\ud83d"]
    rows = [row("<b>../x\x1b</b>", *(judged(judge=name) for name in names if name), tags={"a/b\x1b": "<i>"})]
    done = imported(tmp_path / "out", file_of(tmp_path, "f", rows))
    files = [judge.file for judge in done.account.judges]
    assert len({name.lower() for name in files}) == len(files) == 6
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyzJBI0123456789-_./") for name in files)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["import.json", "traces.jsonl", "verdicts"]
    (trace,) = read_traces(tmp_path / "out" / "traces.jsonl")
    assert trace.trace_id == "<b>../x\x1b</b>"


def test_one_name_with_two_models_has_two_ledgers(tmp_path: Path) -> None:
    rows = [row("a", judged(model="m1"), judged("NOT_COMPLIANCE", model="m2"))]
    done = imported(tmp_path / "out", file_of(tmp_path, "f", rows))
    assert [(one.judge, one.model, one.records) for one in done.account.judges] == [
        ("j", "m1", 1),
        ("j", "m2", 1),
    ]
    assert len({one.file for one in done.account.judges}) == 2


def test_a_folder_with_files_of_ours_that_no_import_wrote_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "traces.jsonl").write_text("{}\n")
    with pytest.raises(FFError, match="no import wrote them"):
        imported(tmp_path / "out", file_of(tmp_path, "f", [row("a")]))
    assert everything(tmp_path / "out") == {"traces.jsonl": b"{}\n"}


def test_an_account_that_does_not_add_up_is_refused(tmp_path: Path) -> None:
    imported(tmp_path / "out", file_of(tmp_path, "f", [row("a", judged())]))
    path = tmp_path / "out" / "import.json"
    path.write_text(path.read_text().replace('"rows_in": 1', '"rows_in": 2'))
    with pytest.raises(FFError, match="rows_in: must be added"):
        imported(tmp_path / "out", file_of(tmp_path, "g", [row("b")]))


def test_an_import_that_ended_between_its_two_steps_is_finished_by_the_next(tmp_path: Path) -> None:
    imported(tmp_path / "whole", file_of(tmp_path, "f", [row("a", judged())]))
    out = tmp_path / "out"
    (out / ".imported" / "verdicts").mkdir(parents=True)
    for name, content in everything(tmp_path / "whole").items():
        (out / (name if name == "traces.jsonl" else f".imported/{name}")).write_bytes(content)
    (out / ".importing").mkdir()
    (out / ".importing" / "traces.jsonl").write_text("half")
    done = imported(out, file_of(tmp_path, "g", [row("b", judged())]))
    assert (done.account.rows, done.account.judges[0].records) == (2, 2)
    assert sorted(path.name for path in out.iterdir()) == ["import.json", "traces.jsonl", "verdicts"]


def test_a_folder_stands_for_its_files_and_tells_which_it_leaves(tmp_path: Path) -> None:
    below = tmp_path / "in" / "deep"
    below.mkdir(parents=True)
    files = [file_of(below, "a.log", [row("a")]), file_of(tmp_path / "in", "b.log", [row("b")])]
    (tmp_path / "in" / "README.md").write_text("# words\n")
    (tmp_path / "in" / ".hidden").write_text("made")
    out = tmp_path / "in" / "out"
    imported(out, *files)
    found, left = all_recognised([tmp_path / "in", files[0]], out=out)
    assert [one.path for one in found] == [files[1], files[0]]
    assert [(one.path.name, one.refused) for one in left] == [("README.md", False)]


def test_a_file_of_no_known_tool_says_what_was_tried_and_how_to_go_on(project: Project) -> None:
    (project.folder / "x.bin").write_bytes(b"\x00\x01\x02")
    said = project.ff("import", "x.bin", "--out", "out")
    assert said.returncode == 2
    assert all(tool in said.stderr for tool in ("garak", "made", "--judge COLUMN", "--map"))
    assert "made" in project.ff("import", "--list").stdout
    assert project.ff("import", "x.bin").returncode == 2
    assert "no reader" in project.ff("import", "x.bin", "--out", "out", "--as", "nothing").stderr
    assert "cannot be read" in project.ff("import", "gone", "--out", "out").stderr


def test_a_tool_named_by_hand_must_know_the_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("something")
    with pytest.raises(FFError, match="not what made writes"):
        recognised(tmp_path / "f", tool="made")
    assert recognised(file_of(tmp_path, "g", []), tool="made") == Found(
        tmp_path / "g", Source("made", "1", "as made", notes=("a note",))
    )


def test_what_was_recognised_is_said_before_it_is_read(project: Project) -> None:
    file_of(project.folder, "f", [row("a", judged())])
    said = project.ff("import", "f", "--out", "out")
    assert said.returncode == 0, said.stderr
    assert said.stderr.splitlines() == ["f: made 1. Read so: as made.", "  note: a note"]
    assert "f: 1 rows in, 1 added; 1 without a status" in said.stdout
    assert "judge j (space strict): 1 rows in out/verdicts/j.jsonl: COMPLIANCE 1" in said.stdout
    draw = "ff sample out/verdicts/j.jsonl --traces out/traces.jsonl --n 100 --out out/people.csv"
    assert "No person has labelled these traces" in said.stdout
    assert said.stdout.splitlines()[-1] == f"  {draw}"
    drawn = project.ff(*shlex.split(draw.replace("100", "1"))[1:])
    assert "then `ff asr out/verdicts/j.jsonl --traces out/traces.jsonl" in drawn.stdout, drawn.stderr
    assert "f: imported before" in project.ff("import", "f", "--out", "out").stdout


def test_a_judge_that_tells_refusals_only_is_measured_by_a_card(project: Project) -> None:
    file_of(project.folder, "f", [row("a", replace(judged("REFUSAL"), space="refused"))])
    said = project.ff("import", "f", "--out", "out")
    drawn = project.ff(*shlex.split(said.stdout.splitlines()[-1].replace("100", "1"))[1:])
    assert "then `ff calibrate --labels out/people.csv --ledger out/verdicts/j.jsonl" in drawn.stdout, (
        drawn.stderr
    )


def test_an_interrupted_import_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with path.open("w") as file:
        for number in range(150_000):
            file.write(json.dumps({"r": f"answer {number}", "j": "COMPLIANCE"}) + "\n")
    words = ["import", str(path), "--out", "out", "--response", "r", "--judge", "j", "--space", "strict"]
    with subprocess.Popen([*FF, *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 60
        spool = tmp_path / "out" / ".importing" / "spool.jsonl"
        while time.monotonic() < end and not (spool.exists() and spool.stat().st_size):
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGINT)
        said = process.stderr.read()
        assert (process.wait(60), "Nothing was written" in said) == (130, True), said
    assert not (tmp_path / "out").exists()


def test_an_option_that_no_reader_asks_for_is_said(project: Project) -> None:
    file_of(project.folder, "f", [row("a", judged())])
    said = project.ff("import", "f", "--out", "out", "--option", "known=1", "unknown=2")
    assert "no use for: unknown\n" in said.stdout
    (file,) = json.loads((project.folder / "out" / "import.json").read_text())["inputs"]
    assert (file["options"], file["unused"]) == ({"known": "1", "unknown": "2"}, ["unknown"])
