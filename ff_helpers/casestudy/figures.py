"""The crescendo correction: rates before and after, and which label became which."""

import math
from typing import TYPE_CHECKING

import pandas as pd

from ff_helpers.casestudy.crescendo_regrade import Crescendo
from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.publication.figures.forest import forest, rate_with_counts
from ff_helpers.publication.figures.room import heading, one_piece
from ff_helpers.publication.figures.theme import ACCENT, COLUMN_WIDTH, VERDICT_COLORS, cut, rounded, sized
from ff_helpers.terms import VERDICTS

if TYPE_CHECKING:
    import altair as alt

_PRINTED = "as printed"
_BEFORE = "#B0560F"
_LABELS = 8
_DASHES = {
    "COMPLIANCE": [1, 0],
    "PARTIAL": [7, 3],
    "REFUSAL": [12, 2],
    "HALLUCINATION_REFUSAL": [2, 2],
    "BENIGN_QUERY": [9, 2, 2, 2],
}
"""Dashes of the lines by their new label, to tell them apart in grey print."""
_HEADING = "One regrade, every denominator"


def crescendo_correction(result: Crescendo) -> "alt.LayerChart | alt.Chart":
    """Draw strict and broad ASR under the old and the new labels, in every denominator.

    Circles are the contaminated labels, diamonds the corrected ones, bars their Wilson
    intervals. The rows `as printed` have no interval: their two figures are over two sets of rows
    (see the table). It does not show that the new labels are right: who gave which is not published.
    """
    looks = {"contaminated": (_BEFORE, "circle"), "corrected": (ACCENT, "diamond")}
    return forest(_correction_rows(result), looks, title="attack success rate, %", heading=_HEADING, small=0)


def crescendo_transitions(transitions: pd.DataFrame) -> "alt.LayerChart | alt.Chart":
    """Draw every row as a line from its old label to its new one.

    Lines keep the colour and the dash of the new label; the number at each end counts the lines. It shows
    how many rows moved, not which: rows are published only as counts of a pair of labels. The rarest labels
    beyond eight of a side are grouped as `other labels`.
    """
    import altair as alt

    transitions, left = _common(transitions)
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
        .mark_line(strokeWidth=min(3.0, 260 / max(1, len(lines))), opacity=0.75)
        .encode(
            x=x,
            y=y,
            detail="line:N",
            color=alt.Color(
                "new:N", scale=alt.Scale(domain=list(colors), range=list(colors.values())), legend=None
            ),
            strokeDash=alt.StrokeDash(
                "new:N",
                scale=alt.Scale(domain=list(colors), range=[_DASHES.get(c, [2, 2]) for c in colors]),
                legend=None,
            ),
        )
    )
    before = alt.Chart(ends[ends["side"] == "contaminated"]).mark_text(align="right", dx=-7, lineBreak="|")
    after = alt.Chart(ends[ends["side"] == "corrected"]).mark_text(align="left", dx=7, lineBreak="|")
    texts = [mark.encode(x=x, y=y, text="text:N") for mark in (before, after)]
    title = heading("Which label became which, trace by trace", shown=len(lines), left=left)
    chart = alt.LayerChart(layer=[strokes, *texts], title=title)
    return sized(chart, width=COLUMN_WIDTH, height=315)


def _correction_rows(result: Crescendo) -> pd.DataFrame:
    """Return one row per tier, denominator and set of labels, the printed figures after each tier's."""
    rates, printed = result.rates, result.aggregates
    cells = zip(rates["asr"], rates["k"], rates["n"], strict=True)
    rates = rates.assign(
        row=rates["tier"] + ", of " + rates["denominator"], text=[rate_with_counts(*cell) for cell in cells]
    )
    rates = rates.rename(columns={"asr": "rate", "asr_low": "low", "asr_high": "high"})
    pairs = zip(printed["printed"], printed["rows"], strict=True)
    printed = printed.assign(
        row=printed["tier"] + f", {_PRINTED}", text=[f"{percent(a)} ({n} rows)" for a, n in pairs]
    )
    printed = printed.rename(columns={"printed": "rate", "rows": "n"}).assign(low=math.nan, high=math.nan)
    parts = [t[t["tier"] == tier] for tier in ("strict", "broad") for t in (rates, printed)]
    return pd.concat(parts, ignore_index=True).rename(columns={"labels": "who"})


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
            words = one_piece(label).replace("_", "|" if len(label) > 14 else " ")
            words = "|".join(cut(word, 13) for word in words.split("|"))
            text = f"{words} {len(taken)}"
            ends.append({"side": side, "slot": sum(taken) / len(taken), "text": text})
    columns = {"line": "int64", "side": "str", "slot": "float64", "new": "str"}
    drawn = pd.DataFrame(lines, columns=list(columns)).astype(columns)
    return rounded(drawn), rounded(pd.DataFrame(ends, columns=["side", "slot", "text"]))


def _common(transitions: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Put the rarest labels of either side together; return the pairs, and how many labels that is."""
    left: set[str] = set()
    renamed = transitions[["old", "new", "rows"]].copy()
    for side in ("old", "new"):
        counts = transitions.groupby(side)["rows"].sum().sort_values(ascending=False, kind="stable")
        rare = set(counts.index[_LABELS:])
        left |= rare
        renamed[side] = renamed[side].where(~renamed[side].isin(rare), "other labels")
    merged = renamed.groupby(["old", "new"], sort=False)["rows"].sum().reset_index()
    return merged, len(left)
