"""A regrade of any ledger: first labels against current ones, one grader's against another's.

A ledger appends and never overwrites. So the first label of a trace is still there next to the
current one, and each correction between them names its author and reason.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from ff_helpers.columns import declared
from ff_helpers.corpus.readers import load_set
from ff_helpers.errors import FFError, named
from ff_helpers.grading.contents import RETRIED
from ff_helpers.grading.identities import shown_names
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.grading.outcome import Record
from ff_helpers.measurement.regrades.rates import NAMES, rates, shifts, transitions
from ff_helpers.measurement.results import GraderNote, Terms, stated
from ff_helpers.terms import Identity


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


@dataclass(frozen=True)
class Regrade:
    """Old and new labels of the same rows.

    Attributes:
        names: what the old and the new labels are called.
        transitions: old, new (str: a verdict or the name of a status), rows (int).
        rates: as `regrades.rates.rates`.
        shifts: as `regrades.rates.shifts`.
        graders: who gave the labels; empty where no records are published.
        changes: one row per correction, as `changes_frame`; empty where no record names another.
        again: traces whose label was superseded more than once.
        contested: traces on which current records disagree; they keep their old label.
        scenarios: how many independent scenarios the rows are; None where unknown.
    """

    names: tuple[str, str]
    transitions: pd.DataFrame
    rates: pd.DataFrame
    shifts: pd.DataFrame
    graders: tuple[Labeller, ...]
    changes: pd.DataFrame
    again: tuple[str, ...]
    contested: tuple[str, ...]
    scenarios: int | None

    @property
    def rows(self) -> int:
        """How many rows have an old and a new label."""
        return int(self.transitions["rows"].sum())

    @property
    def changed(self) -> int:
        """How many rows have a different label now."""
        return int(self.transitions.query("old != new")["rows"].sum())


def regrade(
    ledger: Path | str,
    *,
    by: Path | str | None = None,
    traces: str | None = None,
    old: str | None = None,
    new: str | None = None,
) -> Regrade:
    """Compare old labels with new ones: of a ledger and its corrections, of two ledgers, of two graders.

    Only the first pass counts (repeat 0). A ledger's first records are the old labels, the current ones
    the new ones. With `new`, or with a second ledger that corrects no record of the first, two gradings of
    the same traces are compared.

    Args:
        ledger: where the old labels are.
        by: a second ledger: corrections of the first, or another grading of the same traces.
        traces: a trace set as `load_set` takes it: only its traces count, and its scenario ids give
            intervals by scenario.
        old: the grader of the old labels, where a ledger holds several; where two share a name, with what
            sets it apart (`name (digest)`).
        new: the grader of the new labels, named likewise.

    Raises:
        FFError: nothing is superseded, a trace is in only one of two sets, or has two first labels.
        FileMissingError, BadLineError: as `read_ledger` and `load_set`.
    """
    first, second = Path(ledger), None if by is None else Path(by)
    scenarios = None if traces is None else {t.trace_id: t.scenario_id for t in load_set(traces)}
    names = NAMES
    if new is None and (second is None or _corrects(first, second)):
        ledgers = (first,) if second is None else (first, second)
        before = _chains(ledgers, old, scenarios, traces)
        pairs = [(chain.old, chain.new) for chain in before.values()]
        if not any(chain.changes for chain in before.values()):
            raise FFError(_nothing(ledgers, before.values()))
    else:
        before = _chains((first,), old, scenarios, traces)
        after = _chains((second or first,), new, scenarios, traces)
        pairs = list(paired(before, after))
        names = _names(before, after)
    return _regrade(pairs, before, scenarios, names)


def _regrade(
    pairs: Sequence[tuple[Place, Place]],
    before: Mapping[str, Chain],
    scenarios: Mapping[str, str | None] | None,
    names: tuple[str, str],
) -> Regrade:
    labels = [(old.trace_id, old.label, new.label) for old, new in pairs]
    frame = pd.DataFrame(labels, columns=["trace_id", "old", "new"], dtype="str")
    clusters = frame["trace_id"].map(scenarios).astype("str") if scenarios is not None else None
    known = clusters is not None and bool(clusters.notna().any())
    rows = frame.assign(scenario_id=clusters) if known else frame
    moves = transitions(rows.rename(columns={"old": "label"}), rows.rename(columns={"new": "label"}))
    table = rates(moves, names=names, rows=rows if known else None)
    sides = zip(names, zip(*pairs, strict=True), strict=True)
    graders = tuple(
        Labeller(name, who, rows_of)
        for name, places in sides
        for who, rows_of in Counter(place.who for place in places).most_common()
    )
    found = Regrade(
        names=names,
        transitions=moves,
        rates=table,
        shifts=shifts(table, moves, names=names, rows=rows if known else None),
        graders=graders,
        changes=changes_frame(before.values()),
        again=tuple(i for i, chain in before.items() if len(chain.changes) > 1),
        contested=tuple(i for i, chain in before.items() if chain.contested),
        scenarios=int(rows["scenario_id"].nunique() + rows["scenario_id"].isna().sum()) if known else None,
    )
    return told(found, tuple(dict.fromkeys(one.who for one in graders)))


def told(result: "Regrade", graders: tuple[GraderNote | Identity, ...]) -> "Regrade":
    """Return the regrade whose tables say who gave the labels."""
    shown = shown_names(one for one in graders if isinstance(one, Identity))
    who = tuple((name, one) for one, name in shown.items())
    counts = Terms(graders=graders, who=who, denominators=("rows",), n=("rows",), left_out=())
    return replace(
        result,
        transitions=stated(result.transitions, counts),
        rates=stated(result.rates, graders=graders, who=who),
        shifts=stated(result.shifts, graders=graders, who=who),
    )


def _corrects(first: Path, second: Path) -> bool:
    """Return whether a record of `second` supersedes one that is in `first` and not in `second` before it."""
    own: set[tuple[str, str]] = set()
    named: set[tuple[str, str]] = set()
    for record in read_ledger(second):
        if record.supersedes is not None:
            named.add((record.supersedes.key, record.trace_id))
        own.add((record.key, record.trace_id))
    named -= own
    return bool(named) and any((record.key, record.trace_id) in named for record in read_ledger(first))


def _chains(
    ledgers: tuple[Path, ...], grader: str | None, wanted: Mapping[str, str | None] | None, traces: str | None
) -> dict[str, Chain]:
    """Return the chains of the wanted traces whose first record is by this grader (None: by any), by trace.

    Args:
        ledgers: where they are read, one after the other.
        grader: its name, with what sets it apart where two share that (`name (digest)`).
        wanted: the traces that count; None: all.
        traces: where these were named.

    Raises:
        FFError: no grader of this name, or several, a trace with two first records, or none that is wanted;
            with file and line.
    """
    found = chains(*ledgers)
    shown = shown_names(chain.old.who for chain in found)
    names = sorted(shown.values())
    where = " and ".join(str(path) for path in ledgers)
    if grader is not None and grader not in names:
        alike = sorted(name for one, name in shown.items() if one.name == grader)
        raise FFError(
            f"{where}: {len(alike)} graders are called {grader!r}. Name one of: {', '.join(alike)}."
            if alike
            else f"{where}: no first record is by {grader!r}. There are: {', '.join(names) or 'none'}."
        )
    by_trace: dict[str, Chain] = {}
    for chain in found:
        first = chain.old
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
    kept = {i: chain for i, chain in by_trace.items() if wanted is None or i in wanted}
    if not kept:
        of = "" if traces is None else f" of a trace of {traces}"
        raise FFError(f"{where}: no label{of}. Name a ledger of these traces.")
    return kept


def chains(*ledgers: Path) -> list[Chain]:
    """Return the first pass of ledgers, read one after the other, as one chain per first record.

    A row that failed at the server and was tried again is the same record; so is one written twice.

    Raises:
        FFError: a record supersedes one that is not there, or gives a second answer without
            naming the first, or is of another label space than `five`; with file and line.
        FileMissingError, BadLineError: as `read_ledger`.
    """
    found: list[Chain] = []
    owners: dict[tuple[str, str], Chain] = {}
    for path in ledgers:
        for number, record in enumerate(read_ledger(path), start=1):
            if record.repeat:
                continue
            ids = (record.key, record.trace_id, record.response_sha256)
            here = Place(path, number, *ids, record.identity, record.label)
            if record.space != "five":
                raise FFError(
                    f"{here}: grader {named(record.grader)} answers in the space {record.space}, and a "
                    "regrade compares labels of the five verdicts. `ff asr` gives the rate of its current "
                    "labels, and `ff ledger` says how many were corrected."
                )
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


def changes_frame(found: Iterable[Chain]) -> pd.DataFrame:
    """Return one row per correction, in ledger order: who, why, from which label to which.

    Returns:
        trace_id, author, reason (str), own_words (bool: the reason is what a person wrote), old, new (str).
    """
    return declared("changes_frame", [change for chain in found for change in chain.changes])


def _nothing(ledgers: tuple[Path, ...], found: Iterable[Chain]) -> str:
    graders = sorted(shown_names(chain.old.who for chain in found).values())
    where = " and ".join(str(path) for path in ledgers)
    return (
        f"{where}: no record of {', '.join(graders)} is superseded by another, so old and new labels are the "
        "same. Compare two graders with --old and --new, or give a second ledger with --by."
    )


def _names(before: Mapping[str, Chain], after: Mapping[str, Chain]) -> tuple[str, str]:
    """Return the two graders' names; `old` and `new` where a side is not one grader, or both are the same."""
    sides = [{chain.old.who for chain in side.values()} for side in (before, after)]
    if any(len(side) > 1 for side in sides) or sides[0] == sides[1]:
        return "old", "new"
    names = shown_names([*sides[0], *sides[1]])
    return names[sides[0].pop()], names[sides[1].pop()]
