"""One model on one server or several: the least busy is asked first, a dead one is dropped and retried later.

All servers must report the same digest of the model; one that comes back, or that cut a connection, is
checked again before it is asked. When the last server is gone, the campaign ends within seconds.
"""

import asyncio
import operator
import resource
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeVar

from ff_helpers.chat import loop
from ff_helpers.chat.proof import UNTOLD, frame, pieces, prove_nothing_cut, surely_fits
from ff_helpers.chat.protocol import ChatFaultError, Fault, Reply, Request, Turn
from ff_helpers.chat.retries import PAUSES, AgainError, UnreachableError
from ff_helpers.chat.software import software
from ff_helpers.errors import FFError, named

T = TypeVar("T")
Found = Literal["there", "cut", "unreachable"]
"""The state in which a try found a host."""

CONNECT: Final = 3.0
"""Seconds to wait for a connection, and for the first answers of a server."""

_REST: Final = 5.0  # seconds until a dropped server is tried again
_GIVE_UP: Final = 2.0  # seconds without any server
_OTHER_FILES: Final = 128  # that a process has open beside its connections
_LOOKS: Final = 32  # servers that are asked at once what they serve


@dataclass(frozen=True)
class Told:
    """What a server reports about its model.

    Args:
        digest: of the weights, or None.
        context: the model's limit in tokens, or None.
        software: the serving software.
        quantization: of the weights, or None.
    """

    digest: str | None
    context: int | None
    software: str
    quantization: str | None = None


class Server(Protocol):
    """One server of one kind. Its errors: UnreachableError, AgainError, ChatFaultError, FFError."""

    kind: str
    """The package that talks to it."""
    sizes: bool
    """Whether a request sets its own context."""
    thoughts: int
    """Tokens reserved for thoughts before the answer; known after the first look."""

    name: str
    """Its address, without anything secret."""
    gone: str
    """The error for: none of these servers answers; with `{hosts}`."""
    broken: str
    """The error for: it answers, but not as its kind does; with `{name}` and `{problem}`."""

    async def look(self) -> Told:
        """Return what it reports about the model; keeps no connection."""

    async def send(self, turns: list[Turn], request: Request, num_ctx: int | None) -> Reply:
        """Return the model's answer."""

    async def count(self, turns: list[Turn], num_ctx: int | None) -> int | None:
        """Return the number of tokens of a prompt, by asking for one token of answer."""

    async def close(self) -> None:
        """Close the connections."""


_BUSY = operator.attrgetter("busy")


@dataclass
class Host:
    """A server, what it is doing, and whether it can be asked."""

    server: Server
    busy: int = 0
    up: bool = False  # checked, and not lost since
    again: float = 0.0  # when to check it again if it is not up
    gone: float | None = None  # since when it cannot be reached


class Remote:
    """A model on servers.

    Raises:
        FFError: no server answers, the model is missing, or it is not the same everywhere.
    """

    def __init__(self, model: str, servers: Sequence[Server], *, concurrency: int, timeout: float) -> None:
        self._hosts, self._timeout = [Host(server) for server in servers], timeout
        self.model, self._thoughts = model, 0
        told = loop.run(self._first_look())
        contexts = [one.context for one in told]
        known = None if None in contexts else min(context for context in contexts if context is not None)
        digests = {one.digest for one in told if one.digest}
        self.digest = next(iter(digests)) if digests else "not told by the server"
        versions = _some(sorted({one.software for one in told}))
        note = "" if len(servers) == 1 else f" on {len(servers)} hosts"
        if note and not all(one.digest for one in told):
            note += " whose models could not be compared (no digest told)"
        self.software = f"{software(servers[0].kind)}, {versions}{note}"
        self.quantization = told[0].quantization
        self._limit = known
        self.num_ctx = min(known, 4096) if servers[0].sizes and known is not None else known
        self.concurrency, self.threads = concurrency, None
        self.slots = concurrency * len(servers)
        _make_room(self.slots + len(servers))

    def fit(self, longest: int, answer_tokens: int) -> None:
        """Size the context for the longest conversation and a repair attempt, within the model's limit.

        One token per byte, so no text of the campaign can be cut under any tokenizer.
        """
        if self._hosts[0].server.sizes and self._limit is not None:
            need = longest + frame([{}] * 4) + 2 * (answer_tokens + self._thoughts)
            self.num_ctx = min(self._limit, -(-need // 1024) * 1024)

    async def ask(self, turns: list[Turn], request: Request) -> Reply:
        """Return the model's answer.

        Raises:
            ChatFaultError: this request failed, retries included, or the prompt may not fit.
            FFError: no server is left, or the model is gone.
        """
        room = request.max_tokens + self._thoughts
        if not surely_fits(turns, self.num_ctx or UNTOLD, room):
            await self._measure(turns, room)
        reply = await self._deliver(lambda server: server.send(turns, request, self.num_ctx))
        prove_nothing_cut(turns, reply.prompt_tokens, self.num_ctx, request.max_tokens)
        return reply

    async def close(self) -> None:
        """Close the connections."""
        await asyncio.gather(*(host.server.close() for host in self._hosts))

    async def _deliver(self, send: Callable[[Server], Awaitable[T]]) -> T:
        """Return what `send` returns, from the server of any host, after a few tries.

        A try may take `timeout` seconds in all, a body that trickles in included; a timeout is retried once,
        and all tries together take no more than twice the timeout and the pauses between them.

        Raises:
            ChatFaultError: no answer after all tries.
            FFError: no host left.
        """
        left, failed, late = 2 * self._timeout, 0, False
        while True:
            host = await self._take()
            begun, pause = time.monotonic(), 0.0
            found: Found = "there"
            fault: Fault = "server_error"
            try:
                async with asyncio.timeout(min(self._timeout, left)):
                    await self._look_again(host)
                    return await send(host.server)
            except UnreachableError:
                found, reason, last = "unreachable", "no connection", False
            except TimeoutError:
                fault, reason, last = "timeout", "no answer in time, even on a retry", late
                late = True
            except AgainError as again:
                found, last = "cut" if again.cut else "there", failed == len(PAUSES)
                reason = f"{again.reason}, even after {failed} retries"
                pause = 0.0 if last else min(again.after or PAUSES[failed], self._timeout)
                failed += 1
            finally:
                self._give_back(host, found)
            left -= time.monotonic() - begun
            if last or left <= 0:
                raise ChatFaultError(fault, reason)
            await asyncio.sleep(pause)

    async def _take(self) -> Host:
        """Return the least busy host; a dropped one only after a pause, or if no other is left.

        Raises:
            FFError: no host could be reached for some seconds.
        """
        now = time.monotonic()
        ready = [host for host in self._hosts if host.up or host.again <= now]
        if not ready:
            if all(host.gone is not None and now - host.gone >= _GIVE_UP for host in self._hosts):
                raise self._gone()
            await asyncio.sleep(0.25)
            ready = self._hosts
        host = min(ready, key=_BUSY)
        if not host.up:
            host.again = time.monotonic() + _REST  # one request at a time finds out
        host.busy += 1
        return host

    def _give_back(self, host: Host, found: Found) -> None:
        """Take a host back; one that could not be reached is dropped for a while."""
        host.busy -= 1
        self._thoughts = max(self._thoughts, host.server.thoughts)
        now = time.monotonic()
        if found == "there":
            host.gone = None  # it answered, so the earlier failed connection was only a busy moment
        elif found == "cut":
            host.up, host.again = False, now
        elif found == "unreachable":
            host.up, host.again, host.gone = False, now + _REST, host.gone or now

    async def _look_again(self, host: Host) -> None:
        """Let a host that was down back in, if it still serves the same model."""
        if not host.up:
            told = await host.server.look()
            if told.digest and told.digest != self.digest:
                so_far = {"the campaign so far": self.digest, host.server.name: told.digest}
                raise self._differ(so_far)
            host.up, host.gone = True, None

    async def _measure(self, turns: list[Turn], room: int) -> None:
        """Raise unless the tokens of a prompt, counted in pieces, fit with its answer."""
        if self.num_ctx is None:
            why = "the server does not report its context, so nothing proves that it reads a prompt this long"
            raise ChatFaultError("context_overflow", f"{why}; add ?context=TOKENS to its address")
        total = frame(turns) + room
        for piece in pieces(turns, self.num_ctx):
            count = await self._tokens(piece)
            total += prove_nothing_cut(piece, count, self.num_ctx, 1)
            if total > self.num_ctx:
                why = f"more than {total - room} prompt tokens and the answer do not fit {self.num_ctx}"
                raise ChatFaultError("context_overflow", why)

    async def _tokens(self, piece: list[Turn]) -> int | None:
        return await self._deliver(lambda server: server.count(piece, self.num_ctx))

    async def _first_look(self) -> list[Told]:
        """Ask the servers, some at once; return what those that answer report."""
        some = asyncio.Semaphore(_LOOKS)

        async def look(host: Host) -> Told | None:
            async with some:
                return await self._look(host)

        looks = await asyncio.gather(*map(look, self._hosts))
        there = {host.server.name: one for host, one in zip(self._hosts, looks, strict=True) if one}
        if not there:
            raise self._gone()
        digests = {name: one.digest for name, one in there.items() if one.digest}
        if len(set(digests.values())) > 1:
            raise self._differ(digests)
        return list(there.values())

    async def _look(self, host: Host) -> Told | None:
        try:
            async with asyncio.timeout(CONNECT + 1):
                told = await host.server.look()
        except (UnreachableError, TimeoutError):
            host.again = time.monotonic() + _REST
            return None
        except (AgainError, ChatFaultError) as fault:
            said = host.server.broken.format(name=host.server.name, problem=fault.reason)
            raise FFError(said) from None
        host.up = True
        self._thoughts = max(self._thoughts, host.server.thoughts)
        return told

    def _gone(self) -> FFError:
        return FFError(
            self._hosts[0].server.gone.format(hosts=_some([host.server.name for host in self._hosts]))
        )

    def _differ(self, digests: Mapping[str, str]) -> FFError:
        """Return the error for: the servers of one spec do not serve the same model."""
        told = "; ".join(f"{host} has {named(digest)}" for host, digest in digests.items())
        return FFError(
            f"{self.model} is not the same model on all servers: {told}. Fetch the same one everywhere, or "
            "name one server only."
        )


def _some(names: Sequence[str]) -> str:
    """Return names in a row, of many the first three: every record of a ledger says them."""
    return ", ".join(names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"])


def _make_room(connections: int) -> None:
    """Let this process open so many connections at once; many systems start with 1,024 open files.

    Raises:
        FFError: the system's limit is lower.
    """
    wanted, (soft, hard) = connections + _OTHER_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise FFError(
            f"{connections:,} connections at once need {wanted:,} open files; the system allows {hard:,}. "
            "Lower --concurrency, name fewer hosts, or grade in shards (--shard 1/2) on two machines."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
