"""Attack success rates: by set, by intent, labels against graders."""

from typing import TYPE_CHECKING

import pandas as pd

from ff_helpers.measurement.results import LABELS
from ff_helpers.publication.figures.forest import forest, rate_with_counts
from ff_helpers.publication.figures.room import first, heading, one_piece
from ff_helpers.publication.figures.theme import (
    ACCENT,
    COLUMN_WIDTH,
    INK,
    STIPPLE,
    VERDICT_COLORS,
    rounded,
    sized,
)

if TYPE_CHECKING:
    import altair as alt

_GRADERS = ("#D55E00", "#009E73", "#CC79A7", "#0072B2", "#E69F00", "#56B4E9")
_SHAPES = ("diamond", "square", "triangle-up", "cross", "triangle-down", "circle")


def labelled_beside_reported(table: pd.DataFrame) -> "alt.Chart | alt.LayerChart":
    """Draw what people say about each set's traces, and under it what each grader would have reported.

    It does not show which traces a grader gets wrong: equal rates can hide opposite errors.

    Args:
        table: as `would_have_reported`.
    """
    parts = []
    for side, who in (("labelled", None), ("reported", "grader")):
        part = table.rename(columns={side: "rate", f"{side}_low": "low", f"{side}_high": "high"})
        part = part.assign(who=table[who] if who else LABELS, k=table[f"{side}_k"], n=table[f"{side}_n"])
        parts.append(part.assign(row=_words(table["measure"]) + ", " + table["set"]))
    frame = pd.concat(parts, ignore_index=True).drop_duplicates(["row", "who"])
    graders = sorted(set(frame["who"]) - {LABELS})
    said = "What the labels say, what each grader would report"
    return forest(_with_text(frame), _looks(graders), title="rate, %", heading=said)


def asr_intervals(table: pd.DataFrame, by: str) -> "alt.Chart | alt.LayerChart":
    """Draw the rate of each class of a column, one line per grader, highest labelled or mean rate first.

    It does not rank the classes: traces differ from class to class.

    Args:
        table: as `asr_by`, one tier and one denominator.
        by: the column.
    """
    place = table.groupby(by)["asr"].mean().sort_values(ascending=False, kind="stable").index
    frame = table.set_index(by).loc[list(place)].reset_index()
    frame = frame.assign(row=_words(frame[by]), who=frame["grader"]).rename(
        columns={"asr": "rate", "asr_low": "low", "asr_high": "high"}
    )
    graders = sorted(set(frame["who"]) - {LABELS})
    return forest(_with_text(frame), _looks(graders), title="rate, %", heading=f"Rates by {_words_of(by)}")


def asr_by_intent(table: pd.DataFrame) -> "alt.Chart | alt.LayerChart":
    """Draw each attack class: what the labels give (grey) and what each grader reports (orange).

    Bars with their intervals; stippled where n < 20. It does not show how good the attack classes are:
    a grader's rate carries the grader's errors, see the caption.

    Args:
        table: as `asr_by` by intent: one tier, one denominator.
    """
    import altair as alt

    known = table[table["grader"] == LABELS].set_index("intent")["asr"]
    frame = table.assign(
        text=[rate_with_counts(*cell) for cell in zip(table["asr"], table["k"], table["n"], strict=True)],
        **{name: 100 * table[name] for name in ("asr", "asr_low", "asr_high")},
        place=-table["intent"].map(known).fillna(table["asr"]),
        who=table["grader"].where(table["grader"] != LABELS, ""),
        fill=_fills(table),
    ).sort_values(["place", "intent", "who"])
    again = frame["intent"].duplicated()
    head = (_words(frame["intent"]) + ", ").mask(again, "")
    frame = frame.assign(row=frame["intent"].map(one_piece) + "|" + (head + frame["grader"]).map(one_piece))
    frame, left = first(frame, "row", 15)
    axis = alt.Axis(ticks=False, labelExpr="split(datum.label, '|')[1]")
    base = alt.Chart(rounded(frame[["row", "asr", "asr_low", "asr_high", "text", "fill"]])).encode(
        y=alt.Y("row:N", sort=list(frame["row"]), title=None, axis=axis)
    )
    x = alt.X(
        "asr:Q",
        title="rate, %; stippled: fewer than 20 rows",
        scale=alt.Scale(domain=[0, 140], nice=False),
        axis=alt.Axis(values=[0, 20, 40, 60, 80, 100], titleAnchor="start"),
    )
    bars = base.mark_bar(height=9, stroke=ACCENT, strokeWidth=0.5).encode(
        x=x, fill=alt.Fill("fill:N", scale=None, legend=None)
    )
    lines = base.mark_rule(strokeWidth=1.5, color=INK).encode(x=alt.X("asr_low:Q"), x2="asr_high:Q")
    values = base.mark_text(align="left", dx=4, fontSize=8).encode(x=alt.X("asr_high:Q"), text="text:N")
    title = heading("Rates by attack class: labels, and what graders report", shown=len(frame), left=left)
    chart = alt.LayerChart(layer=[bars, lines, values], title=title)
    return sized(chart, width=COLUMN_WIDTH, height=70 + 15 * len(frame))


def _fills(table: pd.DataFrame) -> list[str]:
    colors = ["#999999" if who == LABELS else VERDICT_COLORS["COMPLIANCE"] for who in table["grader"]]
    return [STIPPLE if n < 20 else color for n, color in zip(table["n"], colors, strict=True)]


def _words_of(column: str) -> str:
    return {"turns": "number of turns", "intent": "attack class", "set": "trace set"}.get(column, column)


def _words(names: "pd.Series[str]") -> "pd.Series[str]":
    return names.str.replace("_", " ")


def _looks(graders: list[str]) -> dict[str, tuple[str, str]]:
    """Return colour and shape of the labels, then of each grader."""
    marks = [(_GRADERS[i % len(_GRADERS)], _SHAPES[i % len(_SHAPES)]) for i in range(len(graders))]
    return {LABELS: (INK, "circle"), **dict(zip(graders, marks, strict=True))}


def _with_text(frame: pd.DataFrame) -> pd.DataFrame:
    cells = zip(frame["rate"], frame["k"], frame["n"], strict=True)
    return frame.assign(text=[rate_with_counts(*cell) for cell in cells])
