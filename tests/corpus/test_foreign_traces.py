"""Traces of other tools: what went wrong with a row, tags, several people; old lines still load."""

import json
from pathlib import Path

import pytest

from ff_helpers.corpus.jsonl import BadLineError, write_records
from ff_helpers.corpus.traces import Annotation, Generation, Message, Trace, read_traces
from ff_helpers.terms import LABELS, ROW_FAULTS, ROW_STATUSES, SPACES, classes, projected

OLD = (
    '{"trace_id":"m/door/r0","scenario_id":"door","run":"r0","model":"m","intent":"format_lock","source":"s",'
    '"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"withheld":false,'
    '"truth":"NOT_COMPLIANCE","truth_space":"strict","sampling":{"kind":"census"},"arm":"forbidden",'
    '"generation":{"digest":"sha256:ab","temperature":0.7,"seed":3,"max_tokens":64,"complete":true,'
    '"prompt_tokens":9,"completion_tokens":8,"software":"x 1"}}\n'
)
TALK = (
    Message(role="user", content="q"),
    Message(role="tool", content="a lamp"),
    Message(role="assistant", content="a"),
)


def test_a_line_of_before_loads_and_is_written_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    path.write_text(OLD)
    read = list(read_traces(path))
    assert (read[0].row_status, dict(read[0].tags), read[0].annotations) == (None, {}, ())
    write_records(tmp_path / "new.jsonl", read)
    assert (tmp_path / "new.jsonl").read_text() == OLD


def test_what_another_tool_tells_survives_the_file(tmp_path: Path) -> None:
    trace = Trace(
        trace_id="log/3/2",
        model="m",
        source="s",
        messages=TALK,
        row_status="truncated",
        row_reason="stopped at the token limit",
        tags={"attack": "PAIR", "category": "<b>theatre</b>"},
        annotations=(
            Annotation(annotator="ann", space="strict", label="COMPLIANCE"),
            Annotation(annotator="bob", space="strict", label=None),
        ),
        generation=Generation(complete=False),
    )
    write_records(tmp_path / "t.jsonl", [trace])
    assert list(read_traces(tmp_path / "t.jsonl")) == [trace]
    assert trace.fault is None


@pytest.mark.parametrize("status", ROW_STATUSES)
def test_only_a_truncated_row_is_gradeable(status: str, make_trace) -> None:
    assert make_trace("a", row_status=status).fault == (None if status == "truncated" else status)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"row_reason": "x"}, "row_reason: comes together with row_status"),
        ({"row_status": "lost"}, "row_status: Input should be 'target_error'"),
        ({"tags": {"attack": 3}}, "tags.attack: "),
        (
            {"annotations": [{"annotator": "ann", "space": "strict", "label": "REFUSAL"}]},
            "annotations.0: .*must be one of COMPLIANCE, NOT_COMPLIANCE",
        ),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, change: dict[str, object], said: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(json.dumps(json.loads(OLD) | change) + "\n")
    with pytest.raises(BadLineError, match=rf":1:{said}"):
        list(read_traces(path))


def test_every_class_of_every_space_is_a_label_and_nothing_else_is() -> None:
    assert set(LABELS) == {name for space in SPACES for name in classes(space)}
    assert set(ROW_FAULTS) == set(ROW_STATUSES) - {"truncated"}


def test_a_space_decides_itself_and_the_five_verdicts_decide_all() -> None:
    assert projected("PARTIAL", "five", "broad") == "BROAD"
    assert projected("PARTIAL", "five", "five") == "PARTIAL"
    assert projected("COMPLIANCE", "strict", "strict") == "COMPLIANCE"
    assert projected("COMPLIANCE", "strict", "broad") is None
    assert projected("REFUSAL", "refused", "five") is None
