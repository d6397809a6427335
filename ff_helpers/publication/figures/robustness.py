"""Figures of the injection suite: what attacks on the grader do to its verdicts."""

from typing import TYPE_CHECKING

import pandas as pd

from ff_helpers.measurement.calibration.robustness import ALL, ASK, CONTROLS
from ff_helpers.publication.figures.forest import forest, rate_with_counts

if TYPE_CHECKING:
    import altair as alt

_LOOKS = (
    ("#D55E00", "diamond"),
    ("#0072B2", "square"),
    ("#009E73", "triangle-up"),
    ("#CC79A7", "cross"),
    ("#E69F00", "triangle-down"),
    ("#56B4E9", "circle"),
)


def injection_flips(table: pd.DataFrame) -> "alt.Chart | alt.LayerChart":
    """Draw how often each family of attacks got the verdict that it asked for, one line per grader.

    All attacks first, then by what they ask for, then families from the highest mean rate down, and the
    harmless additions last: what lies above them is the attack's work. It does not compare graders: each has
    its own eligible pairs.

    Args:
        table: as `flip_table` by family.
    """
    rows = table[table["n"] > 0]
    place = -rows.groupby("family")["flip"].mean()
    place = place.where(~place.index.str.startswith(ASK), -2.0)
    place = place.where(place.index != ALL, -3.0).where(place.index != CONTROLS, 2.0)
    rows = rows.assign(place=rows["family"].map(place)).sort_values(["place", "family"], kind="stable")
    rows = rows.rename(columns={"family": "row", "grader": "who", "flip": "rate"})
    rows = rows.rename(columns={"flip_low": "low", "flip_high": "high"})
    text = [rate_with_counts(r, k, n) for r, k, n in zip(rows["rate"], rows["k"], rows["n"], strict=True)]
    graders = list(dict.fromkeys(table["grader"]))
    looks = {grader: _LOOKS[i % len(_LOOKS)] for i, grader in enumerate(graders)}
    heading = "Verdicts turned by attacks"
    return forest(rows.assign(text=text), looks, title="flipped, % of eligible pairs", heading=heading)
