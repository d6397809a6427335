"""Results carry their terms: what a frame of rates or counts is about stays with the frame.

Columns say what varies by row (`tier`, `denominator`, the grader's identity, `k`, `n`, `left_out`,
`left_out_labels`); `Terms` in `frame.attrs` say the rest. A filter or a sort keeps both, so a disclosure that
is derived from a frame narrows with its rows. A merge of two frames with different terms has none, and is
refused when it is published.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Final, Literal

import pandas as pd

from ff_helpers.errors import FFError
from ff_helpers.grading.identities import told_apart
from ff_helpers.measurement.proportions.intervals import Proportion, rate_text
from ff_helpers.terms import IDENTITY, NOT_DETERMINABLE, GateState, Identity, Unknown, short


@dataclass(frozen=True)
class GraderNote:
    """One grader as a reader must know it.

    Attributes:
        grader: its name.
        digest: what it is: the hash of its weights or rules.
        rubric: rubric and version.
        accuracy: correct of n with interval, or Unknown.
        calibration_set: on which labelled traces.
        space: the label space of that accuracy.
        gate: the state of the gate.
        card: of which day its card is, whether it has expired, and by which thresholds if not the default
            ones; empty without a card.
    """

    grader: str
    digest: str | Unknown
    rubric: str | Unknown
    accuracy: Proportion | Unknown
    calibration_set: str | Unknown
    space: str | Unknown
    gate: GateState
    card: str = ""

    def identity(self) -> str:
        """Return what the grader is: `name (digest ...; rubric ...)`."""
        digest = f"digest {short(self.digest)}" if isinstance(self.digest, str) else str(self.digest)
        rubric = f"rubric {self.rubric}" if isinstance(self.rubric, str) else str(self.rubric)
        return f"{self.grader} ({digest}; {rubric})"

    def measured(self) -> str:
        """Return how accurate it was measured to be, and the state of the gate."""
        if isinstance(self.accuracy, Unknown):
            return f"{self.accuracy}; {self.gate}"
        rate = f"{rate_text(self.accuracy)}, {self.accuracy.counts}"
        space = self.space if isinstance(self.space, Unknown) else f"space {self.space}"
        card = f", {self.card}" if self.card else ""
        return f"accuracy {rate} on {self.calibration_set}, {space}; {self.gate}{card}"


EACH_ROW: Final = "each row"
"""In place of graders: every row of the frame discloses its own, with accuracy, n, set and gate."""
LABELS = "labels"
"""The name under which known truths appear among the graders."""
NONE = "none"
ROWS = "rows"
WITHIN = "within rows, as no success"
"""How the denominator that holds every row counts rows without a verdict."""
_KEY = "terms"
_SHORT = 40
"""The groups that leave out a status are named if that takes at most so many characters; else summed."""


@dataclass(frozen=True)
class Aside:
    """A column that counts rows which no figure of the frame is over.

    Attributes:
        column: its name.
        what: which rows these are, in words.
        by: the columns that tell one such number from another; empty: every row of the frame has its own.
        total: the column and value of rows that sum the others up; where present, they alone count.
    """

    column: str
    what: str
    by: tuple[str, ...] = ()
    total: tuple[str, str] | None = None


@dataclass(frozen=True)
class Terms:
    """What is the same for all rows of a frame. What a column says, the column says for its row.

    Attributes:
        graders: who gave the verdicts: notes, or identities as in the ledger. None: the rows name them
            (columns `grader`, or `grader_a` and `grader_b`); EACH_ROW: the rows disclose them; Unknown: why
            there is none; empty: no verdict is involved.
        beside: further graders behind every row, that no column names.
        who: the grader behind each name in the rows (`identities.told_apart`).
        cards: what is measured of whom; None: the run's cards say it.
        truth: who said the known labels, by set of traces: (set, who).
        sets: which sets the rows are from, where there is no column `set`.
        tiers: what counts as a success, where there is no column `tier` or `measure`; empty: no attack
            success rate.
        denominators: what the rates are over, where there is no column `denominator`: names, or words.
        by: the columns that tell one set of counted rows from another.
        n: the columns that hold how many rows a rate is over.
        counts: n and k in words, where no column holds them.
        left_out: which rows no rate is over, by status and number, where there is no column
            `left_out_labels`; or in words; or Unknown.
        asides: further columns with rows that are left out.
        assumptions: what must hold for the figures.
        like: columns named after a grader, and the column of the registry that each is like.
    """

    graders: tuple[GraderNote | Identity, ...] | Literal["each row"] | Unknown | None = None
    beside: tuple[GraderNote | Identity, ...] = ()
    who: tuple[tuple[str, Identity], ...] = ()
    cards: tuple[tuple[Identity, GraderNote], ...] | None = None
    truth: tuple[tuple[str, str], ...] = ()
    sets: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    denominators: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    n: tuple[str, ...] = ("n",)
    counts: str = ""
    left_out: tuple[tuple[str, int], ...] | str | Unknown | None = None
    asides: tuple[Aside, ...] = ()
    assumptions: tuple[str, ...] = ()
    like: tuple[tuple[str, str], ...] = ()

    def __deepcopy__(self, _: object) -> "Terms":
        """Return itself: pandas copies `attrs` at every step, and terms never change."""
        return self


def _contradiction(what: str, said: object, rows: object) -> FFError:
    """Return the error about terms that contradict the rows of their frame."""
    return FFError(
        f"the terms of this frame contradict its rows: {what} is said to be {said}, and the rows hold "
        f"{rows}. Leave out {what} in the terms: the rows say it themselves."
    )


def stated(frame: pd.DataFrame, terms: Terms | None = None, **changes: object) -> pd.DataFrame:
    """Return the frame with these terms.

    Args:
        frame: rates or counts.
        terms: what it is about (default: the terms it has already).
        changes: fields of `Terms` that are different.

    Raises:
        FFError: the rows say something else.
    """
    known = replace(terms or terms_of(frame) or Terms(), **changes)  # type: ignore[arg-type]
    check(frame, known)
    told = frame.copy(deep=False)
    told.attrs = {**frame.attrs, _KEY: known}
    return told


def terms_of(frame: pd.DataFrame) -> Terms | None:
    """Return what a frame knows of itself, or None."""
    known = frame.attrs.get(_KEY)
    return known if isinstance(known, Terms) else None


def terms_as_json(terms: Terms) -> object:
    """Return terms as plain values, as they are written next to a table."""
    from pydantic import TypeAdapter

    return TypeAdapter(Terms).dump_python(terms, mode="json")


def terms_from(content: object) -> Terms:
    """Return the terms that `terms_as_json` wrote.

    Raises:
        pydantic.ValidationError: plain values that are not valid terms.
    """
    from pydantic import TypeAdapter

    return TypeAdapter(Terms).validate_python(content)


def inherited(frame: pd.DataFrame) -> Terms:
    """Return what a result takes over from the frame that it is made of: who graded, and assumptions."""
    known = terms_of(frame)
    return Terms(who=known.who, assumptions=known.assumptions) if known else Terms()


def verdict_terms(verdicts: pd.DataFrame) -> Terms:
    """Return what every result of a frame of verdicts takes over from it: who graded, and assumptions."""
    return Terms(who=named(verdicts), assumptions=inherited(verdicts).assumptions)


def named(verdicts: pd.DataFrame) -> tuple[tuple[str, Identity], ...]:
    """Return the grader behind each name that a frame of verdicts is shown with, for `Terms.who`."""
    return tuple(told_apart(verdicts)[1].items())


def check(frame: pd.DataFrame, terms: Terms) -> None:
    """Raise where terms and rows contradict each other.

    Raises:
        FFError: which of them, and what both say.
    """
    for what, said, column in (
        ("tier", terms.tiers, "tier"),
        ("tier", terms.tiers, "measure"),
        ("denominator", terms.denominators, "denominator"),
    ):
        found = values(frame, column)
        if said and set(found) - set(said):
            raise _contradiction(what, ", ".join(said), ", ".join(found))
    if isinstance(terms.graders, tuple) and "grader" in frame.columns:
        names = {n.grader if isinstance(n, GraderNote) else n.name for n in terms.graders}
        found = [name for name in values(frame, "grader") if name != LABELS]
        if set(found) - names:
            raise _contradiction("grader", ", ".join(sorted(names)) or NONE, ", ".join(found))
    if terms.left_out is not None and {"left_out", "left_out_labels"} & set(frame.columns):
        counted = left_out(frame, replace(terms, left_out=None))
        if terms.left_out != counted:
            raise _contradiction("left out", terms.left_out, counted or NONE)


def values(frame: pd.DataFrame, column: str) -> list[str]:
    """Return the values of a column, each once, in the order of the rows; none without the column."""
    return [str(v) for v in frame[column].dropna().unique()] if column in frame.columns else []


def left_out(frame: pd.DataFrame, terms: Terms) -> tuple[tuple[str, int], ...]:
    """Return how many rows of which status (or label) no rate of the frame is over, from its columns.

    Rows that share the columns `terms.by` count the same rows of the corpus, and so once for each
    denominator: three tiers over one corpus leave out its timeouts once.

    Returns:
        (what, rows): `timeout`, or `of graded: timeout` where there are several denominators, with the groups
        in brackets where they are few: `timeout (gemma3-270m)`, else `timeout (in all)`; then the `asides`.
        Rows without a verdict that the denominator `rows` holds are there too, under WITHIN.

    Raises:
        FFError: a column of `terms.by` is missing, so it is unknown.
    """
    found: Counter[str] = Counter()
    if "left_out_labels" in frame.columns:
        gone = [column for column in terms.by if column not in frame.columns]
        if gone:
            raise _contradiction("the columns that tell rows apart", ", ".join(terms.by), f"no {gone[0]}")
        over = values(frame, "denominator") or list(terms.denominators[:1]) or [""]
        several = len([name for name in over if name != ROWS]) > 1
        for name in over:
            part = frame[frame["denominator"] == name] if "denominator" in frame.columns else frame
            part = part.drop_duplicates(list(terms.by)) if terms.by else part.head(1)
            for label, n in _labels(part, terms, "left_out_labels").items():
                found[f"of {name}: {label}" if several else label] += n
            if name == ROWS and "statuses" in frame.columns:
                for label, n in _labels(part, terms, "statuses").items():
                    found[f"{WITHIN}: {label}"] += n
    for aside in terms.asides:
        if aside.column in frame.columns:
            rows = frame.drop_duplicates([*aside.by, aside.column]) if aside.by else frame
            if aside.total and aside.total[1] in values(rows, aside.total[0]):
                rows = rows[rows[aside.total[0]] == aside.total[1]]
            found[aside.what] += int(rows[aside.column].sum())
    return tuple((what, n) for what, n in found.items() if n)


def _labels(rows: pd.DataFrame, terms: Terms, column: str) -> Counter[str]:
    """Return the labels in a column of words, summed over the groups of one denominator; a few are named."""
    found: Counter[str] = Counter()
    short = [column for column in terms.by if column not in IDENTITY[1:]]
    for label in sorted({name for words in rows[column] for name in parsed(str(words))}):
        counts = [parsed(str(words)).get(label, 0) for words in rows[column]]
        with_it = rows[[n > 0 for n in counts]]
        groups = "; ".join(" ".join(map(str, key)) for key in with_it[short].to_numpy())
        if len(groups) > _SHORT or len(with_it) == len(rows):
            groups = "in all"
        found[f"{label} ({groups})" if len(rows) > 1 else label] += sum(counts)
    return found


def parsed(words: str) -> dict[str, int]:
    """Return the numbers in words such as `BENIGN_QUERY 2, timeout 1`; `none` or unknown holds none."""
    if words in (NONE, NOT_DETERMINABLE, "nan", ""):
        return {}
    pairs = (part.rsplit(" ", 1) for part in words.split(", "))
    return {name: int(n) for name, n in pairs}
