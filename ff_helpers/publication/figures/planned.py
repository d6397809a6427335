"""How narrow an interval gets with more labels, by how they are drawn."""

from typing import Final

import altair as alt
import pandas as pd

from ff_helpers.measurement.sampling.plan import ALONE, BEST, HALF, RANDOM
from ff_helpers.publication.figures import blocks, theme

GAP: Final = 0.075
"""Least distance of two labels, as a share of the height."""
WORDS: Final = 0.75
"""Room for labels beside the lines, as a share of their length."""

_LOOKS: Final = {
    ALONE: ("#777777", "square"),
    RANDOM: ("#D55E00", "diamond"),
    HALF: ("#009E73", "triangle-up"),
    BEST: ("#0072B2", "circle"),
}


def label_plan(table: pd.DataFrame, *, half_width: float | None = None) -> alt.Chart | alt.LayerChart:
    """Draw the expected half-width of the 95% interval against the number of labels, one line per design.

    A line that lies lower needs fewer labels. It does not show how far a single sample may be from what is
    expected of it, nor whether the expected rate, sensitivity and specificity are right.

    Args:
        table: as `plan_labels`: design, to_label, half_width.
        half_width: what is wanted, in (0, 0.5), as a dashed line; None: no line.
    """
    rows = table.assign(points=100 * table["half_width"])
    last, top = (float(rows[name].max()) if len(rows) else 1.0 for name in ("to_label", "points"))
    top *= 1.08
    ticks = alt.Axis(format=",d", values=_ticks(last), grid=False, titleAnchor="start")
    x = alt.X(
        "to_label:Q",
        title="labels",
        axis=ticks,
        scale=alt.Scale(domain=[0, (1 + WORDS) * last], nice=False),
    )
    y = alt.Y("points:Q", title="expected half-width, points", scale=alt.Scale(domain=[0, top], nice=False))
    color, shape = blocks.marks("design:N", _LOOKS)
    base = alt.Chart(theme.rounded(rows[["design", "to_label", "points"]])).encode(x=x, y=y, color=color)
    beside = alt.Chart(theme.rounded(_labels(rows, top)))
    halo = beside.mark_text(align="left", dx=8, fontSize=9, stroke="white", strokeWidth=4)
    words = beside.mark_text(align="left", dx=8, fontSize=9).encode(color=color)
    layers = [
        base.mark_line(strokeWidth=1.8),
        base.mark_point(filled=True, size=28, opacity=1).encode(shape=shape),
        *(mark.encode(x=x, y=alt.Y("place:Q"), text=alt.Text("design:N")) for mark in (halo, words)),
    ]
    told = ["half the width that a 95% interval can be expected to have"]
    if half_width is not None:
        wanted = alt.Chart(pd.DataFrame({"points": [round(100 * half_width, 6)], "from": [0], "to": [last]}))
        line = wanted.mark_rule(strokeDash=[3, 3], color=theme.INK)
        layers.append(line.encode(x=alt.X("from:Q"), x2=alt.X2("to:Q"), y=y))
        told.append(f"dashed: the {100 * half_width:g} points that are wanted")
    title = blocks.heading("What more labels would buy", *told, shown=len(rows))
    return blocks.layered(*layers, title=title, height=250)


def _ticks(last: float) -> list[float]:
    """Return up to five round numbers of labels, none beyond the last."""
    import numpy as np

    step = 10 ** np.floor(np.log10(last))
    wide = next(part * step for part in (0.1, 0.2, 0.25, 0.5, 1.0) if last / (part * step) <= 5)
    return [float(tick) for tick in np.arange(0, last + 1, wide)]


def _labels(rows: pd.DataFrame, top: float) -> pd.DataFrame:
    """Return each design beside the end of its line, moved up where it would touch the one below."""
    ends = rows[rows["to_label"] == rows.groupby("design")["to_label"].transform("max")]
    ends = ends.sort_values("points", kind="stable")
    places: list[float] = []
    for points in ends["points"]:
        places.append(max(points, places[-1] + GAP * top) if places else points)
    return ends.assign(place=places)[["design", "to_label", "place"]]
