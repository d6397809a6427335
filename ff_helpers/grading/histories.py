"""The records of one trace from several ledgers, in the one order in which the right ones are valid.

`ledger.live_records` reads a ledger in order: the later of two records with one key is valid, and a
correction takes the place of what it supersedes. The order of several ledgers together follows from their
records alone: failed requests, what was graded, by time, and corrections. A correction may be corrected in
turn, also back to the grader's own verdict, so corrections form trails from key to key. They are laid from
their end, where the latest decision stands, without a step that would cut off the rest (Fleury's rule).
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ff_helpers.grading.contents import RETRIED
from ff_helpers.grading.outcome import Record


@dataclass(frozen=True)
class Written:
    """A record, its line, and where it stands: (input, place in it), ascending."""

    record: Record
    line: bytes
    places: tuple[tuple[int, int], ...]


def rivals(rows: Iterable[Written]) -> dict[str, list[Written]]:
    """Return what was graded more than once: key -> records by time, no corrections, no failed requests."""
    graded = defaultdict(list)
    for row in rows:
        if row.record.supersedes is None and row.record.status not in RETRIED:
            graded[row.record.key].append(row)
    return {key: sorted(found, key=_place) for key, found in graded.items() if len(found) > 1}


def disagree(rows: Iterable[Written]) -> bool:
    """Return whether records have different verdicts or statuses."""
    return len({row.record.label for row in rows}) > 1


def tells(rows: Sequence[Written], *, first: bool) -> bool:
    """Return whether records, in order, tell that their first was made before all with another verdict.

    Without `first`: that their last was made after all with another verdict.
    """
    best = rows[0] if first else rows[-1]
    others = [row for row in rows if row.record.label != best.record.label]
    times = [_time(row.record) for row in (best, *others)]
    return None not in times and times.count(times[0]) == 1


def in_order(rows: Sequence[Written], *, first: Collection[str] = ()) -> list[Written]:
    """Return the records of one trace in order.

    Args:
        rows: the records; a correction that occurs several times is there as often.
        first: keys of which the record that was made first is valid, and so comes last.
    """
    ordered = sorted(rows, key=_place)
    graded = [row for row in ordered if row.record.supersedes is None]
    for key, found in rivals(graded).items():
        if key in first:
            places = [place for place, row in enumerate(graded) if row in found]
            for place, row in zip(places, reversed(found), strict=True):
                graded[place] = row
    start = {row.record.key for row in graded}
    left = [row for row in ordered if row.record.supersedes is not None]
    laid: list[Written] = []
    while left:
        laid.append(left.pop(_last(left, start)))
    return graded + laid[::-1]


def forks(rows: Iterable[Written]) -> int:
    """Return how many corrections found that another one had replaced their record already."""
    rows = list(rows)
    corrections = [row.record for row in rows if row.record.supersedes is not None]
    made = Counter({row.record.key for row in rows if row.record.supersedes is None})  # twice is once here
    made.update(record.key for record in corrections)
    gone = Counter(record.supersedes.key for record in corrections if record.supersedes is not None)
    return sum(max(0, n - made[key]) for key, n in gone.items() if made[key])


def _place(row: Written) -> tuple[bool, float, bytes]:
    return row.record.status not in RETRIED, _time(row.record) or 0.0, row.line


def _time(record: Record) -> float | None:
    """Return when a record was made, in seconds; None if it does not tell."""
    try:
        started = datetime.fromisoformat(record.started or "")
    except ValueError:
        return None
    return (started if started.tzinfo else started.replace(tzinfo=UTC)).timestamp()


def _last(left: Sequence[Written], start: Collection[str]) -> int:
    """Return the place of the correction that comes last: the latest that stands and cuts off no other."""
    stands = Counter(start)
    for row in left:
        stands.update([row.record.key])
        stands.subtract([_target(row)])
    able = [place for place, row in enumerate(left) if stands[row.record.key] > 0]
    whole = _reached(left, start)
    for place in reversed(able):
        rest = [*left[:place], *left[place + 1 :]]
        reached = _reached(rest, start)
        if all(_target(row) in reached or _target(row) not in whole for row in rest):
            return place
    return able[-1] if able else len(left) - 1


def _reached(corrections: Sequence[Written], start: Collection[str]) -> set[str]:
    """Return the keys that can come to stand, one correction after another."""
    keys = set(start)
    while more := {row.record.key for row in corrections if _target(row) in keys} - keys:
        keys |= more
    return keys


def _target(row: Written) -> str:
    return row.record.supersedes.key if row.record.supersedes is not None else ""
