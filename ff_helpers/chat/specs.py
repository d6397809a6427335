"""Models by spec: `embedded:MODEL`, `ollama:TAG[@HOST,...]`, `openai:MODEL@BASE_URL`."""

from importlib import import_module
from typing import Final

from ff_helpers.chat.protocol import Chat
from ff_helpers.errors import FFError

KINDS: Final = {
    "embedded": "ff_helpers.chat.embedded:Embedded",
    "ollama": "ff_helpers.chat.ollama:open_ollama",
    "openai": "ff_helpers.chat.openai:open_openai",
}
"""What opens each kind of model: a new kind is a module with such a function, one line here, one in FORMS."""
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
    if not is_chat(spec):
        raise FFError(f"model {spec!r} is unknown. Allowed: {FORMS}.")
    module, _, opener = KINDS[kind].partition(":")
    chat: Chat = getattr(import_module(module), opener)(name, concurrency=concurrency, timeout=timeout)
    return chat
