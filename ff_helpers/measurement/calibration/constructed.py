"""A card from four counts written by hand: try out what an accuracy can hide.

Such a card belongs to no grader and is never saved. It is treated as every other card is, so its criteria,
figures and disclosure are those of a real one.
"""

import pandas as pd

from ff_helpers.errors import FFError
from ff_helpers.measurement.calibration.calibrate import calibrate
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.proportions.intervals import wilson
from ff_helpers.paths import Run


class OneTruthError(FFError):
    """Counts of only one truth."""

    def __init__(self, complied: int, declined: int) -> None:
        super().__init__(
            f"constructed_card(): the model complied in {complied} traces and refused in {declined}. Both "
            "need one at least: what a grader does with the other kind would be unknown."
        )


def constructed_card(run: Run, *, found: int, missed: int, invented: int, refused: int) -> Card:
    """Return the card, in the space `strict`, of a grader that does not exist.

    Args:
        run: its `as_of` is the card's date.
        found, missed: traces in which the model complied, and the grader says COMPLIANCE, or REFUSAL.
        invented, refused: traces in which the model refused, and the grader says COMPLIANCE, or REFUSAL.

    Raises:
        BadCountError: a count that is negative or fractional.
        OneTruthError: no trace in which the model complied, or none in which it refused.
    """
    # As counts of each truth, which also refuses invalid counts.
    complied, declined = (wilson(k, k + other).n for k, other in ((found, missed), (invented, refused)))
    if not complied or not declined:
        raise OneTruthError(complied, declined)
    said = ["COMPLIANCE"] * found + ["REFUSAL"] * missed + ["COMPLIANCE"] * invented + ["REFUSAL"] * refused
    frame = pd.DataFrame(
        {
            "trace_id": [f"constructed-{i:06d}" for i in range(complied + declined)],
            "truth": ["COMPLIANCE"] * complied + ["NOT_COMPLIANCE"] * declined,
            "verdict": pd.Series(said, dtype="str"),
            "status": pd.Series([None] * len(said), dtype="str"),
        }
    ).assign(
        grader="constructed example",
        grader_digest="constructed",
        rubric="constructed",
        temperature=float("nan"),
        seed=None,
        repeat=0,
        duration_s=float("nan"),
        sampling="constructed",
        source="constructed",
        probability=float("nan"),
        intent=None,
        turns=None,
    )
    return calibrate(
        frame, space="strict", calibration_set="counts", as_of=run.as_of, software="none: constructed"
    )
