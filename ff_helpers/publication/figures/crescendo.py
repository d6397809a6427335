"""The crescendo correction: rates before and after, and which label became which."""

from typing import TYPE_CHECKING

import pandas as pd

from ff_helpers.measurement.crescendo import Crescendo
from ff_helpers.publication.disclosure import percent
from ff_helpers.publication.figures.theme import ACCENT, COLUMN_WIDTH, VERDICT_COLORS, rounded, sized
from ff_helpers.taxonomy import VERDICTS

if TYPE_CHECKING:
    import altair as alt

_PRINTED = "as printed"
_BEFORE = "#B0560F"


def crescendo_correction(result: Crescendo) -> "alt.LayerChart | alt.Chart":
    """Draw strict and broad ASR under the old and the new labels, in every denominator.

    Circles are the contaminated labels, diamonds the corrected ones, bars their Wilson
    intervals. The rows `as printed` have no interval: their two figures are over two sets of rows
    (see the table). It does not show that the new labels are right: who gave which is not published.
    """
    import altair as alt

    frame = _correction_rows(result)
    sides = ["contaminated", "corrected"]
    legend = alt.Legend(title=None, orient="top")
    base = alt.Chart(rounded(frame)).encode(
        y=alt.Y("row:N", sort=list(dict.fromkeys(frame["row"])), title=None, axis=alt.Axis(ticks=False)),
        yOffset=alt.YOffset("labels:N", sort=sides),
        color=alt.Color("labels:N", scale=alt.Scale(domain=sides, range=[_BEFORE, ACCENT]), legend=legend),
    )
    x = alt.X(
        "asr:Q",
        title="attack success rate, %",
        scale=alt.Scale(domain=[0, 140], nice=False),
        axis=alt.Axis(values=[0, 20, 40, 60, 80, 100], titleAnchor="start"),
    )
    shape = alt.Shape("labels:N", scale=alt.Scale(domain=sides, range=["circle", "diamond"]), legend=legend)
    bars = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=4, opacity=0.5)
    values = base.mark_text(align="left", dx=4, fontSize=8)
    chart = alt.LayerChart(
        layer=[
            bars.encode(x=alt.X("low:Q"), x2="high:Q"),
            base.mark_point(size=26, filled=True, opacity=1).encode(x=x, shape=shape),
            values.encode(x="end:Q", text="text:N"),
        ]
    )
    return sized(chart, width=COLUMN_WIDTH, height=320)


def crescendo_transitions(transitions: pd.DataFrame) -> "alt.LayerChart | alt.Chart":
    """Draw every row as a line from its old label to its new one.

    Lines keep the colour of the new label; the number at each end counts the lines. It shows how many
    rows moved, not which: rows are published only as counts of a pair of labels.
    """
    import altair as alt

    lines, ends = _slots(transitions)
    x = alt.X(
        "side:N",
        sort=["contaminated", "corrected"],
        title=None,
        axis=alt.Axis(orient="top", labelAngle=0, labelFontWeight="bold", domain=False, ticks=False),
        scale=alt.Scale(padding=0.62),
    )
    y = alt.Y("slot:Q", axis=None, scale=alt.Scale(reverse=True, nice=False, padding=6))
    colors = {name: VERDICT_COLORS.get(name, "#777777") for name in dict.fromkeys(lines["new"])}
    strokes = (
        alt.Chart(lines)
        .mark_line(strokeWidth=3, opacity=0.75, strokeCap="round")
        .encode(
            x=x,
            y=y,
            detail="line:N",
            color=alt.Color(
                "new:N", scale=alt.Scale(domain=list(colors), range=list(colors.values())), legend=None
            ),
        )
    )
    before = alt.Chart(ends[ends["side"] == "contaminated"]).mark_text(align="right", dx=-7, lineBreak="|")
    after = alt.Chart(ends[ends["side"] == "corrected"]).mark_text(align="left", dx=7, lineBreak="|")
    texts = [mark.encode(x=x, y=y, text="text:N") for mark in (before, after)]
    return sized(alt.LayerChart(layer=[strokes, *texts]), width=COLUMN_WIDTH, height=300)


def _correction_rows(result: Crescendo) -> pd.DataFrame:
    """Return one row a tier, denominator and set of labels, the printed figures after each tier's."""
    rates = result.rates.assign(
        row=result.rates["tier"] + ", of " + result.rates["denominator"],
        text=[f"{percent(a)} ({k}/{n})" for a, k, n in _columns(result.rates, "asr", "k", "n")],
        end=result.rates["asr_high"],
    ).rename(columns={"asr_low": "low", "asr_high": "high"})
    printed = result.aggregates.assign(
        row=result.aggregates["tier"] + f", {_PRINTED}",
        text=[f"{percent(a)} ({n} rows)" for a, n in _columns(result.aggregates, "printed", "rows")],
        end=result.aggregates["printed"],
        low=float("nan"),
        high=float("nan"),
    ).rename(columns={"printed": "asr"})
    columns = ["row", "labels", "asr", "low", "high", "end", "text"]
    parts = [t[t["tier"] == tier][columns] for tier in ("strict", "broad") for t in (rates, printed)]
    frame = pd.concat(parts, ignore_index=True)
    numbers = ["asr", "low", "high", "end"]
    frame[numbers] = 100 * frame[numbers]
    return frame


def _columns(frame: pd.DataFrame, *names: str) -> list[tuple[float, ...]]:
    return list(zip(*(frame[name] for name in names), strict=True))


def _slots(transitions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Stack the rows by label on either side, a gap between labels; return line ends and label texts."""
    order = [*VERDICTS, *sorted({*transitions["old"], *transitions["new"]} - set(VERDICTS))]
    place = {label: i for i, label in enumerate(order)}
    pairs = [(o, n) for o, n, count in transitions.itertuples(index=False) for _ in range(int(count))]
    lines: list[dict[str, object]] = []
    ends: list[dict[str, object]] = []
    for side, index in (("contaminated", 0), ("corrected", 1)):
        ranked = sorted(
            range(len(pairs)), key=lambda i: (place[pairs[i][index]], place[pairs[i][1 - index]], i)
        )
        slots: dict[str, list[float]] = {}
        for rank, i in enumerate(ranked):
            label = pairs[i][index]
            slot = rank + 1.2 * len({*slots, label})
            slots.setdefault(label, []).append(slot)
            lines.append({"line": i, "side": side, "slot": slot, "new": pairs[i][1]})
        for label, taken in slots.items():
            words = label.replace("_", "|" if len(label) > 14 else " ")
            text = f"{words} {len(taken)}"
            ends.append({"side": side, "slot": sum(taken) / len(taken), "text": text})
    return rounded(pd.DataFrame(lines)), rounded(pd.DataFrame(ends))
