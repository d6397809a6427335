"""Models of servers that speak OpenAI's protocol, against a real server process."""

import logging
import socket
import time
import traceback

import pytest

from ff_helpers.chat import loop
from ff_helpers.chat.protocol import Request
from ff_helpers.chat.specs import open_chat
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.errors import FFError
from ff_helpers.grading.graders import open_grader
from ff_helpers.grading.stream import grade_file
from tests.model_server import running

KEY = "sk-secret-9f3b"


async def answered(chat, text="Hello?", request=None):
    try:
        return await chat.ask([{"role": "user", "content": text}], request or Request(max_tokens=160))
    finally:
        await chat.close()


def ask(spec, **more):
    return loop.run(answered(open_chat(spec, timeout=10.0), **more))


@pytest.fixture
def grade(address, make_trace):
    def grade(model, response="I keep the code to myself.", timeout=10.0):
        grader = open_grader(address("openai", model), timeout=timeout)
        trace = make_trace(response)
        grader.fit([trace])

        async def graded():
            try:
                return await grader.grade(trace, 0)
            finally:
                await grader.close()

        return loop.run(graded())

    return grade


def test_a_verdict_with_token_counts(grade):
    outcome = grade("good:1")
    assert (outcome.verdict, outcome.inferred_instruction) == ("REFUSAL", "Decline to name the code.")
    assert outcome.prompt_tokens > 200
    assert outcome.completion_tokens == 30


def test_identity_holds_what_the_server_tells(address):
    told, untold = (open_grader(address("openai", model)).setup for model in ("good:1", "inline:1"))
    assert (told.identity.name, told.identity.digest) == ("good:1", "ab" * 32)
    assert untold.identity.digest == "not told by the server"
    assert "aiohttp" in told.software
    assert "OpenAI protocol at http://127.0.0.1:" in told.software


@pytest.mark.parametrize(
    ("model", "context"), [("good:1", 40960), ("think:1", 40960), ("flaky:1", 40960), ("untold:1", None)]
)
def test_the_context_is_read_in_every_servers_way_of_telling_it(address, model, context):
    # vLLM: max_model_len; llama.cpp: meta.n_ctx_train; OpenRouter: context_length; others: nothing
    chat = open_chat(address("openai", model))
    assert chat.num_ctx == context
    chat.fit(100_000, 160)
    assert chat.num_ctx == context


def test_thoughts_are_kept_apart(address):
    reply = ask(address("openai", "think:1"), request=Request(160, schema={"type": "object"}))
    assert reply.reasoning == "The instruction names no code."
    assert "instruction names" not in reply.text


def test_a_model_name_may_hold_slashes_colons_and_at_signs(port):
    with pytest.raises(FFError, match=r"does not serve Qwen/Qwen3@8B:free"):
        open_chat(f"openai:Qwen/Qwen3@8B:free@http://127.0.0.1:{port}/v1")


@pytest.mark.parametrize(
    "spec", ["openai:gpt", "openai:gpt@localhost:8000/v1", "openai:gpt@http://me:pw-7@host/v1",
             "openai:gpt@http://", "openai:gpt@http://host/v1?contxt=4"],
)  # fmt: skip
def test_a_spec_that_cannot_be_read_shows_the_form_and_no_password(spec):
    with pytest.raises(FFError, match=r"OPENAI_API_KEY") as error:
        open_chat(spec)
    assert ("openai:MODEL@BASE_URL" in str(error.value)) != ("me:pw" in spec)
    assert "pw-7" not in str(error.value)


def test_a_missing_model_names_the_ones_there(address):
    with pytest.raises(FFError, match=r"does not serve gpt.*It serves: .*good:1"):
        open_chat(address("openai", "gpt"))


def test_another_kind_of_server_is_named(port):
    with pytest.raises(FFError, match="usually ends in /v1"):
        open_chat(f"openai:good:1@http://127.0.0.1:{port}/elsewhere")


def test_no_server_is_said_within_five_seconds():
    with socket.socket() as taken, socket.create_server(("127.0.0.1", 0)) as silent:
        taken.bind(("127.0.0.1", 0))
        for at in (taken, silent):
            begun = time.monotonic()
            with pytest.raises(FFError, match="llama-server"):
                open_chat(f"openai:good:1@http://127.0.0.1:{at.getsockname()[1]}/v1")
            assert time.monotonic() - begun < 5


def test_a_body_that_never_ends_is_a_timeout(grade):
    begun = time.monotonic()
    assert grade("trickle:1", timeout=0.5).status == "timeout"
    assert time.monotonic() - begun < 10


# The key


def test_the_key_is_sent_and_a_wrong_or_missing_one_names_the_variable(monkeypatch):
    with running("--key", KEY) as port:
        spec = f"openai:good:1@http://127.0.0.1:{port}/v1"
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        assert ask(spec, request=Request(160, schema={"type": "object"})).text
        monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
        with pytest.raises(FFError, match=r"HTTP 401.*OPENAI_API_KEY") as error:
            open_chat(spec)
        assert "sk-" not in "".join(traceback.format_exception(error.value))
        monkeypatch.delenv("OPENAI_API_KEY")
        with pytest.raises(FFError, match="refuses the key"):
            open_chat(spec)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-\none")
        with pytest.raises(FFError, match="no key has") as error:
            open_chat(spec)
        assert "sk-" not in "".join(traceback.format_exception(error.value))


def test_neither_key_nor_prompt_comes_back_from_a_server_that_echoes_them(
    address, make_trace, monkeypatch, tmp_path, caplog, capfd
):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    traces = [make_trace("I keep it.", prompt="The hidden code?", truth="REFUSAL", truth_space="refused")]
    write_records(tmp_path / "t.jsonl", traces)
    done = grade_file(tmp_path / "t.jsonl", address("openai", "echo:1"), tmp_path / "ledger.jsonl")
    assert done.statuses == {"server_error": 1}
    seen = (tmp_path / "ledger.jsonl").read_text() + caplog.text + "".join(capfd.readouterr())
    assert "HTTP 400" in seen
    assert KEY not in seen
    assert "hidden code" not in seen
    assert KEY not in repr(vars(open_chat(address("openai", "echo:1"))))
