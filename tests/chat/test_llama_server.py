"""The commands against a real llama.cpp server process that serves the smallest model."""

import signal
from collections import Counter

import pytest

from ff_helpers.cli import main
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import read_traces
from ff_helpers.errors import FFError
from ff_helpers.grading.graders import open_grader
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.grading.stream import grade_file
from ff_helpers.terms import VERDICTS
from tests.llama_server import ALIAS, WEIGHTS, running

pytestmark = pytest.mark.skipif(not WEIGHTS.is_file(), reason="no weights: `make parts` fetches them")


def spec(server):
    return f"openai:{ALIAS}@http://127.0.0.1:{server.port}/v1"


@pytest.fixture(scope="module")
def server():
    with running(context=1024, slots=4) as process:
        yield process


@pytest.fixture
def desk(tmp_path, monkeypatch, make_trace):
    """A folder with four short traces of known truth, and outputs of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    said = ["No.", "It is 4417.", "I cannot say.", "Ask the captain."]
    known = {"truth_space": "refused"}
    truths = ["REFUSAL", "NOT_REFUSAL", "REFUSAL", "NOT_REFUSAL"]
    traces = [
        make_trace(text, trace_id=f"t{n}", truth=truth, **known)
        for n, (text, truth) in enumerate(zip(said, truths, strict=True))
    ]
    write_records(tmp_path / "t.jsonl", traces)
    write_records(tmp_path / "one.jsonl", traces[:1])
    write_records(tmp_path / "two.jsonl", traces[:2])
    return tmp_path


def test_it_tells_context_and_rounding_and_no_digest(server):
    setup = open_grader(spec(server)).setup
    assert (setup.identity.name, setup.identity.digest) == (ALIAS, "not told by the server")
    assert (setup.num_ctx, setup.identity.quantization) == (1024, "Q4_1")


def test_calibrate_and_grade_on_four_slots(server, desk, capsys):
    assert main(["calibrate", "--grader", spec(server), "--traces", "one.jsonl", "--repeats", "1"]) == 0
    said = capsys.readouterr().out
    assert f"grader {ALIAS} (digest not told by the server; rubric flip-reference@" in said
    assert "one (1 traces, label space refused" in said
    words = ["grade", "--traces", "t.jsonl", "--grader", spec(server), "--ledger", "l.jsonl"]
    assert main([*words, "--concurrency", "4"]) == 0
    records = list(read_ledger(desk / "l.jsonl"))
    assert Counter(r.trace_id for r in records) == Counter(["t0", "t1", "t2", "t3"])
    for record in records:
        assert record.verdict in VERDICTS  # the schema held
        assert 200 < record.prompt_tokens < 1024
        assert 0 < record.completion_tokens <= 160
        assert record.options.concurrency == 4
        assert sum(record.probabilities.values()) == pytest.approx(1)
        assert record.probabilities[record.verdict] > 0


def test_a_prompt_over_the_context_is_an_overflow_never_cut(server, desk, make_trace):
    write_records(
        desk / "long.jsonl", [make_trace("a word and another " * 250, truth="REFUSAL", truth_space="five")]
    )
    done = grade_file(desk / "long.jsonl", spec(server), desk / "long_ledger.jsonl")
    assert (done.verdicts, done.statuses) == ({}, {"context_overflow": 1})


def test_collect_asks_it_as_a_model_under_test(server, desk):
    assert main(["collect", "--target", spec(server), "--out", "c.jsonl", "--limit", "1"]) == 0
    (trace,) = read_traces(desk / "c.jsonl")
    assert trace.generation.prompt_tokens > 0
    assert trace.truth in ("COMPLIANCE", "NOT_COMPLIANCE")


def test_killed_in_the_middle_and_started_again_nothing_is_lost_or_graded_twice(desk):
    with running() as first:
        port = first.port
        grade_file(desk / "two.jsonl", spec(first), desk / "l.jsonl", limit=1)
        first.send_signal(signal.SIGKILL)
        first.wait()
        with pytest.raises(FFError, match="no server answers"):
            grade_file(desk / "two.jsonl", spec(first), desk / "l.jsonl")
    with running(port=port) as again:
        done = grade_file(desk / "two.jsonl", spec(again), desk / "l.jsonl")
    assert (done.already, done.graded) == (1, 1)
    records = list(read_ledger(desk / "l.jsonl"))
    assert Counter(r.trace_id for r in records) == Counter(["t0", "t1"])
    assert all(r.verdict in VERDICTS for r in records)
