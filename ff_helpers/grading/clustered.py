"""A grader on a cluster: each worker has its own, all of one identity; the records come back to one ledger.

A trace waits here until a worker has room for it: a worker has what it grades and as much again. So a
worker that dies costs little, and machines of different speed end together. Dask gives what a dead worker had
to another one.
"""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, cast

from ff_helpers.chat import loop
from ff_helpers.chat.progress import note
from ff_helpers.corpus.jsonl import line_of
from ff_helpers.corpus.traces import Trace
from ff_helpers.errors import FFError, named
from ff_helpers.grading.clusters import Client, Cluster, NoClusterError, open_cluster
from ff_helpers.grading.graders.llm import longest
from ff_helpers.grading.on_worker import (
    Graded,
    Job,
    Opened,
    about,
    differences,
    grade_on_worker,
    open_on_worker,
)
from ff_helpers.grading.outcome import GraderSetup, Outcome
from ff_helpers.grading.rubric import load_rubric

_FIRST: Final = 10.0
"""Seconds to wait for the first worker of a scheduler that runs."""
_OPEN: Final = 300.0
"""Seconds for every worker to open its grader: weights of many gigabytes are hashed."""
_LOOK: Final = 1.0
"""Seconds between two looks at who is there."""
_CHUNK: Final = 0.1
"""Seconds that a chunk takes, about: less would be Dask's time, more would be lost with a worker."""
_MOST: Final = 64
"""The most traces in a chunk."""
_BYTES: Final = 256_000_000
"""The most bytes of traces that wait."""
_DIED: Final = 2
"""How often a trace may be alone with workers that die, each time as many as the scheduler allows."""


class _Waiting(NamedTuple):
    trace: Trace
    repeat: int
    ended: "asyncio.Future[Outcome]"


def open_clustered(
    spec: str,
    address: str,
    *,
    rubric: str = "flip-reference",
    concurrency: int = 1,
    timeout: float = 300.0,
    options: Mapping[str, object] | None = None,
) -> "Clustered":
    """Return a grader whose work is done by a cluster; every worker has opened its own.

    Args:
        spec, rubric, concurrency, timeout: see `graders.open_grader`. The spec is the worker's: paths and
            hosts are looked up there. The rubric's file is read here.
        address, options: see `clusters.open_cluster`.

    Raises:
        FFError: Dask is missing, no cluster or no worker is there, a worker cannot open the grader, or the
            workers are not the same: another version of this package or of Python, another grader.
    """
    if spec.startswith("recorded:"):
        raise FFError(f"{spec} is read, not graded, and needs no cluster: leave out --cluster.")
    job = Job(spec, load_rubric(rubric), concurrency, timeout)
    cluster = open_cluster(address, options)
    try:
        return loop.run(_opened(cluster, job))
    except BaseException:
        loop.run(cluster.close())
        raise


async def _opened(cluster: Cluster, job: Job) -> "Clustered":
    await _first_worker(cluster)
    return Clustered(cluster, job, await _agreed(cluster, job))


async def _first_worker(cluster: Cluster) -> None:
    """Wait for a worker: of a scheduler that runs for seconds, of a batch system for as long as it takes."""
    begun, told = time.monotonic(), False
    while not await _workers(cluster):
        waits = time.monotonic() - begun
        if cluster.address.startswith("slurm"):
            if not told and waits > _FIRST:
                note("waiting for the first job of SLURM to start (`squeue --me` shows them)")
                told = True
        elif waits > _FIRST:
            raise FFError(
                f"{cluster.address}: the scheduler has no workers. Start some with `dask worker "
                f"{cluster.address}` on the machines that have the grader, then run the same command again."
            )
        await asyncio.sleep(0.1)


async def _workers(cluster: Cluster) -> dict[str, int]:
    try:
        return await cluster.workers()
    except OSError:
        raise _gone(cluster) from None


def _gone(cluster: Cluster) -> FFError:
    return NoClusterError(cluster.address, f"{cluster.address}: the scheduler is gone.")


async def _agreed(cluster: Cluster, job: Job) -> Opened:
    """Open the grader on every worker; return what all of them say."""
    try:
        async with asyncio.timeout(_OPEN):
            said = await cluster.ask(_run(cluster.client, job))
    except TimeoutError:
        raise FFError(
            f"{cluster.address}: not every worker opened its grader within {_OPEN:g} seconds. Look which one "
            f"hangs{_page(cluster)}."
        ) from None
    except OSError:
        raise _gone(cluster) from None
    expected = Opened(about())
    for worker, found in sorted(said.items()):
        if isinstance(found, OSError):  # it died meanwhile
            continue
        if not isinstance(found, Opened):
            raise _refused(worker, [f"does not have this ff_helpers ({type(found).__name__})"])
        _check(worker, expected, found)
        expected = expected if expected.setup else found
    if expected.setup is None:
        raise FFError(f"{cluster.address}: every worker died while it opened the grader. Look at their logs.")
    return expected


async def _run(client: Client, job: Job) -> dict[str, object]:
    """Return what every worker said, by address. It runs on the loop of Dask's client."""
    return await client.run(open_on_worker, job, on_error="return")


def _check(worker: str, expected: Opened, found: Opened) -> None:
    """Refuse a worker that cannot grade, or is not what was expected."""
    told = differences(expected, found)
    if told:
        raise _refused(worker, told)
    if found.failed:
        raise FFError(f"worker {worker}: {found.failed}")


def _refused(worker: str, told: Sequence[str]) -> FFError:
    return FFError(
        f"worker {worker} {'; '.join(told)}. All workers must be the same grader: mend or end that worker, "
        "then run the same command again."
    )


def _page(cluster: Cluster) -> str:
    return f" ({cluster.dashboard})" if cluster.dashboard else ""


class Clustered:
    """Grades on the workers of a cluster; see `outcome.Grader`."""

    def __init__(self, cluster: Cluster, job: Job, opened: Opened) -> None:
        assert opened.setup is not None
        self.setup: GraderSetup = opened.setup
        self.is_model = opened.setup.identity.method == "flip-final-turn"
        self.slots = 64
        self.workers = 0
        self._cluster, self._job, self._opened = cluster, job, opened
        self._size, self._in_flight = 1, 0
        self._waiting: deque[_Waiting] = deque()
        self._moved = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: BaseException | None = None

    def fit(self, traces: Iterable[Trace]) -> None:
        """Size the context of every worker for the longest trace, which is looked for here."""
        size = longest(traces, self._job.rubric)
        self.slots = max(16, min(1024, _BYTES // max(1, size)))
        self._job = replace(self._job, longest=max(1, size))
        self._opened = loop.run(_agreed(self._cluster, self._job))
        assert self._opened.setup is not None
        self.setup = self._opened.setup

    async def grade(self, trace: Trace, repeat: int) -> Outcome:
        """Return the outcome that a worker gave.

        Raises:
            FFError: the scheduler is gone, a worker cannot grade or is another grader than the rest.
        """
        if self._failed is not None:
            raise self._failed
        if not self._tasks:
            self._start(self._send_all())
            self._start(self._look())
        ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(trace, repeat, ended))
        self._moved.set()
        return await ended

    async def close(self) -> None:
        """End what is in flight and close the connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._cluster.close()

    def _start(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """End the campaign: whoever waits for an outcome gets the error."""
        self._failed = self._failed or error
        while self._waiting:
            _raise(self._waiting.popleft(), self._failed)

    async def _look(self) -> None:
        """Keep looking at who is there."""
        while True:
            before, self.workers = self.workers, len(await _workers(self._cluster))
            if not self.workers and before:
                note("no worker is left: waiting for one")
            self._moved.set()
            await asyncio.sleep(_LOOK)

    async def _send_all(self) -> None:
        """Send chunks while the workers have room."""
        while True:
            room = 2 * self.workers * max(self._opened.slots, self._size) - self._in_flight
            if room <= 0 or not self._waiting:
                self._moved.clear()
                await self._moved.wait()
                continue
            fair = max(1, -(-len(self._waiting) // self.workers))  # the last ones are shared out
            count = min(self._size, room, fair, len(self._waiting))
            chunk = [self._waiting.popleft() for _ in range(count)]
            self._in_flight += count
            self._start(self._deliver(chunk))

    async def _deliver(self, chunk: list[_Waiting]) -> None:
        try:
            await self._graded(chunk)
        except BaseException as error:
            for one in chunk:
                _raise(one, error)
            raise
        finally:
            self._in_flight -= len(chunk)
            self._moved.set()

    async def _graded(self, chunk: Sequence[_Waiting], deaths: int = 0) -> None:
        """Have a chunk graded; one on which workers die is divided, to find the trace that kills them."""
        begun = time.monotonic()
        lines = [(line_of(one.trace), one.repeat) for one in chunk]
        said = await self._cluster.ask(self._task(lines))
        if isinstance(said, Exception):
            await _agreed(self._cluster, self._job)  # names the worker
            raise FFError(f"a worker failed ({type(said).__name__}): look at the workers' logs.")
        if isinstance(said, str):
            if len(chunk) == 1 and deaths + 1 >= _DIED:
                reason = f"every worker that graded it died, the last one was {said}"
                _set(chunk[0], Outcome(status="server_error", reason=reason))
                return
            for one in chunk:
                await self._graded([one], deaths + (len(chunk) == 1))
            return
        for one, outcome in zip(chunk, said.outcomes, strict=True):
            if outcome is not None:
                _set(one, replace(outcome, setup=said.opened.setup))
        _check(said.worker, self._opened, said.opened)
        each = (time.monotonic() - begun) / len(chunk)
        self._size = max(1, min(_MOST, round(_CHUNK / max(each, 1e-6))))

    async def _task(self, lines: list[tuple[bytes, int]]) -> Graded | str | Exception:
        """Send one task; return what came back, which worker died last, or what went wrong on one.

        It runs on the loop of Dask's client.
        """
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        client = self._cluster.client
        key = f"ff-grade-{uuid.uuid4().hex}"  # no word of a trace
        try:
            task = client.submit(grade_on_worker, self._job, self._opened, lines, key=key, pure=False)
            return cast("Graded", await task.result())
        except KilledWorker as error:
            return named(str(error.last_worker.address))
        except (FutureCancelledError, OSError):
            raise _gone(self._cluster) from None
        except Exception as error:  # our code there lets none out: its worker may not have our code
            return error


def _set(one: _Waiting, outcome: Outcome) -> None:
    if not one.ended.done():
        one.ended.set_result(outcome)


def _raise(one: _Waiting, error: BaseException) -> None:
    if not one.ended.done():
        if isinstance(error, Exception):
            one.ended.set_exception(error)
        else:
            one.ended.cancel()
