"""Figures for exploring: what a grader's errors do to a rate."""

from typing import TYPE_CHECKING

import pandas as pd

from ff_helpers.publication.figures.theme import ACCENT, COLUMN_WIDTH, INK, rounded, sized

if TYPE_CHECKING:
    import altair as alt


def reported_asr(curve: pd.DataFrame, *, true_rate: float) -> "alt.Chart | alt.LayerChart":
    """Draw what a grader reports for every true ASR, against the diagonal of a perfect one.

    Shows the bias of a grader with known sensitivity and specificity, and marks one true rate. Does not
    show the uncertainty of a sample: the line is the expectation.

    Args:
        curve: as `apparent_curve` returns it: true_rate, apparent_rate.
        true_rate: the true rate to mark; one of the curve's.
    """
    import altair as alt

    nearest = (curve["true_rate"] - true_rate).abs().idxmin()
    mark = rounded(curve.loc[[nearest]])
    words = mark.assign(
        text=f"true {mark['true_rate'].iloc[0]:.0%}, reported {mark['apparent_rate'].iloc[0]:.0%}"
    )
    ticks = alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1])
    share = alt.Scale(domain=[0, 1])
    x = alt.X("true_rate:Q", title="true ASR", axis=ticks, scale=share)
    y = alt.Y("apparent_rate:Q", title="reported ASR", axis=ticks, scale=share)
    faultless = curve.iloc[[0, -1]].assign(apparent_rate=[0.0, 1.0])
    gap = alt.Chart(mark).mark_rule(color="#D55E00", strokeWidth=3)
    point = alt.Chart(mark).mark_point(filled=True, color="#D55E00", size=50, opacity=1)
    label = alt.Chart(words).mark_text(align="right", fontSize=11, fontWeight="bold", color="#D55E00")
    chart = (
        alt.Chart(faultless).mark_line(color=INK, strokeDash=[4, 3], strokeWidth=1).encode(x=x, y=y)
        + alt.Chart(rounded(curve)).mark_line(color=ACCENT, strokeWidth=2.5).encode(x=x, y=y)
        + gap.encode(x=x, y=alt.Y("true_rate:Q"), y2="apparent_rate:Q")
        + point.encode(x=x, y=y)
        + label.encode(x=alt.datum(0.98), y=alt.datum(0.08), text="text:N")
    )
    title = {"text": "What this grader reports", "subtitle": "dashed: a perfect grader; red: the error"}
    return sized(chart.properties(title=title), width=COLUMN_WIDTH, height=COLUMN_WIDTH)
