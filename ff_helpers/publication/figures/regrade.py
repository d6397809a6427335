"""Any regrade: the rates of the old and the new labels, side by side."""

from typing import TYPE_CHECKING

from ff_helpers.measurement.regrades.regrade import Regrade
from ff_helpers.publication.figures.forest import forest, rate_with_counts
from ff_helpers.publication.figures.theme import ACCENT

if TYPE_CHECKING:
    import altair as alt

_BEFORE = "#B0560F"
_LONGEST = 24
"""Longer names are cut in the legend; the caption has them whole."""


def regrade_rates(result: Regrade) -> "alt.LayerChart | alt.Chart":
    """Draw strict and broad ASR under the old and the new labels, in every denominator.

    Circles are the old labels, diamonds the new ones, bars their Wilson intervals, which take the rows as
    independent. It does not show that the new labels are right, nor how far the same rows moved
    (`regrade_shifts` does).
    """
    old, new = (_short(name) for name in result.names)
    rates = result.rates[result.rates["tier"].isin(["strict", "broad"]) & (result.rates["n"] > 0)]
    cells = zip(rates["asr"], rates["k"], rates["n"], strict=True)
    rows = rates.assign(
        row=rates["tier"] + ", of " + rates["denominator"],
        text=[rate_with_counts(*cell) for cell in cells],
        who=rates["labels"].map(dict(zip(result.names, (old, new), strict=True))),
    )
    rows = rows.rename(columns={"asr": "rate", "asr_low": "low", "asr_high": "high"})
    order = {"strict": 0, "broad": 1}
    rows = rows.sort_values("tier", key=lambda tiers: tiers.map(order), kind="stable")
    looks = {old: (_BEFORE, "circle"), new: (ACCENT, "diamond")}
    return forest(rows, looks, title="attack success rate, %", heading="Old labels beside new ones", small=0)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
