"""Clusters by address: `tcp://HOST:PORT` or `tls://...` (a running scheduler), `local[:N]`, `slurm[:N]`.

Dask's protocol carries pickled objects: whoever reaches a scheduler can run code on its workers. So an
address names a cluster that the user trusts, on a network of their own or under TLS (Dask's configuration).
"""

import asyncio
import logging
import os
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from ff_helpers.chat import loop
from ff_helpers.errors import FFError, quoted

T = TypeVar("T")

FORM: Final = (
    "tcp://HOST:PORT (a Dask scheduler; tls:// with certificates), local or local:N (N workers on this "
    "machine), slurm or slurm:N (N jobs)"
)
CONNECT: Final = 5.0
"""Seconds to wait for a scheduler."""
_WRITTEN: Final = re.compile(r"(tcp|tls)://\S+:\d+|(local|slurm)(:[1-9]\d{0,4})?", re.ASCII)


class Future(Protocol):
    """A task that was sent."""

    def result(self) -> Coroutine[object, object, object]:
        """Return what it returned."""


class Client(Protocol):
    """What is used of Dask's client, on its own loop."""

    def submit(self, function: object, *args: object, key: str, pure: bool) -> Future:
        """Send a task."""

    def run(
        self, function: object, *args: object, on_error: str
    ) -> Coroutine[object, object, dict[str, object]]:
        """Call a function on every worker, beside its tasks."""


class NoClusterError(FFError):
    """There is no cluster at an address, or no more."""

    def __init__(self, address: str, problem: str) -> None:
        host, _, port = address.partition("://")[2].rpartition(":")
        mend = (
            f"Start one with `dask scheduler --port {port}` on {host}, workers with `dask worker {address}`"
            if host
            else "Start it again"
        )
        super().__init__(
            f"{problem} {mend}, then run the same command again: what was graded is in the ledger."
        )


def check_address(text: str) -> str:
    """Return an address that can be one.

    Raises:
        FFError: it is written otherwise.
    """
    if not _WRITTEN.fullmatch(text):
        raise FFError(f"{quoted(text)} is not a cluster. Allowed: {FORM}.")
    return text


@dataclass(frozen=True)
class Cluster:
    """A connection to a cluster.

    Attributes:
        address: as it was asked for.
        dashboard: the address of its page; empty where it has none.
    """

    address: str
    client: Client
    dashboard: str
    _close: Callable[[], None]

    async def ask(self, work: Coroutine[object, object, T]) -> T:
        """Return what a coroutine of Dask's client returns; it runs on the client's own loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        loop: asyncio.AbstractEventLoop = self.client.loop.asyncio_loop  # type: ignore[attr-defined]
        return loop

    async def workers(self) -> dict[str, int]:
        """Return the threads of each worker, by address.

        Raises:
            OSError: the scheduler is gone.
        """
        scheduler = self.client.scheduler  # type: ignore[attr-defined]
        found: dict[str, int] = await self.ask(scheduler.ncores())
        return found

    async def close(self) -> None:
        """Close the connection; a cluster that was started for it ends."""
        await asyncio.to_thread(self._close)


def open_cluster(address: str, options: Mapping[str, object] | None = None) -> Cluster:
    """Connect to a cluster; `local` and `slurm` are started, and end when it is closed.

    Args:
        address: see above.
        options: of SLURM's jobs, as `dask_jobqueue.SLURMCluster` takes them; the rest is in Dask's own
            configuration (`jobqueue.slurm`).

    Raises:
        FFError: Dask is not installed, or the address is none.
        NoClusterError: nothing answers there within seconds.
    """
    kind, _, count = check_address(address).partition(":")
    try:
        import distributed
    except ImportError:
        raise FFError(
            "grading on a cluster needs Dask, which is not installed here. Install it with "
            "`tools/python.sh tools/install.py cluster`, or elsewhere `pip install 'ff-helpers[cluster]'`, "
            "on every machine of the cluster."
        ) from None
    for name in ("distributed", "distributed.client"):  # what goes wrong is said by us
        logging.getLogger(name).setLevel(logging.CRITICAL)
    cluster = None
    if kind == "local":
        cores = os.cpu_count() or 1
        some = int(count or cores)
        cluster = distributed.LocalCluster(
            n_workers=some,
            threads_per_worker=max(1, cores // some),
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        )
    elif kind == "slurm":
        cluster = _slurm(int(count or 1), dict(options or {}))
    else:
        loop.run(_look(address))
    try:
        client = distributed.Client(cluster or address, timeout=CONNECT, set_as_default=False)
    except OSError:
        raise _nothing(address) from None

    def close() -> None:
        client.close(timeout=CONNECT)
        if cluster is not None:
            cluster.close(timeout=CONNECT)

    return Cluster(address, client, str(client.dashboard_link or ""), close)


async def _look(address: str) -> None:
    """Connect once, before a client is made that has to be ended."""
    from distributed import Security
    from distributed.comm import connect

    try:
        comm = await connect(address, timeout=CONNECT, **Security().get_connection_args("client"))
    except OSError:
        raise _nothing(address) from None
    except Exception as error:  # another program answers; reading its greeting can fail in any way
        why = f"what answers is not a Dask scheduler of this version ({type(error).__name__})"
        raise NoClusterError(address, f"{address}: {why}.") from None
    await comm.close()


def _nothing(address: str) -> FFError:
    return NoClusterError(address, f"{address}: no Dask scheduler answers within {CONNECT:g} seconds.")


def _slurm(jobs: int, options: dict[str, object]) -> object:
    """Return a scheduler in this process whose workers are jobs of SLURM."""
    from dask_jobqueue import SLURMCluster

    try:
        cluster = SLURMCluster(**options)
    except (TypeError, ValueError) as error:
        raise FFError(
            f"the options of SLURM's jobs do not fit: {error}. They are `cluster:` in the profile, or "
            "`jobqueue: slurm:` in ~/.config/dask/jobqueue.yaml; cores and memory are needed."
        ) from None
    cluster.scale(jobs=jobs)
    return cluster
