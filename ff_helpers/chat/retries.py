"""Which failures are worth another try, after what pause; the same for every kind of server."""

import re
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Final

from ff_helpers.chat.protocol import ChatFaultError

PAUSES: Final = (0.25, 1.0, 2.5)
"""Seconds before each further try, unless the server sets its own pause (Retry-After)."""

CODES: Final = (
    "context_length_exceeded", "exceed_context_size_error", "insufficient_quota", "invalid_api_key",
    "model_not_found", "rate_limit_exceeded", "unavailable_error", "invalid_request_error", "server_error",
)  # fmt: skip
"""Error codes that a reason may name. No other text of a server is repeated: it may contain the prompt
or the key."""

_TOO_LONG = re.compile(
    r"context.{0,20}(?:length|size|window)|too long|longer than", re.IGNORECASE | re.DOTALL
)


class AgainError(Exception):
    """This try failed; the next one may succeed.

    Args:
        reason: what happened.
        after: seconds that the server asks to wait.
        cut: whether the connection was lost, so it may be another server by now.
    """

    def __init__(self, reason: str, after: float | None = None, *, cut: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.after, self.cut = reason, after, cut


class UnreachableError(Exception):
    """No connection to the server."""


def refusal(status: int, text: str, retry_after: str | None = None) -> AgainError | ChatFaultError:
    """Return what an HTTP error means: another try for 408, 429 and 5xx, else a status of the row."""
    code = next((code for code in CODES if code in text), None)
    reason = f"HTTP {status}" + (f" ({code})" if code else "")
    if status in (408, 429) or status >= 500:
        return AgainError(reason, _seconds(retry_after))
    if status in (400, 413, 422) and _TOO_LONG.search(text):
        return ChatFaultError("context_overflow", f"the server refuses the prompt as too long: {reason}")
    return ChatFaultError("server_error", reason)


def _seconds(retry_after: str | None) -> float | None:
    """Return the seconds of a Retry-After header, which is a number or a date."""
    if not retry_after:
        return None
    with suppress(ValueError):
        return max(0.0, float(retry_after))
    with suppress(ValueError, OverflowError):
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    return None
