"""The disclosure: what must accompany every figure. It is derived from the figure's frame, never typed.

What is not known is an `Unknown` with its reason, printed, never a blank.
"""

from dataclasses import dataclass, fields
from datetime import date
from itertools import groupby
from typing import Literal

import pandas as pd

from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.intervals import Proportion
from ff_helpers.measurement.results import EACH_ROW, GraderNote
from ff_helpers.terms import GATE_STATES, TIERS, Unknown

NO_TIER = "no attack success rate in this artifact"
ROW_COLUMNS = ("grader", "n", "accuracy", "accuracy_low", "accuracy_high", "set", "gate")
"""What a row that discloses its own grader must hold."""


@dataclass(frozen=True)
class Disclosure:
    """Everything a reader needs to judge a figure.

    Attributes:
        graders: the graders behind the verdicts; EACH_ROW where every row of a table names its own with
            its accuracy; empty only where no rate is shown; Unknown with its reason where there is none, as
            with simulated verdicts.
        tier: which verdicts count as success, or NO_TIER.
        denominator: what the rates are over.
        counts: n and k in words, or which columns hold them.
        left_out: how many rows have a status instead of a verdict.
        as_of: the date of the run.
        notes: further sentences (assumptions, limits).
    """

    graders: tuple[GraderNote, ...] | Literal["each row"] | Unknown
    tier: str
    denominator: str
    counts: str
    left_out: str
    as_of: date
    notes: tuple[str, ...] = ()

    def sentence(self) -> str:
        """Return the disclosure as running text, the same in every format."""
        parts = [
            self._graders(),
            f"Tier: {self.tier}",
            f"Denominator: {self.denominator}",
            f"Counts: {self.counts}",
            f"Left out: {self.left_out}",
            *self.notes,
            f"As of {self.as_of.isoformat()}",
        ]
        return " ".join(part.strip().rstrip(".") + "." for part in parts)

    def _graders(self) -> str:
        if isinstance(self.graders, Unknown):
            return f"Grader: {self.graders.why}"
        if isinstance(self.graders, str):
            return "Graders: named in each row, with accuracy, n, set and gate"
        said = [
            f"{identity}: {', and '.join(note.measured() for note in notes)}"
            for identity, notes in groupby(self.graders, key=GraderNote.identity)
        ]
        label = "Grader" if len(said) < 2 else "Graders"
        return f"{label}: {'. '.join(said) or 'none: no verdict is involved'}"


def require(frame: pd.DataFrame, disclosure: Disclosure) -> None:
    """Raise where a disclosure leaves something blank, or does not fit what its frame shows.

    Raises:
        FFError: a field of the disclosure, or of one of its graders, is blank or of the wrong
            kind; or the rows were to name their graders and a column or cell of it is missing; or the frame
            holds attack success rates and the disclosure names no tier.
    """
    missing = _blanks(disclosure)
    if disclosure.graders == EACH_ROW:
        missing += [f"column {name}" for name in ROW_COLUMNS if name not in frame.columns]
        missing += [] if missing else [f"{what} in a row" for what in _blank_rows(frame)]
    if disclosure.tier == NO_TIER:
        missing += [f"a tier for the rate in column {name}" for name in _rates(frame)]
    if missing:
        raise FFError(
            f"not published: the disclosure lacks {', '.join(missing)}. "
            "Give the value, or Unknown(what, why) if it is not known."
        )


def _blanks(disclosure: Disclosure) -> list[str]:
    words = ("tier", "denominator", "counts", "left_out")
    blank = [name for name in words if not _said(getattr(disclosure, name))]
    blank += [] if isinstance(disclosure.as_of, date) else ["as_of"]
    blank += [] if all(map(_said, disclosure.notes)) else ["the words of a note"]
    graders = disclosure.graders
    if graders == EACH_ROW or (isinstance(graders, Unknown) and _said(graders)):
        return blank
    if not isinstance(graders, tuple):
        return [*blank, "graders"]
    if not graders and disclosure.tier != NO_TIER:
        blank.append("graders")
    for note in graders:
        name = note.grader.strip() or "a grader"
        blank += [
            f"{field.name} of {name}"
            for field in fields(note)
            if field.name != "card" and not _said(getattr(note, field.name))
        ]
        blank += [] if note.gate in GATE_STATES or not _said(note.gate) else [f"a known gate state of {name}"]
    return blank


def _said(value: object) -> bool:
    """Return whether a value is stated: words, a reason, or a rate with its interval and its n."""
    if isinstance(value, Unknown):
        return _said(value.what) and _said(value.why)
    if isinstance(value, Proportion):
        return value.n > 0 and 0 <= value.low <= value.k / value.n <= value.high <= 1
    return isinstance(value, str) and bool(value.strip())


def _blank_rows(frame: pd.DataFrame) -> list[str]:
    """Return the columns in which a row that names its own grader leaves something blank.

    An accuracy that was not measured is missing with its bounds and its n, and then `set` must say why, like
    an `Unknown`: `accuracy: never measured`.
    """
    words = [name for name in ("grader", "set", "gate") if not frame[name].map(_said).all()]
    if "gate" not in words and not frame["gate"].isin(GATE_STATES).all():
        words.append("known gate state")
    numbers = frame[["accuracy_low", "accuracy", "accuracy_high", "n"]].apply(pd.to_numeric).astype(float)
    low, share, high, n = (numbers[name] for name in numbers)
    whole = (low >= 0) & (low <= share) & (share <= high) & (high <= 1) & (n > 0)
    if (share.notna() & ~whole).any():
        words.append("interval and n of an accuracy")
    if "set" not in words and not frame.loc[share.isna(), "set"].str.contains(r"\S: \S").all():
        words.append("reason for the missing accuracy (column set)")
    return words


def _rates(frame: pd.DataFrame) -> list[str]:
    """Return the columns that by their name hold attack success rates."""
    there = [name for name in ("asr", *TIERS) if name in frame.columns]
    return [str(name) for name in there if pd.api.types.is_float_dtype(frame[name])]
