"""Which requests are retried, how often and after what pause; the same for every kind of server."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import Final, Literal, Protocol, TypeVar

from ff_helpers.chat.protocol import ChatFaultError, Fault

T = TypeVar("T")
H = TypeVar("H")

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


Found = Literal["there", "cut", "unreachable"]
"""The state in which a try found a host."""


class Hosts(Protocol[H]):
    """Where a request can go."""

    async def take(self) -> H:
        """Return the host to ask next; raises FFError if none is left."""

    def give_back(self, host: H, found: Found) -> None:
        """Take a host back with the state in which the try found it."""


async def deliver(hosts: Hosts[H], send: Callable[[H], Awaitable[T]], timeout: float) -> T:
    """Return what `send` returns, from any host, after a few tries.

    A try may take `timeout` seconds in all, a body that trickles in included; a timeout is retried once,
    and all tries together take no more than twice the timeout and the pauses between them.

    Raises:
        ChatFaultError: no answer after all tries.
        FFError: no host left.
    """
    left, failed, late = 2 * timeout, 0, False
    while True:
        host = await hosts.take()
        begun, pause = time.monotonic(), 0.0
        found: Found = "there"
        fault: Fault = "server_error"
        try:
            async with asyncio.timeout(min(timeout, left)):
                return await send(host)
        except UnreachableError:
            found, reason, last = "unreachable", "no connection", False
        except TimeoutError:
            fault, reason, last = "timeout", "no answer in time, even on a retry", late
            late = True
        except AgainError as again:
            found, last = "cut" if again.cut else "there", failed == len(PAUSES)
            reason = f"{again.reason}, even after {failed} retries"
            pause = 0.0 if last else min(again.after or PAUSES[failed], timeout)
            failed += 1
        finally:
            hosts.give_back(host, found)
        left -= time.monotonic() - begun
        if last or left <= 0:
            raise ChatFaultError(fault, reason)
        await asyncio.sleep(pause)


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
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
