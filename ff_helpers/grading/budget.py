"""Grading by the clock: which rows come first, and how far a campaign came.

Rows come in random order, from the sets in turn, so whatever is reached when the time is over is a random
sample of each set. The next call continues in the same order.
"""

import hashlib
import math
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, takewhile, zip_longest
from typing import Final

from ff_helpers.corpus.injections import CLEAN
from ff_helpers.corpus.traces import Sampling, Trace, sampled
from ff_helpers.errors import FFError

_EVERY: Final = 5
"""One row in so many is graded again."""

Passes = Iterator[tuple[Trace, int]]
"""Traces, each with the number of its pass: 0, then 1."""


def check(minutes: float | None) -> None:
    """Raise if a budget is not a time.

    Raises:
        FFError: it is negative, infinite or not a number.
    """
    if minutes is not None and not (math.isfinite(minutes) and minutes >= 0):
        raise FFError(f"minutes = {minutes}: must be 0 (no limit) or more.")


def order(sets: Mapping[str, Sequence[Trace]], *, seed: int) -> list[Trace]:
    """Return the traces of all sets as a budget takes them: random within each set, and the sets in turn.

    So a small set is reached as well as a large one. A response that attacks the grader comes after its clean
    twin: it is useless without it.
    """
    shuffled = [_shuffled(traces, f"{seed}:{name}") for name, traces in sets.items()]
    return [trace for turn in zip_longest(*shuffled) for trace in turn if trace is not None]


def passes(traces: Sequence[Trace], repeat_rows: int) -> Passes:
    """Yield what to grade: the traces in order, and among them the first `repeat_rows` once more.

    A second pass comes long after the first: directly after it, a server would have the prompt in its cache.
    """
    again = (t for t in traces[:repeat_rows] if not (t.sampling and t.sampling.kind == "injected"))
    for place, trace in enumerate(traces, start=1):
        yield trace, 0
        if place % _EVERY == 0 and (repeated := next(again, None)):
            yield repeated, 1
    yield from ((trace, 1) for trace in again)


def until(work: Passes, deadline: float) -> Passes:
    """Yield pairs until a time of the monotonic clock."""
    for pair in work:
        if time.monotonic() >= deadline:
            return
        yield pair


def reached(traces: Sequence[Trace], done: Collection[str]) -> list[Trace]:
    """Return the first traces of an order up to the first one whose id is not in `done`."""
    return list(takewhile(lambda trace: trace.trace_id in done, traces))


def drawn(sets: Mapping[str, Sequence[Trace]], kept: Sequence[Trace]) -> dict[str, list[Trace]]:
    """Return what was reached of each set, each trace with its sampling: its share of the set is known."""
    ids = {trace.trace_id for trace in kept}
    found = {name: [trace for trace in traces if trace.trace_id in ids] for name, traces in sets.items()}
    return {
        name: [
            sampled(trace, Sampling(kind="random", probability=len(rows) / len(sets[name])))
            if len(rows) < len(sets[name])
            else trace
            for trace in rows
        ]
        for name, rows in found.items()
    }


def _shuffled(traces: Sequence[Trace], seed: str) -> list[Trace]:
    def place(trace: Trace) -> bytes:
        return hashlib.sha256(f"{seed}:{trace.trace_id}".encode()).digest()

    shuffled = sorted(traces, key=place)
    clean = {trace.scenario_id: trace for trace in shuffled if _injected(trace) and trace.run == CLEAN}
    pairs = chain.from_iterable(
        (clean[trace.scenario_id], trace) if _injected(trace) and trace.scenario_id in clean else (trace,)
        for trace in shuffled
    )
    return list({trace.trace_id: trace for trace in pairs}.values())


def _injected(trace: Trace) -> bool:
    return trace.sampling is not None and trace.sampling.kind == "injected"
