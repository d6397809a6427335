"""Grade many traces with one grader: as many in flight as it has slots, each record to the ledger.

Records are committed in a thread, by number and by time, so no request waits for the disk; a row
is reported as done only after the fsync that covers it.
"""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from typing import Final

from ff_helpers.chat import loop
from ff_helpers.chat.progress import Progress
from ff_helpers.corpus.traces import Trace
from ff_helpers.grading.ledger import Ledger
from ff_helpers.grading.outcome import Grader, to_record
from ff_helpers.grading.record import Record

_BATCH: Final = 128
"""The most records that one fsync covers: slow disks must not slow down a fast server."""

_SECONDS: Final = 0.5
"""The longest time a record waits for its fsync, even if no other record comes."""


def grade_all(grader: Grader, work: Iterable[tuple[Trace, int]], ledger: Ledger, progress: Progress) -> None:
    """Grade (trace, repeat) pairs, taken one by one as slots get free, and close the grader.

    A trace that cannot be graded becomes a row with a status. If no request can succeed, or on an
    interrupt, finished rows are committed first.

    Raises:
        FFError: no server, no model; the ledger cannot be written.
    """
    with progress:
        loop.run(_grade_all(grader, iter(work), ledger, progress))


async def _grade_all(
    grader: Grader, work: Iterator[tuple[Trace, int]], ledger: Ledger, progress: Progress
) -> None:
    telling = threading.Lock()

    def commit() -> None:
        with telling:
            progress.step(*map(_ended, ledger.commit()))

    async def worker() -> None:
        for trace, repeat in work:
            outcome = await grader.grade(trace, repeat)
            if ledger.add(to_record(grader.setup, trace, outcome, repeat)) >= _BATCH:
                await asyncio.to_thread(commit)

    async def clock() -> None:
        while True:
            await asyncio.sleep(_SECONDS)
            await asyncio.to_thread(commit)

    workers = [asyncio.create_task(worker()) for _ in range(grader.slots)]
    everyone, ticking = asyncio.gather(*workers), asyncio.create_task(clock())
    try:
        await asyncio.wait((everyone, ticking), return_when=asyncio.FIRST_COMPLETED)
        for ended in (ticking, everyone):  # the clock ends only with a full disk
            if ended.done():
                ended.result()
    finally:
        for task in (*workers, ticking):
            task.cancel()
        await asyncio.gather(*workers, everyone, ticking, return_exceptions=True)
        try:
            if not ledger.broken:
                commit()
        finally:
            await grader.close()


def _ended(record: Record) -> str:
    return record.verdict or record.status or ""
