"""Figures of the record: the crescendo correction, and the exported models before and after pooling."""

import math

import altair as alt
import pandas as pd

from ff_helpers.casestudy.crescendo_regrade import Crescendo
from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.publication.figures import blocks, theme
from ff_helpers.publication.figures.forest import forest, lines
from ff_helpers.publication.figures.regrade import BEFORE
from ff_helpers.terms import VERDICTS

_LABELS = 8
_MEANING = (
    "datum.label == 'marked' ? 'a grader is rejected, unnamed, constant or heuristic'"
    " : datum.label == 'unmeasured' ? 'graders named, not all measured'"
    " : 'every grader has a published accuracy'"
)
"""What the legend says of each status, as a Vega expression."""
_LONG = 900
"""Height in px that the rows of before and after may take: the only figure longer than a page's text."""
_START, _GLYPHS, _TEXT, _END = -0.04, 1.03, 1.055, 1.42


def crescendo_correction(result: Crescendo) -> alt.Chart | alt.LayerChart:
    """Draw strict and broad ASR under the old and the new labels, in every denominator.

    Circles are the contaminated labels, diamonds the corrected ones, bars their Wilson
    intervals. The rows `as printed` have no interval: their two figures are over two sets of rows
    (see the table). It does not show that the new labels are right: who gave which is not published.
    """
    looks = {"contaminated": (BEFORE, "circle"), "corrected": (theme.ACCENT, "diamond")}
    said = "One regrade, every denominator"
    return forest(_correction_rows(result), looks, title="attack success rate, %", heading=said, small=0)


def crescendo_transitions(transitions: pd.DataFrame) -> alt.Chart | alt.LayerChart:
    """Draw every row as a line from its old label to its new one.

    Lines keep the colour and the dash of the new label; the number at each end counts the lines. It shows
    how many rows moved, not which: rows are published only as counts of a pair of labels. The rarest labels
    beyond eight of a side are grouped as `other labels`.
    """
    transitions, left = _common(transitions)
    moves, ends = _slots(transitions)
    x = alt.X(
        "side:N",
        sort=["contaminated", "corrected"],
        title=None,
        axis=alt.Axis(orient="top", labelAngle=0, labelFontWeight="bold", domain=False, ticks=False),
        scale=alt.Scale(padding=0.62),
    )
    y = alt.Y("slot:Q", axis=None, scale=alt.Scale(reverse=True, nice=False, padding=6))
    labels = list(dict.fromkeys(moves["new"]))
    looks = {label: theme.VERDICT_LOOKS.get(label, ("#777777", [2, 2])) for label in labels}
    colors = blocks.mapped({label: color for label, (color, _) in looks.items()})
    dashes = blocks.mapped({label: dash for label, (_, dash) in looks.items()})
    strokes = alt.Chart(moves).mark_line(strokeWidth=min(3.0, 260 / max(1, len(moves))), opacity=0.75)
    before = alt.Chart(ends[ends["side"] == "contaminated"]).mark_text(align="right", dx=-7, lineBreak="|")
    after = alt.Chart(ends[ends["side"] == "corrected"]).mark_text(align="left", dx=7, lineBreak="|")
    return blocks.layered(
        strokes.encode(
            x=x,
            y=y,
            detail=alt.Detail("line:N"),
            color=alt.Color("new:N", scale=colors, legend=None),
            strokeDash=alt.StrokeDash("new:N", scale=dashes, legend=None),
        ),
        before.encode(x=x, y=y, text=alt.Text("text:N")),
        after.encode(x=x, y=y, text=alt.Text("text:N")),
        title=blocks.heading("Which label became which, trace by trace", shown=len(moves), left=left),
        height=315,
    )


def _correction_rows(result: Crescendo) -> pd.DataFrame:
    """Return one row per tier, denominator and set of labels, the printed figures after each tier's."""
    rates, printed = result.rates, result.aggregates.rename(columns={"labels": "who", "rows": "n"})
    row = rates["tier"] + ", of " + rates["denominator"]
    computed = lines(rates, "asr", row=row, who=rates["labels"]).assign(tier=rates["tier"])
    printed = printed.rename(columns={"printed": "rate"}).assign(low=math.nan, high=math.nan)
    cells = zip(printed["rate"], printed["n"], strict=True)
    printed["row"] = printed["tier"] + ", as printed"
    printed["text"] = [f"{percent(rate)} ({n} rows)" for rate, n in cells]
    parts = [t[t["tier"] == tier] for tier in ("strict", "broad") for t in (computed, printed)]
    return pd.concat(parts, ignore_index=True)


def _slots(transitions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Stack the rows by label on either side, a gap between labels; return line ends and label texts."""
    order = [*VERDICTS, *sorted({*transitions["old"], *transitions["new"]} - set(VERDICTS))]
    place = {label: i for i, label in enumerate(order)}
    rows = transitions.loc[transitions.index.repeat(transitions["rows"]), ["old", "new"]]
    rows = rows.reset_index(drop=True).rename_axis("line").reset_index()
    lines, ends = [], []
    for side, label, other in (("contaminated", "old", "new"), ("corrected", "new", "old")):
        ranked = rows.sort_values([label, other], key=lambda labels: labels.map(place), ignore_index=True)
        gaps = (ranked[label] != ranked[label].shift()).cumsum()
        ranked = ranked.assign(side=side, slot=ranked.index + 1.2 * gaps)
        lines.append(ranked[["line", "side", "slot", "new"]])
        for name, slots in ranked.groupby(label, sort=False)["slot"]:
            words = blocks.one_piece(name).replace("_", "|" if len(str(name)) > 14 else " ")
            words = "|".join(theme.cut(word, 13) for word in words.split("|"))
            ends.append((side, slots.mean(), f"{words} {len(slots)}"))
    texts = pd.DataFrame(ends, columns=["side", "slot", "text"])
    return theme.rounded(pd.concat(lines, ignore_index=True)), theme.rounded(texts)


def _common(transitions: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Put the rarest labels of either side together; return the pairs, and how many labels that is."""
    left: set[str] = set()
    renamed = transitions[["old", "new", "rows"]].copy()
    for side in ("old", "new"):
        counts = transitions.groupby(side)["rows"].sum().sort_values(ascending=False, kind="stable")
        rare = set(counts.index[_LABELS:])
        left |= rare
        renamed[side] = renamed[side].where(~renamed[side].isin(rare), "other labels")
    merged = renamed.groupby(["old", "new"], sort=False)["rows"].sum().reset_index()
    return merged, len(left)


def atlas_asr(models: pd.DataFrame) -> alt.Chart | alt.LayerChart:
    """Draw strict ASR of each model with its 95% interval, highest first.

    Shows how far the counts decide, and on what kind of graders they rest; stippled where n < 20. Does
    not rank models by safety: the prompts differ from model to model, and so do the graders.

    Args:
        models: `Atlas.models`.
    """
    models, left = blocks.first(models, "model", 10.5)
    reasons = " (" + models["unresolved_reason"].astype("str") + ")"
    label = models["model"] + reasons.mask(models["resolved"], "")
    frame = theme.rounded(models).assign(label=label, counts=_counts(models))
    axis = alt.Axis(title=None, labelLimit=260, labelFontSize=8, ticks=False, domain=False)
    y = alt.Y("label:N", sort=list(frame["label"]), axis=axis, scale=alt.Scale(padding=0.1))
    title = blocks.heading(
        "Strict ASR as far as the counts decide it",
        "bar: 95% interval (stippled: n < 20); line: k / n; right: k / n, names pooled",
        shown=len(frame),
        left=left,
    )
    chart = _intervals(frame, y).properties(title=title)
    return theme.sized(chart, width=theme.PAGE_WIDTH, height=int(90 + 10.5 * len(frame)))


def atlas_before_after(names: pd.DataFrame) -> alt.HConcatChart:
    """Draw the exported names twice: as exported, and as the pooled counts support it.

    Left the exported rate of each name as a bare bar; right the interval of the model that the name
    belongs to, once for each model: a line at the left joins the names that are one model. Does not
    say that the left is wrong: it says what the left leaves out.

    Args:
        names: `Atlas.names`.
    """
    names, left = blocks.first(names, "model_name", 9, room=_LONG)
    frame = theme.rounded(names)
    last = frame.drop_duplicates("model", keep="last").set_index("model")["model_name"]
    pooled = frame.drop_duplicates("model").assign(k=lambda t: t["pooled_k"], n=lambda t: t["pooled_n"])
    pooled = pooled.assign(to=pooled["model"].map(last), counts=_counts(pooled))
    axis = alt.Axis(title=None, labelLimit=220, labelFontSize=8, ticks=False, domain=False)
    order = list(frame["model_name"])
    y = alt.Y("model_name:N", sort=order, axis=axis, scale=alt.Scale(domain=order, padding=0.1))
    share = alt.X(
        "exported:Q",
        title="compliance / graded",
        scale=alt.Scale(domain=[0, 1]),
        axis=_axis([0, 0.5, 1]),
    )
    bars = alt.Chart(frame).mark_bar(height=6, color="#999999").encode(y=y, x=share)
    percents = alt.Chart(frame).mark_text(align="left", dx=2, fontSize=8)
    text = alt.Text("exported:Q", format=".0%")
    hidden = y.copy().axis(None)
    joins = alt.Chart(pooled[pooled["names"] > 1]).mark_rule(strokeWidth=2, color=theme.INK)
    one = (bars + percents.encode(y=y, x=alt.X("exported:Q"), text=text)).properties(
        width=105,
        height=9 * len(frame),
        title=blocks.heading("As exported", "a bare rate per name", shown=len(frame), left=left),
    )
    other = (
        _intervals(pooled, hidden) + joins.encode(y=hidden, y2=alt.Y2("to:N"), x=alt.datum(-0.025))
    ).properties(
        width=320,
        height=9 * len(frame),
        title=alt.TitleParams(
            "As this suite reports it",
            subtitle="interval (stippled: n < 20), k / n, names pooled, band",
        ),
    )
    return alt.HConcatChart(hconcat=[one, other], spacing=6)


def _counts(frame: pd.DataFrame) -> list[str]:
    bands = frame["confidence"].str.removesuffix("_sample")
    columns = zip(frame["k"], frame["n"], frame["names"], bands, strict=True)
    return [f"{k} / {n}{f', {names} names' if names > 1 else ''}, {band}" for k, n, names, band in columns]


def _intervals(frame: pd.DataFrame, y: alt.Y) -> alt.LayerChart:
    """Draw interval, rate, grader status and counts of each row; the interval is the larger mark."""
    legend = alt.Legend(
        title=None,
        orient="top",
        direction="vertical",
        labelExpr=_MEANING,
        labelLimit=300,
        symbolOpacity=1,
    )
    color, shape = blocks.marks("grader_status:N", theme.LOOKS["exported"], legend)
    colors = blocks.mapped({status: color for status, (color, _) in theme.LOOKS["exported"].items()})
    stroke = alt.Stroke("grader_status:N", scale=colors, legend=None)
    x = alt.X(
        "asr_low:Q",
        title="strict ASR",
        scale=alt.Scale(domain=[_START, _END], nice=False),
        axis=_axis([0, 0.2, 0.4, 0.6, 0.8, 1]),
    )
    enough = frame["confidence"] != "insufficient_sample"
    solid = alt.Chart(frame[enough]).mark_bar(height=6, opacity=0.65)
    thin = alt.Chart(frame[~enough]).mark_bar(height=6, fill=theme.STIPPLE, strokeWidth=0.8)
    line = alt.Chart(frame).mark_tick(color=theme.INK, thickness=1.5, size=8)
    glyph = alt.Chart(frame).mark_point(filled=True, size=22, opacity=1)
    text = alt.Chart(frame).mark_text(align="left", fontSize=8, color="#444444")
    chart: alt.LayerChart = (
        solid.encode(y=y, x=x, x2=alt.X2("asr_high:Q"), color=color)
        + thin.encode(y=y, x=x, x2=alt.X2("asr_high:Q"), stroke=stroke)
        + line.encode(y=y, x=alt.X("asr:Q"))
        + glyph.encode(y=y, x=alt.datum(_GLYPHS), color=color, shape=shape)
        + text.encode(y=y, x=alt.datum(_TEXT), text=alt.Text("counts:N"))
    )
    return chart


def _axis(values: list[float]) -> alt.Axis:
    return alt.Axis(values=values, format=".0%", labelFontSize=8, grid=True)
