"""What is in a ledger: verdicts and statuses per grader, duplicates, and what is missing."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ff_helpers.corpus.journal import torn_tail
from ff_helpers.corpus.traces import Trace, read_traces
from ff_helpers.grading.ledger import RETRIED, read_ledger, short
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


@dataclass
class Spent:
    """What all records of a grader took, those that count no more too; 0 where a server does not tell.

    Attributes:
        prompt_tokens, completion_tokens: as the server counted them.
        seconds: of the requests, one after the other.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class GraderRows:
    """The valid rows of one grader identity; counts are of the first pass (repeat 0) unless noted.

    Attributes:
        identity: who graded.
        verdicts: label -> rows.
        statuses: status -> rows; `timeout` and `server_error` are retried by the next run.
        repeats: repeat index -> rows.
        conditions: those under which its records were made, all repeats.
        missing: traces of the file without a valid row (`timeout` and `server_error` count as missing);
            None if no file is given.
        first_missing: the first ten of their trace_ids.
        parts: one for each division of the traces into shards.
        spent: tokens and time of all its records.
    """

    identity: Identity
    verdicts: dict[str, int]
    statuses: dict[str, int]
    repeats: dict[int, int]
    conditions: tuple[Conditions, ...]
    missing: int | None
    first_missing: tuple[str, ...]
    parts: tuple[Parts, ...]
    spent: Spent


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
        graders: one per grader identity, in ledger order.
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
    graders: tuple[GraderRows, ...]
    traces: int | None
    elsewhere: int | None


Cell = tuple[Identity, int, str, bool]
"""Grader, repeat index, verdict or status, and whether it is a verdict: shared by all its records."""


@dataclass
class _Held:
    """The valid records, in about 150 bytes per record, and the counts on the way."""

    cells: dict[bytes, Cell] = field(default_factory=dict)
    kinds: dict[Cell, Cell] = field(default_factory=dict)
    conditions: dict[Identity, dict[Conditions, None]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    shards: dict[Identity, set[str]] = field(default_factory=dict)
    spent: dict[Identity, Spent] = field(default_factory=dict)


def ledger_summary(path: Path, traces: Path | None = None, *, shard: Shard | None = None) -> LedgerSummary:
    """Return what is in a ledger, and what it lacks of a trace file, or of a shard of it; both are streamed.

    Raises:
        FileMissingError: there is no such file.
        BadLineError: a line of either file is not valid, named file:line:field.
    """
    held = _read(path)
    told = Counter(held.cells.values())
    mine = () if traces is None else (t for t in read_traces(traces) if not shard or shard.holds(t.trace_id))
    known = None if traces is None else _compare(held, mine)
    graders = tuple(_rows(each, held, told, known) for each in held.conditions)
    return LedgerSummary(
        path=path,
        records=held.counts["records"],
        torn=torn_tail(path, Record),
        duplicates=held.counts["duplicates"],
        conflicting=held.counts["conflicting"],
        retried=held.counts["retried"],
        superseded=held.counts["superseded"],
        graders=graders,
        traces=None if known is None else known.traces,
        elsewhere=None if known is None else len(held.cells) - known.matched,
    )


def _read(path: Path) -> _Held:
    held = _Held()
    for record in read_ledger(path):
        grader, place = record.identity, short(record.key, record.trace_id)
        held.counts["records"] += 1
        conditions = held.conditions.setdefault(grader, {})
        conditions[record.options.conditions] = None
        spent = held.spent.setdefault(grader, Spent())
        spent.prompt_tokens += record.prompt_tokens or 0
        spent.completion_tokens += record.completion_tokens or 0
        spent.seconds += record.duration_s or 0.0
        if record.shard is not None:
            held.shards.setdefault(grader, set()).add(record.shard)
        cell: Cell = (grader, record.repeat, record.label, record.verdict is not None)
        if record.supersedes is not None:
            gone = held.cells.pop(short(record.supersedes.key, record.trace_id), None)
            held.counts["superseded"] += gone is not None
        before = held.cells.get(place)
        if before is not None:
            how = "duplicates" if before[2] == record.label else "conflicting"
            held.counts["retried" if before[2] in RETRIED else how] += 1
        held.cells[place] = held.kinds.setdefault(cell, cell)
    return held


@dataclass
class _Known:
    traces: int
    matched: int
    missing: Counter[Identity]
    first: dict[Identity, list[str]]
    holes: Counter[tuple[Identity, Shard]]


def _compare(held: _Held, traces: Iterable[Trace]) -> _Known:
    """Look up every trace in the ledger, for each grader."""
    repeats: dict[Identity, set[int]] = {grader: {0} for grader in held.conditions}
    for grader, repeat, _, _ in held.kinds:
        repeats[grader].add(repeat)
    known = _Known(0, 0, Counter(), {grader: [] for grader in held.conditions}, Counter())
    divisions = {grader: {read_shard(text).of for text in told} for grader, told in held.shards.items()}
    for trace in traces:
        known.traces += 1
        for grader in held.conditions:
            for repeat in sorted(repeats[grader]):
                cell = held.cells.get(short(record_key(grader, trace, repeat), trace.trace_id))
                known.matched += cell is not None
                if repeat == 0 and (cell is None or cell[2] in RETRIED):
                    known.missing[grader] += 1
                    for of in divisions.get(grader, ()):
                        known.holes[grader, Shard(shard_of(trace.trace_id, of), of)] += 1
                    if len(known.first[grader]) < _SHOWN:
                        known.first[grader].append(trace.trace_id)
    return known


def _rows(grader: Identity, held: _Held, told: Counter[Cell], known: _Known | None) -> GraderRows:
    mine = {cell: n for cell, n in told.items() if cell[0] == grader}
    repeats: Counter[int] = Counter()
    verdicts, statuses = dict[str, int](), dict[str, int]()
    for (_, repeat, label, is_verdict), n in mine.items():
        repeats[repeat] += n
        if not repeat:
            (verdicts if is_verdict else statuses)[label] = n
    return GraderRows(
        identity=grader,
        verdicts=verdicts,
        statuses=statuses,
        repeats=dict(sorted(repeats.items())),
        conditions=tuple(held.conditions[grader]),
        missing=None if known is None else known.missing[grader],
        first_missing=() if known is None else tuple(known.first[grader]),
        parts=_parts(grader, held, known),
        spent=held.spent[grader],
    )


def _parts(grader: Identity, held: _Held, known: _Known | None) -> tuple[Parts, ...]:
    shards = sorted(map(read_shard, held.shards.get(grader, ())))
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
