"""The blocks that figures are built of: rows that fit a page, headings, scales, lines, panels.

A page limits how many rows a figure has and how long a name is; the table next to it has all of both.
"""

from collections.abc import Hashable, Mapping, Sequence

import altair as alt
import pandas as pd

from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.publication.figures.theme import COLUMN_WIDTH, INK, rounded, sized
from ff_helpers.terms import NOT_DETERMINABLE

ROOM = 730
"""Height in px for the rows of a figure: a page of 9 in without title, axis and caption."""
LINES = 12
"""Lines that one row may have, each with its own mark."""


def first(frame: pd.DataFrame, by: str, step: float, *, room: int = ROOM) -> tuple[pd.DataFrame, int]:
    """Return the rows of the first things in `by` that fit, and how many things are left out.

    Args:
        frame: in the order of drawing.
        by: the column that names what takes a row of the figure.
        step: height of a row in px.
        room: height of all rows in px.
    """
    names: list[Hashable] = list(dict.fromkeys(frame[by]))
    kept = names[: max(1, int(room // step))]
    return frame[frame[by].isin(kept)], len(names) - len(kept)


def heading(title: str, *lines: str, shown: int, left: int = 0) -> alt.TitleParams:
    """Return a title over its lines, which also says when nothing is shown, or how much does not fit.

    Args:
        title: what the figure shows.
        lines: how to read it.
        shown: rows that are drawn.
        left: things that are not.
    """
    more = [f"and {left} more: see the table"] if left else []
    text = title if shown else f"{title}: nothing to show"
    return alt.TitleParams(text, subtitle=[*lines, *more]) if lines or more else alt.TitleParams(text)


def one_piece(name: object) -> str:
    """Return a name without the character at which labels are split into lines."""
    return str(name).replace("|", "¦")


def spaced(names: "pd.Series[str]") -> "pd.Series[str]":
    """Return names as words."""
    return names.str.replace("_", " ")


def rate_with_counts(rate: float, k: float, n: float) -> str:
    """Return `65.0 (13/20)`; in words where the grader does not decide it."""
    if pd.isna(k):
        return NOT_DETERMINABLE
    return f"{percent(rate)} ({k:.0f}/{n:.0f})"


def counted(frame: pd.DataFrame, rate: str = "rate") -> list[str]:
    """Return each rate of a frame with its k and n: `65.0 (13/20)`."""
    return [rate_with_counts(*cell) for cell in zip(frame[rate], frame["k"], frame["n"], strict=True)]


def mapped(looks: Mapping[str, str] | Mapping[str, list[int]]) -> alt.Scale:
    """Return the scale that gives each name its colour, shape or dashes."""
    return alt.Scale(domain=list(looks), range=list(looks.values()))


def marks(
    field: str, looks: Mapping[str, tuple[str, str]], legend: alt.Legend | None = None
) -> tuple[alt.Color, alt.Shape]:
    """Return what gives each name in a field its colour and its shape, under one legend."""
    colors = mapped({name: color for name, (color, _) in looks.items()})
    shapes = mapped({name: shape for name, (_, shape) in looks.items()})
    return alt.Color(field, scale=colors, legend=legend), alt.Shape(field, scale=shapes, legend=legend)


def by_row(frame: pd.DataFrame, name: str, axis: alt.Axis) -> alt.Chart:
    """Return a chart with a row for each thing in a column, in the order of the frame."""
    y = alt.Y(f"{name}:N", sort=list(dict.fromkeys(frame[name])), title=None, axis=axis)
    chart: alt.Chart = alt.Chart(rounded(frame)).encode(y=y)
    return chart


def percents(field: str, title: str, *, top: float, step: int = 20) -> alt.X:
    """Return an axis from 0 to `top` percent with ticks up to 100: beyond, words have room.

    Args:
        field: the column, in percent.
        title: of the axis.
        top: its end.
        step: from tick to tick.
    """
    ticks = alt.Axis(values=list(range(0, min(100, int(top)) + 1, step)), titleAnchor="start")
    return alt.X(field, title=title, scale=alt.Scale(domain=[0, top], nice=False), axis=ticks)


def line_at(places: Sequence[float], *, dash: Sequence[int] = (3, 3), color: str = INK) -> alt.Chart:
    """Return dashed upright lines."""
    frame = pd.DataFrame({"x": places})
    chart: alt.Chart = alt.Chart(frame).mark_rule(strokeDash=list(dash), color=color).encode(x=alt.X("x:Q"))
    return chart


def nothing(text: str = "no rows") -> alt.Chart:
    """Return a panel that only says so, in place of the missing ones."""
    chart = alt.Chart(pd.DataFrame({"text": [text]}), height=30).mark_text(align="left")
    told: alt.Chart = chart.encode(x=alt.value(0), text=alt.Text("text:N"))
    return told


def layered(
    *layers: alt.Chart, title: alt.TitleParams, height: int, width: int = COLUMN_WIDTH
) -> alt.Chart | alt.LayerChart:
    """Return marks over each other under one title, `width` x `height` px with axes and title."""
    return sized(alt.LayerChart(layer=list(layers), title=title), width=width, height=height)


def grid(
    panels: Sequence[alt.Chart | alt.LayerChart], *, columns: int, spacing: int, title: alt.TitleParams
) -> alt.ConcatChart:
    """Return panels side by side, or an empty one where there is none."""
    shown = panels or [nothing()]
    return alt.ConcatChart(concat=list(shown), columns=columns, spacing=spacing, title=title)
