"""`ff graders`: which grader to take, of those that are known here."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ff_helpers import paths
from ff_helpers.chat.embedded import MODELS
from ff_helpers.chat.specs import is_fetched
from ff_helpers.cli.text import print_json, said
from ff_helpers.grading.identities import shown_names
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.standing import saved_cards
from ff_helpers.parts import Origin, origin
from ff_helpers.pipeline.doctor import ollama_models
from ff_helpers.terms import GATE_STATES, GateState


@dataclass(frozen=True)
class Choice:
    """One grader that is known here.

    Attributes:
        name: what to call it.
        spec: how it is named on the command line; None if only its cards are here.
        digest: what it is.
        here: whether it can grade now.
        state: the best state of its cards.
        cards: its cards that count, best first; each set and label space once.
        licence: of the weights, if known.
        size: bytes on disk, if known.
        next: the command that fetches it, else the one that measures it; empty if neither is needed.
    """

    name: str
    spec: str | None
    digest: str | None
    here: bool
    state: GateState
    cards: tuple[Card, ...]
    licence: str | None
    size: int | None
    next: str


def tell_graders(options: argparse.Namespace) -> int:
    """Print every grader that is known here, the best first."""
    choices = known_graders()
    if options.json:
        print_json([asdict(one) | {"cards": [_short(card) for card in one.cards]} for one in choices])
    else:
        print(said("graders", choices=choices, measured_here=any(one.cards for one in choices)))
    return 0


def known_graders() -> list[Choice]:
    """Return the embedded models, those of a local Ollama server, and every other grader with a card.

    The best first: by the state of the gate, then by the lower bound of the accuracy. Cards are read from
    `cards/` in the outputs folder and in each run's folder.
    """
    cards = [card for folder in _folders() for card in saved_cards(folder) if not card.has_expired]
    found = [*_embedded(cards), *_ollama(cards)]
    told = {card.identity for one in found for card in one.cards}
    names = shown_names(card.identity for card in cards)
    for who, name in names.items():
        if who not in told:
            here = name == "heuristic"
            # Words in place of a digest, as of judges that somebody else ran, tell nobody apart.
            own = [card for card in cards if card.identity == who]
            found.append(_choice(name, "heuristic" if here else None, who.digest, own, here=here))
    return sorted(found, key=_rank)


def _folders() -> list[Path]:
    return [
        path
        for path in (paths.outputs() / "cards", *sorted(paths.outputs().glob("*/cards")))
        if path.is_dir()
    ]


def _embedded(cards: Sequence[Card]) -> Iterator[Choice]:
    for name, model in MODELS.items():
        part, spec = origin(model.file), f"embedded:{name}"
        here = is_fetched(spec)
        fetch = "" if here else f"make {part.target}"
        yield _choice(name, spec, f"sha256:{part.sha256}", cards, here=here, part=part, fetch=fetch)


def _ollama(cards: Sequence[Card]) -> Iterator[Choice]:
    for name, digest in ollama_models().items():
        yield _choice(name, f"ollama:{name}", f"sha256:{digest}", cards, here=True)


def _choice(
    name: str,
    spec: str | None,
    digest: str | None,
    cards: Sequence[Card],
    *,
    here: bool,
    part: Origin | None = None,
    fetch: str = "",
) -> Choice:
    own = sorted((card for card in cards if card.digest == digest), key=_by_card)
    once = {(card.identity, card.calibration_set, card.space): card for card in reversed(own)}
    kept = tuple(sorted(once.values(), key=_by_card))
    measure = f"ff calibrate --grader {spec}" if spec and not kept else ""
    return Choice(
        name=name,
        spec=spec,
        digest=digest,
        here=here,
        state=kept[0].gate.state if kept else "uncalibrated",
        cards=kept,
        licence=part.license if part else None,
        size=part.bytes if part else None,
        next=fetch or measure,
    )


def _by_card(card: Card) -> tuple[int, float, int]:
    """Order cards: the best state first, then the highest lower bound, then the most rows."""
    return -GATE_STATES.index(card.gate.state), -(card.accuracy.low or 0.0), -card.n


def _rank(one: Choice) -> tuple[int, float, str]:
    low = max((card.accuracy.low or 0.0 for card in one.cards), default=-1.0)
    return -GATE_STATES.index(one.state), -low, one.name


def _short(card: Card) -> dict[str, object]:
    return {
        "set": card.calibration_set,
        "space": card.space,
        "rubric": card.rubric,
        "gate": card.gate.state,
        "accuracy": {key: value for key, value in asdict(card.accuracy).items() if value is not None},
        "seconds_a_trace": card.seconds_a_trace if isinstance(card.seconds_a_trace, float) else None,
    }
