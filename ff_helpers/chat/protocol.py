"""The interface of a chat model: messages in; text, token counts and faults out.

A model under test and a model that grades are asked in the same way, so both rooms build on this one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Turn = dict[str, str]
"""One message: `role` (system, user, assistant) and `content`."""

Fault = Literal["context_overflow", "timeout", "server_error"]


class ChatFaultError(Exception):
    """One request could not be answered, for a reason that concerns this request alone.

    If no request can succeed (no server, no model), it is an FFError instead.
    """

    def __init__(self, status: Fault, reason: str) -> None:
        super().__init__(reason)
        self.status: Fault = status
        self.reason = reason


@dataclass(frozen=True)
class Request:
    """How to generate an answer.

    Args:
        max_tokens: the answer's limit, thoughts not counted.
        schema: a JSON schema that the answer is constrained to, or None.
        temperature: 0 for graders.
        seed: of the sampler.
        likely: how many of the likeliest tokens the reply should name at each place, up to 20.
    """

    max_tokens: int
    schema: Mapping[str, object] | None = None
    temperature: float = 0.0
    seed: int = 0
    likely: int = 0


@dataclass(frozen=True)
class Token:
    """One token of an answer, and the likeliest tokens at its place: text -> natural log of the probability.

    The probabilities are the model's own, before temperature and schema.
    """

    text: str
    likely: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What a model answered.

    Args:
        text: the answer, thoughts left out.
        complete: False where the answer was cut at its token limit.
        prompt_tokens: as the server counted them; proof that the whole prompt was read.
        completion_tokens: of answer and thoughts.
        cached_tokens: prompt tokens that the server reused, if it says.
        reasoning: the thoughts of a thinking model, kept apart.
        tokens: of the answer, with what was likely; empty where the server does not tell.
    """

    text: str
    complete: bool = True
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning: str | None = None
    tokens: tuple[Token, ...] = ()


class Chat(Protocol):
    """A model that can be asked. Everything but `num_ctx` is known once it is open."""

    model: str
    """The model's name, as in ledgers and traces."""
    digest: str
    """What the model is: sha256 of its weights, or a typed unknown in words."""
    quantization: str | None
    """How the weights are rounded, such as Q4_K_M, if known; the digest covers it."""
    software: str
    """What it runs on: client, server and their versions."""
    num_ctx: int | None
    """Context in tokens, final after `fit`; None if the server does not report it."""
    concurrency: int
    """Requests in flight at one server."""
    threads: int | None
    """Threads of a model in this process; None of a server's, which does not tell."""
    slots: int
    """Requests in flight in all: `concurrency` times the number of servers."""

    def fit(self, longest: int, answer_tokens: int) -> None:
        """Size the context for a longest conversation (bytes) and answer (tokens), once for all requests."""

    async def ask(self, turns: list[Turn], request: Request) -> Reply:
        """Return the model's answer.

        Raises:
            ChatFaultError: this request failed, retries included.
            FFError: no request can succeed: no server, no model.
        """

    async def close(self) -> None:
        """Release the model or the connections."""
