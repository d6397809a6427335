"""Keys and passwords: refused where they would be written down, and never shown.

A key comes from the environment (OPENAI_API_KEY, or user and password in OLLAMA_HOST). A spec stands in shell
histories, profiles, executed notebooks and ledgers, so it may hold neither.
"""

import os
import re
from typing import Final

from ff_helpers.errors import FFError

KEY: Final = "OPENAI_API_KEY"
_USER: Final = re.compile(r"//[^,\s]*@")
_ADDRESS: Final = re.compile(r"[^@\s?]*(\?context=\d+)?")
_SHORTEST: Final = 8
"""Characters of a key that is looked for in texts: a shorter one may be any word."""


def key() -> str:
    """Return the key for servers that speak OpenAI's protocol; empty if none is set."""
    return os.environ.get(KEY, "").strip()


def holds_secret(text: str) -> bool:
    """Return whether a text holds an address with a user or a password, or the key."""
    return _USER.search(text) is not None or (len(key()) >= _SHORTEST and key() in text)


def refuse_secrets(spec: str) -> None:
    """Refuse a spec that would write a key or a password down.

    Raises:
        FFError: an address in it has a user or a password, or it holds the key.
    """
    if holds_secret(spec):
        raise FFError(
            f"an address contains a user or a password, or the key itself: {without_secrets(spec)}. It would "
            f"be written into outputs. Set {KEY} (or OLLAMA_HOST=http://USER:PASSWORD@HOST) in the "
            "environment, and name the address without it."
        )


def without_secrets(spec: str) -> str:
    """Return a spec as it may be printed: an address of an unusual form is left out, and so is the key."""
    start, at, addresses = spec.partition("@")
    if at and not all(_ADDRESS.fullmatch(one) for one in addresses.split(",")):
        spec = f"{start}@(address not shown)"
    return spec.replace(key(), "(key)") if len(key()) >= _SHORTEST else spec


def scrubbed(body: bytes) -> bytes:
    """Return what a server sent, without the key, should it repeat it."""
    return body.replace(key().encode(), b"(key)") if len(key()) >= _SHORTEST else body
