"""Models by spec: `embedded:MODEL`, `gguf:PATH`, `ollama:TAG[@HOST,...]`, `openai:MODEL@BASE_URL`.

A backend is one module with a function that takes the name after the colon and returns a `Chat`, and one line
in BACKENDS; docs/adding.md shows one.
"""

from typing import Final, Protocol, cast

from ff_helpers import paths
from ff_helpers.chat.protocol import Chat
from ff_helpers.errors import FFError
from ff_helpers.keys import refuse_secrets, without_secrets
from ff_helpers.registry import Entry, chosen, forms

BACKENDS: Final[dict[str, Entry]] = {
    "embedded": Entry(
        "ff_helpers.chat.embedded:open_embedded", "embedded:MODEL (such as embedded:smollm2-135m)"
    ),
    "gguf": Entry(
        "ff_helpers.chat.gguf:open_gguf", "gguf:PATH (a model file of llama.cpp, Ollama or LM Studio)"
    ),
    "ollama": Entry(
        "ff_helpers.chat.ollama:open_ollama",
        "ollama:TAG (such as ollama:llama3.1:8b) or ollama:TAG@HOST,HOST",
    ),
    "openai": Entry(
        "ff_helpers.chat.openai:open_openai",
        "openai:MODEL@BASE_URL (such as openai:Qwen/Qwen3-8B@http://localhost:8000/v1; any compatible "
        "server, key in OPENAI_API_KEY)",
    ),
}
"""Every kind of model that can be asked."""


class OpensChat(Protocol):
    """What a backend registers: a function from the name after the colon to a model ready for requests."""

    def __call__(self, name: str, /, *, concurrency: int, timeout: float) -> Chat:
        """Open it."""


def is_chat(spec: str) -> bool:
    """Return whether a spec names a model that can be asked."""
    return chosen(spec, BACKENDS) is not None


def is_fetched(spec: str) -> bool:
    """Return whether the weights of an embedded model are here; True for every other spec."""
    kind, _, name = spec.partition(":")
    if kind != "embedded":
        return True
    from ff_helpers.chat.embedded import MODELS

    return name in MODELS and (paths.parts() / MODELS[name].file).is_file()


def open_chat(spec: str, *, concurrency: int = 1, timeout: float = 300.0) -> Chat:
    """Return the model that a spec names, ready for requests.

    Args:
        spec: see above.
        concurrency: requests in flight at one server.
        timeout: seconds that one request may take.

    Raises:
        FFError: no such kind, or a key or a password in it.
        FFError: it cannot work here: weights, server or model are missing or changed.
    """
    refuse_secrets(spec)
    found = chosen(spec, BACKENDS)
    if found is None:
        raise FFError(f"model {without_secrets(spec)!r} is unknown. Allowed: {forms(BACKENDS)}.")
    entry, name = found
    return cast("OpensChat", entry.load())(name, concurrency=concurrency, timeout=timeout)
