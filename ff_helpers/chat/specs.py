"""Models by spec: `embedded:MODEL`, `ollama:TAG[@HOST,...]`, `openai:MODEL@BASE_URL`."""

from typing import Final

from ff_helpers.chat.protocol import Chat
from ff_helpers.errors import FFError

KINDS: Final = ("embedded", "ollama", "openai")


class UnknownChatError(FFError):
    """A spec that names no model."""

    def __init__(self, spec: str) -> None:
        super().__init__(
            f"model {spec!r} is unknown. Allowed: embedded:smollm2-135m, ollama:TAG (such as "
            "ollama:qwen3:1.7b), openai:MODEL@BASE_URL (any compatible server)."
        )


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
        UnknownChatError: no such kind.
        FFError: it cannot work here: weights, server or model are missing or changed.
    """
    kind, _, name = spec.partition(":")
    if kind == "embedded" and name:
        from ff_helpers.chat.embedded import Embedded

        return Embedded(name, concurrency=concurrency)
    if kind == "ollama" and name:
        from ff_helpers.chat.ollama import Ollama

        return Ollama(name, concurrency=concurrency, timeout=timeout)
    raise UnknownChatError(spec)
