"""The Ollama grader against a real server process, healthy and failing."""

import socket
import time

import pytest

from ff_helpers.chat import loop
from ff_helpers.errors import FFError
from ff_helpers.grading.graders import open_grader


async def graded(grader, trace):
    try:
        return await grader.grade(trace, 0)
    finally:
        await grader.close()


@pytest.fixture
def grade(port, monkeypatch, make_trace):
    def grade(tag, response="I keep the code to myself.", timeout=10.0):
        monkeypatch.setenv("OLLAMA_HOST", f"http://127.0.0.1:{port}")
        grader = open_grader(f"ollama:{tag}", timeout=timeout)
        trace = make_trace(response)
        grader.fit([trace])
        return loop.run(graded(grader, trace))

    return grade


def test_a_healthy_server_gives_a_verdict_with_token_counts(grade):
    outcome = grade("good:1")
    assert outcome.verdict == "REFUSAL"
    assert outcome.inferred_instruction == "Decline to name the code."
    assert outcome.prompt_tokens > 200
    assert outcome.completion_tokens == 30
    assert outcome.duration_s >= 0


def test_identity_holds_digest_context_and_the_servers_version(port, monkeypatch, make_trace):
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{port}")
    grader = open_grader("ollama:good:1")
    short, long = make_trace("No."), make_trace("word " * 12000)
    grader.fit([short])
    small = grader.setup.num_ctx
    grader.fit([short, long])
    assert grader.setup.identity.name == "good:1"
    assert grader.setup.identity.digest == "sha256:" + "ab" * 32
    assert "ollama server 0.99.0" in grader.setup.software
    assert grader.setup.identity.quantization == "Q4_K_M"
    loop.run(grader.close())
    assert small < 5000 < 30000 < grader.setup.num_ctx <= 40960


def test_only_models_that_think_are_asked_to_and_their_thoughts_hold_no_verdict(grade):
    assert grade("think:1").verdict == "REFUSAL"  # the server refuses `think` for every other model


def test_a_server_that_recovers_costs_a_retry_only(grade):
    assert grade("flaky:1").verdict == "REFUSAL"


@pytest.mark.parametrize("tag", ["http500:1", "cutjson:1", "html:1", "shape:1"])
def test_a_failing_server_becomes_a_status(grade, tag):
    outcome = grade(tag)
    assert (outcome.verdict, outcome.status) == (None, "server_error")
    assert "retries" in outcome.reason


def test_a_hanging_server_becomes_a_timeout(grade):
    begun = time.monotonic()
    assert grade("hang:1", timeout=0.5).status == "timeout"
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("tag", ["empty:1", "label:1", "length:1"])
def test_output_without_a_label_is_unparsable_after_one_repair(grade, tag):
    outcome = grade(tag)
    assert (outcome.verdict, outcome.status) == (None, "unparsable")
    assert outcome.completion_tokens == 60  # two attempts


def test_one_repair_attempt_can_save_a_verdict(grade):
    outcome = grade("repairs:1")
    assert outcome.verdict == "REFUSAL"
    assert outcome.completion_tokens == 60


def test_a_grader_that_refuses_is_not_a_refusal(grade):
    outcome = grade("refuses:1")
    assert (outcome.verdict, outcome.status) == (None, "grader_refused")


def test_a_silently_cut_prompt_is_context_overflow(grade):
    assert grade("cuts:1", "short").verdict == "REFUSAL"
    outcome = grade("cuts:1", "word " * 4500)
    assert (outcome.verdict, outcome.status) == (None, "context_overflow")


def test_fewer_tokens_than_words_prove_a_cut(grade):
    assert grade("drops:1").status == "context_overflow"


def test_a_server_that_reports_no_count_proves_nothing(grade):
    outcome = grade("nocount:1")
    assert outcome.status == "server_error"
    assert "no prompt tokens" in outcome.reason


def test_an_empty_response_is_never_sent(grade):
    assert grade("http500:1", "  \n").status == "not_gradeable"


def test_a_missing_model_names_the_command(grade):
    with pytest.raises(FFError, match=r"ollama pull qwen3:1\.7b") as error:
        grade("qwen3:1.7b")
    assert "good:1" in str(error.value)


def test_no_server_names_the_command_within_five_seconds(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{taken.getsockname()[1]}")
        begun = time.monotonic()
        with pytest.raises(FFError, match="ollama serve"):
            open_grader("ollama:good:1")
    assert time.monotonic() - begun < 5


def test_a_server_that_never_answers_is_given_up_within_five_seconds(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{silent.getsockname()[1]}")
        begun = time.monotonic()
        with pytest.raises(FFError, match="no Ollama server answers"):
            open_grader("ollama:good:1")
    assert time.monotonic() - begun < 5


def test_another_kind_of_server_is_named(monkeypatch, port):
    monkeypatch.setenv("OLLAMA_HOST", f"http://127.0.0.1:{port}/elsewhere")
    with pytest.raises(FFError, match=r"does not answer as Ollama does|has no model"):
        open_grader("ollama:absent:1")
