"""Is a grader as right as it was? The accuracy of each period's labels in one control chart."""

from typing import Final

import altair as alt
import pandas as pd

from ff_helpers.publication.figures import blocks, theme

EARLIER, NEW, BELOW = "earlier labels", "new labels", "below its limit"
_LOOKS: Final = {EARLIER: ("#777777", "circle"), NEW: (theme.ACCENT, "square"), BELOW: ("#D55E00", "diamond")}
_HEIGHT, _WORDS, _WIDTH = 110, 26, theme.COLUMN_WIDTH - 62
_PERIODS: Final = 16
"""Periods that fit; the latest ones are drawn."""


def control_chart(table: pd.DataFrame) -> alt.ConcatChart:
    """Draw each period's accuracy with its interval, over the limits that the earlier labels set.

    A point below the grey band fell by more than chance explains (a p chart with exact limits at three
    sigma). It does not show whether the traces changed or the grader, nor a slow decline within the band.

    Args:
        table: as `adjustment.watch.periods`, one below the other for each grader, with a column grader.
    """
    rows = table[table["labels"] > 0]
    names, left = blocks.first(rows.drop_duplicates("grader"), "grader", _HEIGHT + 90)
    panels = [_panel(rows[rows["grader"] == name]) for name in names["grader"]]
    told = [
        "accuracy against people's labels, 95% intervals; blue: the newest",
        "grey: its limits; line: all earlier labels; red: below the limit",
    ]
    title = blocks.heading("Is the grader as right as it was?", *told, shown=len(panels), left=left)
    return blocks.grid(panels, columns=1, spacing=18, title=title)


def _panel(rows: pd.DataFrame) -> alt.LayerChart:
    shown = rows.tail(_PERIODS).reset_index(drop=True)
    kind = pd.Series(EARLIER, shown.index)
    kind[shown.index == len(shown) - 1] = NEW
    shown = shown.assign(kind=kind.where(~shown["out"].astype(bool), BELOW))
    # The place keeps two files of one name apart.
    shown["place"] = [
        f"{i:02d}|{theme.cut(name.removesuffix('.csv'), 18)}" for i, name in enumerate(shown["period"])
    ]
    shares = ["accuracy", "low", "high", "centre", "limit_low", "limit_high"]
    shown[shares] = 100 * shown[shares].astype(float)
    shown["text"] = [f"{a:.0f}%|n={n}" for a, n in zip(shown["accuracy"], shown["labels"], strict=True)]
    bottom = max(0.0, 10 * (float(shown[["low", "limit_low"]].min().min()) // 10))
    kept = shown[["place", "kind", "text", *shares]]
    known = kept[kept["limit_low"].notna()]
    x = alt.X(
        "place:N",
        title=None,
        sort=list(kept["place"]),
        scale=alt.Scale(paddingOuter=0.3),
        axis=alt.Axis(
            labelExpr="split(datum.label, '|')[1]", labelAngle=0 if len(kept) < 5 else -40, ticks=False
        ),
    )
    # Every mark has the scale: a bar would begin at 0.
    scale = alt.Scale(domain=[bottom - (100 - bottom) * _WORDS / _HEIGHT, 100], nice=False, zero=False)
    axis = alt.Axis(values=list(range(int(bottom), 101, 10 if bottom >= 40 else 20)), titleAnchor="start")
    y = {name: alt.Y(f"{name}:Q", title="accuracy, %", scale=scale, axis=axis) for name in shares}
    color, shape = blocks.marks("kind:N", _LOOKS)
    base, limits = alt.Chart(theme.rounded(kept)).encode(x=x), alt.Chart(theme.rounded(known)).encode(x=x)
    band = limits.mark_bar(color="#E4E4E4", width=alt.RelativeBandSize(0.92))
    words = base.mark_text(baseline="bottom", fontSize=8, lineBreak="|", lineHeight=9)
    layers = [
        band.encode(y=y["limit_low"], y2=alt.Y2("limit_high:Q")),
        limits.mark_tick(color=theme.INK, thickness=1).encode(y=y["centre"]),
        base.mark_rule(strokeWidth=3, opacity=0.5).encode(y=y["low"], y2=alt.Y2("high:Q"), color=color),
        base.mark_point(filled=True, size=45, opacity=1).encode(y=y["accuracy"], color=color, shape=shape),
        words.encode(y=alt.value(_HEIGHT + _WORDS - 14), text=alt.Text("text:N")),
    ]
    title = alt.TitleParams(theme.cut(str(shown["grader"].iloc[0]), 48), fontSize=9, anchor="start")
    return alt.LayerChart(layer=layers, title=title).properties(width=_WIDTH, height=_HEIGHT + _WORDS)
