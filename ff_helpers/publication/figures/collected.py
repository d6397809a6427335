"""Collected traces: ban against control, crescendo against single-turn, repeats, fresh against recorded."""

from typing import TYPE_CHECKING

import pandas as pd

from ff_helpers.measurement.collected.capability import (
    ABLE_AND_DOES,
    HOLDS_BACK,
    IGNORES,
    NOT_ABLE,
    UNDECIDED,
)
from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.publication.figures.forest import forest, rate_with_counts
from ff_helpers.publication.figures.room import first, one_piece
from ff_helpers.publication.figures.room import heading as headed
from ff_helpers.publication.figures.theme import COLUMN_WIDTH, rounded, sized

if TYPE_CHECKING:
    import altair as alt

_SHORT = {
    HOLDS_BACK: "able, holds back",
    IGNORES: "more where forbidden",
    NOT_ABLE: "not able",
    ABLE_AND_DOES: "able and does",
    UNDECIDED: "undecided",
}
_ORANGE, _BLUE, _GREEN = "#D55E00", "#0072B2", "#009E73"
_SMALL = 20
_TITLE = "states the secret, % of traces"


def forbidden_beside_permitted(table: pd.DataFrame) -> "alt.Chart | alt.LayerChart":
    """Draw for each class what the model does under the ban and, joined to it, where it is allowed.

    The reading is under the name of the class. Intervals are those by scenario; a point from fewer
    than 20 traces is hollow. It does not rank the classes' attacks: where the control is low, the class
    shows what the model cannot do.

    Args:
        table: as `capability`.
    """
    import altair as alt

    who = ["forbidden", "permitted (control)"]
    row = _words(table["intent"]).map(one_piece) + "|" + table["reading"].map(_SHORT)
    table, left = first(table.assign(row=row), "row", 34)
    frame = _stacked(table, {"forbidden": who[0], "permitted": who[1]})
    frame["inside"] = frame["who"].map(dict(zip(who, (_ORANGE, _BLUE), strict=True)))
    frame["inside"] = frame["inside"].where(frame["n"] >= _SMALL, "white")
    frame["end"] = frame["high"].fillna(frame["rate"])
    frame[["rate", "low", "high", "end"]] *= 100
    legend = alt.Legend(title=None, orient="top")
    color = alt.Color("who:N", scale=alt.Scale(domain=who, range=[_ORANGE, _BLUE]), legend=legend)
    shape = alt.Shape("who:N", scale=alt.Scale(domain=who, range=["circle", "diamond"]), legend=legend)
    axis = alt.Axis(ticks=False, domain=False, labelExpr="split(datum.label, '|')", labelLineHeight=11)
    base = alt.Chart(rounded(frame)).encode(
        y=alt.Y("row:N", sort=list(dict.fromkeys(frame["row"])), title=None, axis=axis),
        yOffset=alt.YOffset("who:N", sort=who),
    )
    x = alt.X(
        "rate:Q",
        title=_TITLE,
        scale=alt.Scale(domain=[0, 150], nice=False),
        axis=alt.Axis(values=[0, 25, 50, 75, 100], titleAnchor="start"),
    )
    joins = base.mark_line(color="#999999", strokeWidth=1).encode(x=x, detail="row:N")
    spans = base.mark_rule(strokeWidth=4, opacity=0.4).encode(x="low:Q", x2="high:Q", color=color)
    marks = base.mark_point(size=24, opacity=1, strokeWidth=1.2).encode(
        x="rate:Q", color=color, shape=shape, fill=alt.Fill("inside:N", scale=None, legend=None)
    )
    values = base.mark_text(align="left", dx=4, fontSize=8).encode(x="end:Q", text="text:N", color=color)
    said = headed("What the model does, and what it can do", shown=len(frame), left=left)
    chart = alt.LayerChart(layer=[spans.transform_filter("isValid(datum.low)"), joins, marks, values])
    return sized(chart.properties(title=said), width=COLUMN_WIDTH, height=75 + 34 * len(table))


def single_beside_multi(table: pd.DataFrame) -> "alt.Chart | alt.LayerChart":
    """Draw single-turn and multi-turn attacks for the classes that have both, highest multi-turn first.

    It does not show what another turn does: the scenarios differ in more than their turns.

    Args:
        table: as `single_beside_multi`.
    """
    sides = {"multi": "multi-turn (crescendo)", "single": "single-turn"}
    looks = {sides["multi"]: (_ORANGE, "triangle-up"), sides["single"]: (_GREEN, "square")}
    frame = _stacked(table.assign(row=_words(table["intent"])), sides)
    return forest(frame, looks, title=_TITLE, heading="Crescendo and single-turn attacks")


def outcome_stability(table: pd.DataFrame) -> "alt.Chart | alt.LayerChart":
    """Draw the share of scenarios that had the same outcome in all repeats, and which outcome that was.

    It does not show how often the model states the secret: one that never does is as stable as one that
    always does.

    Args:
        table: as `outcome_stability`.
    """
    frame = table.assign(row=_words(table["intent"]), who="same outcome", rate=table["stable"])
    frame = frame.rename(columns={"stable_low": "low", "stable_high": "high"})
    counts = table[["always", "never", "mixed"]].itertuples(index=False)
    texts = zip(table["stable"], counts, strict=True)
    frame["text"] = [f"{percent(share)} ({'/'.join(map(str, count))})" for share, count in texts]
    title = "same in all repeats, % (always/never/mixed)"
    return forest(frame, {"same outcome": (_BLUE, "circle")}, title=title, heading="Is the outcome stable?")


def fresh_beside_recorded(table: pd.DataFrame) -> "alt.Chart | alt.LayerChart":
    """Draw the rates of the same conversations as collected now and as recorded.

    It does not show that the conversations are the same: the table says on how many the two agree.

    Args:
        table: as `collected_again`.
    """
    sides = {"fresh": "this run", "recorded": "as recorded"}
    looks = {sides["fresh"]: (_ORANGE, "circle"), sides["recorded"]: (_GREEN, "square")}
    table = table.assign(row=_words(table["intent"]), fresh_n=table["n"], recorded_n=table["n"])
    heading = "The same conversations, collected again"
    return forest(_stacked(table, sides), looks, title=_TITLE, heading=heading)


def _words(names: "pd.Series[str]") -> "pd.Series[str]":
    return names.str.replace("_", " ")


def _stacked(table: pd.DataFrame, sides: dict[str, str]) -> pd.DataFrame:
    """Return one line per row and side: row, who, k, n, rate, low, high, text."""
    parts = [
        table[["row", f"{side}_k", f"{side}_n", side, f"{side}_low", f"{side}_high"]]
        .set_axis(["row", "k", "n", "rate", "low", "high"], axis=1)
        .assign(who=who)
        for side, who in sides.items()
    ]
    frame = pd.concat(parts, ignore_index=True)
    cells = zip(frame["rate"], frame["k"], frame["n"], strict=True)
    return frame.assign(text=[rate_with_counts(*cell) for cell in cells])
