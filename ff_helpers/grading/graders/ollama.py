"""Any model of a local Ollama server, through the official client.

Ollama cuts a prompt that is longer than `num_ctx` without an error. So the context is sized from the
longest trace of the campaign, within the model's own context length, and each answer must prove by its
`prompt_eval_count` that nothing was cut; where it cannot, the row is `context_overflow`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from ff_helpers.corpus.traces import Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.flip import (
    ANSWER_TOKENS,
    REPAIR,
    SCHEMA,
    GraderFaultError,
    Reply,
    Rubric,
    Turn,
    judge,
)
from ff_helpers.grading.flip import render as render_trace
from ff_helpers.grading.graders.heuristic import opens_refused
from ff_helpers.grading.outcome import Identity, Outcome, software, timed
from ff_helpers.grading.record import Options

if TYPE_CHECKING:
    from ollama import ShowResponse

T = TypeVar("T")

THINKING_TOKENS: Final = 2048
"""Room for the thoughts of a model that thinks before it answers."""

_PAUSES: Final = (0.2, 1.0)
"""Seconds before each retry after a server error; a timeout is retried once."""


class OllamaUnreachableError(FFError):
    """No Ollama server answers."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"no Ollama server answers at {host}. Start one with `ollama serve` (or set OLLAMA_HOST); "
            "what was graded before is kept."
        )


class OllamaModelMissingError(FFError):
    """The server does not have the model."""

    def __init__(self, tag: str, known: Sequence[str]) -> None:
        there = ", ".join(sorted(known)) or "none"
        super().__init__(f"Ollama has no model {tag}. Fetch it with `ollama pull {tag}`. There now: {there}.")


class OllamaBrokenError(FFError):
    """The server answers, but not as Ollama does."""

    def __init__(self, host: str, problem: str) -> None:
        super().__init__(
            f"the server at {host} does not answer as Ollama does: {problem}. Check OLLAMA_HOST."
        )


class Ollama:
    """Grades with one model of an Ollama server; one request at a time.

    Args:
        tag: the model, such as qwen3:1.7b.
        rubric: which words to grade by.
        timeout: seconds that one request may take.

    Raises:
        OllamaUnreachableError, OllamaModelMissingError, OllamaBrokenError: it cannot grade at all.
    """

    is_model = True

    def __init__(self, tag: str, rubric: Rubric, *, timeout: float = 300.0) -> None:
        import httpx
        import ollama

        self._tag, self._rubric = tag, rubric
        with ollama.Client(timeout=httpx.Timeout(4.0, connect=3.0), trust_env=False) as probe:
            self._host = str(probe._client.base_url)
            models = self._or_error(lambda: {m.model: m.digest for m in probe.list().models if m.model})
            name = tag if ":" in tag else f"{tag}:latest"
            if not models.get(name):
                raise OllamaModelMissingError(tag, list(models))
            shown = self._or_error(lambda: probe.show(name))
        # Proxies of the environment are for the internet, not for a server on this machine.
        self._client = ollama.Client(timeout=httpx.Timeout(timeout, connect=3.0), trust_env=False)
        self._limit = _context_length(shown)
        self._thinks = "thinking" in (shown.capabilities or [])
        self._predict = ANSWER_TOKENS + (THINKING_TOKENS if self._thinks else 0)
        self._identity = Identity(
            grader=tag,
            digest=f"sha256:{str(models[name]).removeprefix('sha256:')}",
            rubric=rubric.id,
            method="flip-final-turn",
            options=Options(temperature=0.0, seed=0, num_ctx=min(self._limit, 4096)),
            software=f"{software('ollama')}, {self._version()}",
        )

    @property
    def identity(self) -> Identity:
        """What the grader is."""
        return self._identity

    def fit(self, traces: Sequence[Trace]) -> None:
        """Size the context for the longest trace and a repair attempt, within the model's own limit.

        Half a token a byte is more than the languages of our traces need; the proof afterwards holds
        for every text.
        """
        longest = max((_bytes(render_trace(t, self._rubric)) for t in traces), default=0)
        need = (longest + len(REPAIR)) // 2 + 2 * self._predict + 256
        rounded = -(-need // 1024) * 1024
        options = self._identity.options.model_copy(update={"num_ctx": min(self._limit, rounded)})
        self._identity = replace(self._identity, options=options)

    def grade(self, trace: Trace, repeat: int) -> Outcome:  # noqa: ARG002
        """Return the model's verdict or a status.

        Raises:
            OllamaUnreachableError, OllamaModelMissingError: the server went away, or lost the model.
        """
        return timed(lambda: judge(trace, self._rubric, self._ask, opens_refused))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()  # type: ignore[no-untyped-call]

    def _ask(self, messages: list[Turn]) -> Reply:
        options = self._identity.options
        asked = {
            "temperature": 0.0,
            "seed": 0,
            "num_ctx": options.num_ctx,
            "num_predict": self._predict,
        }
        answer = self._with_retries(
            lambda: self._client.chat(
                self._tag,
                messages=messages,
                format=SCHEMA,
                options=asked,
                think=True if self._thinks else None,
            )
        )
        _prove_nothing_cut(messages, answer.prompt_eval_count, options.num_ctx or 0, self._predict)
        return Reply(
            text=answer.message.content or "",
            complete=answer.done_reason != "length",
            prompt_tokens=answer.prompt_eval_count,
            completion_tokens=answer.eval_count,
        )

    def _with_retries(self, call: Callable[[], T]) -> T:
        """Return the answer, after small retries; otherwise raise the status of the row."""
        import httpx
        import ollama

        problem = ""
        for pause in (*_PAUSES, None):
            try:
                return call()
            except httpx.TimeoutException:
                if pause != _PAUSES[0]:
                    raise GraderFaultError("timeout", "no answer in time, also not on a retry") from None
            except ollama.ResponseError as error:
                if error.status_code == 404:
                    raise OllamaModelMissingError(self._tag, []) from None
                problem = f"HTTP {error.status_code}"
            except ConnectionError:
                raise OllamaUnreachableError(self._host) from None
            except (httpx.HTTPError, ValueError) as error:  # cut off, no JSON, or JSON of another shape
                problem = f"an answer that cannot be read ({type(error).__name__})"
            if pause is not None:
                time.sleep(pause)
        raise GraderFaultError("server_error", f"{problem}, also after {len(_PAUSES)} retries")

    def _or_error(self, call: Callable[[], T]) -> T:
        """Return the answer of a first question, whose failure means that nothing can be graded."""
        import httpx
        import ollama

        try:
            return call()
        except (ConnectionError, httpx.ConnectError, httpx.TimeoutException):
            raise OllamaUnreachableError(self._host) from None
        except ollama.ResponseError as error:
            raise OllamaBrokenError(self._host, f"HTTP {error.status_code}") from None
        except (httpx.HTTPError, ValueError) as error:
            raise OllamaBrokenError(self._host, type(error).__name__) from None

    def _version(self) -> str:
        """Return the server's version; the client has no call for it."""
        import httpx

        try:
            answer = httpx.get(f"{self._host.rstrip('/')}/api/version", timeout=3.0, trust_env=False)
            return f"ollama server {answer.json()['version']}"
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return "ollama server of unknown version"


def _context_length(shown: "ShowResponse") -> int:
    """Return the model's own context length in tokens; 2048 where the server does not tell."""
    told = [v for k, v in (shown.modelinfo or {}).items() if k.endswith(".context_length")]
    return int(told[0]) if told and isinstance(told[0], int) else 2048


def _prove_nothing_cut(messages: Sequence[Turn], count: int | None, num_ctx: int, predict: int) -> None:
    """Raise unless the server evaluated the whole prompt and had room to answer.

    A prompt that was cut ends at `num_ctx`, or has lost whole messages. No tokenizer in use spends less
    than one token on a word between blanks, so fewer tokens than words means that words were lost.
    """
    words = sum(len(turn["content"].split()) for turn in messages)
    if not count:
        why = "the server does not report prompt_eval_count, so nothing proves that the prompt was read whole"
        raise GraderFaultError("server_error", why)
    if count < words:
        why = f"the server evaluated {count} tokens of a prompt of {words} words, so it cut the prompt"
        raise GraderFaultError("context_overflow", why)
    if count + min(predict, ANSWER_TOKENS) > num_ctx:
        why = f"{count} prompt tokens and the answer do not fit num_ctx = {num_ctx}"
        raise GraderFaultError("context_overflow", why)


def _bytes(messages: Sequence[Turn]) -> int:
    return sum(len(turn["content"].encode("utf-8", "surrogatepass")) for turn in messages)
