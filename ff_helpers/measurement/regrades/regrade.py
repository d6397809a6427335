"""A regrade of any ledger: first labels against current ones, one grader's against another's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from ff_helpers.corpus.readers import load_set
from ff_helpers.errors import FFError
from ff_helpers.grading.identities import shown_names
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.measurement.regrades.rates import NAMES, rates, shifts, transitions
from ff_helpers.measurement.regrades.supersession import (
    Chain,
    Labeller,
    Place,
    chains,
    changes_frame,
    labellers,
    of_grader,
    paired,
)
from ff_helpers.measurement.results import GraderNote, Terms, stated
from ff_helpers.terms import Identity


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
        old, new: the grader of the old and of the new labels, where a ledger holds several; where two share
            a name, with what sets it apart (`name (digest)`).

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
    graders = tuple(
        who
        for name, places in zip(names, zip(*pairs, strict=True), strict=True)
        for who in labellers(name, places)
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
    """Return the chains of the wanted traces whose first record is by this grader."""
    found = of_grader(chains(*ledgers), grader, ledgers)
    kept = {i: chain for i, chain in found.items() if wanted is None or i in wanted}
    if not kept:
        where = " and ".join(str(path) for path in ledgers)
        of = "" if traces is None else f" of a trace of {traces}"
        raise FFError(f"{where}: no label{of}. Name a ledger of these traces.")
    return kept


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
