"""What is known of a grader: the one place that reads calibration cards and says what they allow.

Calibrate before grading: a grader without a card, or one that its card rejects, may not grade traces of
unknown truth, and is refused with the reason and the way out. Traces that carry truth may always be graded
(that is how cards are made), and no card measures people. A judge that somebody else ran grades nothing here:
its verdicts are read as they are, and without a card it is uncalibrated, which every rate of it says.

A card is of one identity. Another build, rubric, temperature or seed under the same name is another grader,
and its cards say nothing about this one. A tier is backed only by a card in a label space that decides
it, and a card counts until it expires: the model behind an unchanged name may have changed.
"""

import datetime
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from ff_helpers import paths
from ff_helpers.chat.specs import is_fetched
from ff_helpers.errors import FFError, named
from ff_helpers.formats import refuse_newer
from ff_helpers.grading import campaign
from ff_helpers.grading.admission import Admit, Models
from ff_helpers.grading.outcome import GraderSetup
from ff_helpers.grading.rubric import spec_of_rubric
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.calibration.gate import with_attacks
from ff_helpers.measurement.calibration.old_cards import completed, decided_again
from ff_helpers.measurement.rates.known import measures
from ff_helpers.paths import MissingInputError, Run
from ff_helpers.terms import GATE_STATES, GateState, Identity

if TYPE_CHECKING:
    import pandas as pd


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
        FFError: a file in cards/ is not a card.
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
        FFError: a JSON file in a folder is not a card.
    """
    day = on or datetime.date.today()
    places = [default_cards()] if folders is None else [folders] if isinstance(folders, Path) else folders
    return [_load(path).as_of(day) for folder in places for path in sorted(folder.glob("*.json"))]


def default_cards() -> Path:
    """Return the folder of cards that `ff calibrate` writes by default."""
    return paths.outputs() / "cards"


def _load(path: Path) -> Card:
    """Return the card in a file; what its version did not write yet is filled in."""
    try:
        text = path.read_text(encoding="utf-8")
        try:
            card = _card(text)
        except ValidationError:
            refuse_newer(path, text)
            card = _card(completed(text))
    except ValueError:
        raise FFError(
            f"{path} is not a calibration card. Move it out of that folder, or delete it and calibrate again."
        ) from None
    card = decided_again(card)
    # A card of a version in which attacks did not count says how often they turn its grader, all the same.
    return card.model_copy(update={"gate": with_attacks(card.gate, card.flips)})


@lru_cache(maxsize=512)
def _card(text: str) -> Card:
    """Return a card: each disclosure of a run asks for all of them."""
    return Card.model_validate_json(text)


_BY_HAND: Final = "grade by hand: notebooks/grade_by_hand.ipynb"


def grade(
    run: paths.Run,
    trace_sets: Mapping[str, str],
    graders: Sequence[str],
    *,
    rubric: str = "flip-reference",
    sample: Mapping[str, int] | None = None,
    repeat_rows: int = 0,
    seed: int = 0,
    minutes: float | None = None,
    if_fetched: Sequence[str] = (),
) -> "pd.DataFrame":
    """Grade a sample of each trace set with each grader into the run's ledger; resume where it stopped.

    Args:
        run: writes `ledger/verdicts.jsonl` (append-only), `ledger/traces.csv` (the traces without text)
            and `ledger/graders.csv` (the graders of this campaign).
        trace_sets: name -> `pyrit:refusal`, `pyrit:objective`, a JSONL file of the project, or one of this
            run (`ledger/...`, what 00_collect collected).
        graders: specs, see `graders.open_grader`.
        rubric: `flip-reference` or `flip-blind`.
        sample: name -> rows, stratified by truth in proportion; 0 or absent: all rows.
        repeat_rows: how many rows graders that are models grade a second time, over the sets in turn.
        seed: which sample is drawn.
        minutes: how long each grader may grade; rows then come in random order, and the campaign is of those
            that every grader reached (`ledger/left.csv` says how far that is). The next call goes on. 0: as
            long as it takes; None: no random order, no `ledger/left.csv`.
        if_fetched: more graders, used (first) where their weights are here.

    Returns:
        One row per set and grader: set, grader, rubric, n, one column per verdict and status (counts of
        the first pass).

    Raises:
        FFError: a trace has no truth, and neither outputs/cards nor the run's own cards back the
            grader.
        FFError: a set or grader is missing, malformed or changed; the ledger cannot be written; the minutes
            were over before each set had a graded row.
    """
    return campaign.grade(
        run,
        trace_sets,
        [*filter(is_fetched, if_fetched), *graders],
        rubric=rubric,
        sample=sample,
        repeat_rows=repeat_rows,
        seed=seed,
        minutes=minutes,
        admit=by_cards([default_cards(), run.folder / "cards"], on=run.as_of),
    )


def by_cards(cards: Path | Sequence[Path] | None = None, *, on: datetime.date | None = None) -> Admit:
    """Return what a campaign calls: `admit` by the cards in these folders, as of this day."""

    def asked(setup: GraderSetup, spec: str, models: Models) -> str:
        found = admit(setup.identity, cards, spec=spec, on=on)
        return elsewhere(found, {(name, one) for name in models for one in models[name]})

    return asked


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
        FFError: no card is for this identity, or each has expired, or one says that it fails the
            published rule.
        FFError: a JSON file in a folder is not a card.
    """
    found = standing(identity, saved_cards(cards, on=on))
    if identity.method in ("manual", "external"):
        return found
    if found.state == "uncalibrated":
        first = cards if isinstance(cards, Path) else cards[0] if cards else default_cards()
        command = ["ff", "calibrate", "--grader", spec or identity.name]
        asked = spec_of_rubric(identity.rubric or "")
        if asked not in ("", "flip-reference"):
            command += ["--rubric", asked]
        if first != default_cards():
            command += ["--cards", str(first)]
        why = "its measurement has expired" if found.expired else "its accuracy was never measured"
        raise FFError(
            f"grader {identity.name} is uncalibrated: {why}, so it may not grade traces without truth. "
            f"{_why_none(found, first)} Measure it: `{shlex.join(command)}`, then run the same command "
            f"again; or use another grader; or {_BY_HAND}."
        )
    if found.state == "rejected":
        cards_against = [card for card in found.cards if card.gate.state == "rejected"]
        said = "; ".join(f"{card.sentence()}: {', '.join(card.gate.reasons)}" for card in cards_against)
        raise FFError(
            f"grader {identity.name} is rejected, so it may not grade traces without truth: {said}. "
            f"Use another grader (`ff doctor` says which are reachable here); or {_BY_HAND}."
        )
    return found


def elsewhere(found: Standing, graded: Collection[tuple[str, str]]) -> str:
    """Return a warning where a grader was measured on other traces than it grades; else an empty text.

    Args:
        found: the grader's standing.
        graded: (set, model under test) of the traces.
    """
    measured = [(card.calibration_set, one.model) for card in found.cards for one in card.by_model]
    if not found.cards or set(graded) <= set(measured):
        return ""
    sets = {card.calibration_set for card in found.cards}
    there = f"{some_of(sets)} ({some_of({model for _, model in measured}) or 'models not recorded'})"
    here = f"{some_of({name for name, _ in graded})} ({some_of({model for _, model in graded})})"
    return (
        f"{named(found.identity.name)} was measured on {there}, and these are {here}. A grader's errors "
        "differ from model to model and from set to set, so how often it is right here is not known: draw "
        "some of these traces to label (`ff sample`), and give the labels to `ff asr --labels`."
    )


def some_of(names: Collection[str], most: int = 5) -> str:
    """Return names sorted, the first few of many; a name is cut and escaped as `named` does."""
    some = sorted(names)
    more = f" and {len(some) - most} more" if len(some) > most else ""
    return ", ".join(map(named, some[:most])) + more


def _why_none(found: Standing, folder: Path) -> str:
    if found.expired:
        card = max(found.expired, key=lambda card: card.date)
        limit = f"a card counts for {card.gate.thresholds.max_age_days} days"
        return f"Its latest card is of {card.date} and expired after {card.last_day}: {limit}."
    if not found.others:
        return f"It has no card in {folder}."
    here, other = found.identity, found.others[-1].identity
    if other.digest != here.digest:
        was, now = other.short_digest, here.short_digest
        return f"The card in {folder} is for digest {was}, and what runs here now is {now}."
    if other.rubric != here.rubric:
        return f"The card in {folder} is for the rubric {other.rubric}, and {here.rubric} is asked for."
    return f"The card in {folder} is for temperature {other.temperature} and seed {other.seed}."
