"""Many requests in flight through httpx, which the official Ollama client uses.

httpx looks at every connection of its pool for each request, so 64 in flight cost more time than the
requests themselves. Here requests go to small pools in turn, which keep their connections.
"""

import ssl
from functools import cache
from typing import Final

import httpx

_EACH: Final = 4
"""Requests in flight in one pool."""


class Spread(httpx.AsyncBaseTransport):
    """A transport that passes its requests to small pools in turn.

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
