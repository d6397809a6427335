"""The figure of the grader atlas: accuracies with both rules of the gate, in groups."""

from collections.abc import Sequence
from typing import Final, Literal

import altair as alt
import pandas as pd

from ff_helpers.corpus.sets import known_sets
from ff_helpers.measurement.calibration.gate import DEFAULT
from ff_helpers.publication.figures import blocks, theme

Group = Literal["set", "size"]
_STEP: Final = 15


def grader_forest(table: pd.DataFrame, *, group: Group = "set", title: str) -> alt.Chart | alt.LayerChart:
    """Show the accuracy of each judge with its 95% Wilson interval, in groups: by set, or by size.

    The dashed line is the 70% of both rules: the published one requires the point to reach it, ours the whole
    interval, and more than the dark tick, which is what always answering the majority class gives. Colour and
    shape are the state of the gate; without a tick only k of n is known. It does not show how a judge does on
    responses of another kind, nor whether rows of one prompt make the interval too narrow: see the table.

    Args:
        table: as `grader_atlas`, or some of its rows.
        group: `set`: one group per set and question, in the order of the table; `size`: by billions of
            parameters, the smallest first, judges of unknown size left out.
        title: what it shows.
    """
    rows = (
        table[table["params_b"].notna()].sort_values("params_b", kind="stable") if group == "size" else table
    )
    names = [_head(row, group) for row in rows.to_dict("records")]
    rows = rows.assign(group=names)
    if group == "size":
        rows = rows.sort_values(["params_b", "accuracy"], ascending=[True, False], kind="stable")
    lines = _lines(rows, group)
    shown, left = blocks.first(lines, "label", _STEP)
    axis = alt.Axis(labelExpr="slice(split(datum.label, '|'), 1)", labelLimit=320, ticks=False, domain=False)
    color, shape = blocks.marks("gate:N", theme.LOOKS["gate"], alt.Legend(title=None, orient="top"))
    scale = alt.Scale(domain=[0, 1.32], nice=False)
    ticks = alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format="%", titleAnchor="start")
    base = blocks.by_row(shown, "label", axis)
    there = base.transform_filter("isValid(datum.accuracy)")
    bars = there.mark_rule(strokeWidth=4, opacity=0.5)
    # Not filtered, so that each group keeps a line for its heading.
    heads = base.encode(x=alt.value(0), text=alt.Text("head:N"))
    halo, heads = (
        heads.mark_text(
            align="left", fontWeight="bold", fontSize=10, dx=2, stroke=stroke, strokeWidth=5 * halo
        )
        for stroke, halo in (("white", True), (None, False))
    )
    x = alt.X("accuracy_low:Q", scale=scale, axis=ticks, title="accuracy against people's labels")
    tick = there.transform_filter("isValid(datum.majority)")
    tick = tick.mark_tick(color=theme.INK, thickness=2, size=11, opacity=0.8)
    points = there.mark_point(size=30, opacity=1, filled=True).encode(
        x=alt.X("accuracy:Q"), shape=shape, color=color
    )
    words = there.mark_text(align="left", fontSize=8, dx=3).encode(x=alt.datum(1.0), text=alt.Text("text:N"))
    bar = DEFAULT.published_accuracy
    return blocks.layered(
        blocks.line_at([bar]),
        bars.encode(x=x, x2=alt.X2("accuracy_high:Q"), color=color),
        tick.encode(x=alt.X("majority:Q")),
        points,
        words,
        halo,
        heads,
        title=blocks.heading(title, *_told(), shown=len(shown), left=left),
        width=theme.PAGE_WIDTH,
        height=110 + _STEP * len(shown),
    )


def _told() -> Sequence[str]:
    bar = f"{100 * DEFAULT.published_accuracy:g}%"
    return (
        f"dashed: the {bar} of both rules; dark tick: always answering the majority class",
        "at the end of each line: accuracy (right of all); kappa, where the counts are known",
    )


def _head(row: dict[object, object], group: Group) -> str:
    if group == "size":
        return f"{float(str(row['params_b'])):g} billion parameters"
    known = known_sets().get(str(row["set"]))
    return f"{known.title if known else row['set']}: {row['question']}"


def _lines(rows: pd.DataFrame, group: Group) -> pd.DataFrame:
    """Return the rows to draw, each group under its heading."""
    found: list[dict[str, object]] = []
    for name, part in rows.groupby("group", sort=False):
        found.append({"label": f"{len(found)}|", "head": theme.cut(str(name), 80)})
        for row in part.to_dict("records"):
            who = theme.cut(blocks.one_piece(row["grader"]), 60)
            on = f" on {row['set']}" if group == "size" else ""
            kappa = "" if pd.isna(row["kappa"]) else f"; κ {row['kappa']:.2f}"
            text = blocks.rate_with_counts(row["accuracy"], row["k"], row["n"]) + kappa
            kept = ("accuracy", "accuracy_low", "accuracy_high", "majority", "gate")
            found.append(
                {"label": f"{len(found)}|{who}{on}", "head": "", "text": text}
                | {name: row[name] for name in kept}
            )
    columns = ["label", "accuracy", "accuracy_low", "accuracy_high", "majority", "gate", "text", "head"]
    return pd.DataFrame(found, columns=columns)
