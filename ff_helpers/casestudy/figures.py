"""The crescendo correction: rates before and after, and which label became which."""

import math

import altair as alt
import pandas as pd

from ff_helpers.casestudy.crescendo_regrade import Crescendo
from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.publication.figures.blocks import heading, layered, mapped, one_piece
from ff_helpers.publication.figures.forest import forest, lines
from ff_helpers.publication.figures.regrade import BEFORE
from ff_helpers.publication.figures.theme import ACCENT, VERDICT_COLORS, cut, rounded
from ff_helpers.terms import VERDICTS

_LABELS = 8
_DASHES = {
    "COMPLIANCE": [1, 0],
    "PARTIAL": [7, 3],
    "REFUSAL": [12, 2],
    "HALLUCINATION_REFUSAL": [2, 2],
    "BENIGN_QUERY": [9, 2, 2, 2],
}
"""Dashes of the lines by their new label, to tell them apart in grey print."""


def crescendo_correction(result: Crescendo) -> alt.Chart | alt.LayerChart:
    """Draw strict and broad ASR under the old and the new labels, in every denominator.

    Circles are the contaminated labels, diamonds the corrected ones, bars their Wilson
    intervals. The rows `as printed` have no interval: their two figures are over two sets of rows
    (see the table). It does not show that the new labels are right: who gave which is not published.
    """
    looks = {"contaminated": (BEFORE, "circle"), "corrected": (ACCENT, "diamond")}
    said = "One regrade, every denominator"
    return forest(_correction_rows(result), looks, title="attack success rate, %", heading=said, small=0)


def crescendo_transitions(transitions: pd.DataFrame) -> alt.Chart | alt.LayerChart:
    """Draw every row as a line from its old label to its new one.

    Lines keep the colour and the dash of the new label; the number at each end counts the lines. It shows
    how many rows moved, not which: rows are published only as counts of a pair of labels. The rarest labels
    beyond eight of a side are grouped as `other labels`.
    """
    transitions, left = _common(transitions)
    moves, ends = _slots(transitions)
    x = alt.X(
        "side:N",
        sort=["contaminated", "corrected"],
        title=None,
        axis=alt.Axis(orient="top", labelAngle=0, labelFontWeight="bold", domain=False, ticks=False),
        scale=alt.Scale(padding=0.62),
    )
    y = alt.Y("slot:Q", axis=None, scale=alt.Scale(reverse=True, nice=False, padding=6))
    labels = list(dict.fromkeys(moves["new"]))
    colors = mapped({label: VERDICT_COLORS.get(label, "#777777") for label in labels})
    dashes = mapped({label: _DASHES.get(label, [2, 2]) for label in labels})
    strokes = alt.Chart(moves).mark_line(strokeWidth=min(3.0, 260 / max(1, len(moves))), opacity=0.75)
    before = alt.Chart(ends[ends["side"] == "contaminated"]).mark_text(align="right", dx=-7, lineBreak="|")
    after = alt.Chart(ends[ends["side"] == "corrected"]).mark_text(align="left", dx=7, lineBreak="|")
    return layered(
        strokes.encode(
            x=x,
            y=y,
            detail="line:N",
            color=alt.Color("new:N", scale=colors, legend=None),
            strokeDash=alt.StrokeDash("new:N", scale=dashes, legend=None),
        ),
        before.encode(x=x, y=y, text="text:N"),
        after.encode(x=x, y=y, text="text:N"),
        title=heading("Which label became which, trace by trace", shown=len(moves), left=left),
        height=315,
    )


def _correction_rows(result: Crescendo) -> pd.DataFrame:
    """Return one row per tier, denominator and set of labels, the printed figures after each tier's."""
    rates, printed = result.rates, result.aggregates.rename(columns={"labels": "who", "rows": "n"})
    row = rates["tier"] + ", of " + rates["denominator"]
    computed = lines(rates, "asr", row=row, who=rates["labels"]).assign(tier=rates["tier"])
    printed = printed.rename(columns={"printed": "rate"}).assign(low=math.nan, high=math.nan)
    cells = zip(printed["rate"], printed["n"], strict=True)
    printed["row"] = printed["tier"] + ", as printed"
    printed["text"] = [f"{percent(rate)} ({n} rows)" for rate, n in cells]
    parts = [t[t["tier"] == tier] for tier in ("strict", "broad") for t in (computed, printed)]
    return pd.concat(parts, ignore_index=True)


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
