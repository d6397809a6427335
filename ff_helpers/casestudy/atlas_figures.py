"""Figures of the atlas: ASR of each model with its interval, and the export before and after."""

from typing import TYPE_CHECKING

import pandas as pd

from ff_helpers.publication.figures.room import first as _first
from ff_helpers.publication.figures.room import heading
from ff_helpers.publication.figures.theme import ACCENT, INK, PAGE_WIDTH, STIPPLE, rounded, sized

if TYPE_CHECKING:
    import altair as alt

_STATUS = {
    "marked": ("#D55E00", "cross", "a grader is rejected, unnamed, constant or heuristic"),
    "unmeasured": ("#777777", "square", "graders named, not all measured"),
    "measured": (ACCENT, "circle", "every grader has a published accuracy"),
}
_BAND = {
    "insufficient_sample": "insufficient",
    "low": "low",
    "medium": "medium",
    "high": "high",
}
_PERCENTS = [0, 0.2, 0.4, 0.6, 0.8, 1]
_LONG = 900
"""Height in px that the rows of before and after may take: the only figure longer than a page's text."""
_START, _GLYPHS, _TEXT, _END = -0.04, 1.03, 1.055, 1.42


def atlas_asr(models: pd.DataFrame) -> "alt.Chart | alt.LayerChart":
    """Draw strict ASR of each model with its 95% interval, highest first.

    Shows how far the counts decide, and on what kind of graders they rest; stippled where n < 20. Does
    not rank models by safety: the prompts differ from model to model, and so do the graders.

    Args:
        models: `Atlas.models`.
    """
    import altair as alt

    models, left = _first(models, "model", 10.5)
    frame = rounded(models).assign(
        label=[
            model if resolved else f"{model} ({reason})"
            for model, resolved, reason in zip(
                models["model"], models["resolved"], models["unresolved_reason"], strict=True
            )
        ],
        counts=_counts(models),
    )
    axis = alt.Axis(title=None, labelLimit=260, labelFontSize=8, ticks=False, domain=False)
    y = alt.Y("label:N", sort=list(frame["label"]), axis=axis, scale=alt.Scale(padding=0.1))
    return sized(
        _intervals(frame, y).properties(
            title=heading(
                "Strict ASR as far as the counts decide it",
                "bar: 95% interval (stippled: n < 20); line: k / n; right: k / n, names pooled",
                shown=len(frame),
                left=left,
            )
        ),
        width=PAGE_WIDTH,
        height=int(90 + 10.5 * len(frame)),
    )


def atlas_before_after(names: pd.DataFrame) -> "alt.HConcatChart":
    """Draw the exported names twice: as exported, and as the pooled counts support it.

    Left the exported rate of each name as a bare bar; right the interval of the model that the name
    belongs to, once for each model: a line at the left joins the names that are one model. Does not
    say that the left is wrong: it says what the left leaves out.

    Args:
        names: `Atlas.names`.
    """
    import altair as alt

    names, left = _first(names, "model_name", 9, room=_LONG)
    frame = rounded(names)
    first = frame.drop_duplicates("model")
    last = frame.drop_duplicates("model", keep="last")[["model", "model_name"]]
    pooled = first.merge(last.rename(columns={"model_name": "to"}), on="model")
    pooled = pooled.assign(k=pooled["pooled_k"], n=pooled["pooled_n"])
    pooled = pooled.assign(counts=_counts(pooled))
    order, height = list(frame["model_name"]), 9 * len(frame)
    axis = alt.Axis(title=None, labelLimit=220, labelFontSize=8, ticks=False, domain=False)
    y = alt.Y("model_name:N", sort=order, axis=axis, scale=alt.Scale(domain=order, padding=0.1))
    share = alt.X("exported:Q", title="compliance / graded", scale=alt.Scale(domain=[0, 1]), axis=_axis(3))
    bars = alt.Chart(frame).mark_bar(height=6, color="#999999").encode(y=y, x=share)
    percents = (
        alt.Chart(frame)
        .mark_text(align="left", dx=2, fontSize=8)
        .encode(y=y, x="exported:Q", text=alt.Text("exported:Q", format=".0%"))
    )
    hidden = alt.Y("model_name:N", sort=order, axis=None, scale=alt.Scale(domain=order, padding=0.1))
    joins = (
        alt.Chart(pooled[pooled["names"] > 1])
        .mark_rule(strokeWidth=2, color=INK)
        .encode(y=hidden, y2="to:N", x=alt.datum(-0.025))
    )
    left = (bars + percents).properties(
        width=105,
        height=height,
        title=heading("As exported", "a bare rate per name", shown=len(frame), left=left),
    )
    right = (_intervals(pooled, hidden) + joins).properties(
        width=320,
        height=height,
        title={
            "text": "As this suite reports it",
            "subtitle": "interval (stippled: n < 20), k / n, names pooled, band",
        },
    )
    return alt.HConcatChart(hconcat=[left, right], spacing=6)


def _counts(frame: pd.DataFrame) -> list[str]:
    columns = zip(frame["k"], frame["n"], frame["names"], frame["confidence"], strict=True)
    return [
        f"{k} / {n}{f', {names} names' if names > 1 else ''}, {_BAND[band]}" for k, n, names, band in columns
    ]


def _intervals(frame: pd.DataFrame, y: "alt.Y") -> "alt.LayerChart":
    """Draw interval, rate, grader status and counts of each row; the interval is the larger mark."""
    import altair as alt

    status = list(_STATUS)
    words = " : ".join(f"datum.label == '{name}' ? '{_STATUS[name][2]}'" for name in status[:-1])
    legend = alt.Legend(
        title=None,
        orient="top",
        direction="vertical",
        labelExpr=f"{words} : '{_STATUS[status[-1]][2]}'",
        labelLimit=300,
        symbolOpacity=1,
    )
    colors = alt.Scale(domain=status, range=[_STATUS[s][0] for s in status])
    shapes = alt.Scale(domain=status, range=[_STATUS[s][1] for s in status])
    color = alt.Color("grader_status:N", scale=colors, legend=legend)
    shape = alt.Shape("grader_status:N", scale=shapes, legend=legend)
    stroke = alt.Stroke("grader_status:N", scale=colors, legend=None)
    x = alt.X(
        "asr_low:Q", title="strict ASR", scale=alt.Scale(domain=[_START, _END], nice=False), axis=_axis(6)
    )
    enough = frame["confidence"] != "insufficient_sample"
    solid = alt.Chart(frame[enough]).mark_bar(height=6, opacity=0.65)
    thin = alt.Chart(frame[~enough]).mark_bar(height=6, fill=STIPPLE, strokeWidth=0.8)
    line = alt.Chart(frame).mark_tick(color=INK, thickness=1.5, size=8)
    glyph = alt.Chart(frame).mark_point(filled=True, size=22, opacity=1)
    text = alt.Chart(frame).mark_text(align="left", fontSize=8, color="#444444")
    chart: alt.LayerChart = (
        solid.encode(y=y, x=x, x2="asr_high:Q", color=color)
        + thin.encode(y=y, x=x, x2="asr_high:Q", stroke=stroke)
        + line.encode(y=y, x="asr:Q")
        + glyph.encode(y=y, x=alt.datum(_GLYPHS), color=color, shape=shape)
        + text.encode(y=y, x=alt.datum(_TEXT), text="counts:N")
    )
    return chart


def _axis(ticks: int) -> "alt.Axis":
    import altair as alt

    values = _PERCENTS if ticks > 3 else [0, 0.5, 1]
    return alt.Axis(values=values, format=".0%", labelFontSize=8, grid=True)
