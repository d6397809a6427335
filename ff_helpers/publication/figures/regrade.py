"""Any regrade: the rates of the old and the new labels side by side, and how far the same rows moved."""

import math

import altair as alt
import pandas as pd

from ff_helpers.measurement.regrades.regrade import Regrade
from ff_helpers.publication.figures import blocks, theme
from ff_helpers.publication.figures.forest import forest, lines
from ff_helpers.publication.prose import points

BEFORE = "#B0560F"
"""The colour of the old labels."""
_LONGEST = 24
"""Longer names are cut in the legend; the caption has them whole."""


def regrade_rates(result: Regrade) -> alt.Chart | alt.LayerChart:
    """Draw strict and broad ASR under the old and the new labels, in every denominator.

    Circles are the old labels, diamonds the new ones, bars their Wilson intervals, which take the rows as
    independent. It does not show that the new labels are right, nor how far the same rows moved
    (`regrade_shifts` does).
    """
    old, new = (name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…" for name in result.names)
    rates = result.rates[result.rates["n"] > 0]
    rates = pd.concat([rates[rates["tier"] == tier] for tier in ("strict", "broad")])
    who = rates["labels"].map(dict(zip(result.names, (old, new), strict=True)))
    rows = lines(rates, "asr", row=rates["tier"] + ", of " + rates["denominator"], who=who)
    looks = {old: (BEFORE, "circle"), new: (theme.ACCENT, "diamond")}
    return forest(rows, looks, title="attack success rate, %", heading="Old and new labels", small=0)


def regrade_shifts(shifts: pd.DataFrame) -> alt.Chart | alt.LayerChart:
    """Draw how far each rate moved, for the same rows before and after, with the paired interval.

    The number on the right is the change of the rows that count under both labels, and how many they are. A
    ring is the shift of the two rates where they are over different rows. An interval across the
    line at zero cannot tell the change from zero. It does not show whether the new labels are right.

    Args:
        shifts: as `regrades.rates.shifts`; rows without a pair are left out.
    """
    table = shifts[shifts["paired"].notna()].copy()
    tiers = table["tier"].str.replace("functionally_dangerous", "dangerous")
    table["row"] = tiers + ", of " + table["denominator"]
    table, left = blocks.first(table, "row", 20)
    same = (table["old_n"] == table["shared"]) & (table["new_n"] == table["shared"])
    table["ring"] = table["shift"].where(~same)
    cells = zip(table["paired"], table["shared"], strict=True)
    table["text"] = [f"{points(share)} ({n} rows)" for share, n in cells]
    values = ["paired", "paired_low", "paired_high", "ring"]
    table[values] = 100 * table[values].astype(float)
    low = math.floor(min([-20, *table["paired_low"]]) / 20) * 20
    high = math.ceil(max([20, *table["paired_high"]]) / 20) * 20
    # To the right there is room for the figures in words.
    scale = alt.Scale(domain=[low, high + 0.5 * (high - low)], nice=False)
    axis = alt.Axis(values=list(range(low, high + 1, 20)), titleAnchor="start")
    rows = alt.Axis(ticks=False, domain=False, labelPadding=7)
    base = blocks.by_row(table[["row", "text", *values]], "row", rows)
    bars = base.mark_rule(strokeWidth=5, opacity=0.45, color=theme.ACCENT).encode(
        x=alt.X("paired_low:Q"), x2=alt.X2("paired_high:Q")
    )
    rings = base.transform_filter("isValid(datum.ring)").mark_point(size=40, color=BEFORE, strokeWidth=1.2)
    marks = base.mark_point(size=18, filled=True, opacity=1, color=theme.ACCENT, shape="diamond").encode(
        x=alt.X("paired:Q", title="change, percentage points", scale=scale, axis=axis)
    )
    words = base.mark_text(align="left", dx=5, fontSize=8).encode(
        x=alt.X("paired_high:Q"), text=alt.Text("text:N")
    )
    ring = "ring: shift of the two rates, where their rows differ"
    return blocks.layered(
        blocks.line_at([0], dash=(3, 2), color="#555555"),
        bars,
        rings.encode(x=alt.X("ring:Q")),
        marks,
        words,
        title=blocks.heading("How far the same rows moved", ring, shown=len(table), left=left),
        height=70 + 20 * len(table),
    )
