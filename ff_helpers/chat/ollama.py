"""Any model of an Ollama server, through the official client.

Ollama cuts a prompt that is longer than `num_ctx` without an error. So each request sets its context, asks
not to cut (servers since 0.13 comply), and is checked by its `prompt_eval_count` (see `proof`).
"""

import ssl
from collections.abc import Sequence
from functools import cache
from typing import Final

import httpx
import ollama
from pydantic import BaseModel

from ff_helpers.chat.completions import tokens_of
from ff_helpers.chat.hosts import CONNECT, Remote, Told
from ff_helpers.chat.protocol import Reply, Request, Turn
from ff_helpers.chat.retries import AgainError, UnreachableError, refusal
from ff_helpers.errors import FFError, named

THINKING_TOKENS: Final = 2048
"""Room for the thoughts of a model that thinks before it answers."""
_EACH: Final = 4
"""Requests in flight in one pool."""


def open_ollama(name: str, *, concurrency: int = 1, timeout: float = 300.0) -> Remote:
    """Return a model of Ollama servers.

    Args:
        name: TAG or TAG@HOST,...; a host is `name`, `name:port` or a URL; without one, OLLAMA_HOST.
        concurrency: requests in flight at one server.
        timeout: seconds that one request may take.

    Raises:
        FFError: no server answers, or it has no such model or is not an Ollama server, or the servers have
            different models under this tag.
    """
    tag, _, listed = name.partition("@")
    hosts: list[str | None] = [host.strip() for host in listed.split(",") if host.strip()]
    servers = [OllamaServer(tag, host, concurrency) for host in hosts or [None]]
    return Remote(tag, servers, concurrency=concurrency, timeout=timeout)


class _Version(BaseModel):
    version: str


class OllamaServer:
    """One Ollama server; see `hosts.Server`."""

    kind = "ollama"
    sizes = True
    gone = (
        "no Ollama server answers at {hosts}. Start one with `ollama serve` (on another machine: "
        "OLLAMA_HOST, or ollama:TAG@HOST); what was graded before is kept."
    )
    broken = "the server at {name} does not answer as Ollama does: {problem}. Check the host or OLLAMA_HOST."

    def __init__(self, tag: str, host: str | None, concurrency: int = 1) -> None:
        self.thoughts = 0
        self._tag, self._host = tag, host
        self._client = self._connect(concurrency)
        address = self._client._client.base_url  # of OLLAMA_HOST it may hold a user and a password
        self.name = str(address.copy_with(username=None, password=None)).rstrip("/")

    async def look(self) -> Told:
        """Return digest, context length and version; learn whether the model thinks."""
        name = self._tag if ":" in self._tag else f"{self._tag}:latest"
        # A connection belongs to the event loop that made it, and the campaign's may be another one.
        async with self._connect() as client:
            try:
                listed = await client.list()
                served = _Version.model_validate((await client._request_raw("GET", "/api/version")).json())
            except Exception as error:
                raise self._meaning(error, of_model=False) from None
            digests = {model.model: model.digest for model in listed.models if model.model}
            if not digests.get(name):
                raise self._missing(list(digests))
            try:
                shown = await client.show(name)
            except Exception as error:
                raise self._meaning(error) from None
        self.thoughts = THINKING_TOKENS if "thinking" in (shown.capabilities or []) else 0
        digest = f"sha256:{str(digests[name]).removeprefix('sha256:')}"
        rounded = shown.details.quantization_level if shown.details else None
        return Told(digest, _context_length(shown), f"ollama server {served.version}", rounded or None)

    async def send(self, turns: list[Turn], request: Request, num_ctx: int | None) -> Reply:
        """Return the model's answer, its thoughts apart."""
        answer = await self._chat(turns, request, num_ctx, think=bool(self.thoughts))
        return Reply(
            text=answer.message.content or "",
            complete=answer.done_reason != "length",
            prompt_tokens=answer.prompt_eval_count,
            completion_tokens=answer.eval_count,
            reasoning=answer.message.thinking,
            tokens=tokens_of([one.model_dump() for one in answer.logprobs or []]),
        )

    async def count(self, turns: list[Turn], num_ctx: int | None) -> int | None:
        """Return the tokens of a prompt."""
        return (await self._chat(turns, Request(max_tokens=1), num_ctx, think=False)).prompt_eval_count

    async def close(self) -> None:
        """Close the connections."""
        await self._client._client.aclose()

    async def _chat(
        self, turns: list[Turn], request: Request, num_ctx: int | None, *, think: bool
    ) -> ollama.ChatResponse:
        asked: dict[str, object] = {
            "model": self._tag,
            "messages": turns,
            "stream": False,
            "options": {
                "temperature": request.temperature,
                "seed": request.seed,
                "num_ctx": num_ctx,
                "num_predict": request.max_tokens + (self.thoughts if think else 0),
            },
            "truncate": False,
            "shift": False,
        }
        if request.likely:
            asked |= {"logprobs": True, "top_logprobs": request.likely}
        if request.schema is not None:
            asked["format"] = dict(request.schema)
        if self.thoughts:
            asked["think"] = think
        try:  # the client's own `chat` has no `truncate` and `shift`
            return await self._client._request(ollama.ChatResponse, "POST", "/api/chat", json=asked)
        except Exception as error:
            raise self._meaning(error) from None

    def _missing(self, known: Sequence[str] = ()) -> FFError:
        """Return the error for: the server does not have the model."""
        there = f" There now: {', '.join(map(named, sorted(known)))}." if known else ""
        return FFError(
            f"the Ollama server at {self.name} has no model {self._tag}. Fetch it with `ollama pull "
            f"{self._tag}`; what was graded before is kept.{there}"
        )

    def _connect(self, in_flight: int = 1) -> ollama.AsyncClient:
        # Proxies of the environment are for the internet, not for a server on this machine. The campaign
        # bounds what is in flight and how long it may take, so the client must not.
        return ollama.AsyncClient(
            self._host,
            timeout=httpx.Timeout(None, connect=CONNECT),
            transport=Spread(in_flight),
            trust_env=False,
        )

    def _meaning(self, error: Exception, *, of_model: bool = True) -> Exception:
        """Return what an exception of the client means to a campaign; others are returned unchanged."""
        if isinstance(error, ollama.ResponseError):
            if error.status_code == 404 and of_model:
                return self._missing()
            cause = error.__context__  # the client keeps the text and drops the headers
            headers = cause.response.headers if isinstance(cause, httpx.HTTPStatusError) else httpx.Headers()
            return refusal(error.status_code, str(error.error), headers.get("Retry-After"))
        if isinstance(error, (ConnectionError, httpx.ConnectError, httpx.ConnectTimeout)):
            return UnreachableError()
        if isinstance(error, httpx.HTTPError):
            return AgainError(f"a connection that was cut ({type(error).__name__})", cut=True)
        if isinstance(error, (ValueError, TypeError)):  # not JSON, or another shape
            return AgainError(f"an answer that cannot be read ({type(error).__name__})")
        return error


def _context_length(shown: ollama.ShowResponse) -> int:
    """Return the model's own context length in tokens; 2048 if the server does not report it."""
    told = [v for k, v in (shown.modelinfo or {}).items() if k.endswith(".context_length")]
    return int(told[0]) if told and isinstance(told[0], int) else 2048


class Spread(httpx.AsyncBaseTransport):
    """A transport that passes its requests to small pools in turn, which keep their connections.

    httpx looks at every connection of its pool for each request, so 64 in flight cost more time than the
    requests themselves.

    Args:
        in_flight: requests at the same time; no limit, but what the pools are sized for.
    """

    def __init__(self, in_flight: int) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._pools = [
            httpx.AsyncHTTPTransport(verify=_context(), limits=limits, trust_env=False)
            for _ in range(-(-in_flight // _EACH))
        ]
        self._turn = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request through the next pool."""
        self._turn = (self._turn + 1) % len(self._pools)
        return await self._pools[self._turn].handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections of all pools."""
        for pool in self._pools:
            await pool.aclose()


@cache
def _context() -> ssl.SSLContext:
    """Return the context that checks certificates; loading them takes longer than many requests."""
    return httpx.create_ssl_context(trust_env=False)
