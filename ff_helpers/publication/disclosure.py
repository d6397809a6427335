"""The disclosure: what must stand beside every figure, and the only door to a file.

A table or figure is written from a `Disclosed` frame; there is no other way to write one. What is
not known is an `Unknown` with its reason, printed, never a blank.
"""

import math
from dataclasses import dataclass, fields
from datetime import date
from itertools import groupby
from typing import Final, Literal

import pandas as pd

from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.intervals import Proportion
from ff_helpers.terms import GATE_STATES, TIERS, GateState, Unknown

NO_TIER = "no attack success rate in this artifact"
EACH_ROW: Final = "each row"
"""In place of graders: every row of the table discloses its own in the columns `ROW_COLUMNS`."""
ROW_COLUMNS = ("grader", "n", "accuracy", "accuracy_low", "accuracy_high", "set", "gate")


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
            ones; empty where there is no card.
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
        digest = f"digest {self.digest[:12]}" if isinstance(self.digest, str) else str(self.digest)
        rubric = f"rubric {self.rubric}" if isinstance(self.rubric, str) else str(self.rubric)
        return f"{self.grader} ({digest}; {rubric})"

    def measured(self) -> str:
        """Return how accurate it was measured to be, and the state of the gate."""
        if isinstance(self.accuracy, Unknown):
            return f"{self.accuracy}; {self.gate}"
        rate = f"{rate_text(self.accuracy)}, {self.accuracy.k} of {self.accuracy.n}"
        return f"accuracy {rate} on {self.calibration_set}, space {self.space}; {self.gate}" + (
            f", {self.card}" if self.card else ""
        )


@dataclass(frozen=True)
class Disclosure:
    """Everything a reader needs to judge a figure, beside the figure.

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


class UndisclosedError(FFError):
    """A frame that was to be published without all of its disclosure."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__(
            f"not published: the disclosure lacks {', '.join(missing)}. "
            "Give the value, or Unknown(what, why) where nobody knows it."
        )


@dataclass(frozen=True)
class Disclosed:
    """A frame together with its disclosure: what `save_table` and `save_figure` take.

    Raises:
        UndisclosedError: a field of the disclosure, or of one of its graders, is blank or no value of its
            kind; or the rows were to name their graders and a column or cell of it is missing; or the frame
            holds attack success rates and the disclosure names no tier.
    """

    frame: pd.DataFrame
    disclosure: Disclosure

    def __post_init__(self) -> None:
        self.check()

    def check(self) -> None:
        """Raise again what was raised at the start: a frame can be changed on its way to a file."""
        missing = _blanks(self.disclosure)
        if self.disclosure.graders == EACH_ROW:
            missing += [f"column {name}" for name in ROW_COLUMNS if name not in self.frame.columns]
            missing += [] if missing else [f"{what} in a row" for what in _blank_rows(self.frame)]
        if self.disclosure.tier == NO_TIER:
            missing += [f"a tier for the rate in column {name}" for name in _rates(self.frame)]
        if missing:
            raise UndisclosedError(missing)


def disclosed(frame: pd.DataFrame, disclosure: Disclosure) -> Disclosed:
    """Bind a frame to its disclosure; raises as `Disclosed`."""
    return Disclosed(frame, disclosure)


def _blanks(disclosure: Disclosure) -> list[str]:
    words = ("tier", "denominator", "counts", "left_out")
    blank = [name for name in words if not _said(getattr(disclosure, name))]
    blank += [] if isinstance(disclosure.as_of, date) else ["as_of"]
    blank += [] if all(map(_said, disclosure.notes)) else ["the words of a note"]
    if disclosure.graders == EACH_ROW:
        return blank
    if isinstance(disclosure.graders, Unknown | str) or disclosure.graders is None:
        return blank + (
            [] if isinstance(disclosure.graders, Unknown) and _said(disclosure.graders) else ["graders"]
        )
    if not disclosure.graders and disclosure.tier != NO_TIER:
        blank.append("graders")
    for note in disclosure.graders:
        name = note.grader.strip() or "a grader"
        blank += [
            f"{field.name} of {name}"
            for field in fields(note)
            if field.name != "card" and not _said(getattr(note, field.name))
        ]
        blank += [] if note.gate in GATE_STATES or not _said(note.gate) else [f"a known gate state of {name}"]
    return blank


def _said(value: object) -> bool:
    """Return whether something stands there: words, a reason, or a rate with its interval and its n."""
    if isinstance(value, Unknown):
        return _said(value.what) and _said(value.why)
    if isinstance(value, Proportion):
        return value.n > 0 and 0 <= value.low <= value.k / value.n <= value.high <= 1
    return isinstance(value, str) and bool(value.strip())


def _blank_rows(frame: pd.DataFrame) -> list[str]:
    """Return the columns in which a row that names its own grader leaves something blank.

    An accuracy that nobody measured is missing with its bounds and its n, and then `set` must say why, as
    an `Unknown` does: `accuracy: never measured`.
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
        words.append("reason for no accuracy (column set)")
    return words


def _rates(frame: pd.DataFrame) -> list[str]:
    """Return the columns that by their name hold attack success rates."""
    return [
        str(name) for name in ("asr", *TIERS)
        if name in frame.columns and pd.api.types.is_float_dtype(frame[name])
    ]  # fmt: skip


def percent(share: float | None) -> str:
    """Return a share in [0, 1] as people read it: one decimal, no sign; an en dash where unknown."""
    return "–" if share is None or math.isnan(share) else f"{100 * share:.1f}"


def rate_text(rate: Proportion) -> str:
    """Return `65.0% [43.3, 81.9]`."""
    return f"{percent(rate.estimate)}% [{percent(rate.low)}, {percent(rate.high)}]"
