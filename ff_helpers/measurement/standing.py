"""What is known of a grader: the one place that reads calibration cards and says what they allow.

A card is of one identity. Another build, rubric, temperature or seed under the same name is another grader,
and its cards say nothing about this one. A tier is backed only by a card in a label space that decides
it, and a card counts until it expires.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ff_helpers import paths
from ff_helpers.measurement.calibration.cards import BadCardError, Card
from ff_helpers.measurement.rates.known import measures
from ff_helpers.paths import MissingInputError, Run
from ff_helpers.terms import GATE_STATES, GateState, Identity


@dataclass(frozen=True)
class Standing:
    """What the cards say about one identity, for a tier and on a set, where these were given.

    Attributes:
        identity: of whom.
        state: the lowest state of `cards`; `uncalibrated` without one.
        card: the one that decides: of those in that state the one over most rows.
        cards: its cards that count and apply.
        beside: its cards that count and do not apply: their space does not decide the tier, or they are of
            another set.
        expired: its cards that apply and are too old to count.
        others: cards of another identity of the same name.
    """

    identity: Identity
    state: GateState
    card: Card | None
    cards: tuple[Card, ...]
    beside: tuple[Card, ...] = ()
    expired: tuple[Card, ...] = ()
    others: tuple[Card, ...] = ()


def standing(
    identity: Identity, cards: Sequence[Card], *, tier: str | None = None, on_set: str | None = None
) -> Standing:
    """Return what cards say about an identity.

    Args:
        identity: of whom.
        cards: cards as they count on the day in question (`read_cards`, `saved_cards`, `Card.as_of`), of
            any grader.
        tier: a tier, or `known.REFUSAL_RATE`: only cards in a space that decides it apply; None: all do.
        on_set: the name of a calibration set: only its cards apply; None: those of all sets do.
    """
    named = [(card, card.identity) for card in cards if card.grader == identity.name]
    own = [card for card, who in named if who == identity]
    apply = {
        id(card): card
        for card in own
        if (tier is None or tier in measures(card.space)) and on_set in (None, card.calibration_set)
    }
    valid = tuple(card for card in apply.values() if not card.has_expired)
    state: GateState = min((card.gate.state for card in valid), key=GATE_STATES.index, default="uncalibrated")
    lowest = [card for card in valid if card.gate.state == state]
    return Standing(
        identity=identity,
        state=state,
        card=max(lowest, key=lambda card: card.n, default=None),
        cards=valid,
        beside=tuple(card for card in own if id(card) not in apply and not card.has_expired),
        expired=tuple(card for card in apply.values() if card.has_expired),
        others=tuple(card for card, who in named if who != identity),
    )


def read_cards(run: Run) -> list[Card]:
    """Return the run's calibration cards as of its date, in the order of their file names.

    Raises:
        MissingInputError: nothing was calibrated in this run.
        BadCardError: a file in cards/ is not a card.
    """
    return saved_cards(run.read("cards"), on=run.as_of)


def run_cards(run: Run) -> list[Card]:
    """Return the run's calibration cards as `read_cards` does; an empty list where nothing was calibrated."""
    try:
        return read_cards(run)
    except MissingInputError:
        return []


def saved_cards(
    folders: Path | Sequence[Path] | None = None, *, on: datetime.date | None = None
) -> list[Card]:
    """Return the cards in folders as they count on a day, folder by folder in the order of their file names.

    Args:
        folders: folder or folders; a missing one holds no cards. None: `default_cards()`.
        on: the day to which the age of cards is counted; None: today.

    Raises:
        BadCardError: a JSON file in a folder is not a card.
    """
    day = on or datetime.date.today()
    places = [default_cards()] if folders is None else [folders] if isinstance(folders, Path) else folders
    return [_load(path).as_of(day) for folder in places for path in sorted(folder.glob("*.json"))]


def default_cards() -> Path:
    """Return the folder of cards that `ff calibrate` writes by default."""
    return paths.outputs() / "cards"


def _load(path: Path) -> Card:
    try:
        return Card.model_validate_json(path.read_text(encoding="utf-8"))
    except ValueError:
        raise BadCardError(path) from None
