"""The graders of a ledger as a signal names them: what their cards say, and who may carry a rate."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from ff_helpers.grading.admission import GraderCard, standing
from ff_helpers.grading.ledger import identity_of
from ff_helpers.measurement.rates.counts import NOT_RECORDED
from ff_helpers.measurement.rates.known import LABELS
from ff_helpers.publication.atlas.signal import STANDINGS, VOID, SignalGrader, Standing
from ff_helpers.terms import GATE_STATES, TIER_SPACES, GateState, Tier

_PEOPLE: Final = "graded by people: no card measures people, their agreement does"
Weight = tuple[bool, bool, bool, int, float, int, str]


def signal_grader(who: tuple[str, ...], cards: Sequence[Path], as_of: date, tier: Tier) -> SignalGrader:
    """Return a grader of a ledger under the cards that decide the tier; of several, the one that decides.

    Args:
        who: grader, digest, rubric, temperature, seed and method, as a count table has them.
        cards: folders of calibration cards.
        as_of: the day to which their age is counted.
        tier: which cards count: those in a space that decides it.

    Raises:
        NoCardError: a JSON file in a folder is no card.
    """
    grader, digest, rubric, temperature, seed, method = who
    if method == LABELS:
        return _grader("known truth", None, None, "uncalibrated", "labels", why=STANDINGS["labels"])
    named = digest if digest != NOT_RECORDED else None
    if method == "manual":
        return _grader(grader, named, None, "uncalibrated", "unmeasured", why=_PEOPLE)
    found = standing(identity_of(grader, digest, rubric, temperature, seed), cards, on=as_of)
    mine = [card for card in found.cards if card.space in TIER_SPACES[tier]]
    state: GateState = min((card.gate.state for card in mine), key=GATE_STATES.index, default="uncalibrated")
    decides = max((c for c in mine if c.gate.state == state), key=lambda c: c.accuracy.n, default=None)
    kind: Standing = "rejected" if state == "rejected" else "measured" if decides else "unmeasured"
    if method == "heuristic":
        kind = "heuristic"
    why = _why(decides, len(mine), expired=bool(found.expired))
    return _grader(grader, named, decides, state, kind, why=why)


def carries(grader: SignalGrader) -> bool:
    """Return whether a model's rate may rest on this grader alone."""
    return grader.standing not in VOID


def weight(grader: SignalGrader) -> Weight:
    """Return what orders graders: who may carry a rate, known truth, has verdicts, gate, accuracy, rows."""
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


def _why(card: GraderCard | None, cards: int, *, expired: bool) -> str:
    if card is None:
        return "its card has expired" if expired else "never measured: no card of it decides this tier"
    more = f"; {cards - 1} more cards of it decide this tier" if cards > 1 else ""
    return f"{card.sentence()}; {card.gate.reasons[0]}{more}"


def _grader(
    name: str, digest: str | None, card: GraderCard | None, gate: GateState, kind: Standing, *, why: str
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
