"""What runs on a worker of a cluster: its own grader, opened once per process, grades chunks of traces.

Everything comes in as data and goes back as data. A worker writes nothing, and no exception leaves here: Dask
would log its arguments, which are traces.
"""

import asyncio
import hashlib
import os
import platform
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from typing import Protocol

from ff_helpers import __version__
from ff_helpers.corpus.traces import Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.graders import open_grader
from ff_helpers.grading.outcome import Grader, GraderSetup, Outcome
from ff_helpers.grading.rubric import Rubric
from ff_helpers.paths import PACKAGE


class Threads(Protocol):
    """What Dask knows of a worker."""

    nthreads: int
    """How many cores it may use."""


class Worker(Protocol):
    """A worker of Dask."""

    address: str
    state: Threads
    status: Enum


@dataclass(frozen=True)
class Job:
    """What a worker opens.

    Attributes:
        spec: of the grader; paths and hosts in it are the worker's.
        rubric: with its text: a file of the user need not be on the worker.
        concurrency, timeout: see `graders.open_grader`.
        longest: bytes of the longest conversation of the campaign, which size the context; 0: not known.
    """

    spec: str
    rubric: Rubric
    concurrency: int
    timeout: float
    longest: int = 0


@dataclass(frozen=True)
class Opened:
    """What a worker says of itself; `failed` says why it cannot grade, else empty."""

    about: tuple[str, ...]
    setup: GraderSetup | None = None
    slots: int = 1
    failed: str = ""


@dataclass(frozen=True)
class Graded:
    """A chunk that came back: an outcome per trace, None where the worker failed, and why it did."""

    worker: str
    opened: Opened
    outcomes: tuple[Outcome | None, ...]


@dataclass
class _Held:
    """The grader of this process."""

    job: Job
    grader: Grader
    free: asyncio.Semaphore
    loop: asyncio.AbstractEventLoop
    users: int = 0


_held: _Held | None = None
_changing = threading.Condition()


def about() -> tuple[str, ...]:
    """Return what must be the same on every worker: this package with the hash of its code, and Python."""
    return f"ff_helpers {__version__} (code {code_hash()})", f"Python {platform.python_version()}"


@cache
def code_hash() -> str:
    """Return the hash of every file of this package that shapes a verdict: its code and rubrics."""
    files = sorted(path for kind in ("*.py", "*.md", "*.txt") for path in PACKAGE.rglob(kind))
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


async def open_on_worker(job: Job, dask_worker: Worker) -> Opened:
    """Open the grader of a job and return what it is, or why it cannot be opened; Dask gives the worker."""
    return await asyncio.to_thread(_open, job, dask_worker)


def _open(job: Job, worker: Worker) -> Opened:
    try:
        with _grader(job, worker) as held:
            setup = held.grader.setup
            setup = setup if job.longest else replace(setup, num_ctx=None)  # not final yet
            return Opened(about(), setup, held.grader.slots)
    except FFError as error:
        return Opened(about(), failed=str(error))
    except Exception as error:
        return Opened(about(), failed=_meaning(error))


def grade_on_worker(job: Job, expected: Opened, chunk: Sequence[tuple[bytes, int]]) -> Graded:
    """Grade traces, each a line of JSONL with its repeat, as many at once as the grader has slots.

    Nothing is graded by a grader other than the expected one.
    """
    from distributed import Reschedule, get_worker, secede

    secede()  # the grader bounds what is in flight, not the threads that the worker was started with
    worker: Worker = get_worker()
    outcomes: list[Outcome | None] = [None] * len(chunk)
    opened = Opened(about())
    try:
        with _grader(job, worker) as held:
            opened = Opened(about(), held.grader.setup, held.grader.slots)
            if not differences(expected, opened):
                asyncio.run_coroutine_threadsafe(_grade(held, chunk, outcomes), held.loop).result()
    except FFError as error:
        opened = replace(opened, failed=str(error))
    except Exception as error:
        if worker.status.name not in ("running", "paused"):  # it is ending: another one's turn
            raise Reschedule from None
        opened = replace(opened, failed=_meaning(error))
    return Graded(worker.address, opened, tuple(outcomes))


def differences(expected: Opened, found: Opened) -> list[str]:
    """Return how a worker differs from what was expected, in words; empty: it may grade.

    The number of threads may differ: it is recorded with each verdict.
    """
    told = [f"has {b}, not {a}" for a, b in zip(expected.about, found.about, strict=False) if a != b]
    if told or found.setup is None or expected.setup is None:
        return told
    one, other = expected.setup, found.setup
    parts = {
        **{name: (getattr(one.identity, name), getattr(other.identity, name)) for name in _IDENTITY},
        "context": (one.num_ctx, other.num_ctx),
        "software": (one.software, other.software),
    }
    return [f"has {name} {b}, not {a}" for name, (a, b) in parts.items() if a != b]


_IDENTITY = ("name", "digest", "quantization", "rubric", "schema", "temperature", "seed", "method")


@contextmanager
def _grader(job: Job, worker: Worker) -> Iterator[_Held]:
    """Lend this process's grader; another job's is closed first, when nobody uses it."""
    global _held  # noqa: PLW0603
    with _changing:
        while _held is not None and not _fits(_held, job) and _held.users:
            _changing.wait()
        if _held is None or not _fits(_held, job):
            old, _held = _held, None
            if old is not None:
                asyncio.run_coroutine_threadsafe(old.grader.close(), old.loop).result()
            os.environ.setdefault("FF_THREADS", str(worker.state.nthreads))
            grader = open_grader(
                job.spec, rubric=job.rubric, concurrency=job.concurrency, timeout=job.timeout
            )
            _held = _Held(replace(job, longest=0), grader, asyncio.Semaphore(grader.slots), _loop())
        if job.longest and not _held.job.longest:
            fit = getattr(_held.grader, "fit_longest", None)
            if fit is not None:
                fit(job.longest)
            _held.job = job
        _held.users += 1
        held = _held
    try:
        yield held
    finally:
        with _changing:
            held.users -= 1
            _changing.notify_all()


def _fits(held: _Held, job: Job) -> bool:
    """Return whether a grader that is open is the job's; its context is sized once."""
    same = replace(held.job, longest=0) == replace(job, longest=0)
    return same and (0 in (job.longest, held.job.longest) or job.longest == held.job.longest)


async def _grade(held: _Held, chunk: Sequence[tuple[bytes, int]], outcomes: list[Outcome | None]) -> None:
    """Fill in the outcomes; after an error that no request can survive, those that were in flight too."""

    async def one(place: int, line: bytes, repeat: int) -> None:
        async with held.free:
            outcomes[place] = await held.grader.grade(Trace.model_validate_json(line), repeat)

    work = [one(place, line, repeat) for place, (line, repeat) in enumerate(chunk)]
    for ended in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return the loop of this process on which its grader works, away from the worker's own.

    Called by one thread at a time: two that call a cached function at once make two loops.
    """
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="ff-grader", daemon=True).start()
    return loop


def _meaning(error: Exception) -> str:
    """Return what an unexpected exception was; its own text may quote a trace."""
    why = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
    return f"{type(error).__name__}{why}"
