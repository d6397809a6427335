"""What is counted while rows come in: of each judge, of each annotator, of each space."""

from collections import Counter
from dataclasses import dataclass, field

from ff_helpers.grading.importing.account import (
    Account,
    Agreement,
    AnnotatorCounts,
    Counts,
    JudgeCounts,
)
from ff_helpers.grading.importing.folder import LastSaid, hashed
from ff_helpers.grading.importing.incoming import Opinion
from ff_helpers.grading.outcome import Judge, Record
from ff_helpers.terms import Identity, Space, classes


@dataclass
class OneJudge:
    """The standing records of a judge, counted; `before`: those of its ledger, once they are needed."""

    file: str
    space: Space
    judge: Judge | None
    labels: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    superseded: int = 0
    before: dict[int, LastSaid] | None = None

    def count(self, records: list[Record], replaced: LastSaid | None = None) -> None:
        """Count new records, of which the last one stands, and one that stood before."""
        last = records[-1]
        (self.labels if last.verdict else self.statuses)[last.label] += 1
        self.superseded += len(records) - 1
        if replaced is not None:
            (self.labels if replaced.is_verdict else self.statuses)[replaced.label] -= 1
            self.superseded += 1
        if self.before is not None:
            self.before[hashed(last.trace_id)] = LastSaid(last.key, last.label, last.verdict is not None)


@dataclass
class Tally:
    """Everything counted in a folder, from before and from now."""

    judges: dict[Identity, OneJudge] = field(default_factory=dict)
    annotators: dict[tuple[str, Space], Counter[str | None]] = field(default_factory=dict)
    agreement: dict[Space, Counter[str]] = field(default_factory=dict)
    records: int = 0
    labels: int = 0

    def opinion(self, said: Opinion | None, before: Opinion | None = None) -> None:
        """Count the opinion of several people on one row, in place of what they said before."""
        for one, times in ((before, -1), (said, 1)):
            if one is not None and one.votes > 1:
                counts = self.agreement.setdefault(one.space, Counter())
                counts["rows"] += times
                counts["agree"] += times * one.agree
                counts["no_majority"] += times * (one.truth is None)

    def label(self, annotator: str, space: Space, label: str | None) -> None:
        """Count one label of one person."""
        self.labels += 1
        self.annotators.setdefault((annotator, space), Counter())[label] += 1

    def told(self) -> dict[str, object]:
        """Return the parts of an account that this counts."""
        judges = [
            JudgeCounts(
                judge=who.name,
                file=one.file,
                space=one.space,
                model=one.judge and one.judge.model,
                version=one.judge and one.judge.version,
                records=one.labels.total() + one.statuses.total(),
                labels=_in_order(one.labels, classes(one.space)),
                statuses=_in_order(one.statuses, tuple(sorted(one.statuses))),
                superseded=one.superseded,
            )
            for who, one in self.judges.items()
        ]
        people = [
            AnnotatorCounts(
                annotator=name,
                space=space,
                labels=_in_order(counts, classes(space)),
                no_opinion=counts[None],
            )
            for (name, space), counts in self.annotators.items()
        ]
        agreement = [
            Agreement(space=space, rows=found["rows"], agree=found["agree"], no_majority=found["no_majority"])
            for space, found in self.agreement.items()
            if found["rows"]
        ]
        return {"judges": tuple(judges), "annotators": tuple(people), "agreement": tuple(agreement)}


def tally_of(account: Account | None, ledgers: dict[str, Identity]) -> Tally:
    """Return what an account tells, to count on from there.

    Args:
        account: of the folder; None: nothing was imported yet.
        ledgers: who is in which ledger.
    """
    tally = Tally()
    for one in account.judges if account else ():
        if one.file in ledgers:
            judge = Judge(model=one.model, version=one.version) if one.model or one.version else None
            tally.judges[ledgers[one.file]] = OneJudge(
                one.file, one.space, judge, Counter(one.labels), Counter(one.statuses), one.superseded
            )
    for person in account.annotators if account else ():
        counts: Counter[str | None] = Counter(dict(person.labels))
        if person.no_opinion:
            counts[None] = person.no_opinion
        tally.annotators[person.annotator, person.space] = counts
    for part in account.agreement if account else ():
        counted = {"rows": part.rows, "agree": part.agree, "no_majority": part.no_majority}
        tally.agreement[part.space] = Counter(counted)
    return tally


def _in_order(counts: "Counter[str] | Counter[str | None]", names: tuple[str, ...]) -> Counts:
    return {name: counts[name] for name in names if counts[name]}
