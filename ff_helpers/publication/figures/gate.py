"""Figures of the gate: which graders pass which rule, and what each rule lets through."""

from typing import Literal

import altair as alt
import pandas as pd

from ff_helpers.measurement.calibration.gate import DEFAULT, Thresholds
from ff_helpers.publication.figures import blocks, theme

_TITLE = "Accuracy of graders, and both rules of the gate"
_RULES = {"published": "#D55E00", "ours": theme.ACCENT}


def calibration_forest(
    table: pd.DataFrame, thresholds: Thresholds = DEFAULT, *, width: int = theme.COLUMN_WIDTH
) -> alt.Chart | alt.LayerChart:
    """Show accuracy with Wilson interval, one row per grader and set, sorted, and what both rules require.

    The published rule requires the point to reach the line; ours requires the whole interval to do so, and
    the grader to beat the dark tick: what always answering the majority class gives. The interval is pale
    below the line. Colour and shape are the gate's state. Hollow below 20 traces. `relaxed`: more than one
    label was accepted as right, so such a row cannot be compared with an exact one. It does not show that a
    grader is as accurate on traces outside its set.

        Args:
            table: as `cards_table` or `published_calibration`: grader, set, n, accuracy with bounds, gate;
                majority and accuracy_kind where known.
            thresholds: the gate's, for the lines.
            width: of a column of a paper, or PAGE_WIDTH: then each name is one line.
    """
    point_bar, low_bar = thresholds.published_accuracy, thresholds.accuracy_low
    rows, left = blocks.first(_forest_rows(table), "label", 30 if width == theme.COLUMN_WIDTH else 18)
    rows = rows.assign(above=lambda t: t["accuracy_low"].clip(lower=low_bar))
    lines = width == theme.COLUMN_WIDTH
    label = "slice(split(datum.label, '|'), 1)"
    label = label if lines else f"join({label}, ' on ')"
    names = alt.Axis(labelExpr=label, labelLimit=190 if lines else 360)
    color, shape = blocks.marks("gate:N", theme.LOOKS["gate"])
    x = alt.X(
        "accuracy_low:Q",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5),
        title="accuracy",
    )
    base = blocks.by_row(rows, "label", names)
    pale = base.mark_rule(strokeWidth=4, opacity=0.4).encode(x=x, x2=alt.X2("accuracy_high:Q"), color=color)
    reaching = base.transform_filter(f"datum.accuracy_high > {low_bar}").mark_rule(strokeWidth=4)
    baseline = base.mark_tick(color=theme.INK, thickness=2, size=18, opacity=0.8)
    fill = alt.condition("datum.n < 20", alt.value("white"), color)
    point = base.mark_point(size=40, opacity=1, strokeWidth=1.5)
    where = f"{100 * low_bar:g}%" if low_bar != point_bar else "it"
    told = [
        f"published rule: the point reaches the dashed {100 * point_bar:g}%",
        f"ours: the whole interval reaches {where} (pale where it does not)",
    ]
    if rows["majority"].notna().any():
        told[1:] = [told[1] + ",", "and beats the dark tick: always answering the majority"]
    return blocks.layered(
        blocks.line_at(sorted({point_bar, low_bar})),
        pale,
        reaching.encode(x=alt.X("above:Q"), x2=alt.X2("accuracy_high:Q"), color=color),
        baseline.encode(x=alt.X("majority:Q")),
        point.encode(x=alt.X("accuracy:Q"), shape=shape, stroke=color, fill=fill),
        title=blocks.heading(_TITLE, *told, shown=len(rows), left=left),
        width=width,
        height=95 + (30 if lines else 16) * len(rows),
    )


def gate_power(power: pd.DataFrame) -> alt.Chart | alt.LayerChart:
    """Show how often a grader of a given true accuracy passes: the published rule, and ours at two sizes.

    Size and accuracy criteria alone. It does not show what kappa, recall and the majority grader, which come
    on top under our rule, turn down.

    Args:
        power: as `measurement.calibration.gate.power_table`.
    """
    sides = _curves(power)
    shown = power[[pair in sides for pair in zip(power["rule"], power["n"], strict=True)]]
    named = shown.assign(curve=[f"{r}, n = {n}" for r, n in zip(shown["rule"], shown["n"], strict=True)])
    color = alt.Color("rule:N", scale=blocks.mapped(_RULES), legend=None)
    axis = alt.Axis(format="%", tickCount=5)
    x = alt.X("accuracy:Q", scale=alt.Scale(domain=[0.4, 1]), axis=axis, title="true accuracy of the grader")
    y = alt.Y("chance:Q", scale=alt.Scale(domain=[0, 1]), axis=axis, title="chance of passing")
    dashed = alt.condition(f"datum.n == {max(n for _, n in sides)}", alt.value([5, 2]), alt.value([1, 0]))
    curves = alt.Chart(theme.rounded(named)).mark_line()
    bars = sorted(set(power["threshold"]))
    edges = alt.Chart(pd.DataFrame({"accuracy": bars})).mark_rule(strokeDash=[2, 3], color="#999999")
    labels: list[alt.Chart] = []
    for (rule, n), (height, align) in sides.items():
        curve = named[(named["rule"] == rule) & (named["n"] == n)]
        place = curve.loc[[(curve["chance"] - height).abs().idxmin()]]
        side: Literal["left", "right"] = "left" if place["accuracy"].iloc[0] < 0.6 else align  # no room there
        spot, shift = alt.Chart(theme.rounded(place)), 7 if side == "left" else -7
        halo = spot.mark_text(align=side, dx=shift, stroke="white", strokeWidth=4)
        words = spot.mark_text(align=side, dx=shift).encode(color=color)
        labels += [mark.encode(x=x, y=y, text=alt.Text("curve:N")) for mark in (halo, words)]
    title = alt.TitleParams(
        "What each rule lets through",
        subtitle=f"dotted: the {' and '.join(f'{100 * bar:g}%' for bar in bars)} that the rules require",
    )
    drawn = curves.encode(x=x, y=y, color=color, detail=alt.Detail("n:N"), strokeDash=dashed)
    return blocks.layered(edges.encode(x=x), drawn, *labels, title=title, height=230)


def _forest_rows(table: pd.DataFrame) -> pd.DataFrame:
    rows = table.assign(majority=table.get("majority"), kind=table.get("accuracy_kind", "exact"))
    labels = []
    for place, row in enumerate(rows.itertuples()):
        who, on = theme.cut(blocks.one_piece(row.grader), 32), theme.cut(blocks.one_piece(row.set), 28)
        relaxed = " (relaxed)" if str(row.kind).startswith("relaxed") else ""
        # Names may be cut to the same letters: the place keeps the rows apart.
        labels.append(f"{place}|{who}{relaxed}|{on}, n = {row.n}: {row.gate}")
    rows["label"] = labels
    columns = ["label", "n", "accuracy", "accuracy_low", "accuracy_high", "majority", "gate"]
    return rows[columns].sort_values("accuracy", ascending=False, kind="stable")


def _curves(power: pd.DataFrame) -> dict[tuple[str, int], tuple[float, Literal["left", "right"]]]:
    """Return the curves to draw, each with the height and side of its label."""
    sizes = {rule: sorted(set(curve["n"])) for rule, curve in power.groupby("rule")}
    return {
        ("published", sizes["published"][0]): (0.5, "right"),
        ("ours", sizes["ours"][0]): (0.4, "left"),
        ("ours", sizes["ours"][-1]): (0.12, "right"),
    }
