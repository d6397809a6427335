"""Logs of Inspect, which it wrote itself (`tools/generate/inspect_logs.py`), and variants of them."""

import copy
import itertools
import json
import math
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.corpus.results.inspect import Reader
from ff_helpers.errors import FFError
from tests.result_files import judged, only, recognised, rows

DATA = Path(__file__).parent / "results" / "data"
POOL = "kept_the_code=I\nshare_told>=0.5"
LOGS = ("pool.eval", "pool.json", "edited.eval", "values.json", "all_fail.eval", "xstest.eval")


@pytest.fixture(scope="module")
def log():
    return json.loads((DATA / "pool.json").read_text(encoding="utf-8"))


def as_json(path, log):
    path.write_text(json.dumps(log, indent=2), encoding="utf-8")
    return path


def as_eval(path, log, names=None):
    """A log as Inspect wrote it before it compressed with zstd."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_journal/start.json", json.dumps({k: log[k] for k in ("version", "eval", "plan")}))
        for number, sample in enumerate(log["samples"]):
            name = names[number] if names else f"{sample['id']}_epoch_{sample['epoch']}"
            archive.writestr(f"samples/{name}.json", json.dumps(sample))
        header = {key: value for key, value in log.items() if key not in ("samples", "reductions")}
        archive.writestr("header.json", json.dumps(header))
    return path


def changed(log, place=0, **fields):
    """The log with one sample only, some of its fields changed."""
    changed = copy.deepcopy(log)
    changed["samples"] = [changed["samples"][place] | fields]
    return changed


def scored(log, value, **more):
    return changed(log, scores={"kept_the_code": {"value": value, **more}, "share_told": {"value": 1}})


def by_id(read):
    return {row.trace_id: row for row in read}


def content(row):
    """Everything about a row but its place in the file."""
    return (row.trace_id, row.messages, row.status, row.reason, dict(row.tags), row.judgements, row.labels)


def test_a_log_is_read_the_same_from_zstd_deflate_and_json(log, tmp_path):
    read = [
        rows(path, success=POOL)
        for path in (DATA / "pool.eval", DATA / "pool.json", as_eval(tmp_path / "a", log))
    ]
    assert len(read[0]) == 16
    first, *others = [sorted(map(content, one), key=str) for one in read]
    assert all(first == one for one in others)


def test_rows_in_are_rows_out_with_every_status_counted():
    """inspect_ai #4286, #3582: errored samples stay; stop_reason max_tokens is truncated."""
    read = rows(DATA / "pool.eval", success=POOL)
    statuses = {trace_id: row.status for trace_id, row in by_id(read).items() if trace_id.endswith("_1")}
    assert statuses == {
        "told_1": None,
        "refused_1": None,
        "fails_1": "target_error",
        "cut_1": "truncated",
        "tool_1": None,
        "parts_1": None,
        "empty_1": None,
        "slow_1": None,
    }
    found = by_id(read)
    assert found["cut_1"].reason == "max_tokens"
    assert {row.tags.get("limit") for row in read} == {None, "message"}, (
        "it ends a conversation, cuts no text"
    )
    assert found["slow_1"].tags["unanswered"] == "2"
    assert found["slow_1"].messages[-1].role == "assistant"
    assert found["fails_1"].reason == "RuntimeError('the connection to the target was lost')"
    assert found["fails_1"].judgements == ()


def test_a_log_that_says_success_with_every_sample_errored():
    read = rows(DATA / "all_fail.eval")
    assert [(row.status, row.judgements) for row in read] == [("target_error", ())] * 2


def test_epochs_are_runs_of_one_scenario():
    read = rows(DATA / "pool.eval", success=POOL)
    assert len({row.scenario_id for row in read}) == 8
    assert {(row.trace_id, row.run) for row in read if row.scenario_id == "told"} == {
        ("told_1", "1"),
        ("told_2", "2"),
    }


def test_direction_is_asked_with_the_values_that_were_given():
    with pytest.raises(FFError) as asked:
        rows(DATA / "pool.eval")
    said = str(asked.value)
    assert "kept_the_code: I (9), C (2), N (2), nan (1)" in said.replace("N (2), C (2)", "C (2), N (2)")
    assert "share_told: 0.75 (10), 0 (4)" in said
    assert "--success-value" in said
    assert "kept_the_code=" in said
    assert "4711" not in said, "no text of a response"


@pytest.mark.parametrize(
    ("success", "told", "refused"), [("I", "", "NOT_"), ("C", "NOT_", ""), ("I:C", "", "NOT_")]
)
def test_direction_is_what_was_said(success, told, refused):
    found = by_id(rows(DATA / "pool.eval", success=f"kept_the_code={success}; share_told="))
    assert only(found["told_1"]).label == f"{told}COMPLIANCE"
    assert only(found["refused_1"]).label == f"{refused}COMPLIANCE"


def test_the_label_space_is_the_users_to_say():
    found = by_id(rows(DATA / "pool.eval", success="kept_the_code=I\nshare_told=", space="refused"))
    assert (only(found["told_1"]).label, only(found["refused_1"]).label) == ("NOT_REFUSAL", "REFUSAL")
    with pytest.raises(FFError, match="strict, broad or refused"):
        rows(DATA / "pool.eval", success=POOL, space="five")


def test_no_answer_and_a_grade_that_was_not_read_are_statuses():
    """inspect_ai #3796, inspect_scout #618: NaN and an empty response are neither hit nor pass."""
    found = by_id(rows(DATA / "pool.eval", success=POOL))
    empty, unread = found["empty_1"].judgements[0], found["tool_2"].judgements[0]
    assert (empty.status, empty.reason) == ("not_gradeable", "N: the scorer saw no answer")
    assert (unread.status, unread.reason, unread.label) == ("unparsable", "grader_failed", None)
    assert unread.rationale == "GRADE missing"
    assert unread.version == "inspect_ai 0.3.285"


def test_a_threshold_is_part_of_the_judges_name():
    (row,) = [row for row in rows(DATA / "pool.eval", success=POOL) if row.trace_id == "told_1"]
    share = row.judgements[1]
    assert (share.judge, share.score, share.label) == ("share_told>=0.5", 0.75, "COMPLIANCE")
    (row,) = [
        r for r in rows(DATA / "pool.eval", success=POOL.replace("0.5", "0.8")) if r.trace_id == "told_1"
    ]
    assert (row.judgements[1].judge, row.judgements[1].label) == ("share_told>=0.8", "NOT_COMPLIANCE")


VALUES = "letter=C\nflag=true\nwords=yes\nlisted.0=1\ncombined_scorer.refusal=0\ncombined_scorer.score>=0.5"


def test_every_shape_of_a_value():
    """inspect_ai #4283, #4872: `c` and `CI` are no grades; #5008: NaN at the root of a dict."""
    hit, miss, unread = "COMPLIANCE", "NOT_COMPLIANCE", "unparsable"
    read = rows(DATA / "values.json", success=VALUES)
    assert judged(read) == {
        "letter": [hit, miss, unread, unread],
        "flag": [hit, miss, hit, miss],
        "words": [hit, miss, unread, unread],
        "strong_reject_scorer.refusal": ["NOT_REFUSAL", "REFUSAL", "NOT_REFUSAL", unread],
        "combined_scorer.refusal": [hit, miss, hit, "server_error"],
        "combined_scorer.score>=0.5": [hit, unread, miss, hit],
        "listed.0": [hit, miss, hit, miss],
    }


def test_strong_rejects_score_is_that_of_its_paper():
    """(1 - 0) * (5 + 4 - 2) / 8 = 0.875: Souly et al. 2024, with both parts scaled from 1..5 to 0..1."""
    read = rows(DATA / "values.json", success=f"{VALUES}\nstrong_reject_scorer>=0.5")
    said = [one for row in read for one in row.judgements if one.judge.startswith("strong_reject")]
    assert [(one.judge, one.score) for one in said] == [
        ("strong_reject_scorer>=0.5", score) for score in (0.875, 0.0, 0.125, None)
    ]


def test_the_refusal_judge_of_agentharm_that_broke_is_no_compliance(log, tmp_path):
    """Its exception becomes `no refusal`; the only trace is an explanation in the sample's metadata."""
    told = [{"content": "", "explanation": "Error in RefusalJudgeLLM: no connection", "refusal": False}]
    agent = changed(
        log,
        scores={"combined_scorer": {"value": {"score": 0.1, "refusal": 0.0}, "explanation": "fine"}},
        metadata={"category": "pool", "refusal_explanations": told},
    )
    agent["eval"] |= {"task": "inspect_evals/agentharm", "scorers": [{"name": "combined_scorer"}]}
    judgement = only(rows(as_json(tmp_path / "a", agent))[0])
    assert (judgement.judge, judgement.space) == ("combined_scorer.refusal", "refused")
    assert judgement.status == "server_error"


def test_xstest_grades_are_known_and_read_so_that_partial_is_not_lost(log, tmp_path):
    source = recognised(DATA / "xstest.eval")
    assert source is not None
    assert "model_graded_qa=C" in source.direction
    assert judged(rows(DATA / "xstest.eval")) == {
        "model_graded_qa=C": ["COMPLIANCE", "NOT_COMPLIANCE", "NOT_COMPLIANCE"],
        "model_graded_qa=C,P": ["BROAD", "BROAD", "NOT_BROAD"],
        "model_graded_qa=I": ["NOT_REFUSAL", "NOT_REFUSAL", "REFUSAL"],
    }
    safe = changed(log, metadata={"label": "safe"}, scores={"model_graded_qa": {"value": "C"}})
    safe["eval"] |= {"task": "inspect_evals/xstest", "scorers": [{"name": "model_graded_qa"}]}
    assert judged(rows(as_json(tmp_path / "a", safe))) == {"model_graded_qa=I": ["NOT_REFUSAL"]}, (
        "on a safe prompt compliance is right"
    )


def test_an_edited_score_keeps_its_history_and_a_score_added_by_a_person_is_theirs():
    """inspect_ai #2433, #5120."""
    found = by_id(rows(DATA / "edited.eval", success=f"{POOL}\nsecond_look=I"))
    edits = found["refused_1"].judgements[0].edits
    assert [(one.label, one.author, one.reason) for one in edits] == [
        ("NOT_COMPLIANCE", "maria", "the code was in capitals"),
        ("COMPLIANCE", "jonas", "read once more"),
    ]
    assert found["refused_1"].judgements[0].label == "NOT_COMPLIANCE"
    assert found["told_1"].judgements[0].edits == (), "only the explanation changed"
    assert [(one.annotator, one.label) for one in found["told_2"].labels] == [("maria", "COMPLIANCE")]
    assert (found["told_2"].status, found["told_2"].reason) == ("invalidated", "the wrong system prompt")


def test_tools_parts_and_reasoning_become_text_with_their_role():
    found = by_id(rows(DATA / "pool.eval", success=POOL))
    said = [(one.role, one.content) for one in found["tool_1"].messages]
    assert [role for role, _ in said] == ["user", "user", "assistant", "tool", "assistant"]
    assert said[2][1].endswith('[calls look_up {"what": "code"}]')
    assert said[3][1] == "The code is 4711."
    asked, answer = found["parts_1"].messages
    assert asked.content.endswith("Read the sign: \n[image]")
    assert answer.content.endswith("Epoch 1.")
    assert "They ask" not in answer.content


def test_long_texts_are_found_among_the_attachments(log, tmp_path):
    """Older logs keep long texts of messages apart too."""
    ask, answer = {"role": "user", "content": "attachment://a1"}, {"role": "assistant", "content": "No."}
    apart = changed(log, messages=[ask, answer], output={}, attachments={"a1": "Where is the pool?"})
    assert rows(as_json(tmp_path / "a", apart), success=POOL)[0].messages[0].content == "Where is the pool?"
    (row,) = rows(as_json(tmp_path / "b", changed(apart, attachments={})), success=POOL)
    assert row.status == "not_submitted", "a reference is no prompt"


def test_tags_are_what_rows_can_be_counted_by():
    (row,) = [row for row in rows(DATA / "pool.eval", success=POOL) if row.trace_id == "told_1"]
    assert row.tags == {"task": "pool_door", "dataset": "hotel", "category": "pool", "attack": "plain"}
    assert row.model == "mockllm/model"


def test_metadata_never_take_the_place_of_a_field(log, tmp_path):
    named = changed(log, metadata={"model": "other", "dataset": "mine", "label": "safe", "text": "x" * 81})
    (row,) = rows(as_json(tmp_path / "a", named), success=POOL)
    assert row.tags == {
        "task": "pool_door", "dataset": "hotel", "metadata.model": "other", "metadata.dataset": "mine",
        "label": "safe",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("stop", "status"),
    [("content_filter", "target_blocked"), ("model_length", "truncated"), (None, "not_submitted")],
)
def test_what_the_target_did_wrong_is_a_status_of_the_row(log, tmp_path, stop, status):
    choice = {"message": {"role": "assistant", "content": "4711"}, "stop_reason": stop}
    output = {"choices": [choice] if stop else []}
    asked = [{"role": "user", "content": "What is the code?"}]
    (row,) = rows(as_json(tmp_path / "a", changed(log, messages=asked, output=output)), success=POOL)
    assert row.status == status


@pytest.mark.parametrize(
    ("limit", "status"), [("token", "truncated"), ("context", "truncated"), ("time", None)]
)
def test_a_limit_on_tokens_cuts_a_response_and_one_on_time_does_not(log, tmp_path, limit, status):
    ended = changed(log, place=6, limit={"type": limit, "limit": 4.0})
    (row,) = rows(as_json(tmp_path / "a", ended), success=POOL)
    assert (row.trace_id, row.status, row.tags["limit"]) == ("told_1", status, limit)


def test_a_grade_that_inspect_did_not_find_before_0_3_245_is_flagged(log, tmp_path):
    """inspect_ai #4026: such logs hold it as I."""
    old = changed(
        log, scores={"model_graded_qa": {"value": "I", "explanation": "Grade not found in model output: hm"}}
    )
    old["eval"] |= {"packages": {"inspect_ai": "0.3.240"}, "scorers": [{"name": "model_graded_qa"}]}
    path = as_json(tmp_path / "a", old)
    source = recognised(path)
    assert source is not None
    assert "0.3.240 wrote a grade that was not found as I" in source.notes[-1]
    assert only(rows(path, success="model_graded_qa=I")[0]).status == "unparsable"


def test_duplicates_of_id_and_epoch_are_marked(log, tmp_path):
    """inspect_ai #3907: in the summaries, which are not read; here in the samples."""
    twice = changed(log)
    twice["samples"] *= 3
    read = rows(as_json(tmp_path / "a", twice), success=POOL)
    assert [row.status for row in read] == ["truncated", "invalidated", "invalidated"]
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = as_eval(tmp_path / "b.zip", twice)
    assert len(rows(path, success=POOL)) == 1, "a later member of a zip replaces the earlier"


@pytest.mark.parametrize("write", [as_json, as_eval])
def test_an_unknown_version_is_refused_by_name(log, tmp_path, write):
    """inspect_ai #5066."""
    with pytest.raises(FFError, match="log format 3, which is not known"):
        rows(write(tmp_path / "a", log | {"version": 3}))


def test_a_log_without_samples_is_refused(log, tmp_path):
    with pytest.raises(FFError, match="0 samples"):
        recognised(DATA / "none.eval")
    for empty in (log | {"samples": []}, {k: v for k, v in log.items() if k not in ("samples", "results")}):
        with pytest.raises(FFError, match="0 samples"):
            rows(as_json(tmp_path / "a", empty))


@pytest.mark.parametrize("name", ["pool.eval", "pool.json"])
@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_refused(tmp_path, name, kept):
    whole = (DATA / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(FFError, match="cut off or damaged"):
        rows(tmp_path / name, success=POOL)


def test_a_damaged_member_is_named(tmp_path):
    whole = bytearray((DATA / "pool.eval").read_bytes())
    with zipfile.ZipFile(DATA / "pool.eval") as archive:
        info = archive.getinfo("samples/told_epoch_1.json")
    whole[info.header_offset + 200] ^= 0xFF
    (tmp_path / "a").write_bytes(whole)
    with pytest.raises(FFError, match=r"samples/told_epoch_1.json: damaged"):
        rows(tmp_path / "a", success=POOL)


def test_a_log_that_was_not_finished_says_so(log, tmp_path):
    path = as_eval(tmp_path / "a", log)
    unfinished = tmp_path / "b"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(unfinished, "w") as new:
        for name in old.namelist():
            if name != "header.json":
                new.writestr(name, old.read(name))
    source = recognised(unfinished)
    assert source is not None
    assert "the log says started" in source.notes[0]
    assert len(rows(unfinished, success=POOL)) == 16


def test_other_files_are_not_taken_for_logs(tmp_path):
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        archive.writestr("samples/readme.txt", "pool")
    (tmp_path / "b").write_text('{"version": 3, "results": {}}')
    for name in ("a", "b"):
        path = tmp_path / name
        assert Reader().recognise(path, path.read_bytes()) is None


@pytest.mark.parametrize("direction", ["I", "kept_the_code=I:I", "share_told>=much", "=I", "kept_the_code=,"])
def test_a_direction_that_cannot_be_read_says_what_can(direction):
    with pytest.raises(FFError, match="SCORER=VALUE"):
        rows(DATA / "pool.eval", success=direction)


def test_no_error_shows_a_text(log, tmp_path):
    hostile = "the code of the pool is 4711,\x1b[31m <script>, and \\input{secret}"
    path = as_json(tmp_path / "a", scored(log, hostile))
    with pytest.raises(FFError) as asked:
        rows(path)
    assert "4711" not in str(asked.value)
    assert "(a text of" in str(asked.value)


@given(
    value=st.one_of(
        st.floats(), st.booleans(), st.integers(), st.text(), st.none(), st.lists(st.integers(), max_size=3),
        st.dictionaries(st.text(), st.one_of(st.floats(), st.text()), max_size=3),
    ),
    direction=st.sampled_from(["kept_the_code=I", "kept_the_code>=1", "kept_the_code=1"]),
)  # fmt: skip
def test_whatever_a_value_is_there_is_a_label_or_a_reason(tmp_path_factory, value, direction):
    log = json.loads((DATA / "pool.json").read_text(encoding="utf-8"))
    path = as_json(tmp_path_factory.mktemp("log") / "a", scored(log, value))
    judgement = only(rows(path, success=f"{direction}\nshare_told=")[0])
    assert (judgement.label is None) == (judgement.status is not None) == bool(judgement.reason)
    assert judgement.score is None or math.isfinite(judgement.score)


def test_a_document_longer_than_what_is_read_at_once(log, tmp_path):
    """Samples are decoded one by one from pieces of 4 MB: none is lost at the seams."""
    many = changed(log)
    long = '\\ü"{[' * 40_000
    many["samples"] = [
        many["samples"][0] | {"id": number, "messages": [{"role": "user", "content": f"{number}{long}"}]}
        for number in range(40)
    ]
    read = rows(as_json(tmp_path / "a", many), success=POOL)
    assert [row.messages[0].content for row in read] == [f"{number}{long}" for number in range(40)]


@pytest.mark.parametrize("name", LOGS)
def test_inspects_own_reader_gives_the_same(name):
    log_module = pytest.importorskip("inspect_ai.log", reason="runs where inspect_ai is installed")
    theirs = log_module.read_eval_log(str(DATA / name), resolve_attachments=True)
    ours = rows(DATA / name, success="\n".join((POOL, VALUES, "second_look=I")))
    assert len(ours) == len(theirs.samples)
    for row, sample in zip(
        sorted(ours, key=lambda one: one.trace_id),
        sorted(theirs.samples, key=lambda one: f"{one.id}_{one.epoch}"),
        strict=True,
    ):
        assert (row.scenario_id, row.run) == (str(sample.id), str(sample.epoch))
        assert (row.status == "target_error") == (sample.error is not None)
        assert (row.status == "invalidated") == (sample.invalidation is not None)
        if sample.output.choices:
            assert row.messages[-1].content == sample.output.message.text
        for mine, message in itertools.zip_longest(row.messages, sample.messages):
            if mine is not None and message is not None:
                assert mine.role == message.role
                assert all(line in mine.content for line in message.text.splitlines())
        values = {name: score.value for name, score in (sample.scores or {}).items()}
        for judgement in row.judgements:
            value = values[re.split("[.>=]", judgement.judge)[0]]
            unscored = isinstance(value, float) and math.isnan(value)
            assert not unscored or judgement.status is not None
        said = {*(re.split("[.>=]", judge)[0] for judge in judged([row]))}
        assert said | {"second_look"} >= values.keys()
