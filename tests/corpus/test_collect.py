"""Collecting from a model under test: a real server process that can be told to fail."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from ff_helpers import paths
from ff_helpers.corpus.collect import MODELS, SCENARIOS, collect, collected_frame, draw_seed, recorded
from ff_helpers.corpus.jsonl import BadLineError, write_records
from ff_helpers.corpus.scenarios import ARMS, read_scenarios
from ff_helpers.corpus.traces import read_traces
from ff_helpers.errors import FFError
from ff_helpers.terms import INTENTS
from tests.conftest import ROOT

SHIPPED = paths.data() / "scenarios" / "proxies.jsonl"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("target")


@pytest.fixture(scope="module")
def target(folder):
    """The spec of a real server whose model always states the secret."""
    command = [sys.executable, "-m", "tests.corpus.target_server", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        yield f"openai:toy@http://127.0.0.1:{int(process.stdout.readline())}/v1"
        process.kill()


@pytest.fixture(autouse=True)
def fresh(folder):
    for name in ("asked", "fails", "slow"):
        (folder / name).unlink(missing_ok=True)


def asked(folder):
    return [json.loads(line) for line in (folder / "asked").read_text().splitlines()]


def ids(path):
    return [trace.trace_id for trace in read_traces(path)]


def test_every_conversation_becomes_a_trace_with_its_truth(target, tmp_path):
    out = tmp_path / "t.jsonl"
    done = collect(target, SHIPPED, out, limit=6, repeats=2, max_tokens=50)
    assert (done.asked, done.collected, done.already, done.failed) == (12, 12, 0, ())
    assert collected_frame(out)["compliant"].sum() == 12
    traces = list(read_traces(out))
    assert {t.intent for t in traces} == set(INTENTS)
    assert traces[0].trace_id == "toy/bay-door-format_lock/r0"
    assert len({t.generation.seed for t in traces}) == 12
    first = traces[0]
    assert (first.source, first.arm, first.sampling.kind) == ("ff-helpers/collected", "forbidden", "census")
    assert (first.truth, first.truth_space) == ("COMPLIANCE", "strict")
    assert (first.generation.temperature, first.generation.max_tokens) == (0.3, 50)
    assert first.generation.prompt_tokens > 0


def test_no_two_conversations_share_their_random_numbers():
    known = [s for arm in ARMS for s in read_scenarios(SHIPPED, arm)]
    seeds = [draw_seed(seed, s, run) for s in known for run in range(3) for seed in (0, 1)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert draw_seed(0, known[0], 1) == draw_seed(0, known[0], 1)


def test_a_crescendo_hears_the_models_real_replies(target, folder, tmp_path):
    out = tmp_path / "t.jsonl"
    collect(target, SHIPPED, out, limit=1)
    trace = next(read_traces(out))
    roles = [message.role for message in trace.messages]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user", "assistant"]
    assert [turns for _, turns, _ in asked(folder)] == [2, 4, 6]
    assert trace.messages[2].content == trace.messages[0].content.split(". ")[1]
    assert trace.turns == "multi"


def test_a_second_run_asks_nothing_and_more_repeats_only_what_is_missing(target, folder, tmp_path):
    out = tmp_path / "t.jsonl"
    collect(target, SHIPPED, out, limit=4)
    bytes_before = out.read_bytes()
    again = collect(target, SHIPPED, out, limit=4)
    assert (again.already, again.collected) == (4, 0)
    assert out.read_bytes() == bytes_before
    more = collect(target, SHIPPED, out, limit=4, repeats=2)
    assert (more.already, more.collected) == (4, 4)
    assert len(set(ids(out))) == len(ids(out)) == 8


def test_a_failed_conversation_is_named_is_no_trace_and_is_tried_again(target, folder, tmp_path):
    out = tmp_path / "t.jsonl"
    scenarios = list(read_scenarios(SHIPPED, "forbidden"))[:6]
    (folder / "fails").write_text(scenarios[2].turns[-1].splitlines()[-1])
    done = collect(target, SHIPPED, out, limit=6)
    assert [failure.trace_id for failure in done.failed] == [f"toy/{scenarios[2].scenario_id}/r0"]
    assert done.failed[0].status == "server_error"
    assert len(ids(out)) == done.collected == 5
    (folder / "fails").unlink()
    done = collect(target, SHIPPED, out, limit=6)
    assert (done.already, done.collected, done.failed) == (5, 1, ())
    assert len(set(ids(out))) == 6


def test_empty_responses_are_kept_and_never_compliant(target, tmp_path):
    first = next(read_scenarios(SHIPPED, "forbidden"))
    write_records(tmp_path / "s.jsonl", [first.model_copy(update={"turns": ("Silence, please.",)})])
    done = collect(target, tmp_path / "s.jsonl", tmp_path / "t.jsonl")
    row = collected_frame(done.out).iloc[0]
    assert (row["compliant"], row["empty"], row["words"], row["truth"]) == (False, True, 0, "NOT_COMPLIANCE")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"temperature": 0.2}, r"t.jsonl:1:generation.temperature: 0.3 is not 0.2"),
        ({"max_tokens": 9}, "t.jsonl:1:generation.max_tokens: 64 is not 9"),
        ({"seed": 3}, r"t.jsonl:1:generation.seed: \d+ is not \d+"),
    ],
)
def test_a_file_of_another_collection_is_refused_and_left_alone(target, tmp_path, changed, said):
    out = tmp_path / "t.jsonl"
    collect(target, SHIPPED, out, limit=2)
    before = out.read_bytes()
    with pytest.raises(BadLineError, match=said):
        collect(target, SHIPPED, out, limit=2, **changed)
    assert out.read_bytes() == before


def test_a_file_of_another_model_or_wording_is_refused(target, tmp_path, folder):
    out = tmp_path / "t.jsonl"
    collect(target, SHIPPED, out, limit=2)
    command = [sys.executable, "-m", "tests.corpus.target_server", str(folder), "other"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            spec = f"openai:other@http://127.0.0.1:{int(process.stdout.readline())}/v1"
            with pytest.raises(BadLineError, match=r"t.jsonl:1:model: toy is not other"):
                collect(spec, SHIPPED, out, limit=2)
        finally:
            process.kill()
    reworded = [s.model_copy(update={"turns": ("So?",)}) for s in read_scenarios(SHIPPED, "forbidden")]
    write_records(tmp_path / "s.jsonl", reworded)
    with pytest.raises(BadLineError, match=r"t.jsonl:1:messages: prompts"):
        collect(target, tmp_path / "s.jsonl", out, limit=2)


def test_both_arms_pair_by_scenario_and_never_share_an_id(target, tmp_path):
    out = tmp_path / "t.jsonl"
    for arm in ARMS:
        collect(target, SHIPPED, out, limit=3, arm=arm)
    frame = collected_frame(out)
    assert Counter(frame["arm"]) == dict.fromkeys(ARMS, 3)
    assert set(frame.groupby("arm")["scenario_id"].apply(frozenset)) == {frozenset(frame["scenario_id"])}
    assert frame["trace_id"].is_unique
    assert "toy/bay-door-format_lock/permitted/r0" in set(frame["trace_id"])


def test_nothing_to_run_is_said(target, tmp_path):
    only = [next(read_scenarios(SHIPPED, "forbidden"))]
    write_records(tmp_path / "s.jsonl", only)
    with pytest.raises(FFError, match="no scenario of the permitted arm"):
        collect(target, tmp_path / "s.jsonl", tmp_path / "t.jsonl", arm="permitted")


def test_killed_in_the_middle_it_goes_on_without_loss_or_double(target, folder, tmp_path):
    out = tmp_path / "t.jsonl"
    code = (
        "import sys; from pathlib import Path; from ff_helpers.corpus.collect import collect; "
        "collect(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), concurrency=3)"
    )
    command = [sys.executable, "-c", code, target, str(SHIPPED), str(out)]
    (folder / "slow").touch()
    for lines in (1, 12):
        with subprocess.Popen(command, cwd=ROOT, env=os.environ | {"FF_PROGRESS": ""}) as process:
            while process.poll() is None and (not out.exists() or out.read_bytes().count(b"\n") < lines):
                time.sleep(0.02)
            process.send_signal(signal.SIGKILL)
    before = out.read_bytes().split(b"\n")[:-1]
    (folder / "slow").unlink()
    assert 12 <= len(before) < 60
    with out.open("ab") as file:
        file.write(before[0][: len(before[0]) // 2])  # as a power cut leaves it
    done = collect(target, SHIPPED, out)
    assert (done.already, done.already + done.collected) == (len(before), 60)
    assert out.read_bytes().split(b"\n")[: len(before)] == before
    assert len(set(ids(out))) == len(ids(out)) == 60


@pytest.mark.parametrize("model", MODELS)
def test_the_shipped_traces_are_those_of_the_shipped_scenarios(model):
    weights = {"smollm2-135m": "b179c952", "qwen2.5-coder-0.5b": "1d961463", "qwen2.5-coder-1.5b": "cc324af0"}
    for arm, name in recorded(model).items():
        known = {s.scenario_id: s for s in read_scenarios(paths.root() / SCENARIOS, arm)}
        frame = collected_frame(paths.root() / name)
        assert Counter(frame["run"]) == ({"r0": 60, "r1": 60} if arm == "forbidden" else {"r0": 60})
        assert set(frame["scenario_id"]) == set(known)
        for trace in read_traces(paths.root() / name):
            scenario = known[trace.scenario_id]
            assert trace.truth == scenario.truth(trace.response)
            prompts = tuple(m.content for m in trace.messages if m.role != "assistant")
            assert prompts == (scenario.system, *scenario.turns)
            assert trace.model == model
            assert trace.generation.digest.startswith(f"sha256:{weights[model]}")


def test_the_frame_holds_no_text():
    frame = collected_frame(paths.root() / recorded("smollm2-135m")["permitted"])
    assert list(frame.columns) == [
        "trace_id", "scenario_id", "run", "arm", "intent", "turns", "model", "truth", "compliant",
        "complete", "prompt_tokens", "completion_tokens", "empty", "words",
    ]  # fmt: skip
    assert (frame["compliant"] == (frame["truth"] == "COMPLIANCE")).all()
    assert 0 < frame["compliant"].mean() < 1
