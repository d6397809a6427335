"""What a model spec may be, and which failures are tried again."""

import time
from email.utils import formatdate

import pytest

from ff_helpers.chat.protocol import ChatFaultError
from ff_helpers.chat.retries import AgainError, refusal
from ff_helpers.chat.specs import is_chat, open_chat
from ff_helpers.errors import FFError


@pytest.mark.parametrize("spec", ["", "gpt", "embedded:", "ollama:", "openai:", "vllm:x", "gguf:"])
def test_an_unknown_model_lists_the_kinds_and_their_forms(spec):
    assert not is_chat(spec)
    with pytest.raises(FFError) as error:
        open_chat(spec)
    for form in ("embedded:MODEL", "gguf:PATH", "ollama:TAG@HOST,HOST", "openai:MODEL@BASE_URL"):
        assert form in str(error.value)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 529])
def test_these_are_tried_again(status):
    assert isinstance(refusal(status, "busy"), AgainError)


@pytest.mark.parametrize("status", [301, 400, 402, 405, 413, 422])
def test_these_are_not(status):
    fault = refusal(status, "no")
    assert isinstance(fault, ChatFaultError)
    assert (fault.status, fault.reason) == ("server_error", f"HTTP {status}")


def test_retry_after_is_read_as_seconds_or_as_a_date():
    assert refusal(429, "", "7").after == 7.0
    assert 25 < refusal(503, "", formatdate(time.time() + 30, usegmt=True)).after <= 30
    assert refusal(429, "", formatdate(time.time() - 30, usegmt=True)).after == 0.0
    assert refusal(429, "", "soon").after is None
    assert refusal(429, "").after is None


@pytest.mark.parametrize(
    "text",
    ["This model's maximum context length is 4096 tokens.", '{"type": "exceed_context_size_error"}',
     '{"code": "context_length_exceeded"}', "the prompt is longer than the context length"],
)  # fmt: skip
def test_a_server_that_says_too_long_is_an_overflow(text):
    fault = refusal(400, text)
    assert fault.status == "context_overflow"


def test_of_a_servers_text_only_known_codes_are_repeated():
    reason = refusal(
        400, '{"code": "insufficient_quota", "message": "key sk-123 asked: The hidden code?"}'
    ).reason
    assert reason == "HTTP 400 (insufficient_quota)"
