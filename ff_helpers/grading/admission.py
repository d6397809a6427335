"""Calibrate before grading: which graders may grade traces whose truth nobody knows.

A grader without a calibration card, or one that its card rejects, is refused there, with the reason and the
way out. A card that is too old is none: what stands behind an unchanged name may have changed. Traces that
carry truth may always be graded (that is how cards are made), and people are no grader that a card could
measure. Cards are read here with the few fields that the decision needs.
"""

import datetime
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from ff_helpers import paths
from ff_helpers.errors import FFError, quoted
from ff_helpers.grading.ledger import Who
from ff_helpers.grading.outcome import Identity
from ff_helpers.terms import GATE_STATES, GateState, Space

MAX_AGE_DAYS: Final = 180
"""After how many days a card has expired, unless the card says otherwise; ours."""
_BY_HAND: Final = "grade by hand: notebooks/grade_by_hand.ipynb"


class Accuracy(BaseModel):
    """How many of the calibration set were right, with the Wilson interval in [0, 1]."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    k: int
    n: int
    low: float
    high: float


class AgeLimit(BaseModel):
    """The one threshold that is asked for after the card was made."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    max_age_days: int = MAX_AGE_DAYS


class CardGate(BaseModel):
    """What the gate decided, and why."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    state: GateState
    reasons: tuple[str, ...]
    thresholds: AgeLimit = AgeLimit()


class GraderCard(BaseModel):
    """What a calibration card says about whether its grader may grade."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    grader: str
    digest: str
    rubric: str
    temperature: float | None = None
    seed: int | None = None
    calibration_set: str
    space: Space
    accuracy: Accuracy
    gate: CardGate
    date: datetime.date

    @property
    def who(self) -> Who:
        """The grader's identity."""
        return self.grader, self.digest, self.rubric, self.temperature, self.seed

    @property
    def last_day(self) -> datetime.date:
        """The last day on which the card counts."""
        return self.date + datetime.timedelta(days=self.gate.thresholds.max_age_days)

    def sentence(self) -> str:
        """Return `accuracy 65.0% [43.3, 81.9], 13 of 20, on proxies (space five, 2026-11-22)`."""
        rate = self.accuracy
        share = f"{100 * rate.k / rate.n:.1f}%" if rate.n else "unknown"
        interval = f"[{100 * rate.low:.1f}, {100 * rate.high:.1f}]"
        where = f"{self.calibration_set} (space {self.space}, {self.date})"
        return f"accuracy {share} {interval}, {rate.k} of {rate.n}, on {where}"


@dataclass(frozen=True)
class Standing:
    """What the cards say about one grader identity.

    Attributes:
        state: the lowest state of its cards; `uncalibrated` without one.
        cards: its cards.
        others: cards of a grader of the same name that is another: digest, rubric, temperature or seed.
        expired: its cards that are too old to count.
    """

    state: GateState
    cards: tuple[GraderCard, ...]
    others: tuple[GraderCard, ...] = ()
    expired: tuple[GraderCard, ...] = ()


class NoCardError(FFError):
    """A file in a cards folder that is no calibration card."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is no calibration card. Move it out of that folder, or delete it and calibrate again."
        )


class ControlArmError(FFError):
    """A control among the traces to be graded."""

    def __init__(self, trace_id: str, name: str) -> None:
        super().__init__(
            f"trace_id {quoted(trace_id)} in set {name!r} is of the arm `permitted`: a control, in which the "
            "policy allows the answer. It is no attack and is never graded; name the file of the other arm."
        )


class NotAdmittedError(FFError):
    """The grader may not grade traces without truth."""


class UncalibratedError(NotAdmittedError):
    """No card is for this grader as it is."""

    def __init__(self, identity: Identity, folder: Path, found: Standing, calibrate: str) -> None:
        why = "its measurement has expired" if found.expired else "nobody measured how often it is right"
        super().__init__(
            f"grader {identity.grader} is uncalibrated: {why}, so it may not "
            f"grade traces without truth. {_why_none(identity, folder, found)} Measure it: `{calibrate}`, "
            f"then run the same command again; or take another grader; or {_BY_HAND}."
        )


class RejectedError(NotAdmittedError):
    """A card of this grader rejects it."""

    def __init__(self, identity: Identity, cards: Sequence[GraderCard]) -> None:
        said = "; ".join(f"{card.sentence()}: {', '.join(card.gate.reasons)}" for card in cards)
        super().__init__(
            f"grader {identity.grader} is rejected, so it may not grade traces without truth: {said}. "
            f"Take another grader (`ff doctor` says which are reachable here); or {_BY_HAND}."
        )


def admit(
    identity: Identity,
    cards: Path | Sequence[Path] | None = None,
    *,
    spec: str | None = None,
    on: datetime.date | None = None,
) -> Standing:
    """Return the standing of a grader that may grade traces without truth; otherwise refuse it.

    Args:
        identity: who is to grade.
        cards: folder or folders of calibration cards; None: `cards/` in the outputs folder.
        spec: how the grader was asked for, for the command that calibrates it; None: its name.
        on: the day to which the age of cards is counted (in a profile its `as_of`); None: today.

    Raises:
        UncalibratedError: no card is for this identity, or each has expired.
        RejectedError: a card says that it fails the published rule.
        NoCardError: a JSON file in a folder is no card.
    """
    options = identity.options
    who = (identity.grader, identity.digest, identity.rubric, options.temperature, options.seed)
    found = standing(who, cards, on=on)
    if identity.method == "manual":
        return found
    if found.state == "uncalibrated":
        first = _folders(cards)[0]
        command = ["ff", "calibrate", "--grader", spec or identity.grader]
        name = identity.rubric.partition("@")[0]
        if name == "flip-blind":
            command += ["--rubric", name]
        if first != default_cards():
            command += ["--cards", str(first)]
        raise UncalibratedError(identity, first, found, shlex.join(command))
    if found.state == "rejected":
        raise RejectedError(identity, [card for card in found.cards if card.gate.state == "rejected"])
    return found


def standing(
    who: Who, cards: Path | Sequence[Path] | None = None, *, on: datetime.date | None = None
) -> Standing:
    """Return what the cards in a folder say about a grader; `cards`, `on` and NoCardError as `admit`."""
    day = on or datetime.date.today()
    named = [card for folder in _folders(cards) for card in _read(folder) if card.grader == who[0]]
    mine = [card for card in named if card.who == who]
    valid = tuple(card for card in mine if day <= card.last_day)
    states = {card.gate.state for card in valid} or {"uncalibrated"}
    lowest = next(state for state in GATE_STATES if state in states)
    others = tuple(card for card in named if card not in mine)
    return Standing(lowest, valid, others, tuple(card for card in mine if card not in valid))


def default_cards() -> Path:
    """Return the folder of cards that `ff calibrate` writes unless told otherwise."""
    return paths.outputs() / "cards"


def _folders(cards: Path | Sequence[Path] | None) -> list[Path]:
    if cards is None:
        return [default_cards()]
    return [cards] if isinstance(cards, Path) else list(cards)


def _read(folder: Path) -> list[GraderCard]:
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(GraderCard.model_validate_json(path.read_bytes()))
        except ValidationError:
            raise NoCardError(path) from None
    return found


def _why_none(identity: Identity, folder: Path, found: Standing) -> str:
    if found.expired:
        card = max(found.expired, key=lambda card: card.date)
        limit = f"a card counts for {card.gate.thresholds.max_age_days} days"
        return f"Its latest card is of {card.date} and expired after {card.last_day}: {limit}."
    if not found.others:
        return f"There is no card of it in {folder}."
    other = found.others[-1]
    if other.digest != identity.digest:
        was, now = (text.removeprefix("sha256:")[:12] for text in (other.digest, identity.digest))
        return f"The card in {folder} is for digest {was}, and what runs here now is {now}."
    if other.rubric != identity.rubric:
        return f"The card in {folder} is for the rubric {other.rubric}, and {identity.rubric} is asked for."
    return f"The card in {folder} is for temperature {other.temperature} and seed {other.seed}."
