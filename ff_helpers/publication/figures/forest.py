"""Rates with their intervals, one row per thing, one line per labeller: the form of most figures here."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from ff_helpers.publication.figures import blocks

_LINE = 22
"""Height of a line of the legend; the first is in the height of the title."""


def forest(
    frame: pd.DataFrame, looks: Mapping[str, tuple[str, str]], *, title: str, heading: str, small: int = 20
) -> alt.Chart | alt.LayerChart:
    """Draw intervals larger than points, with the figure and its counts at the end of each line.

    Args:
        frame: as `lines`; low and high missing: no interval; n below `small`: the point is hollow. Rows are
            drawn in the order of the frame.
        looks: who to colour and shape, in the order of the lines.
        title: of the axis.
        heading: what the figure shows, above it; also says when nothing is shown, or how much does not fit.
        small: see `frame`.
    """
    everyone = [name for name in looks if name in set(frame["who"])]
    who = everyone[: blocks.LINES]
    frame = frame[frame["who"].isin(who)]
    counts = frame.drop_duplicates(["row", "who"]).groupby("row")["who"].size()
    step = 20 if len(who) < 2 else 15 * int(counts.max()) + 8
    frame, left = blocks.first(frame, "row", step)
    shown = frame[["row", "who", "rate", "low", "high", "text", "n"]].copy()
    # Without a rate the words begin at the axis.
    shown["end"] = shown["high"].fillna(shown["rate"]).fillna(0.0)
    shown[["rate", "low", "high", "end"]] = 100 * shown[["rate", "low", "high", "end"]].astype(float)
    highest = 100.0 if shown.empty else float(shown["end"].max())
    color, shape = blocks.marks("who:N", {name: looks[name] for name in who}, _legend(who))
    axis = alt.Axis(ticks=False, domain=False, labelPadding=7)
    base = blocks.by_row(shown, "row", axis).encode(yOffset=alt.YOffset("who:N", sort=who), color=color)
    # Small rates get a larger scale.
    x = blocks.percents("rate:Q", title, top=140.0 if highest > 70 else 1.45 * highest + 5)
    bars = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=4, opacity=0.45)
    points = base.mark_point(size=15, opacity=1, strokeWidth=1.2).encode(x=x, shape=shape)
    fill = alt.Fill("who:N", scale=blocks.mapped({name: looks[name][0] for name in who}), legend=None)
    solid = points.transform_filter(f"datum.n >= {small}").encode(fill=fill)
    values = base.mark_text(align="left", dx=4, fontSize=8).encode(x=alt.X("end:Q"), text=alt.Text("text:N"))
    return blocks.layered(
        bars.encode(x=alt.X("low:Q"), x2=alt.X2("high:Q")),
        points,
        solid,
        values,
        title=blocks.heading(heading, shown=len(shown), left=left + len(everyone) - len(who)),
        height=70 + step * frame["row"].nunique() + _LINE * (-(-len(who) // _columns(who)) - 1),
    )


def lines(
    table: pd.DataFrame, rate: str, *, row: "pd.Series[str]", who: "pd.Series[str] | str"
) -> pd.DataFrame:
    """Return the lines of a forest: row, who (str), k, n (int), rate, low, high (in [0, 1]), text (str).

    Args:
        table: a rate with its bounds, `<rate>_low` and `<rate>_high`, and its counts: `<rate>_k` and
            `<rate>_n`, or else k and n.
        rate: the name of the rate.
        row: the thing that each rate is of.
        who: who labelled.
    """
    k, n = (f"{rate}_k", f"{rate}_n") if f"{rate}_k" in table else ("k", "n")
    columns = {k: "k", n: "n", rate: "rate", f"{rate}_low": "low", f"{rate}_high": "high"}
    frame = table[list(columns)].rename(columns=columns).assign(row=row, who=who)
    return frame.assign(text=blocks.counted(frame))


def _legend(who: list[str]) -> alt.Legend | None:
    return (
        alt.Legend(title=None, orient="top", columns=_columns(who), labelLimit=200) if len(who) > 1 else None
    )


def _columns(who: list[str]) -> int:
    # Anything wider overflows a column of the paper.
    return 1 if max(map(len, who), default=0) > 24 else 3 if sum(map(len, who)) <= 24 else 2
