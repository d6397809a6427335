"""A caterpillar of draws: which intervals hold what all the labels say, and which miss it."""

from typing import Final

import altair as alt
import pandas as pd

from ff_helpers.publication.figures import blocks, theme

_SIDES: Final = {"drawn": ("verdicts taken as true", "#9A9A9A"), "adjusted": ("with labels", "#00487A")}
_MISSED: Final = "#D55E00"
_HEIGHT, _WIDTH = 150, 132


def caterpillar(table: pd.DataFrame) -> alt.ConcatChart:
    """Draw the interval of every draw as a line: at the left without labels, at the right with them.

    The upright line is the rate of all labels. Lines that miss it are red, and counted above. It does not
    show what happens where labels are wrong, or were not drawn at random.

    Args:
        table: as `hidden_labels`.
    """
    one = table.groupby("grader", sort=False).first()
    off = (one["asr"] - one["known"]).abs().sort_values(kind="stable")
    graders, left = blocks.first(pd.DataFrame({"grader": list(off.index)}), "grader", _HEIGHT + 70)
    panels = [
        _panel(table[table["grader"] == grader], side, last=place == len(graders) - 1)
        for place, grader in enumerate(graders["grader"])
        for side in _SIDES
    ]
    draws, labels = int(table["draw"].nunique()), max(table["labels_used"], default=0)
    told = [
        f"{draws} draws of {labels} traces; a line is a 95% interval",
        "upright: the rate of all labels; red: misses it",
    ]
    title = blocks.heading("What a draw of labels is worth", *told, shown=len(panels), left=left)
    return blocks.grid(panels, columns=2, spacing=14, title=title)


def _panel(rows: pd.DataFrame, side: str, *, last: bool) -> alt.LayerChart:
    words, held = _SIDES[side]
    rows = rows.sort_values([side, f"{side}_low", "draw"], kind="stable").reset_index(drop=True)
    low, high, known = rows[f"{side}_low"], rows[f"{side}_high"], float(rows["known"].iloc[0])
    missed = (high < known) | (known < low)
    lines = pd.DataFrame({"low": 100 * low, "high": 100 * high, "place": rows.index, "missed": missed})
    ticks = alt.Axis(values=[0, 25, 50, 75, 100], labels=last, titleAnchor="start", grid=True)
    scale = alt.Scale(domain=[0, 100])
    x = alt.X("low:Q", title="attack success rate, %" if last else None, scale=scale, axis=ticks)
    y = alt.Y("place:Q", axis=None, scale=alt.Scale(domain=[-2, len(rows) + 1], nice=False))
    base = alt.Chart(theme.rounded(lines)).encode(x=x, x2=alt.X2("high:Q"), y=y)
    quiet = base.transform_filter("!datum.missed").mark_rule(color=held, strokeWidth=0.7, opacity=0.75)
    loud = base.transform_filter("datum.missed").mark_rule(color=_MISSED, strokeWidth=0.9, opacity=1)
    truth = alt.Chart(pd.DataFrame({"x": [round(100 * known, 6)]})).mark_rule(
        color=theme.INK, strokeWidth=1.4
    )
    title = alt.TitleParams(
        theme.cut(str(rows["grader"].iloc[0]), 24),
        subtitle=[words, f"{int(missed.sum())} of {len(rows)} miss"],
        fontSize=9,
        anchor="start",
        limit=_WIDTH + 8,
    )
    layers = alt.LayerChart(layer=[quiet, loud, truth.encode(x=alt.X("x:Q"))], title=title)
    return layers.properties(width=_WIDTH, height=_HEIGHT)
