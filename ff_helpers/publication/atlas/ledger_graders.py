"""The graders of a ledger as a signal names them: what their cards say, and who may carry a rate."""

from collections.abc import Sequence
from typing import Final

from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.results import LABELS
from ff_helpers.measurement.standing import Standing, standing
from ff_helpers.publication.atlas.signal import FOOTINGS, VOID, Footing, SignalGrader
from ff_helpers.terms import GATE_STATES, GateState, Identity, Tier

_PEOPLE: Final = "graded by people: their agreement is measured, not their accuracy"
Weight = tuple[bool, bool, bool, int, float, int, str]


def signal_grader(who: Identity, name: str, cards: Sequence[Card], tier: Tier) -> SignalGrader:
    """Return a grader of a ledger under the cards that decide the tier; of several, the one that decides.

    Args:
        who: the grader; `known.LABELS` as its method: known truth.
        name: what to call it.
        cards: calibration cards of any grader, as they count on the day of the signal.
        tier: which cards count: those in a space that decides it.
    """
    if who.method == LABELS:
        return _grader("known truth", None, None, "uncalibrated", "labels", why=FOOTINGS["labels"])
    if who.method == "manual":
        return _grader(name, who.digest, None, "uncalibrated", "unmeasured", why=_PEOPLE)
    found = standing(who, cards, tier=tier)
    kind: Footing = "rejected" if found.state == "rejected" else "measured" if found.card else "unmeasured"
    if who.method == "heuristic":
        kind = "heuristic"
    return _grader(name, who.digest, found.card, found.state, kind, why=_why(found))


def carries(grader: SignalGrader) -> bool:
    """Return whether a model's rate may rest on this grader alone."""
    return grader.standing not in VOID


def weight(grader: SignalGrader) -> Weight:
    """Return the sort key of graders: may carry a rate, known truth, has verdicts, gate, accuracy, rows."""
    n = grader.reported.n if grader.reported else 0
    return (
        carries(grader),
        grader.standing == "labels",
        n > 0 and grader.standing != "heuristic",
        GATE_STATES.index(grader.gate),
        grader.ci_low if grader.ci_low is not None else -1.0,
        n,
        grader.grader,
    )


def _why(found: Standing) -> str:
    if found.card is None:
        return (
            "its card has expired"
            if found.expired
            else "never measured: it has no card that decides this tier"
        )
    cards = len(found.cards)
    more = f"; {cards - 1} more cards of it decide this tier" if cards > 1 else ""
    return f"{found.card.sentence()}; {found.card.gate.reasons[0]}{more}"


def _grader(
    name: str, digest: str | None, card: Card | None, gate: GateState, kind: Footing, *, why: str
) -> SignalGrader:
    rate = card.accuracy if card and card.accuracy.n else None
    return SignalGrader(
        grader=name,
        spellings=(name,),
        digest=digest,
        accuracy=round(rate.k / rate.n, 6) if rate else None,
        ci_low=round(rate.low, 6) if rate else None,
        ci_high=round(rate.high, 6) if rate else None,
        n=rate.n if rate else None,
        calibration_set=f"{card.calibration_set} (space {card.space})" if card and rate else None,
        gate=gate,
        standing=kind,
        why=why,
        reported=None,
        headline=False,
    )
