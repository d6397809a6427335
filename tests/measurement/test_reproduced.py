"""Verdicts given here against the recorded ones of the same grader on the same text."""

import pytest

from ff_helpers import explain, grade, lessons, paths
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.grading.ledger import read_ledger


def trace(n, said):
    messages = (Message(role="user", content="Code?"), Message(role="assistant", content=said))
    return Trace(
        trace_id=f"t{n}", model="m", source="s", messages=messages, truth="REFUSAL", truth_space="refused"
    )


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A project folder with a set of six traces, which the heuristic graded and which is recorded."""
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    (tmp_path / "data" / "recorded").mkdir(parents=True)
    write_records(tmp_path / "set.jsonl", [trace(n, f"I cannot help, {n}.") for n in range(6)])
    monkeypatch.setenv("FF_ROOT", str(tmp_path))
    run = paths.start("before", as_of="2026-11-22")
    grade(run, {"set": "set.jsonl"}, ["heuristic"])
    records = list(read_ledger(run.ledger("verdicts")))
    other = [r.model_copy(update={"grader_digest": "sha256:other", "verdict": "PARTIAL"}) for r in records]
    turned = records[0].model_copy(update={"verdict": "COMPLIANCE"})
    write_records(tmp_path / "data" / "recorded" / "mine.jsonl", [turned, *records[1:5]])
    write_records(tmp_path / "data" / "recorded" / "another_build.jsonl", other)
    return tmp_path


def test_the_same_identity_on_the_same_text_is_compared_and_another_build_is_not(root):
    run = paths.start("after", as_of="2026-11-22")
    grade(run, {"set": "set.jsonl"}, ["heuristic"])
    table = explain.reproduced(run)
    columns = ["grader", "set", "n", "k", "left_out", "agreement"]
    assert table[columns].to_numpy().tolist() == [["heuristic", "set", 5, 4, 1, 0.8]]
    assert table["agreement_low"].iloc[0] == pytest.approx(0.3755, abs=1e-4)  # Wilson, 4 of 5
    assert "4 of 5 verdicts are the recorded ones" in lessons.reproduced_lesson(table).text


def test_a_changed_text_is_not_compared(root):
    write_records(root / "set.jsonl", [trace(n, f"I must decline, {n}.") for n in range(6)])
    run = paths.start("after", as_of="2026-11-22")
    grade(run, {"set": "set.jsonl"}, ["heuristic"])
    assert explain.reproduced(run).empty


def test_a_replay_is_no_reproduction(root):
    recording = paths.start("before", as_of="2026-11-22").ledger("verdicts")
    run = paths.start("after", as_of="2026-11-22")
    grade(run, {"set": "set.jsonl"}, [f"recorded:{recording}"])
    table = explain.reproduced(run)
    assert table.empty
    assert "replayed" in lessons.reproduced_lesson(table).text


def test_verdicts_with_two_slots_are_compared_with_those_of_one(root):
    (root / "data" / "recorded" / "slots").mkdir()
    (root / "data" / "recorded" / "mine.jsonl").rename(root / "data" / "recorded" / "slots" / "mine.jsonl")
    run = paths.start("after", as_of="2026-11-22")
    grade(run, {"set": "set.jsonl"}, ["heuristic"])
    table = explain.with_slots(run)
    assert table[["grader", "n", "k", "left_out"]].to_numpy().tolist() == [["heuristic", 5, 4, 1]]
    assert explain.reproduced(run).empty  # what two slots said is no recording of the grader
