"""What graders report, the adjusted rate, and the truth where it is known."""

from typing import TYPE_CHECKING

import pandas as pd

from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.publication.figures.forest import rate_with_counts
from ff_helpers.publication.figures.room import first, heading
from ff_helpers.publication.figures.theme import ACCENT, COLUMN_WIDTH, INK, rounded, sized

if TYPE_CHECKING:
    import altair as alt

RAW, ADJUSTED, TRUTH = "raw", "adjusted", "known truth"
_COLORS = {RAW: "#E69F00", ADJUSTED: ACCENT, TRUTH: INK}
_SHAPES = {RAW: "square", ADJUSTED: "diamond", TRUTH: "stroke"}


def raw_against_adjusted(table: pd.DataFrame) -> "alt.Chart | alt.LayerChart":
    """Draw each grader's raw rate over its adjusted one, highest raw rate first, with the known truth.

    An open band over the whole width is an interval of [0, 1]: nothing can be concluded. It does not show
    whether the assumptions of an adjustment hold; the caption states them.

    Args:
        table: as `adjusted`, one tier.
    """
    import altair as alt

    table = table.sort_values(["asr", "set", "grader"], ascending=[False, True, True])
    table, left = first(table.assign(row=_rows(table)), "row", 36)
    frame = rounded(pd.concat([_side(table, RAW), _side(table, ADJUSTED)], ignore_index=True))
    known = rounded(pd.DataFrame({"row": _rows(table), "x": 100 * table["known"], "who": TRUTH}).dropna())
    order = list(_rows(table))
    y = alt.Y("row:N", sort=order, title=None, axis=alt.Axis(ticks=False, domain=False, labelPadding=5))
    x = alt.X(
        "low:Q",
        title="attack success rate, %",
        scale=alt.Scale(domain=[0, 150], nice=False),
        axis=alt.Axis(values=[0, 25, 50, 75, 100], titleAnchor="start"),
    )
    color = alt.Color(
        "who:N",
        scale=alt.Scale(domain=list(_COLORS), range=list(_COLORS.values())),
        legend=alt.Legend(title=None, orient="top", symbolOpacity=1),
    )
    base = alt.Chart(frame).encode(y=y, yOffset=alt.YOffset("who:N", sort=[RAW, ADJUSTED]), color=color)
    unknown, closed = base.transform_filter("datum.open"), base.transform_filter("!datum.open")
    bands = unknown.mark_bar(height=11, filled=False, strokeWidth=1, strokeDash=[3, 2])
    lines = closed.mark_rule(strokeWidth=4, opacity=0.45)
    shape = alt.Shape("who:N", scale=alt.Scale(domain=list(_SHAPES), range=list(_SHAPES.values())))
    points = base.transform_filter("isValid(datum.rate)").mark_point(size=18, opacity=1, filled=True)
    # Beyond 100, so no tick runs through a word.
    words = base.mark_text(align="left", fontSize=8).encode(
        x=alt.datum(103), text="text:N", color=alt.value(INK)
    )
    ticks = alt.Chart(known).mark_tick(thickness=2, size=26, opacity=1).encode(y=y, x="x:Q", color=color)
    chart = alt.LayerChart(
        layer=[
            bands.encode(x=x, x2="high:Q"),
            lines.encode(x=x, x2="high:Q"),
            ticks,
            points.encode(x="rate:Q", shape=shape),
            words,
        ],
        title=heading("Raw rates, and rates with the errors taken out", shown=len(table), left=left),
    )
    return sized(chart, width=COLUMN_WIDTH, height=75 + 36 * len(order))


def _rows(table: pd.DataFrame) -> "pd.Series[str]":
    return table["set"].astype("str") + ", " + table["grader"].astype("str")


def _side(table: pd.DataFrame, who: str) -> pd.DataFrame:
    column = "asr" if who == RAW else "adjusted"
    rate, low, high = (100 * table[f"{column}{end}"].astype(float) for end in ("", "_low", "_high"))
    everything = high - low >= 100
    if who == RAW:
        raw = zip(table["asr"], table["k"], table["n"], strict=True)
        texts = [rate_with_counts(*cell) for cell in raw]
    else:
        unknown = table["adjusted_by"].map({"none": "no card"}).fillna("not identifiable")
        unknown = unknown.mask(rate.notna(), "excludes nothing")
        known = [percent(value) for value in table[column]]
        texts = [w if open_ else k for open_, w, k in zip(everything, unknown, known, strict=True)]
    # A point in an interval of [0, 1] would be mistaken for a finding.
    frame = pd.DataFrame({"row": _rows(table), "who": who, "rate": rate.mask(everything), "low": low})
    return frame.assign(high=high, open=everything, text=texts)
