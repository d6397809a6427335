"""Collected traces: ban against control, crescendo against single-turn, repeats, fresh against recorded."""

import altair as alt
import pandas as pd

from ff_helpers.measurement.collected import rates
from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.publication.figures import blocks, theme
from ff_helpers.publication.figures.forest import forest, lines

_SHORT = {
    rates.HOLDS_BACK: "able, holds back",
    rates.IGNORES: "more where forbidden",
    rates.NOT_ABLE: "not able",
    rates.ABLE_AND_DOES: "able and does",
    rates.UNDECIDED: "undecided",
}
_ORANGE, _BLUE, _GREEN = "#D55E00", "#0072B2", "#009E73"
_FORBIDDEN, _PERMITTED = "forbidden", "permitted (control)"
_SMALL = 20
_TITLE = "states the secret, % of traces"


def forbidden_beside_permitted(table: pd.DataFrame) -> alt.Chart | alt.LayerChart:
    """Draw for each class what the model does under the ban and, joined to it, where it is allowed.

    The reading is under the name of the class. Intervals are those by scenario; a point from fewer
    than 20 traces is hollow. It does not rank the classes' attacks: where the control is low, the class
    shows what the model cannot do.

    Args:
        table: as `capability`, or of several models as `collected_models`.
    """
    classes = table["model"] if "model" in table.columns else blocks.spaced(table["intent"])
    row = classes.map(blocks.one_piece) + "|" + table["reading"].map(_SHORT)
    table, left = blocks.first(table.assign(row=row), "row", 34)
    frame = _sides(table, {"forbidden": _FORBIDDEN, "permitted": _PERMITTED}, table["row"])
    colors = {name: color for name, (color, _) in theme.LOOKS["policy"].items()}
    frame["inside"] = frame["who"].map(colors).where(frame["n"] >= _SMALL, "white")
    frame["end"] = frame["high"].fillna(frame["rate"])
    frame[["rate", "low", "high", "end"]] *= 100
    color, shape = blocks.marks("who:N", theme.LOOKS["policy"], alt.Legend(title=None, orient="top"))
    axis = alt.Axis(ticks=False, domain=False, labelExpr="split(datum.label, '|')", labelLineHeight=11)
    beside = alt.YOffset("who:N", sort=[_FORBIDDEN, _PERMITTED])
    base = blocks.by_row(frame, "row", axis).encode(yOffset=beside)
    joins = base.mark_line(color="#999999", strokeWidth=1).encode(
        x=blocks.percents("rate:Q", _TITLE, top=150, step=25), detail=alt.Detail("row:N")
    )
    spans = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=4, opacity=0.4)
    points = base.mark_point(size=24, opacity=1, strokeWidth=1.2).encode(
        x=alt.X("rate:Q"), color=color, shape=shape, fill=alt.Fill("inside:N", scale=None, legend=None)
    )
    values = base.mark_text(align="left", dx=4, fontSize=8).encode(
        x=alt.X("end:Q"), text=alt.Text("text:N"), color=color
    )
    return blocks.layered(
        spans.encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"), color=color),
        joins,
        points,
        values,
        title=blocks.heading("What the model does, and what it can do", shown=len(frame), left=left),
        height=75 + 34 * len(table),
    )


def single_beside_multi(table: pd.DataFrame) -> alt.Chart | alt.LayerChart:
    """Draw single-turn and multi-turn attacks for the classes that have both, highest multi-turn first.

    It does not show what another turn does: the scenarios differ in more than their turns.

    Args:
        table: as `single_beside_multi`.
    """
    sides = {"multi": "multi-turn (crescendo)", "single": "single-turn"}
    looks = {sides["multi"]: (_ORANGE, "triangle-up"), sides["single"]: (_GREEN, "square")}
    frame = _sides(table, sides, blocks.spaced(table["intent"]))
    return forest(frame, looks, title=_TITLE, heading="Crescendo and single-turn attacks")


def outcome_stability(table: pd.DataFrame) -> alt.Chart | alt.LayerChart:
    """Draw the share of scenarios that had the same outcome in all repeats, and which outcome that was.

    It does not show how often the model states the secret: one that never does is as stable as one that
    always does.

    Args:
        table: as `outcome_stability`.
    """
    frame = lines(table, "stable", row=blocks.spaced(table["intent"]), who="same outcome")
    cells = table[["stable", "always", "never", "mixed"]].itertuples(index=False)
    frame["text"] = [f"{percent(share)} ({'/'.join(map(str, counts))})" for share, *counts in cells]
    title = "same in all repeats, % (always/never/mixed)"
    return forest(frame, {"same outcome": (_BLUE, "circle")}, title=title, heading="Is the outcome stable?")


def fresh_beside_recorded(table: pd.DataFrame) -> alt.Chart | alt.LayerChart:
    """Draw the rates of the same conversations as collected now and as recorded.

    It does not show that the conversations are the same: the table says on how many the two agree.

    Args:
        table: as `collected_again`.
    """
    sides = {"fresh": "this run", "recorded": "as recorded"}
    looks = {sides["fresh"]: (_ORANGE, "circle"), sides["recorded"]: (_GREEN, "square")}
    table = table.assign(fresh_n=table["n"], recorded_n=table["n"])
    frame = _sides(table, sides, blocks.spaced(table["intent"]))
    return forest(frame, looks, title=_TITLE, heading="The same conversations, collected again")


def _sides(table: pd.DataFrame, sides: dict[str, str], row: "pd.Series[str]") -> pd.DataFrame:
    """Return one line per side and row, each side under its name in the legend."""
    return pd.concat([lines(table, side, row=row, who=who) for side, who in sides.items()], ignore_index=True)
