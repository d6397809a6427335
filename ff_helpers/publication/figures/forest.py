"""Rates with their intervals, one row per thing, one line per labeller: the form of most figures here."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.publication.figures.room import LINES, first
from ff_helpers.publication.figures.room import heading as headed
from ff_helpers.publication.figures.theme import COLUMN_WIDTH, rounded, sized

if TYPE_CHECKING:
    import altair as alt


def forest(
    frame: pd.DataFrame, looks: Mapping[str, tuple[str, str]], *, title: str, heading: str, small: int = 20
) -> "alt.Chart | alt.LayerChart":
    """Draw intervals larger than points, with the figure and its counts at the end of each line.

    Args:
        frame: row (str), who (str), rate, low, high (in [0, 1]; low and high missing: no interval), text
            (str), n (int; below `small` the point is hollow). Rows are drawn in the order of the frame.
        looks: who to colour and shape, in the order of the lines.
        title: of the axis.
        heading: what the figure shows, above it; also says when nothing is shown, or how much does not fit.
        small: see `n`.
    """
    import altair as alt

    everyone = [name for name in looks if name in set(frame["who"])]
    who = everyone[:LINES]
    frame = frame[frame["who"].isin(who)]
    lines = frame.drop_duplicates(["row", "who"]).groupby("row")["who"].size()
    step = 20 if len(who) < 2 else 15 * int(lines.max()) + 8
    frame, left = first(frame, "row", step)
    order = list(dict.fromkeys(frame["row"]))
    shown = frame[["row", "who", "rate", "low", "high", "text", "n"]].copy()
    shown["end"] = shown["high"].fillna(shown["rate"])
    shown[["rate", "low", "high", "end"]] = 100 * shown[["rate", "low", "high", "end"]].astype(float)
    highest = 100.0 if shown.empty else float(shown["end"].max())
    top = 140.0 if highest > 70 else 1.45 * highest + 5
    base = alt.Chart(rounded(shown)).encode(
        y=alt.Y("row:N", sort=order, title=None, axis=alt.Axis(ticks=False, domain=False, labelPadding=7)),
        yOffset=alt.YOffset("who:N", sort=who),
        color=alt.Color(
            "who:N", scale=alt.Scale(domain=who, range=[looks[w][0] for w in who]), legend=_legend(who)
        ),
    )
    x = alt.X(
        "rate:Q",
        title=title,
        # Beyond 100 there is room for the figures in words; small rates get a larger scale.
        scale=alt.Scale(domain=[0, top], nice=False),
        axis=alt.Axis(values=list(range(0, min(100, int(top)) + 1, 20)), titleAnchor="start"),
    )
    shape = alt.Shape(
        "who:N", scale=alt.Scale(domain=who, range=[looks[w][1] for w in who]), legend=_legend(who)
    )
    bars = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=4, opacity=0.45)
    points = base.mark_point(size=15, opacity=1, strokeWidth=1.2).encode(x=x, shape=shape)
    solid = points.transform_filter(f"datum.n >= {small}").encode(
        fill=alt.Fill("who:N", scale=alt.Scale(domain=who, range=[looks[w][0] for w in who]), legend=None)
    )
    values = base.mark_text(align="left", dx=4, fontSize=8).encode(x="end:Q", text="text:N")
    chart = alt.LayerChart(
        layer=[bars.encode(x=alt.X("low:Q"), x2="high:Q"), points, solid, values],
        title=headed(heading, shown=len(shown), left=left + len(everyone) - len(who)),
    )
    return sized(chart, width=COLUMN_WIDTH, height=70 + step * len(order))


def rate_with_counts(rate: float, k: float, n: float) -> str:
    """Return `65.0 (13/20)`."""
    return f"{percent(rate)} ({k:.0f}/{n:.0f})"


def _legend(who: list[str]) -> "alt.Legend | None":
    import altair as alt

    # Anything wider overflows a column of the paper.
    columns = 1 if max(map(len, who), default=0) > 24 else 3 if sum(map(len, who)) <= 24 else 2
    return alt.Legend(title=None, orient="top", columns=columns, labelLimit=200) if len(who) > 1 else None
