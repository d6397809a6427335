"""Agreement between the people who labelled a sample: before anybody trusts a judge, can people agree?

Pairs of people are compared on the traces that both gave a label; `cannot say` is none. Adjudicated labels
do not enter: they came with the others in view.
"""

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from ff_helpers.errors import FFError, quoted
from ff_helpers.measurement.agreement.pairs import about_two
from ff_helpers.measurement.agreement.panels import krippendorff_alpha
from ff_helpers.measurement.agreement.weighted import Weighted, weighted_agreement
from ff_helpers.measurement.calibration.confusion import Confusion, Kappa, cohen_kappa, confusion
from ff_helpers.measurement.sampling.files import Sample
from ff_helpers.terms import classes


@dataclass(frozen=True)
class Person:
    """What one person did: traces with a label, traces of which they cannot say, traces left."""

    name: str
    labels: int
    unsure: int
    left: int


@dataclass(frozen=True)
class Pair:
    """Two people on the traces that both gave a label.

    Attributes:
        a, b: their names.
        matrix: counts; rows are the labels of `a`, columns those of `b`. Its `accuracy` is their agreement.
        kappa: Cohen's, with interval; None without a common trace.
        note: what is special about that kappa, or empty.
        weighted: both as estimates for all rows; None where every row was drawn with the same probability, as
            then the sample's shares are these estimates, or without a common trace.
    """

    a: str
    b: str
    matrix: Confusion
    kappa: Kappa | None
    note: str
    weighted: Weighted | None


@dataclass(frozen=True)
class People:
    """What the people of a sample said, and what is open.

    Attributes:
        people: in the order of their names.
        pairs: every two of them.
        alpha: Krippendorff's, nominal, of all of them; None for fewer than three people.
        disputed: traces on which they differ and that have no truth yet.
        adjudicated: traces with a label by an adjudicator.
        undecided: traces without any label that counts.
        truths: class -> traces with that truth, cells filled by hand included.
    """

    people: tuple[Person, ...]
    pairs: tuple[Pair, ...]
    alpha: Kappa | None
    disputed: tuple[str, ...]
    adjudicated: int
    undecided: tuple[str, ...]
    truths: dict[str, int]


def compare_people(sample: Sample) -> People:
    """Compare the people who labelled a sample.

    Raises:
        FFError: fewer than two people have labelled.
    """
    names = sorted(sample.decided)
    if len(names) < 2:
        who = f"only {quoted(names[0])} has" if names else "nobody has"
        raise FFError(
            f"{sample.path}: {who} labelled it, so there is nobody to compare. The next person labels with "
            f"`ff label {sample.path.name} --traces TRACES --as NAME`."
        )
    frame, space = sample.frame, classes(sample.space)
    said = pd.DataFrame(
        {name: frame["trace_id"].map(sample.decided[name]).astype("object") for name in names}
    )
    unequal = bool(frame["probability"].nunique() > 1)
    drawn = frame[["probability", "stratum"]] if unequal else None
    counted = Counter(str(label) for label in frame["truth"].dropna())
    decided = {d.trace_id for d in sample.decisions if d.role == "adjudicate" and d.label is not None}
    open_ones = frame["truth"].isna() & ~frame["trace_id"].isin(sample.disputed)
    return People(
        people=tuple(_person(name, sample.decided[name], len(frame)) for name in names),
        pairs=tuple(_pair(said[[a, b]].dropna(), drawn, space) for a, b in combinations(names, 2)),
        alpha=krippendorff_alpha(said) if len(names) > 2 else None,
        disputed=sample.disputed,
        adjudicated=len(decided - set(sample.disputed)),
        undecided=tuple(frame["trace_id"][open_ones]),
        truths={name: counted[name] for name in space},
    )


def _person(name: str, said: dict[str, str | None], traces: int) -> Person:
    labels = sum(label is not None for label in said.values())
    return Person(name, labels, len(said) - labels, traces - len(said))


def _pair(both: pd.DataFrame, drawn: pd.DataFrame | None, space: tuple[str, ...]) -> Pair:
    a, b = both.columns
    weighted = None
    if drawn is not None and len(both):
        how = drawn.loc[both.index]
        weighted = weighted_agreement(both[a], both[b], how["probability"], how["stratum"])
    matrix = confusion(list(both[a]), list(both[b]), space)
    kappa = cohen_kappa(matrix)
    note = about_two(kappa.note) if kappa else "no trace in common"
    return Pair(str(a), str(b), matrix, kappa, note, weighted)
