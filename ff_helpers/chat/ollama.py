"""Any model of an Ollama server, through the official client.

Ollama cuts a prompt that is longer than `num_ctx` without an error. So the context is sized from the
longest conversation of the campaign, within the model's own context length, and each answer must prove by its
`prompt_eval_count` that nothing was cut; where it cannot, it is `context_overflow`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from ff_helpers.chat.proof import prove_nothing_cut
from ff_helpers.chat.protocol import ChatFaultError, Reply, Request, Turn
from ff_helpers.chat.software import software
from ff_helpers.errors import FFError

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
    """One model of an Ollama server.

    Args:
        tag: the model, such as qwen3:1.7b.
        concurrency: requests in flight.
        timeout: seconds that one request may take.

    Raises:
        OllamaUnreachableError, OllamaModelMissingError, OllamaBrokenError: it cannot work at all.
    """

    def __init__(self, tag: str, *, concurrency: int = 1, timeout: float = 300.0) -> None:
        import httpx
        import ollama

        with ollama.Client(timeout=httpx.Timeout(4.0, connect=3.0), trust_env=False) as probe:
            self._host = str(probe._client.base_url)
            models = self._or_error(lambda: {m.model: m.digest for m in probe.list().models if m.model})
            name = tag if ":" in tag else f"{tag}:latest"
            if not models.get(name):
                raise OllamaModelMissingError(tag, list(models))
            shown = self._or_error(lambda: probe.show(name))
        # Proxies of the environment are for the internet, not for a server on this machine.
        self._client = ollama.AsyncClient(timeout=httpx.Timeout(timeout, connect=3.0), trust_env=False)
        self._limit = _context_length(shown)
        self._thinks = "thinking" in (shown.capabilities or [])
        self.model = tag
        self.digest = f"sha256:{str(models[name]).removeprefix('sha256:')}"
        self.software = f"{software('ollama')}, {self._version()}"
        self.num_ctx = min(self._limit, 4096)
        self.concurrency = self.slots = concurrency

    def fit(self, longest: int, answer_tokens: int) -> None:
        """Size the context for the longest conversation and a repair attempt, within the model's limit.

        Half a token a byte is more than the languages of our traces need; the proof afterwards holds
        for every text.
        """
        need = longest // 2 + 2 * self._predict(answer_tokens) + 256
        self.num_ctx = min(self._limit, -(-need // 1024) * 1024)

    async def ask(self, turns: list[Turn], request: Request) -> Reply:
        """Return the model's answer.

        Raises:
            ChatFaultError: this request failed, retries included.
            OllamaUnreachableError, OllamaModelMissingError: the server went away, or lost the model.
        """
        asked = {
            "temperature": request.temperature,
            "seed": request.seed,
            "num_ctx": self.num_ctx,
            "num_predict": self._predict(request.max_tokens),
        }
        answer = await self._with_retries(
            lambda: self._client.chat(
                self.model,
                messages=turns,
                format=dict(request.schema) if request.schema is not None else None,
                options=asked,
                think=True if self._thinks else None,
            )
        )
        prove_nothing_cut(turns, answer.prompt_eval_count, self.num_ctx, request.max_tokens)
        return Reply(
            text=answer.message.content or "",
            complete=answer.done_reason != "length",
            prompt_tokens=answer.prompt_eval_count,
            completion_tokens=answer.eval_count,
            reasoning=answer.message.thinking,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client._client.aclose()

    def _predict(self, answer_tokens: int) -> int:
        return answer_tokens + (THINKING_TOKENS if self._thinks else 0)

    async def _with_retries(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return the answer, after small retries; otherwise raise the status of the row."""
        import httpx
        import ollama

        problem = ""
        for pause in (*_PAUSES, None):
            try:
                return await call()
            except httpx.TimeoutException:
                if pause != _PAUSES[0]:
                    raise ChatFaultError("timeout", "no answer in time, also not on a retry") from None
            except ollama.ResponseError as error:
                if error.status_code == 404:
                    raise OllamaModelMissingError(self.model, []) from None
                problem = f"HTTP {error.status_code}"
            except ConnectionError:
                raise OllamaUnreachableError(self._host) from None
            except (httpx.HTTPError, ValueError) as error:  # cut off, no JSON, or JSON of another shape
                problem = f"an answer that cannot be read ({type(error).__name__})"
            if pause is not None:
                await asyncio.sleep(pause)
        raise ChatFaultError("server_error", f"{problem}, also after {len(_PAUSES)} retries")

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
