"""Attack success rates: by set, by intent, labels against graders."""

from collections.abc import Sequence
from itertools import cycle

import altair as alt
import pandas as pd

from ff_helpers.measurement.rates.known import REFUSAL_RATE
from ff_helpers.measurement.results import LABELS
from ff_helpers.publication.figures import blocks, theme
from ff_helpers.publication.figures.forest import forest, lines

_COLUMNS = {"turns": "number of turns", "intent": "attack class", "set": "trace set"}
_KNOWN, _REPORTED = "known", "as graders report"


def labelled_beside_reported(table: pd.DataFrame) -> alt.Chart | alt.LayerChart:
    """Draw what people say about each set's traces, and under it what each grader would have reported.

    Strict and refusal rates come first: they are known for the most sets, and not everything fits. It does
    not show which traces a grader gets wrong: equal rates can hide opposite errors.

    Args:
        table: as `would_have_reported`.
    """
    later = ~table["measure"].isin(["strict", REFUSAL_RATE])
    table = table.iloc[later.argsort(kind="stable")].reset_index(drop=True)
    row = blocks.spaced(table["measure"]) + ", " + table["set"]
    labelled = lines(table, "labelled", row=row, who=LABELS)
    reported = lines(table, "reported", row=row, who=table["grader"])
    frame = pd.concat([labelled, reported], ignore_index=True).drop_duplicates(["row", "who"])
    said = "What the labels say, what each grader would report"
    return forest(frame, _looks(frame["who"]), title="rate, %", heading=said)


def asr_intervals(table: pd.DataFrame, by: str) -> alt.Chart | alt.LayerChart:
    """Draw the rate of each class of a column, one line per grader, highest labelled or mean rate first.

    It does not rank the classes: traces differ from class to class.

    Args:
        table: as `asr_by`, one tier and one denominator.
        by: the column.
    """
    place = table.groupby(by)["asr"].mean().sort_values(ascending=False, kind="stable").index
    table = table.set_index(by).loc[list(place)].reset_index()
    frame = lines(table, "asr", row=blocks.spaced(table[by]), who=table["grader"])
    said = f"Rates by {_COLUMNS.get(by, by)}"
    return forest(frame, _looks(frame["who"]), title="rate, %", heading=said)


def asr_by_intent(table: pd.DataFrame) -> alt.Chart | alt.LayerChart:
    """Draw each attack class: what the labels give (grey) and what each grader reports (orange).

    Bars with their intervals; stippled where n < 20. It does not show how good the attack classes are:
    a grader's rate carries the grader's errors, see the caption.

    Args:
        table: as `asr_by` by intent: one tier, one denominator.
    """
    known = table[table["grader"] == LABELS].set_index("intent")["asr"]
    labels = table["grader"] == LABELS
    colors = labels.map({True: "#999999", False: theme.VERDICT_LOOKS["COMPLIANCE"][0]})
    frame = table.assign(
        text=blocks.counted(table, "asr"),
        **{name: 100 * table[name] for name in ("asr", "asr_low", "asr_high")},
        place=-table["intent"].map(known).fillna(table["asr"]),
        who=table["grader"].mask(labels, ""),
        fill=colors.mask(table["n"] < 20, theme.STIPPLE),
    ).sort_values(["place", "intent", "who"])
    head = (blocks.spaced(frame["intent"]) + ", ").mask(frame["intent"].duplicated(), "")
    words = (head + frame["grader"]).map(blocks.one_piece)
    frame = frame.assign(row=frame["intent"].map(blocks.one_piece) + "|" + words)
    frame, left = blocks.first(frame, "row", 15)
    frame = frame.assign(asr_high=frame["asr_high"].fillna(0.0))  # without a rate the words begin at the axis
    axis = alt.Axis(ticks=False, labelExpr="split(datum.label, '|')[1]")
    base = blocks.by_row(frame[["row", "asr", "asr_low", "asr_high", "text", "fill"]], "row", axis)
    bars = base.mark_bar(height=9, stroke=theme.ACCENT, strokeWidth=0.5).encode(
        x=blocks.percents("asr:Q", "rate, %; stippled: fewer than 20 rows", top=140),
        fill=alt.Fill("fill:N", scale=None, legend=None),
    )
    spans = base.mark_rule(strokeWidth=1.5, color=theme.INK).encode(
        x=alt.X("asr_low:Q"), x2=alt.X2("asr_high:Q")
    )
    values = base.mark_text(align="left", dx=4, fontSize=8).encode(
        x=alt.X("asr_high:Q"), text=alt.Text("text:N")
    )
    said = "Rates by attack class: labels, and what graders report"
    title = blocks.heading(said, shown=len(frame), left=left)
    return blocks.layered(bars, spans, values, title=title, height=70 + 15 * len(frame))


def intents(table: pd.DataFrame, *, columns: int = 2) -> alt.ConcatChart:
    """Draw each attack class in a panel of its own: the known rate, and what each grader reports.

    Bars are 95% intervals, points the rates; hollow below 20 traces. Panels are sorted by the known rate. It
    does not rank the classes: where intervals overlap, the traces do not decide.

    Args:
        table: as `asr_by` by intent: one tier, one denominator.
        columns: panels per row: 2 fit a column of a paper, 3 a page.
    """
    place = table[table["grader"] == LABELS].set_index("intent")["asr"]
    order = sorted(set(table["intent"]), key=lambda name: (-float(place.get(name, 0)), str(name)))
    graders = [LABELS, *sorted(set(table["grader"]) - {LABELS})][: blocks.LINES]
    most = columns * max(1, int(blocks.ROOM // (24 * len(graders) + 75)))
    left = len(order[most:]) + len(set(table["grader"]) - set(graders))
    panels = [
        _panel(
            table[(table["intent"] == name) & table["grader"].isin(graders)],
            str(name),
            graders,
            labelled=n % columns == 0,
            last=n + columns >= len(order[:most]),
            width=178 if columns > 2 else 108,
        )
        for n, name in enumerate(order[:most])
    ]
    said = "%; bars: 95% intervals; hollow: fewer than 20 traces"
    title = blocks.heading("Attack success by attack class", said, shown=len(panels), left=left)
    return blocks.grid(panels, columns=columns, spacing=12, title=title)


def _panel(
    table: pd.DataFrame, intent: str, graders: Sequence[str], *, labelled: bool, last: bool, width: int
) -> alt.LayerChart:
    # The axis cuts long names; cut here, two of them could become one row.
    names = {name: "known labels" if name == LABELS else name for name in graders}
    rows = lines(table, "asr", row=table["intent"], who=table["grader"].map(names))
    rows[["rate", "low", "high"]] = 100 * rows[["rate", "low", "high"]].astype(float)
    rows = rows.drop(columns=["row", "k"]).assign(
        kind=(table["grader"] == LABELS).map({True: _KNOWN, False: _REPORTED}),
        # Above its point, but not over the names at the left.
        place=rows["rate"].fillna(50.0).clip(lower=2000 / width, upper=100 - 2000 / width),
    )
    axis = alt.Axis(
        labels=labelled,
        ticks=False,
        domain=False,
        labelFontSize=8,
        labelPadding=5,
        labelLimit=width * 5 // 9,
    )
    order = list(names.values())
    base = alt.Chart(theme.rounded(rows)).encode(
        y=alt.Y("who:N", sort=order, title=None, axis=axis, scale=alt.Scale(domain=order))
    )
    color, shape = blocks.marks("kind:N", theme.LOOKS["known"])
    ticks = alt.Axis(values=[0, 50, 100], grid=True, labels=last)
    x = alt.X("low:Q", title=None, scale=alt.Scale(domain=[0, 100]), axis=ticks)
    bars = base.mark_rule(strokeWidth=4, opacity=0.45).encode(x=x, x2=alt.X2("high:Q"), color=color)
    points = base.mark_point(size=18, opacity=1, strokeWidth=1.2).encode(
        x=alt.X("rate:Q"),
        color=color,
        shape=shape,
        fill=alt.condition("datum.n < 20", alt.value("white"), color),
    )
    said = base.mark_text(dy=-8, fontSize=8).encode(
        x=alt.X("place:Q"), text=alt.Text("text:N"), color=alt.value(theme.INK)
    )
    title = alt.TitleParams(intent.replace("_", " "), fontSize=10, limit=width + 4)
    layers = alt.LayerChart(layer=[bars, points, said], title=title)
    return layers.properties(width=width, height=24 * len(graders))


def _looks(who: "pd.Series[str]") -> dict[str, tuple[str, str]]:
    """Return colour and shape of the labels, then of each grader."""
    graders = sorted(set(who) - {LABELS})
    looks = cycle(theme.LOOKS["graders"].values())
    return {LABELS: (theme.INK, "circle"), **dict(zip(graders, looks, strict=False))}
