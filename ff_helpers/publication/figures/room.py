"""What fits on a page: how many rows, how long a name. The table next to a figure has all of both."""

from collections.abc import Hashable
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import altair as alt

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


def heading(title: str, *lines: str, shown: int, left: int = 0) -> "alt.TitleParams":
    """Return a title over its lines, which also says when nothing is shown, or how much does not fit.

    Args:
        title: what the figure shows.
        lines: how to read it.
        shown: rows that are drawn.
        left: things that are not.
    """
    import altair as alt

    more = [f"and {left} more: see the table"] if left else []
    text = title if shown else f"{title}: nothing to show"
    return alt.TitleParams(text, subtitle=[*lines, *more]) if lines or more else alt.TitleParams(text)


def one_piece(name: object) -> str:
    """Return a name without the character at which labels are split into lines."""
    return str(name).replace("|", "¦")


def nothing() -> "alt.Chart":
    """Return an empty panel, in place of the missing ones."""
    import altair as alt

    empty = pd.DataFrame({"text": ["no rows"]})
    chart = alt.Chart(empty, height=30).mark_text(align="left")
    told: alt.Chart = chart.encode(x=alt.value(0), text="text:N")
    return told
