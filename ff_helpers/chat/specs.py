"""Models by spec: `embedded:MODEL`, `ollama:TAG[@HOST,...]`, `openai:MODEL@BASE_URL`."""

from typing import Final

from ff_helpers.chat.protocol import Chat
from ff_helpers.errors import FFError

KINDS: Final = ("embedded", "ollama", "openai")


FORMS: Final = (
    "embedded:MODEL (such as embedded:smollm2-135m), ollama:TAG (such as ollama:qwen3:1.7b) or "
    "ollama:TAG@HOST,HOST, openai:MODEL@BASE_URL (such as openai:Qwen/Qwen3-8B@http://localhost:8000/v1; "
    "any compatible server, key in OPENAI_API_KEY)"
)
"""The kinds and their formats, as errors list them."""


def is_chat(spec: str) -> bool:
    """Return whether a spec names a model that can be asked."""
    kind, _, name = spec.partition(":")
    return kind in KINDS and bool(name)


def open_chat(spec: str, *, concurrency: int = 1, timeout: float = 300.0) -> Chat:
    """Return the model that a spec names, ready to be asked.

    Args:
        spec: see above.
        concurrency: requests in flight at one server.
        timeout: seconds that one request may take.

    Raises:
        FFError: no such kind.
        FFError: it cannot work here: weights, server or model are missing or changed.
    """
    kind, _, name = spec.partition(":")
    if kind == "embedded" and name:
        from ff_helpers.chat.embedded import Embedded

        return Embedded(name, concurrency=concurrency)
    if kind == "ollama" and name:
        from ff_helpers.chat.ollama import open_ollama

        return open_ollama(name, concurrency=concurrency, timeout=timeout)
    if kind == "openai" and name:
        from ff_helpers.chat.openai import open_openai

        return open_openai(name, concurrency=concurrency, timeout=timeout)
    raise FFError(f"model {spec!r} is unknown. Allowed: {FORMS}.")
