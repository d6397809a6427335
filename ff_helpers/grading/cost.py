"""What grading the rest of a file will take, from a random sample of it that was graded."""

import hashlib
import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scipy import stats

from ff_helpers.corpus.traces import read_traces
from ff_helpers.errors import FFError
from ff_helpers.grading.ledger import live_records
from ff_helpers.grading.outcome import Record
from ff_helpers.terms import Identity

SAMPLE: Final = 20
LEVEL: Final = 0.95


@dataclass(frozen=True)
class Expected:
    """What a number of further rows is expected to add up to.

    Attributes:
        mean: of a row of the sample.
        total, low, high: of all further rows, with the 95% prediction interval; not below 0.
    """

    mean: float
    total: float
    low: float
    high: float


@dataclass(frozen=True)
class Cost:
    """What the rest of a file costs one grader.

    Attributes:
        identity: the grader; None if no row of the sample has a record.
        rows: traces of the file.
        sampled: traces of the sample that the grader has a record of.
        left: traces of the file that it has no record of.
        prompt_tokens, completion_tokens: of what is left; None where the grader reports none.
        seconds: of what is left, with as many requests in flight as the sample had.
        money: of what is left, in the currency of the prices; None without prices or tokens.
    """

    identity: Identity | None
    rows: int
    sampled: int
    left: int
    prompt_tokens: Expected | None = None
    completion_tokens: Expected | None = None
    seconds: Expected | None = None
    money: Expected | None = None


def sample_of(traces: Path, n: int = SAMPLE) -> frozenset[str]:
    """Return the trace_ids of a random sample of a file: always the same, so that it is graded once.

    They are those with the smallest hashes, so a larger sample contains a smaller one.

    Raises:
        FFError: the sample would be smaller than 2.
        FileMissingError, BadLineError: as `read_traces`.
    """
    if n < 2:
        raise FFError(f"a sample of {n}: two traces at least, so that their spread is known.")
    ids = (trace.trace_id for trace in read_traces(traces))
    return frozenset(heapq.nsmallest(n, ids, key=lambda one: hashlib.sha256(one.encode()).digest()))


def cost_of(
    traces: Path,
    ledger: Path,
    identity: Identity,
    *,
    n: int = SAMPLE,
    prices: tuple[float, float] | None = None,
) -> Cost:
    """Return what is left of a file for one grader, and what it is expected to take.

    The records of the sample, and no others, say what a row takes: what a ledger holds beside them was not
    drawn at random. Rows without a verdict count, since they cost as much.

    Args:
        traces: the file.
        ledger: where the sample was graded.
        identity: the grader.
        n: the size of the sample, see `sample_of`.
        prices: of a million prompt tokens and of a million answer tokens.
    """
    chosen = sample_of(traces, n)
    ids = {trace.trace_id for trace in read_traces(traces)}
    own = [r for r in live_records(ledger) if r.identity == identity and r.repeat == 0 and r.trace_id in ids]
    drawn = [r for r in own if r.trace_id in chosen]
    left = len(ids) - len({r.trace_id for r in own})
    if len(drawn) < 2:
        return Cost(identity, len(ids), len(drawn), left)
    spent = None if prices is None else [_money(record, prices) for record in drawn]
    return Cost(
        identity,
        len(ids),
        len(drawn),
        left,
        prompt_tokens=_expected((r.prompt_tokens for r in drawn), left),
        completion_tokens=_expected((r.completion_tokens for r in drawn), left),
        seconds=_expected((_seconds(r) for r in drawn), left),
        money=None if spent is None else _expected(spent, left),
    )


def expected(values: Sequence[float], rows: int) -> Expected:
    """Return what further rows add up to, predicted from the values of a random sample.

    The 95% prediction interval for the mean of further values (Hahn and Meeker, Statistical Intervals: mean
    plus or minus t s sqrt(1/n + 1/m)), times their number m. A sample that misses rare very long traces makes
    it too narrow.

    Args:
        values: at least two.
        rows: how many more there are.
    """
    n = len(values)
    mean = math.fsum(values) / n
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    half = float(stats.t.ppf((1 + LEVEL) / 2, n - 1)) * spread * math.sqrt(rows**2 / n + rows)
    return Expected(mean, rows * mean, max(0.0, rows * mean - half), rows * mean + half)


def _expected(values: Iterable[float | None], rows: int) -> Expected | None:
    known = [value for value in values if value is not None]
    return expected(known, rows) if len(known) > 1 else None


def _seconds(record: Record) -> float | None:
    return None if record.duration_s is None else record.duration_s / record.options.concurrency


def _money(record: Record, prices: tuple[float, float]) -> float | None:
    if record.prompt_tokens is None or record.completion_tokens is None:
        return None
    return (record.prompt_tokens * prices[0] + record.completion_tokens * prices[1]) / 1e6
