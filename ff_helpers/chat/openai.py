"""Any model of a server that speaks OpenAI's chat protocol: vLLM, llama.cpp, OpenRouter, and others.

The key comes from OPENAI_API_KEY; a local server needs none. It is never logged, written or shown, and
nothing of a server's error text is repeated but a few known codes. The protocol has no digest: it is
what the server reports, else `not told by the server`.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import parse_qs, urlsplit

import aiohttp

from ff_helpers.chat.completions import read_models, read_reply
from ff_helpers.chat.hosts import CONNECT, Remote, Told
from ff_helpers.chat.protocol import ChatFaultError, Reply, Request, Turn
from ff_helpers.chat.retries import AgainError, UnreachableError, refusal
from ff_helpers.errors import FFError, named
from ff_helpers.keys import KEY, key, scrubbed

THINKING_TOKENS: Final = 2048
"""Room for the thoughts of a model that has been seen to think."""

_FORM: Final = (
    "The form is openai:MODEL@BASE_URL, such as openai:Qwen/Qwen3-8B@http://localhost:8000/v1; several "
    "servers: ...@URL,URL; a server that does not report its context: ...@URL?context=TOKENS; the key comes "
    f"from {KEY}."
)
_SPEC = re.compile(r"(?P<model>.+)@(?P<urls>https?://.+)")


def open_openai(name: str, *, concurrency: int = 1, timeout: float = 300.0) -> Remote:
    """Return a model of servers that speak OpenAI's protocol.

    Args:
        name: MODEL@BASE_URL,...; see `_FORM`.
        concurrency: requests in flight at one server.
        timeout: seconds that one request may take.

    Raises:
        FFError: the name cannot be read, no server answers or serves the model, the key is refused, it speaks
            another protocol, or the servers serve different models under this name.
    """
    found = _SPEC.fullmatch(name)
    if found is None:
        raise FFError(f"the spec names no base URL. {_FORM}")
    servers = [OpenAIServer(found["model"], url.strip()) for url in found["urls"].split(",")]
    return Remote(found["model"], servers, concurrency=concurrency, timeout=timeout)


class OpenAIServer:
    """One server; see `hosts.Server`."""

    kind = "aiohttp"
    sizes = False
    gone = (
        "no server answers at {hosts}. Start it (`vllm serve MODEL`, `llama-server -m FILE`, `ollama serve`) "
        "or correct the address after @; what was graded before is kept."
    )
    broken = (
        "the server at {name} does not speak OpenAI's protocol: {problem}. The address after @ usually "
        "ends in /v1."
    )

    def __init__(self, model: str, url: str) -> None:
        parts = urlsplit(url)
        context = parse_qs(parts.query).get("context", [""])[-1]
        if parts.username or parts.password:
            raise FFError(f"an address contains a user or a password. {_FORM}")
        if not parts.hostname or (parts.query and not context.isdecimal()):
            raise FFError(f"an address cannot be read. {_FORM}")
        self.thoughts = 0
        self.name = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._model, self._context = model, int(context) if context else None
        self._session: aiohttp.ClientSession | None = None
        self._tells_likely = True

    async def look(self) -> Told:
        """Return digest and context as far as the server reports them."""
        async with self._connect() as session:
            text = await self._fetch(session, "GET", "/models")
        models = read_models(text)
        if self._model not in models:
            raise self._missing(list(models))
        told, software = models[self._model], f"OpenAI protocol at {self.name}"
        return Told(told.digest, self._context or told.context, software, told.quantization)

    async def send(self, turns: list[Turn], request: Request, num_ctx: int | None) -> Reply:  # noqa: ARG002
        """Return the model's answer, its thoughts apart.

        A model that used up its tokens on thoughts is asked once more with room for them; later requests
        get that room too.
        """
        reply = await self._chat(turns, request)
        thinking = reply.reasoning or reply.text.lstrip().startswith("<think>")
        if thinking and not reply.complete and not self.thoughts:
            self.thoughts = THINKING_TOKENS
            reply = await self._chat(turns, request)
        return reply

    async def count(self, turns: list[Turn], num_ctx: int | None) -> int | None:  # noqa: ARG002
        """Return the tokens of a prompt."""
        return (await self._chat(turns, Request(max_tokens=1), thoughts=0)).prompt_tokens

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _chat(self, turns: list[Turn], request: Request, thoughts: int | None = None) -> Reply:
        asked: dict[str, object] = {
            "model": self._model,
            "messages": turns,
            "temperature": request.temperature,
            "seed": request.seed,
            "max_tokens": request.max_tokens + (self.thoughts if thoughts is None else thoughts),
        }
        if request.schema is not None:
            answer = {"name": "answer", "schema": dict(request.schema), "strict": True}
            asked["response_format"] = {"type": "json_schema", "json_schema": answer}
        if request.likely and self._tells_likely:
            with suppress(ChatFaultError):
                return await self._post(asked | {"logprobs": True, "top_logprobs": request.likely})
            # Some servers refuse a request that asks for probabilities: then without.
            reply = await self._post(asked)
            self._tells_likely = False
            return reply
        return await self._post(asked)

    async def _post(self, asked: dict[str, object]) -> Reply:
        if self._session is None:
            self._session = self._connect()
        return read_reply(await self._fetch(self._session, "POST", "/chat/completions", asked))

    async def _fetch(
        self, session: aiohttp.ClientSession, method: str, path: str, asked: dict[str, object] | None = None
    ) -> bytes:
        """Return the body of an answer; raise every failure as what it means to a campaign."""
        try:
            async with session.request(method, self.name + path, json=asked, allow_redirects=False) as answer:
                text = scrubbed(await answer.read())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise UnreachableError from None
        except (aiohttp.ClientError, OSError, ValueError) as error:  # or not HTTP
            raise AgainError(f"a connection that was cut ({type(error).__name__})", cut=True) from None
        if answer.status == 200:
            return text
        if answer.status in (401, 403):
            raise FFError(
                f"the server at {self.name} refuses the key (HTTP {answer.status}). Set {KEY} to a key for "
                "it; what was graded before is kept."
            )
        if answer.status == 404 and asked is not None:
            raise self._missing()
        raise refusal(answer.status, text.decode("utf-8", "replace"), answer.headers.get("Retry-After"))

    def _missing(self, known: Sequence[str] = ()) -> FFError:
        """Return the error for: the server does not serve the model."""
        some = ", ".join(map(named, sorted(known)[:20]))
        return FFError(
            f"the server at {self.name} does not serve {self._model}. "
            + (f"It serves: {some}. " if some else "")
            + f"Start it with that model (Ollama: `ollama pull {self._model}`), or name one that it serves."
        )

    def _connect(self) -> aiohttp.ClientSession:
        known = key()
        if not (known.isascii() and known.isprintable()):
            raise FFError(f"{KEY} contains characters that no key has. {_FORM}")
        local = urlsplit(self.name).hostname in ("localhost", "127.0.0.1", "::1")
        # The campaign bounds what is in flight and how long it may take, so the client must not.
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            headers={"Authorization": f"Bearer {known}"} if known else None,
            timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=CONNECT),
            trust_env=not local,  # proxies of the environment are for the internet
        )
