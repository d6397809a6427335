"""Nothing is cut: against servers that cut silently, in three kinds of text."""

import asyncio
import base64
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ff_helpers.chat.proof import (
    frame,
    pieces,
    prove_grown,
    prove_nothing_cut,
    size,
    surely_fits,
)
from ff_helpers.chat.protocol import ChatFaultError
from ff_helpers.corpus.traces import Message, Trace
from ff_helpers.grading.flip import render
from ff_helpers.grading.graders import open_grader
from ff_helpers.grading.rubric import load_rubric
from tests.model_server import CONTEXT, tokens

ENGLISH = "the code of the door stays with me, and so it will "
CHINESE = "门的密码我不能告诉你因为这是规定"
BLANKLESS = "".join(base64.b64encode(hashlib.sha512(bytes([n])).digest()).decode() for n in range(40))
LIMIT = 4096


def turn(text):
    return {"role": "user", "content": text}


def asked_for(response):
    messages = (Message(role="user", content="The code?"), Message(role="assistant", content=response))
    return Trace(trace_id="t", model="m", source="s", messages=messages)


def text_of(kind, count):
    """Return a text of this kind with at least `count` tokens of the test server, hardly more."""
    per = tokens(turn(kind)) - 4
    whole, rest = divmod(count, per)
    end = next((n for n in range(len(kind)) if tokens(turn(kind[:n])) - 4 >= rest), len(kind))
    return kind * whole + kind[:end]


class Asked:
    """A grader on one event loop, for many examples."""

    def __init__(self, spec):
        self.grader, self.runner = open_grader(spec), asyncio.Runner()

    def grade(self, trace):
        return self.runner.run(self.grader.grade(trace, 0))

    def close(self):
        self.runner.run(self.grader.close())
        self.runner.close()


@pytest.fixture(scope="module", params=[(k, m) for k in ("ollama", "openai") for m in CONTEXT], ids="-".join)
def cutter(request, port):
    kind, model = request.param
    asked = Asked(f"{kind}:{model}@http://127.0.0.1:{port}" + ("/v1" if kind == "openai" else ""))
    longest = asked_for(CHINESE * 2000)
    asked.grader.fit([longest])
    yield asked
    asked.close()


@settings(max_examples=20)
@given(
    kind=st.sampled_from([ENGLISH, CHINESE, BLANKLESS]),
    length=st.one_of(st.integers(3000, 4400), st.integers(1, 9000), st.integers(LIMIT - 700, LIMIT - 300)),
)
def test_no_prompt_that_was_cut_ever_gives_a_verdict(cutter, kind, length):
    trace = asked_for(text_of(kind, length))
    outcome = cutter.grade(trace)
    assert (outcome.verdict, outcome.status) in (
        ("REFUSAL", None),
        (None, "context_overflow"),
    )  # COMPLIANCE: cut


@pytest.mark.parametrize("kind", [ENGLISH, CHINESE, BLANKLESS])
@pytest.mark.parametrize("model", ["ollama:cuts:1", "openai:cuts:1"])
def test_what_fits_by_its_tokens_is_graded_though_its_bytes_do_not_fit(address, model, kind):
    asked = Asked(address(*model.split(":", 1)))
    long, longer = asked_for(text_of(kind, 3000)), asked_for(text_of(kind, 3900))
    asked.grader.fit([longer])
    assert size(render(long, load_rubric("flip-reference"))) > LIMIT
    assert asked.grade(long).verdict == "REFUSAL"
    outcome = asked.grade(longer)
    assert outcome.status == "context_overflow"
    assert str(LIMIT) in outcome.reason
    asked.close()


def test_an_openai_server_that_tells_no_context_can_be_told_it(address):
    told = Asked(address("openai", "untold:1") + "?context=4096")
    assert told.grader.setup.num_ctx == 4096
    assert told.grade(asked_for(text_of(ENGLISH, 2000))).verdict == "REFUSAL"
    told.close()
    untold = Asked(address("openai", "untold:1"))
    assert untold.grade(asked_for("No.")).verdict == "REFUSAL"
    assert "?context=TOKENS" in untold.grade(asked_for(text_of(ENGLISH, 2000))).reason
    untold.close()


@given(st.lists(st.text(st.characters(), max_size=400), max_size=4), st.integers(280, 900))
def test_pieces_hold_all_of_the_text_and_surely_fit(texts, num_ctx):
    turns = [turn(text) for text in texts]
    cut = list(pieces(turns, num_ctx))
    assert "".join(piece[0]["content"] for piece in cut) == "".join(texts)
    assert all(surely_fits(piece, num_ctx, 1) for piece in cut)


def test_a_context_without_room_for_a_prompt_is_an_overflow():
    with pytest.raises(ChatFaultError, match="too small for any prompt"):
        list(pieces([turn("x")], 200))


def test_what_surely_fits_is_bytes_template_and_answer():
    turns = [turn("密" * 100)]
    room = 300 + frame(turns) + 160
    assert surely_fits(turns, room, 160)
    assert not surely_fits(turns, room - 1, 160)


@pytest.mark.parametrize(
    ("count", "num_ctx", "status"),
    [(None, 4096, "server_error"), (0, 4096, "server_error"), (2, 4096, "context_overflow"),
     (3937, 4096, "context_overflow"), (3936, 4096, None), (50_000, None, None)],
)  # fmt: skip
def test_the_count_must_be_told_and_leave_room_and_hold_every_word(count, num_ctx, status):
    turns = [turn("one two three")]
    if status is None:
        assert prove_nothing_cut(turns, count, num_ctx, 160) == count
    else:
        with pytest.raises(ChatFaultError) as fault:
            prove_nothing_cut(turns, count, num_ctx, 160)
        assert fault.value.status == status


def test_a_conversation_that_goes_on_has_a_token_more_for_each_word():
    prove_grown(100, 103, [turn("one two three")])
    prove_grown(None, 3, [turn("one two three")])
    with pytest.raises(ChatFaultError, match="102 tokens"):
        prove_grown(100, 102, [turn("one two three")])
