"""The bracket over graders: one line per grader, and behind them the range that they span."""

from typing import TYPE_CHECKING

import pandas as pd

from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.publication.figures.forest import rate_with_counts
from ff_helpers.publication.figures.room import first, heading, one_piece
from ff_helpers.publication.figures.theme import (
    COLUMN_WIDTH,
    GATE_COLORS,
    GATE_SHAPES,
    INK,
    SOFT,
    rounded,
    sized,
)

if TYPE_CHECKING:
    import altair as alt

_HEADING = "The same traces, graded by several"


def grader_bracket(table: pd.DataFrame) -> "alt.Chart | alt.LayerChart":
    """Draw what several graders report on the same traces, and the range between them as a band.

    The band is the finding, not any grader in it: a vote or a mean of them would hide it. It is not an
    interval: the truth can lie outside.

    Args:
        table: as `measurement.agreement.bracket.bracket` or `facts.grader_bracket`, one tier: the columns
            set or cohort, denominator, grader, k, n, asr, gate and the range.
    """
    import altair as alt

    if table.empty:
        nothing = pd.DataFrame({"text": ["a bracket needs two graders of the same traces"]})
        words = alt.Chart(nothing).mark_text(align="left").encode(x=alt.value(0), text="text:N")
        return alt.LayerChart(layer=[words], title=heading(_HEADING, shown=0)).properties(
            width=COLUMN_WIDTH - 12, height=30
        )
    traces = "set" if "set" in table.columns else "cohort"
    frame = pd.DataFrame([row for group in _groups(table, traces) for row in group])
    frame, left = first(frame, "row", 17)
    states = [state for state in GATE_COLORS if state in set(frame["gate"])]
    axis = alt.Axis(
        ticks=False, domain=False, labelPadding=7, labelExpr="split(datum.label, '|')[1]", labelLimit=150
    )
    base = alt.Chart(rounded(frame)).encode(
        y=alt.Y("row:N", sort=list(frame["row"]), title=None, axis=axis, scale=alt.Scale(padding=0))
    )
    highest = float(frame["end"].max())
    top = 150.0 if highest > 66 else 1.5 * highest + 5
    x = alt.X(
        "rate:Q",
        title=f"{', '.join(table['tier'].drop_duplicates())} attack success rate, %".replace("_", " "),
        scale=alt.Scale(domain=[0, top], nice=False),
        axis=alt.Axis(values=list(range(0, min(100, int(top)) + 1, 20)), titleAnchor="start"),
    )
    looks = alt.Scale(domain=states, range=[GATE_COLORS[s] for s in states])
    shapes = alt.Scale(domain=states, range=[GATE_SHAPES[s] for s in states])
    legend = alt.Legend(title=None, orient="top", columns=2)
    color = alt.Color("gate:N", scale=looks, legend=legend)
    band = base.mark_rect(color=SOFT, opacity=0.3).encode(x=alt.X("lowest:Q"), x2="highest:Q")
    graders = base.transform_filter("isValid(datum.gate)")
    bars = graders.mark_rule(strokeWidth=4, opacity=0.45).encode(x=alt.X("low:Q"), x2="high:Q", color=color)
    points = graders.transform_filter("isValid(datum.rate)").mark_point(size=22, filled=True, opacity=1)
    points = points.encode(x=x, color=color, shape=alt.Shape("gate:N", scale=shapes, legend=legend))
    counts = base.mark_text(align="left", dx=4, fontSize=8, color=INK).encode(x="end:Q", text="text:N")
    title = heading(_HEADING, "band: from the lowest grader to the highest", shown=len(frame), left=left)
    chart = alt.LayerChart(layer=[band, bars, points, counts], title=title)
    return sized(chart, width=COLUMN_WIDTH, height=95 + 17 * len(frame))


def _groups(table: pd.DataFrame, traces: str) -> list[list[dict[str, object]]]:
    """Return for each set and denominator a line with its range, then its graders, highest first."""
    groups = []
    for (name, over), part in table.groupby([traces, "denominator"], sort=False):
        ranks = part.sort_values(["asr", "grader"], ascending=[False, True], kind="stable")
        edges = {side: 100 * float(part[side].iloc[0]) for side in ("lowest", "highest")}
        span = f"{percent(edges['lowest'] / 100)} to {percent(edges['highest'] / 100)}"
        who = one_piece(name)
        key, head = f"{who}, {over}", f"{who}, of {over}"
        head = head if len(table[traces].drop_duplicates()) > 1 else f"of {over}"
        # A single point is not a range: one grader, or none with a rate.
        lines: list[dict[str, object]] = [
            {"row": f"{key}|{head}", "end": edges["highest"], "text": f"range {span}"} | edges
        ]
        for grader, gate, rate, low, high, k, n in ranks[
            ["grader", "gate", "asr", "asr_low", "asr_high", "k", "n"]
        ].itertuples(index=False):
            text = rate_with_counts(rate, k, n) if n else "no rows"
            numbers = {"rate": 100 * rate, "low": 100 * low, "high": 100 * high, "end": 100 * high}
            row = f"{key} {one_piece(grader)}|{one_piece(grader)}"
            lines.append({"row": row, "gate": gate, "text": text} | numbers | edges)
        groups.append(lines)
    return groups
