"""Traces: what is refused, where the error points, and what identifies a conversation."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.corpus.jsonl import BadLineError, FileMissingError, write_records
from ff_helpers.corpus.traces import Message, Trace, read_traces

GOOD: dict[str, object] = {
    "trace_id": "t1",
    "model": "m",
    "source": "s",
    "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}],
}


def file_with(path: Path, *changes: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(GOOD | change) + "\n" for change in changes), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"truth": "REFUSED", "truth_space": "five"}, r":2:truth: must be one of COMPLIANCE, PARTIAL"),
        ({"truth": "REFUSAL"}, r":2:truth_space: comes together with truth"),
        ({"verdict": "REFUSAL"}, r":2:verdict: Extra inputs are not permitted"),
        ({"trace_id": ""}, r":2:trace_id: "),
        ({"intent": "flattery"}, r":2:intent: .*'format_lock'"),
        ({"messages": [{"role": "narrator", "content": "x"}]}, r":2:messages\.0\.role: "),
        ({"sampling": {"kind": "random"}}, r":2:sampling: kind 'random' needs its probability"),
        ({}, r":2:trace_id: the same trace_id as record 1"),
    ],
)
def test_an_error_names_file_line_and_field(tmp_path: Path, change: dict[str, object], place: str) -> None:
    path = file_with(tmp_path / "mine.jsonl", {}, {"trace_id": "t2"} | change if change else {})
    with pytest.raises(BadLineError, match=r"mine\.jsonl" + place):
        list(read_traces(path))


def test_an_error_never_shows_the_value_of_a_field(tmp_path: Path) -> None:
    path = file_with(tmp_path / "mine.jsonl", {"messages": "a text that must not be shown"})
    with pytest.raises(BadLineError) as caught:
        list(read_traces(path))
    assert "must not be shown" not in str(caught.value)


@pytest.mark.parametrize("line", [b"\xff\xfe\n", b'{"trace_id": "t1"\n', b"[]\n"])
def test_what_is_no_json_object_in_utf8_is_refused_with_its_line(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(b"\n" + line)
    with pytest.raises(BadLineError, match=r"mine\.jsonl:2: "):
        list(read_traces(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError, match=r"nothing\.jsonl: no such file"):
        list(read_traces(tmp_path / "nothing.jsonl"))


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
CONVERSATIONS = st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), TEXTS), max_size=6)


def trace(turns: list[tuple[str, str]]) -> Trace:
    messages = tuple(Message.model_validate({"role": role, "content": text}) for role, text in turns)
    return Trace(trace_id="t", model="m", source="s", messages=messages)


@given(CONVERSATIONS)
def test_any_text_survives_the_file(tmp_path_factory: pytest.TempPathFactory, turns: list) -> None:
    path = tmp_path_factory.mktemp("traces") / "t.jsonl"
    write_records(path, [trace(turns)])
    assert list(read_traces(path)) == [trace(turns)]


@given(CONVERSATIONS, CONVERSATIONS)
def test_two_conversations_share_a_hash_only_if_they_are_the_same(one: list, other: list) -> None:
    assert (trace(one).sha256 == trace(other).sha256) == (one == other)


def test_the_response_is_the_last_turn_if_the_assistant_spoke_it() -> None:
    assert trace([("user", "q"), ("assistant", "a")]).response == "a"
    assert trace([("assistant", "a"), ("user", "q")]).response == ""
    assert trace([]).response == ""
    assert trace([("user", "q"), ("assistant", "a"), ("user", "r"), ("assistant", "b")]).turns == "multi"
    assert trace([("system", "s"), ("user", "q"), ("assistant", "a")]).turns == "single"


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text()), max_size=3))
def test_the_hash_of_a_conversation_is_that_of_its_json(said: list[tuple[str, str]]) -> None:
    """Keys of ledgers rest on it: it must stay what `json.dumps` makes of pairs of role and content."""
    messages = tuple(Message(role=role, content=text) for role, text in said)
    text = json.dumps([list(pair) for pair in said], ensure_ascii=False)
    wanted = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    assert Trace(trace_id="t", model="m", source="s", messages=messages).sha256 == wanted
