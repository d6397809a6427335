"""Old and new labels of the same traces, read from ledgers: first records, what supersedes them, and why.

A ledger appends and never overwrites. So the first label of a trace is still there next to the
current one, and each correction between them names its author and reason.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ff_helpers.errors import FFError, named
from ff_helpers.grading.identities import shown_names
from ff_helpers.grading.ledger import RETRIED, read_ledger
from ff_helpers.grading.record import Record
from ff_helpers.terms import Identity

_CHANGES = {
    "trace_id": "str",
    "author": "str",
    "reason": "str",
    "own_words": "bool",
    "old": "str",
    "new": "str",
}


@dataclass(frozen=True)
class Place:
    """A record, reduced to what a regrade needs, and where it is written."""

    path: Path
    number: int
    key: str
    trace_id: str
    response: str
    who: Identity
    label: str

    def __str__(self) -> str:
        """Return file:line; blank lines are not records, so lines are recounted."""
        with self.path.open("rb") as file:
            lines = [line for line, raw in enumerate(file, start=1) if raw.strip()]
        return f"{self.path}:{lines[self.number - 1]}"


@dataclass(frozen=True)
class Labeller:
    """Who gave how many labels of one side: `labels` names the side."""

    labels: str
    who: Identity
    rows: int


@dataclass
class Chain:
    """The records of one trace that supersede each other, first to last, and the current ones."""

    records: list[Place]
    standing: list[Place]
    changes: list[dict[str, object]]

    @property
    def contested(self) -> bool:
        """Whether current records disagree."""
        return len({record.label for record in self.standing}) > 1

    @property
    def old(self) -> Place:
        """The first record."""
        return self.records[0]

    @property
    def new(self) -> Place:
        """The current record; the first one where current records disagree: a vote is not truth."""
        return self.old if self.contested else self.standing[-1]


def chains(*ledgers: Path) -> list[Chain]:
    """Return the first pass of ledgers, read one after the other, as one chain per first record.

    A row that failed at the server and was tried again is the same record; so is one written twice.

    Raises:
        FFError: a record supersedes one that is not there, or gives a second answer without
            naming the first; with file and line.
        FileMissingError, BadLineError: as `read_ledger`.
    """
    found: list[Chain] = []
    owners: dict[tuple[str, str], Chain] = {}
    for path in ledgers:
        for number, record in enumerate(read_ledger(path), start=1):
            if record.repeat:
                continue
            here = _place(path, number, record)
            pair = (record.key, record.trace_id)
            if record.supersedes is None:
                _begin(here, pair, owners, found)
                continue
            target = owners.get((record.supersedes.key, record.trace_id))
            if target is None:
                raise FFError(
                    f"{here}: it supersedes a record of trace {named(record.trace_id)} that is not there "
                    "before it, so the old label is not known. Name first the ledger that holds it, this one "
                    "with --by."
                )
            _correct(target, here, record)
            owners[pair] = target
    return found


def of_grader(found: Iterable[Chain], grader: str | None, paths: Iterable[Path]) -> dict[str, Chain]:
    """Return the chains whose first record is by `grader` (None: by any grader), by trace.

    Args:
        found: chains.
        grader: its name, with what sets it apart where two share that (`name (digest)`).
        paths: where they were read.

    Raises:
        FFError: no grader of this name, or several, or a trace with two first records; with file and
            line.
    """
    found = list(found)
    shown = shown_names(chain.old.who for chain in found)
    names = sorted(shown.values())
    where = " and ".join(str(path) for path in paths)
    if grader is not None and grader not in names:
        alike = sorted(name for one, name in shown.items() if one.name == grader)
        raise FFError(
            f"{where}: {len(alike)} graders are called {grader!r}. Name one of: {', '.join(alike)}."
            if alike
            else f"{where}: no first record is by {grader!r}. There are: {', '.join(names) or 'none'}."
        )
    by_trace: dict[str, Chain] = {}
    for chain in found:
        first = chain.records[0]
        if grader is not None and shown[first.who] != grader:
            continue
        other = by_trace.setdefault(first.trace_id, chain)
        if other is not chain:
            mend = (
                f"Say which with --old, or compare two with --old and --new: {', '.join(names)}."
                if grader is None and len(names) > 1
                else "The trace has a different text there: keep one of the two."
            )
            raise FFError(
                f"{first}: trace {named(first.trace_id)} has two first labels, by {shown[other.old.who]} "
                f"({other.old}) and by {shown[first.who]}. {mend}"
            )
    return by_trace


def changes_frame(found: Iterable[Chain]) -> pd.DataFrame:
    """Return one row per correction, in ledger order: who, why, from which label to which.

    Returns:
        trace_id, author, reason (str), own_words (bool: the reason is what a person wrote), old, new (str).
    """
    rows = [change for chain in found for change in chain.changes]
    return pd.DataFrame(rows, columns=list(_CHANGES)).astype(_CHANGES)


def labellers(labels: str, places: Iterable[Place]) -> list[Labeller]:
    """Return who gave the labels of one side, most rows first."""
    return [Labeller(labels, who, n) for who, n in Counter(place.who for place in places).most_common()]


def paired(old: dict[str, Chain], new: dict[str, Chain]) -> Iterator[tuple[Place, Place]]:
    """Yield the current record in `old` and the one in `new`, trace by trace.

    Raises:
        FFError: a trace in only one of the two, or with a different response; with file and line.
    """
    for one, other, side in ((old, new, "new"), (new, old, "old")):
        alone = [chain for trace_id, chain in one.items() if trace_id not in other]
        if alone:
            first = alone[0].records[0]
            raise FFError(
                f"{first}: trace {named(first.trace_id)} has no {side} label ({len(alone)} such traces). "
                "Both sets must be of the same traces: grade the rest, or name with --traces those to "
                "compare."
            )
    for trace_id, chain in old.items():
        here, there = chain.records[0], new[trace_id].records[0]
        if here.response != there.response:
            raise FFError(
                f"{there}: trace {named(trace_id)} differs in its response from {here}. These are two "
                "traces of one name: a regrade needs the same responses."
            )
        yield chain.new, new[trace_id].new


def _begin(
    here: Place, pair: tuple[str, str], owners: dict[tuple[str, str], Chain], found: list[Chain]
) -> None:
    known = owners.get(pair)
    if known is None:
        owners[pair] = Chain([here], [here], [])
        found.append(owners[pair])
        return
    before = next(r for r in reversed(known.records) if r.key == here.key)
    if before.label in RETRIED:
        for records in (known.records, known.standing):
            records[:] = [here if r is before else r for r in records]
    elif here.label != before.label and here.label not in RETRIED:
        raise FFError(
            f"{here}: trace {named(here.trace_id)} has {here.label} here and {before.label} at {before}, by "
            "the same grader, and neither names the other. Keep one, or let the later supersede the earlier."
        )


def _correct(chain: Chain, here: Place, record: Record) -> None:
    why = record.supersedes
    assert why is not None
    before = next(r for r in reversed(chain.records) if r.key == why.key)
    chain.records.append(here)
    chain.standing[:] = [r for r in chain.standing if r.key not in (why.key, here.key)] + [here]
    chain.changes.append(
        {
            "trace_id": here.trace_id,
            "author": why.author,
            "reason": why.reason,
            "own_words": bool(record.rationale) and why.reason == record.rationale,
            "old": before.label,
            "new": here.label,
        }
    )


def _place(path: Path, number: int, record: Record) -> Place:
    label = str(record.verdict or record.status)
    ids = (record.key, record.trace_id, record.response_sha256)
    return Place(path, number, *ids, record.identity, label)
