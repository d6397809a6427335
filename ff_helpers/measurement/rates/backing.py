"""What backs a rate of one class: how many rows of that class the grader's card rests on.

A card of 120 rows says little of a class of which it has four, and nothing of one it has not seen.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from ff_helpers.measurement.calibration.calibrate import CALIBRATING
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.calibration.robustness import natural
from ff_helpers.measurement.rates.counts import count_verdicts
from ff_helpers.measurement.standing import standing
from ff_helpers.terms import SPACES, TIERS, Identity, Space

NO_ROW = "none: the card has no row of this class"
NO_CARD = "none: the grader was not measured for this tier"


def coverage(
    verdicts: pd.DataFrame, cards: Sequence[Card], by: str, who: Mapping[str, Identity]
) -> pd.DataFrame:
    """Return how many rows of each class a grader's cards rest on, and how many of them it got right.

    Over all classes these are n and k of the card; of several cards that decide a tier, their sums, each
    row judged in the space of its own card.

    Args:
        verdicts: the joined verdict frame from which the cards were made.
        cards: the run's calibration cards.
        by: `set`, `model`, `intent`, `turns`, `source` or `difficulty`.
        who: the grader behind each name in `verdicts` (`identities.told_apart`).

    Returns:
        `by`, grader, tier (str; only tiers that a card decides), card_n, card_k (int; a row without a
        verdict is wrong); no row where the cards have none of the class.
    """
    known = natural(verdicts)
    known = known[known["truth"].notna() & known["sampling"].isin(CALIBRATING)]
    counts = count_verdicts(
        known, by=list(dict.fromkeys((by, "grader", "set", "truth_space", "truth")))
    ).rename(columns={"n": "card_n"})
    made = {
        (name, card.calibration_set, card.space, tier)
        for name, one in who.items()
        for tier in TIERS
        for card in standing(one, cards, tier=tier).cards
    }
    backed = pd.DataFrame(sorted(made), columns=["grader", "set", "truth_space", "tier"], dtype="str")
    rows = counts.merge(backed, on=["grader", "set", "truth_space"])
    judged = zip(rows["truth_space"], rows["outcome"], rows["truth"], strict=True)
    right = [_projected(space, outcome) == truth for space, outcome, truth in judged]
    rows = rows.assign(card_k=rows["card_n"].where(pd.Series(right, rows.index, dtype="bool"), 0))
    return rows.groupby([by, "grader", "tier"], as_index=False)[["card_n", "card_k"]].sum()


def with_coverage(
    table: pd.DataFrame, verdicts: pd.DataFrame, cards: Sequence[Card], by: str, who: Mapping[str, Identity]
) -> pd.DataFrame:
    """Return `table` with what its graders' cards know of each class.

    Args:
        table: the columns `by`, grader, tier and gate (see `reported.with_gate`).
        verdicts, cards, by, who: as for `coverage`.

    Returns:
        `table` with card_n, card_k (int) and card (str: `12 of 20 right`, or why there are none).
    """
    found = table.merge(coverage(verdicts, cards, by, who), on=[by, "grader", "tier"], how="left")
    found = found.fillna({"card_n": 0, "card_k": 0}).astype({"card_n": "int64", "card_k": "int64"})
    rows = zip(found["gate"], found["card_k"], found["card_n"], strict=True)
    return found.assign(card=pd.Series([_said(*row) for row in rows], index=found.index, dtype="str"))


def _projected(space: str, outcome: str) -> str | None:
    named: Space = next(name for name in SPACES if name == space)
    return next((SPACES[named][verdict] for verdict in SPACES[named] if verdict == outcome), None)


def _said(gate: str, k: int, n: int) -> str:
    if n:
        return f"{k} of {n} right"
    return NO_CARD if gate == "uncalibrated" else NO_ROW
