"""Campaigns: sampling, resuming, what is written, progress."""

import asyncio
import json

import pytest

from ff_helpers import grade, paths, verdicts
from ff_helpers.corpus.jsonl import BadLineError, FileMissingError, write_records
from ff_helpers.corpus.readers import CALIBRATION, load_set
from ff_helpers.corpus.traces import Message, Trace, read_traces
from ff_helpers.errors import FFError
from ff_helpers.grading.graders import open_grader
from ff_helpers.grading.ledger import live_records, read_ledger
from ff_helpers.paths import UnwritableError
from ff_helpers.terms import STATUSES, VERDICTS
from tools.generate.recorded import SAMPLE, SETS, recorded

RECORDED = recorded("smollm2-135m")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    return paths.start("trial", as_of="2026-11-22")


def trace(n, truth, **fields):
    messages = (Message(role="user", content="Code?"), Message(role="assistant", content=f"No. {n}"))
    return Trace(
        trace_id=f"t{n:03d}",
        model="m",
        source="s",
        messages=messages,
        truth=truth,
        truth_space="refused",
        **fields,
    )


# Grading


def test_the_paper_campaign_counts_every_row_and_repeats_models_only(run):
    counts = grade(run, CALIBRATION, [f"recorded:{RECORDED}", "heuristic"], repeat_rows=20)
    assert counts[["set", "grader", "n"]].to_numpy().tolist() == [
        ["proxies", "smollm2-135m", 120],
        ["written", "smollm2-135m", 34],
        ["proxies", "heuristic", 120],
        ["written", "heuristic", 34],
    ]
    assert (counts[[*VERDICTS, *STATUSES]].sum(axis=1) == counts["n"]).all()
    frame = verdicts(run)
    assert frame.groupby(["grader", "repeat"]).size().to_dict() == {
        ("heuristic", 0): 154,
        ("smollm2-135m", 0): 154,
        ("smollm2-135m", 1): 20,
    }
    assert set(frame["set"].unique()) == {"proxies", "written"}
    assert (frame["sampling"] == "constructed").all()


def test_a_second_run_writes_nothing_new_and_a_fresh_one_the_same_bytes(run, tmp_path, monkeypatch):
    args = (CALIBRATION, [f"recorded:{RECORDED}", "heuristic"])
    grade(run, *args, repeat_rows=20)
    files = sorted((run.folder / "ledger").iterdir())
    before = [f.read_bytes() for f in files]
    grade(run, *args, repeat_rows=20)
    assert [f.read_bytes() for f in files] == before
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "elsewhere"))
    grade(run, *args, repeat_rows=20)
    assert [f.read_bytes() for f in sorted((run.folder / "ledger").iterdir())] == before


def test_a_broken_off_run_goes_on_where_it_stopped(run):
    args = (CALIBRATION, [f"recorded:{RECORDED}", "heuristic"])
    grade(run, *args, repeat_rows=20)
    whole = run.ledger("verdicts").read_bytes()
    lines = whole.splitlines(keepends=True)
    run.ledger("verdicts").write_bytes(b"".join(lines[:100]) + lines[100][:50])
    grade(run, *args, repeat_rows=20)
    assert run.ledger("verdicts").read_bytes() == whole


def test_a_smaller_sample_of_an_old_ledger_shows_only_the_sample(run):
    grade(run, CALIBRATION, ["heuristic"])
    counts = grade(run, CALIBRATION, ["heuristic"], sample={"proxies": 25})
    assert counts["n"].tolist() == [25, 34]
    assert len(verdicts(run)) == 59


def test_two_traces_with_one_text_are_two_rows(run, tmp_path):
    twins = [trace(1, "REFUSAL"), trace(1, "REFUSAL").model_copy(update={"trace_id": "twin"})]
    write_records(tmp_path / "twins.jsonl", twins)
    counts = grade(run, {"twins": str(tmp_path / "twins.jsonl")}, ["heuristic"])
    assert counts["n"].tolist() == [2]


def test_of_a_withheld_trace_no_text_reaches_any_file(run, tmp_path, port, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{port}")
    shown = trace(1, "REFUSAL")
    write_records(
        tmp_path / "t.jsonl", [shown, shown.model_copy(update={"trace_id": "hidden", "withheld": True})]
    )
    grade(run, {"t": str(tmp_path / "t.jsonl")}, ["ollama:good:1", "heuristic"], repeat_rows=2)
    records = {(r.trace_id, r.grader): r for r in read_ledger(run.ledger("verdicts"))}
    assert records["t001", "good:1"].inferred_instruction == "Decline to name the code."
    hidden = records["hidden", "good:1"]
    assert (hidden.verdict, hidden.inferred_instruction, hidden.raw) == ("REFUSAL", None, None)
    text = "".join(f.read_text() for f in (run.folder / "ledger").iterdir())
    assert "No. 1" not in text
    assert "Code?" not in text


def test_progress_is_a_small_json_file_where_it_is_asked_for(run, tmp_path, monkeypatch):
    monkeypatch.setenv("FF_PROGRESS", str(tmp_path / "progress.json"))
    grade(run, {"proxies": CALIBRATION["proxies"]}, ["heuristic"])
    state = json.loads((tmp_path / "progress.json").read_text())
    assert (state["done"], state["total"], state["left_s"]) == (120, 120, 0.0)
    assert sum(state["counts"].values()) == 120
    assert [f.name for f in tmp_path.glob("progress*")] == ["progress.json"]


# What the user can mend


def test_a_missing_or_malformed_trace_file_is_named(run, tmp_path):
    with pytest.raises(FileMissingError, match=r"absent\.jsonl"):
        grade(run, {"a": str(tmp_path / "absent.jsonl")}, ["heuristic"])
    (tmp_path / "bad.jsonl").write_text(trace(1, "REFUSAL").model_dump_json() + '\n{"trace_id": "x"}\n')
    with pytest.raises(BadLineError, match=r"bad\.jsonl:2:model"):
        grade(run, {"a": str(tmp_path / "bad.jsonl")}, ["heuristic"])
    assert not run.ledger("verdicts").exists()


def test_outputs_that_cannot_be_written_are_one_clear_error(run, tmp_path, monkeypatch):
    (tmp_path / "taken").write_text("a file where the folder should be")
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "taken"))
    with pytest.raises(UnwritableError, match=r"cannot be written.*FF_OUTPUTS"):
        grade(run, CALIBRATION, ["heuristic"])


def test_sets_that_share_an_id_and_samples_that_cannot_be_drawn_are_named(run):
    with pytest.raises(FFError, match=r"proxy-.*ids must be unique"):
        grade(run, {"a": CALIBRATION["proxies"], "b": CALIBRATION["proxies"]}, ["heuristic"])
    with pytest.raises(FFError, match="'other': 3 cannot be drawn"):
        grade(run, CALIBRATION, ["heuristic"], sample={"other": 3})
    with pytest.raises(FFError, match="-1 cannot be drawn"):
        grade(run, CALIBRATION, ["heuristic"], sample={"proxies": -1})


@pytest.mark.parametrize("spec", ["", "gpt", "embedded:", "heuristic:2", "recorded"])
def test_an_unknown_grader_says_what_is_allowed(spec):
    with pytest.raises(FFError, match=r"is unknown\. Allowed: .*recorded:PATH"):
        open_grader(spec)


# Recordings


def test_a_recording_presents_the_recorded_grader():
    grader = open_grader(f"recorded:{RECORDED}")
    assert grader.setup.identity.name == "smollm2-135m"
    assert grader.setup.identity.digest.startswith("sha256:b179c952")
    assert grader.setup.num_ctx == 8192
    assert "xllamacpp" in grader.setup.software


def test_traces_that_were_not_recorded_are_listed_not_dropped(run, tmp_path):
    changed = [t.model_copy(update={"messages": t.messages[:-1]}) for t in read_traces(_proxies())][:3]
    write_records(tmp_path / "changed.jsonl", changed)
    with pytest.raises(FFError, match=r"3 traces .*proxy-0001, proxy-0002, proxy-0003"):
        grade(run, {"a": str(tmp_path / "changed.jsonl")}, [f"recorded:{RECORDED}"])
    with pytest.raises(FFError, match=r"has no verdict for.*flip-blind@"):
        grade(run, CALIBRATION, [f"recorded:{RECORDED}"], rubric="flip-blind")


def test_a_recording_repeats_what_it_repeated(run):
    grade(run, CALIBRATION, [f"recorded:{RECORDED}"], repeat_rows=60)
    again = verdicts(run).query("repeat == 1")
    assert again.groupby("set").size().to_dict() == {"proxies": 20, "written": 20}
    grader, (trace, *_) = open_grader(f"recorded:{RECORDED}"), read_traces(_proxies())
    with pytest.raises(FFError, match="repeat 2 was not recorded"):
        asyncio.run(grader.grade(trace, 2))


def test_a_recording_of_two_graders_is_refused(run):
    grade(run, CALIBRATION, [f"recorded:{RECORDED}", "heuristic"])
    with pytest.raises(FFError, match=r"must have one grader.*heuristic"):
        open_grader(f"recorded:{run.ledger('verdicts')}")


@pytest.mark.parametrize(
    ("model", "rows", "again"),
    [
        ("smollm2-135m", [120, 34, 120, None, 105, 200], 79),
        ("gemma3-270m", [120, 34, 120, None], 60),
        ("qwen2.5-coder-1.5b", [120, 34, 120, None, 105, 200], 60),
        ("qwen2.5-coder-0.5b", [120, 34, 120, None, 105, 200], 60),
    ],
)
def test_the_shipped_recordings_cover_the_shipped_traces_with_software_and_options(run, model, rows, again):
    counts = grade(run, SETS, [f"recorded:{recorded(model)}"], sample=SAMPLE, repeat_rows=60)
    records = live_records(paths.root() / recorded(model))
    # Of attacks, those that were recorded: the suite may be newer.
    attacked = sum(r.trace_id.startswith("injection-") for r in records)
    assert 185 <= attacked <= len(load_set(SETS["injections"]))
    assert counts["n"].tolist() == [attacked if n is None else n for n in rows]
    assert len([r for r in records if r.repeat == 1]) == again
    assert all(r.duration_s and r.software for r in records)
    assert {(r.options.temperature, r.options.seed, r.options.concurrency) for r in records} == {(0.0, 0, 1)}


def _proxies():
    return paths.root() / CALIBRATION["proxies"]


def test_a_recording_leaves_out_sets_of_which_it_has_nothing_and_no_part_of_a_set(run, tmp_path):
    """Whoever recorded some of a set must have recorded all of it: a changed text is no silent gap."""
    known, other = [trace(n, "REFUSAL") for n in range(4)], [trace(n, "REFUSAL") for n in range(10, 13)]
    write_records(tmp_path / "known.jsonl", known)
    write_records(tmp_path / "other.jsonl", other)
    sets = {name: str(tmp_path / f"{name}.jsonl") for name in ("known", "other")}
    grade(run, {"known": sets["known"]}, ["heuristic"])
    recording = run.ledger("verdicts").rename(tmp_path / "recorded.jsonl")
    again = paths.start("again", as_of="2026-11-22")
    counts = grade(again, sets, [f"recorded:{recording}"])
    assert counts[["set", "n"]].to_numpy().tolist() == [["known", 4]]
    write_records(tmp_path / "other.jsonl", [*other, known[0]])
    with pytest.raises(FFError, match=r"no verdict for 3 traces \(t010, t011, t012\)"):
        grade(again, {"other": sets["other"]}, [f"recorded:{recording}"])
