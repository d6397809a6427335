"""Grade many traces with one grader: as many in flight as it has slots, each record into the ledger."""

import asyncio
from collections.abc import Iterable, Iterator

from ff_helpers.chat import loop
from ff_helpers.corpus.traces import Trace
from ff_helpers.grading.ledger import Ledger
from ff_helpers.grading.outcome import Grader, to_record
from ff_helpers.grading.progress import Progress


def grade_all(grader: Grader, work: Iterable[tuple[Trace, int]], ledger: Ledger, progress: Progress) -> None:
    """Grade (trace, repeat) pairs, taken one by one, and close the grader.

    A trace that cannot be graded is a row with a status. Where nothing can work, the ledger commits what
    was graded as it closes.

    Raises:
        FFError: no server, no model; the ledger cannot be written.
    """
    with progress:
        loop.run(_grade_all(grader, iter(work), ledger, progress))
    ledger.commit()


async def _grade_all(
    grader: Grader, work: Iterator[tuple[Trace, int]], ledger: Ledger, progress: Progress
) -> None:
    async def worker() -> None:
        for trace, repeat in work:
            outcome = await grader.grade(trace, repeat)
            ledger.append(to_record(grader.identity, trace, outcome, repeat))
            progress.step(outcome.verdict or outcome.status or "")

    workers = [asyncio.create_task(worker()) for _ in range(grader.slots)]
    try:
        await asyncio.gather(*workers)
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        await grader.close()
