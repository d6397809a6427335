"""What is in a ledger: verdicts and statuses per grader, duplicates, and what is missing."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ff_helpers.corpus.journal import torn_tail
from ff_helpers.corpus.traces import Trace, read_traces
from ff_helpers.grading.contents import RETRIED, Cell, Contents, GraderNotes, Spent
from ff_helpers.grading.index import read_contents
from ff_helpers.grading.outcome import Conditions, Record, record_key
from ff_helpers.grading.shards import Shard, read_shard, shard_of
from ff_helpers.terms import Identity

_SHOWN: Final = 10


@dataclass(frozen=True)
class Parts:
    """The shards of one division that a grader graded.

    Attributes:
        of: how many shards the traces were divided into.
        there: the numbers of those with a record.
        absent: numbers of the others -> their traces; 0 without a trace file. With one, shards to which no
            trace belongs are left out.
        short: numbers of those that have rows, and not all -> traces missing; empty without a trace file.
    """

    of: int
    there: tuple[int, ...]
    absent: dict[int, int]
    short: dict[int, int]


@dataclass(frozen=True)
class GraderRows:
    """The valid rows of one grader identity; counts are of the first pass (repeat 0) unless noted.

    Attributes:
        identity: who graded.
        verdicts: label -> rows.
        statuses: status -> rows; `timeout` and `server_error` are retried by the next run.
        reasons: status -> reason -> rows.
        repeats: repeat index -> rows.
        conditions: those under which its records were made, all repeats.
        missing: traces of the file without a valid row (`timeout` and `server_error` count as missing);
            None if no file is given.
        first_missing: the first ten of their trace_ids.
        parts: one for each division of the traces into shards.
        spent: tokens and time of all its records.
        software: of its latest record.
    """

    identity: Identity
    verdicts: dict[str, int]
    statuses: dict[str, int]
    reasons: dict[str, Counter[str]]
    repeats: dict[int, int]
    conditions: tuple[Conditions, ...]
    missing: int | None
    first_missing: tuple[str, ...]
    parts: tuple[Parts, ...]
    spent: Spent
    software: str


@dataclass(frozen=True)
class LedgerSummary:
    """What is in a ledger.

    Attributes:
        path: the ledger.
        records: complete lines.
        torn: bytes of a torn last line; the next run sets them aside.
        duplicates: records that repeat an earlier key and trace_id, with the same verdict or status.
        conflicting: the same, with another verdict or status; the later one is valid.
        retried: failed requests (`timeout`, `server_error`) that a later record replaced.
        superseded: records that a correction replaced.
        everyone: who graded, in ledger order.
        graders: one for each of them, or for the one that was asked for.
        traces: traces in the file, or in the shard of it; None if no file is given.
        elsewhere: valid records of other traces; None if no file is given.
    """

    path: Path
    records: int
    torn: int
    duplicates: int
    conflicting: int
    retried: int
    superseded: int
    everyone: tuple[Identity, ...]
    graders: tuple[GraderRows, ...]
    traces: int | None
    elsewhere: int | None


def ledger_summary(
    path: Path, traces: Path | None = None, *, shard: Shard | None = None, only: Identity | None = None
) -> LedgerSummary:
    """Return what is in a ledger, and what it lacks of a trace file, or of a shard of it; both are streamed.

    Args:
        path: the ledger; a large one has an index (see `index`).
        traces: the trace file; None: none.
        shard: the shard of it; None: all.
        only: the one grader that is looked at; `elsewhere` then counts its records alone. None: all.

    Raises:
        FileMissingError: there is no such file.
        BadLineError: a line of either file is not valid, named file:line:field.
    """
    held = read_contents(path)
    graders = {notes.identity: notes for notes in held.graders if only in (None, notes.identity)}
    mine = () if traces is None else (t for t in read_traces(traces) if not shard or shard.holds(t.trace_id))
    known = None if traces is None else _compare(held, graders, mine)
    standing = sum(n for cell, n in _standing(held) if held.graders[cell.grader].identity in graders)
    return LedgerSummary(
        path=path,
        records=held.counts["records"],
        torn=torn_tail(path, Record),
        duplicates=held.counts["duplicates"],
        conflicting=held.counts["conflicting"],
        retried=held.counts["retried"],
        superseded=held.counts["superseded"],
        everyone=tuple(notes.identity for notes in held.graders),
        graders=tuple(_rows(notes, held, known) for notes in graders.values()),
        traces=None if known is None else known.traces,
        elsewhere=None if known is None else standing - known.matched,
    )


def _standing(held: Contents) -> Iterator[tuple[Cell, int]]:
    """Yield the cells with valid rows, and how many."""
    return ((cell, n) for cell, n in zip(held.cells, held.standing, strict=True) if n)


@dataclass
class _Known:
    traces: int
    matched: int
    missing: Counter[Identity]
    first: dict[Identity, list[str]]
    holes: Counter[tuple[Identity, Shard]]


def _compare(held: Contents, graders: Mapping[Identity, GraderNotes], traces: Iterable[Trace]) -> _Known:
    """Look up every trace in the ledger, for each grader."""
    repeats: dict[Identity, set[int]] = {grader: {0} for grader in graders}
    for each in held.cells:
        repeats.get(held.graders[each.grader].identity, set()).add(each.repeat)
    known = _Known(0, 0, Counter(), {grader: [] for grader in graders}, Counter())
    divisions = {grader: {read_shard(text).of for text in notes.shards} for grader, notes in graders.items()}
    for trace in traces:
        known.traces += 1
        for grader in graders:
            for repeat in sorted(repeats[grader]):
                cell = held.cell_of(record_key(grader, trace, repeat), trace.trace_id)
                known.matched += cell is not None
                if repeat == 0 and (cell is None or cell.label in RETRIED):
                    known.missing[grader] += 1
                    for of in divisions[grader]:
                        known.holes[grader, Shard(shard_of(trace.trace_id, of), of)] += 1
                    if len(known.first[grader]) < _SHOWN:
                        known.first[grader].append(trace.trace_id)
    return known


def _rows(notes: GraderNotes, held: Contents, known: _Known | None) -> GraderRows:
    grader = notes.identity
    repeats: Counter[int] = Counter()
    verdicts, statuses = Counter[str](), Counter[str]()
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    for cell, n in _standing(held):
        if held.graders[cell.grader] is not notes:
            continue
        repeats[cell.repeat] += n
        if cell.repeat == 0:
            (verdicts if cell.reason is None else statuses)[cell.label] += n
        if cell.repeat == 0 and cell.reason is not None:
            reasons[cell.label][cell.reason] += n
    return GraderRows(
        identity=grader,
        verdicts=dict(verdicts),
        statuses=dict(statuses),
        reasons=dict(reasons),
        repeats=dict(sorted(repeats.items())),
        conditions=tuple(notes.conditions),
        missing=None if known is None else known.missing[grader],
        first_missing=() if known is None else tuple(known.first[grader]),
        parts=_parts(notes, known),
        spent=notes.spent,
        software=notes.software,
    )


def _parts(notes: GraderNotes, known: _Known | None) -> tuple[Parts, ...]:
    grader, shards = notes.identity, sorted(map(read_shard, notes.shards))
    parts = []
    for of in sorted({shard.of for shard in shards}):
        there = tuple(shard.number for shard in shards if shard.of == of)
        absent = dict.fromkeys(sorted({*range(1, of + 1)} - {*there}), 0)
        short = dict[int, int]()
        if known is not None:
            absent = {number: n for number in absent if (n := known.holes[grader, Shard(number, of)])}
            short = {number: n for number in there if (n := known.holes[grader, Shard(number, of)])}
        parts.append(Parts(of, there, absent, short))
    return tuple(parts)
