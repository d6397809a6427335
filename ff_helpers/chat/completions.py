"""What servers of OpenAI's protocol and llama.cpp in this process send: lists of models, completions."""

import json
from dataclasses import dataclass

from pydantic import AliasPath, BaseModel, Field, TypeAdapter, ValidationError

from ff_helpers.chat.protocol import Reply, Token
from ff_helpers.chat.retries import AgainError


class _Model(BaseModel):
    id: str
    digest: str | None = None
    max_model_len: int | None = None  # vLLM
    n_ctx: int | None = Field(default=None, validation_alias=AliasPath("meta", "n_ctx"))  # llama.cpp
    context_length: int | None = None  # OpenRouter
    ftype: str | None = Field(default=None, validation_alias=AliasPath("meta", "ftype"))  # llama.cpp
    n_ctx_train: int | None = Field(default=None, validation_alias=AliasPath("meta", "n_ctx_train"))


class _Models(BaseModel):
    data: list[_Model]


class _Message(BaseModel):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Likely(BaseModel):
    token: str
    logprob: float


class _Token(_Likely):
    top_logprobs: list[_Likely] = []


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None
    logprobs: object = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = Field(
        default=None, validation_alias=AliasPath("prompt_tokens_details", "cached_tokens")
    )


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


_TOKENS = TypeAdapter(list[_Token])


@dataclass(frozen=True)
class Served:
    """What a server's list says of one model; None where it does not. `context` is in tokens."""

    digest: str | None
    context: int | None
    quantization: str | None


def read_models(text: bytes) -> dict[str, Served]:
    """Return each model of a list, as far as the server reports it.

    Raises:
        AgainError: it is not such a list.
    """
    try:
        models = _Models.model_validate_json(text).data
    except ValidationError:
        raise AgainError("no list of models at /models") from None
    return {model.id: Served(model.digest, _context(model), model.ftype) for model in models}


def read_reply(text: bytes) -> Reply:
    """Return the answer of a chat completion, its thoughts apart.

    Raises:
        AgainError: it is not a chat completion.
    """
    try:
        return reply_of(json.loads(text))
    except ValueError:  # not JSON, or another shape
        raise AgainError("the answer is not a chat completion") from None


def reply_of(answer: object) -> Reply:
    """Return the answer of a parsed chat completion, its thoughts apart.

    Raises:
        pydantic.ValidationError: it is not a chat completion.
    """
    done = _Completion.model_validate(answer)
    choice, usage = done.choices[0], done.usage or _Usage()
    return Reply(
        text=choice.message.content or "",
        complete=choice.finish_reason not in ("length", "content_filter"),
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cached_tokens=usage.cached_tokens,
        reasoning=choice.message.reasoning_content or choice.message.reasoning,
        tokens=tokens_of(choice.logprobs.get("content") if isinstance(choice.logprobs, dict) else None),
    )


def tokens_of(told: object) -> tuple[Token, ...]:
    """Return the tokens of an answer from `[{token, logprob, top_logprobs}, ...]`; none if it is not that.

    They are an addition to an answer, so a server that writes them otherwise does not lose the answer.
    """
    try:
        tokens = _TOKENS.validate_python(told)
    except ValidationError:
        return ()
    return tuple(
        Token(one.token, {other.token: other.logprob for other in [one, *one.top_logprobs]}) for one in tokens
    )


def _context(model: _Model) -> int | None:
    """Return the limit in tokens; what the server was started with takes precedence over the model's own."""
    told = (model.max_model_len, model.n_ctx, model.context_length, model.n_ctx_train)
    return next((context for context in told if context), None)
