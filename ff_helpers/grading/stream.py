"""Grade many traces with one grader: as many in flight as it has slots, each record to the ledger.

`grade_file` takes a trace file of any length: streamed in, streamed out, resumed from its ledger. Records are
committed in a thread, by number and by time, so no request waits for the disk; a row is reported as done only
after the fsync that covers it.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ff_helpers.chat import loop
from ff_helpers.chat.progress import Progress
from ff_helpers.corpus.jsonl import read_records
from ff_helpers.corpus.traces import Trace, read_traces
from ff_helpers.errors import FFError
from ff_helpers.grading.admission import Admit, nobody, refuse_control
from ff_helpers.grading.graders import open_grader
from ff_helpers.grading.ledger import Ledger
from ff_helpers.grading.outcome import Grader, record_key, to_record, ungradeable
from ff_helpers.grading.shards import Shard
from ff_helpers.terms import VERDICTS, WITHOUT_VERDICT, Identity

_BATCH: Final = 128
"""The most records that one fsync covers: slow disks must not slow down a fast server."""

_SECONDS: Final = 0.5
"""The longest time a record waits for its fsync, even if no other record comes."""


@dataclass(frozen=True)
class GradingSummary:
    """What one call of `grade_file` did.

    Attributes:
        identity: who graded.
        graded: rows graded and durable now (one row per trace and repeat).
        already: rows that were in the ledger before.
        verdicts: label -> rows graded now.
        statuses: status -> rows graded now.
        seconds: wall time of the grading, without opening the grader and checking the file.
        ledger: where the records are.
    """

    identity: Identity
    graded: int
    already: int
    verdicts: dict[str, int]
    statuses: dict[str, int]
    seconds: float
    ledger: Path


def grade_file(
    traces: Path,
    spec: str,
    ledger: Path,
    *,
    rubric: str = "flip-reference",
    limit: int | None = None,
    repeats: int = 1,
    concurrency: int = 1,
    timeout: float = 300.0,
    shard: Shard | None = None,
    only: Container[str] | None = None,
    admit: Admit = nobody,
    cluster: str | None = None,
) -> GradingSummary:
    """Grade the traces of a file that are not in the ledger, in constant memory.

    The whole file is read and checked before the first trace is graded, then read again. Rows that failed
    because of the server (`timeout`, `server_error`) are graded again.

    Args:
        traces: JSONL file of traces.
        spec: the grader, see `graders.open_grader`.
        ledger: where records go; created if missing, else continued.
        rubric: `flip-reference` or `flip-blind`.
        limit: grade only the first `limit` traces of the file; None: all.
        repeats: how often a model grades each trace: the whole file once, then again.
        concurrency: requests in flight at one server.
        timeout: seconds that one request may take.
        shard: grade only the traces of this shard (of the first `limit`, if there is a limit); None: all. The
            whole file is checked and sizes the context, so that all shards have the same grader.
        only: grade only traces with these ids (see `cost.sample_of`); None: all.
        admit: decides which graders may grade traces without truth (`measurement.standing.by_cards`); by
            default none.
        cluster: where to grade, see `clusters.open_cluster`; the ledger is written here. None: here.

    Raises:
        FileMissingError, BadLineError: no such file, a bad line or a trace_id twice, named file:line:field.
        JournalBusyError, JournalWriteError: another run is writing to the ledger, or it cannot be written.
        FFError: limit, repeats or concurrency below 1; the file holds no traces, or a control; the ledger has
            rows of another shard; the grader cannot work here, or may not grade traces without truth.
    """
    for name, value in (("limit", limit), ("repeats", repeats), ("concurrency", concurrency)):
        if value is not None and value < 1:
            raise FFError(f"{name} = {value}: must be 1 or more.")
    grader, workers = _opened(spec, cluster, rubric=rubric, concurrency=concurrency, timeout=timeout)
    passes = repeats if grader.is_model else 1
    job = _Job(traces, grader, passes, limit=limit, shard=shard, only=only)
    unused = ExitStack()
    unused.callback(lambda: loop.run(grader.close()))
    with unused, Ledger(ledger) as book:
        _own_ledger(book, shard)
        left = job.check(book)
        if not job.read:
            raise FFError(f"{traces}: this file holds no traces, so there is nothing to grade.")
        told = ""
        if job.models:
            told = admit(grader.setup, spec, {traces.stem: job.models})
        setup = grader.setup
        task = f"grading with {setup.identity.name}" + ("" if shard is None else f", shard {shard}")
        progress = Progress(task, left, local=setup.is_local and not workers, workers=workers)
        if left and told:
            progress.note(f"warning: {told}")
        if book.torn is not None:
            progress.note(f"a crash left a torn last line in {ledger}; its bytes are in {book.torn.name}")
        warning = book.changed_conditions(grader.setup)
        if left and warning:
            progress.note(f"warning: {warning}")
        begun = time.monotonic()
        unused.pop_all()  # from here on the grader is closed on the loop that it uses
        grade_all(grader, job.work(book) if left else (), book, progress, shard=shard)
    return GradingSummary(
        identity=grader.setup.identity,
        graded=progress.done,
        already=job.wanted - left,
        verdicts={label: progress.counts[label] for label in VERDICTS if progress.counts[label]},
        statuses={name: progress.counts[name] for name in WITHOUT_VERDICT if progress.counts[name]},
        seconds=round(time.monotonic() - begun, 3),
        ledger=ledger,
    )


def _opened(
    spec: str, cluster: str | None, *, rubric: str, concurrency: int, timeout: float
) -> tuple[Grader, Callable[[], int] | None]:
    """Return the grader, and on a cluster what tells how many workers there are."""
    if cluster is None:
        return open_grader(spec, rubric=rubric, concurrency=concurrency, timeout=timeout), None
    from ff_helpers.grading.clustered import open_clustered

    grader = open_clustered(spec, cluster, rubric=rubric, concurrency=concurrency, timeout=timeout)
    return grader, lambda: grader.workers


def _own_ledger(ledger: Ledger, shard: Shard | None) -> None:
    """Refuse to grade a shard into the ledger of another one: machines that share it would lose rows."""
    others = ledger.shards - {str(shard)}
    if shard is not None and others:
        raise FFError(
            f"{ledger.path} has rows of shard {min(others)}, and this is shard {shard}. Give each shard a "
            f"ledger of its own (--ledger verdicts.{shard.number}.jsonl), and merge them with `ff ledger "
            "merge`. To grade what a merged ledger lacks, leave out --shard."
        )


class _Job:
    """The rows of one call: of the first `limit` traces those of the shard, `repeats` times."""

    def __init__(
        self,
        path: Path,
        grader: Grader,
        repeats: int,
        *,
        limit: int | None,
        shard: Shard | None,
        only: Container[str] | None,
    ) -> None:
        self.path, self.grader, self.limit, self.repeats = path, grader, limit, repeats
        self.shard, self.only = shard, only
        self.read = self.wanted = 0
        self.models: set[str] = set()
        """Under test, of the traces without truth."""

    def check(self, ledger: Ledger) -> int:
        """Read the whole file, size the grader for its longest trace; return how many rows remain."""
        left = 0

        def looked_at() -> Iterator[Trace]:
            nonlocal left
            for place, trace in enumerate(read_traces(self.path), start=1):
                self.read = place
                refuse_control(trace, str(self.path))
                if trace.truth is None and trace.fault is None:
                    self.models.add(trace.model)
                if self._is_mine(place, trace):
                    self.wanted += self.repeats
                    left += sum(self._is_left(trace, repeat, ledger) for repeat in range(self.repeats))
                yield trace

        looked = looked_at()
        self.grader.fit(looked)
        for _ in looked:  # a grader without a context to size has not read the traces
            pass
        return left

    def work(self, ledger: Ledger) -> Iterator[tuple[Trace, int]]:
        """Yield what remains, reading the file once per repeat."""
        for repeat in range(self.repeats):
            for place, trace in enumerate(read_records(self.path, Trace), start=1):
                if self.limit is not None and place > self.limit:
                    break
                if self._is_mine(place, trace) and self._is_left(trace, repeat, ledger):
                    yield trace, repeat

    def _is_mine(self, place: int, trace: Trace) -> bool:
        within = self.limit is None or place <= self.limit
        mine = self.shard is None or self.shard.holds(trace.trace_id)
        return within and mine and (self.only is None or trace.trace_id in self.only)

    def _is_left(self, trace: Trace, repeat: int, ledger: Ledger) -> bool:
        return (record_key(self.grader.setup.identity, trace, repeat), trace.trace_id) not in ledger.done


def grade_all(
    grader: Grader,
    work: Iterable[tuple[Trace, int]],
    ledger: Ledger,
    progress: Progress,
    *,
    shard: Shard | None = None,
) -> None:
    """Grade (trace, repeat) pairs, taken one by one as slots get free, and close the grader.

    A trace that cannot be graded becomes a row with a status. If no request can succeed, or on an
    interrupt, finished rows are committed first.

    Raises:
        FFError: no server, no model; the ledger cannot be written.
    """
    with progress:
        loop.run(_grade_all(grader, iter(work), ledger, progress, shard))


async def _grade_all(
    grader: Grader,
    work: Iterator[tuple[Trace, int]],
    ledger: Ledger,
    progress: Progress,
    shard: Shard | None,
) -> None:
    telling = threading.Lock()

    def commit() -> None:
        with telling:
            progress.step(*(record.label for record in ledger.commit()))

    async def worker() -> None:
        for trace, repeat in work:
            outcome = ungradeable(trace) or await grader.grade(trace, repeat)
            if ledger.add(to_record(grader.setup, trace, outcome, repeat, shard=shard)) >= _BATCH:
                await asyncio.to_thread(commit)

    async def clock() -> None:
        while True:
            await asyncio.sleep(_SECONDS)
            await asyncio.to_thread(commit)

    async def crew() -> None:
        for _ in range(grader.slots):
            workers.append(asyncio.create_task(worker()))
            # A thousand requests at once take so long to write that the first ones would be past their time
            # to connect: servers that are there would look gone.
            await asyncio.sleep(0)
        await asyncio.gather(*workers)

    workers: list[asyncio.Task[None]] = []
    everyone, ticking = asyncio.create_task(crew()), asyncio.create_task(clock())
    try:
        await asyncio.wait((everyone, ticking), return_when=asyncio.FIRST_COMPLETED)
        for ended in (ticking, everyone):  # the clock ends only with a full disk
            if ended.done():
                ended.result()
    finally:
        for task in (everyone, *workers, ticking):
            task.cancel()
        await asyncio.gather(*workers, everyone, ticking, return_exceptions=True)
        try:
            if not ledger.broken:
                commit()
        finally:
            await grader.close()
