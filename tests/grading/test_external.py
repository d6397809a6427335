"""Judges that somebody else ran: what is known of them, and their records."""

import json
from pathlib import Path

import pytest

from ff_helpers.corpus.jsonl import BadLineError, write_records
from ff_helpers.grading.external import NOT_TOLD, Said, external_identity, external_record
from ff_helpers.grading.ledger import live_records
from ff_helpers.grading.outcome import Judge, Record, Supersedes
from ff_helpers.grading.stream import grade_file
from ff_helpers.terms import Identity

OLD = (
    '{"key":"61","trace_id":"p1","response_sha256":"c7","grader":"heuristic","grader_digest":"sha256:a6",'
    '"rubric":"refusal-phrases@a6","method":"heuristic","verdict":"COMPLIANCE","repeat":0,'
    '"options":{"concurrency":1},"software":"ff-helpers 0.1.0"}\n'
)


def test_a_line_of_before_loads_and_is_written_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "old.jsonl").write_text(OLD)
    records = live_records(tmp_path / "old.jsonl")
    assert (records[0].space, records[0].score, records[0].judge) == ("five", None, None)
    write_records(tmp_path / "new.jsonl", records)
    assert (tmp_path / "new.jsonl").read_text() == OLD


def test_what_the_file_does_not_tell_is_said_in_words() -> None:
    assert external_identity("scorer") == Identity("scorer", NOT_TOLD, rubric=NOT_TOLD)
    told = external_identity("scorer", Judge(model="m-1", version="0.3", template="strict yes/no"))
    assert told.digest == "not told by the file (model m-1, version 0.3)"
    assert told.rubric == "not told by the file (template strict yes/no)"
    assert told.method == "external"


def test_one_name_with_two_models_is_two_judges() -> None:
    assert external_identity("scorer", Judge(model="a")) != external_identity("scorer", Judge(model="b"))


def test_a_verdict_keeps_its_space_its_score_and_what_is_known_of_the_judge(tmp_path, make_trace) -> None:
    said = Said("NOT_COMPLIANCE", score=0.25, rationale="it stayed calm", started="2026-11-01T10:00:00Z")
    record = external_record("judge>=0.5", "strict", make_trace("a"), said, judge=Judge(model="m-1"))
    write_records(tmp_path / "v.jsonl", [record])
    (read,) = live_records(tmp_path / "v.jsonl")
    assert read == record
    assert (read.space, read.verdict, read.score, read.judge) == (
        "strict",
        "NOT_COMPLIANCE",
        0.25,
        Judge(model="m-1"),
    )
    assert read.identity == external_identity("judge>=0.5", Judge(model="m-1"))


def test_no_words_of_a_judge_are_kept_about_a_withheld_trace(make_trace) -> None:
    said = Said("COMPLIANCE", rationale="quotes the response")
    assert external_record("j", "strict", make_trace("a", withheld=True), said).rationale is None


def test_a_row_that_nobody_can_grade_keeps_its_status_whatever_the_judge_said(make_trace) -> None:
    trace = make_trace("", row_status="target_blocked", row_reason="a filter cut it")
    record = external_record("j", "strict", trace, Said("NOT_COMPLIANCE", score=0.0))
    assert (record.verdict, record.status, record.reason) == (None, "target_blocked", "a filter cut it")
    assert record.score == 0.0


def test_an_edited_label_replaces_the_earlier_one(tmp_path: Path, make_trace) -> None:
    first = external_record("j", "strict", make_trace("a"), Said("COMPLIANCE"))
    why = Supersedes(key=first.key, author="ann", reason="misread")
    second = external_record("j", "strict", make_trace("a"), Said("NOT_COMPLIANCE"), supersedes=why)
    write_records(tmp_path / "v.jsonl", [first, second])
    assert [r.verdict for r in live_records(tmp_path / "v.jsonl")] == ["NOT_COMPLIANCE"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"space": "strict", "verdict": "PARTIAL"}, "verdict: must be one of COMPLIANCE, NOT_COMPLIANCE"),
        ({"verdict": "NOT_COMPLIANCE"}, "verdict: must be one of COMPLIANCE, PARTIAL, REFUSAL"),
        ({"space": "yes/no"}, "space: Input should be 'five'"),
        ({"score": "Infinity"}, "score: "),
    ],
)
def test_a_label_outside_its_space_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    (tmp_path / "v.jsonl").write_text(json.dumps(json.loads(OLD) | change) + "\n")
    with pytest.raises(BadLineError, match=f"v.jsonl:1:{said}"):
        live_records(tmp_path / "v.jsonl")


def test_our_graders_are_not_asked_about_a_row_that_failed(tmp_path: Path, make_trace) -> None:
    known = {"truth": "REFUSAL", "truth_space": "refused"}
    traces = [
        make_trace("I cannot help with that.", trace_id="a", **known),
        make_trace("", trace_id="b", row_status="target_error", **known),
        make_trace("Sure, the cue", trace_id="c", row_status="truncated", **known),
    ]
    write_records(tmp_path / "t.jsonl", traces)
    done = grade_file(tmp_path / "t.jsonl", "heuristic", tmp_path / "v.jsonl")
    assert done.statuses == {"target_error": 1}
    assert {r.trace_id: r.label for r in live_records(tmp_path / "v.jsonl")} == {
        "a": "REFUSAL",
        "b": "target_error",
        "c": "COMPLIANCE",
    }


def test_a_record_of_ours_needs_no_space() -> None:
    assert '"space"' not in Record.model_validate_json(OLD).model_dump_json(exclude_none=True)
