"""Small multiples: one panel per grader or attack class, so like is next to like."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from ff_helpers.grading.identities import shown_names
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.calibration.confusion import NO_VERDICT
from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.measurement.results import LABELS
from ff_helpers.publication.figures.room import LINES, ROOM, heading, nothing
from ff_helpers.publication.figures.theme import ACCENT, INK, cut, rounded

if TYPE_CHECKING:
    import altair as alt

_KNOWN, _REPORTED = "known", "as graders report"
_LOOKS = {_KNOWN: (INK, "circle"), _REPORTED: ("#D55E00", "diamond")}


def confusions(cards: Sequence[Card], *, columns: int = 1) -> "alt.ConcatChart":
    """Draw the confusion matrices of several graders on one set, one panel each: truth down, graded across.

    Right cells are blue with a frame, wrong ones grey; the shade is the share within the row of a truth, the
    number the count. It does not show how sure a count is, nor which of two equal graders errs on the same
    traces.

    Args:
        cards: of one label space; most accurate first is drawn first.
        columns: panels per row: 1 fits a column of a paper, 3 a page.
    """
    import altair as alt

    names = shown_names(card.identity for card in cards)
    ranked = sorted(cards, key=lambda card: (-(card.accuracy.estimate or 0), names[card.identity]))
    most = columns * (ROOM // 180)
    ranked, left = ranked[:most], len(ranked[most:])
    panels = [
        _matrix(
            card,
            names[card.identity],
            labelled=place % columns == 0,
            last=place + columns >= len(ranked),
            width=163 if columns > 1 else 215,
        )
        for place, card in enumerate(ranked)
    ]
    title = heading("What each grader makes of each truth", shown=len(panels), left=left)
    return alt.ConcatChart(concat=panels or [nothing()], columns=columns, spacing=14, title=title)


def intents(table: pd.DataFrame, *, columns: int = 2) -> "alt.ConcatChart":
    """Draw each attack class in a panel of its own: the known rate, and what each grader reports.

    Bars are 95% intervals, points the rates; hollow below 20 traces. Panels are sorted by the known rate. It
    does not rank the classes: where intervals overlap, the traces do not decide.

    Args:
        table: as `asr_by` by intent: one tier, one denominator.
        columns: panels per row: 2 fit a column of a paper, 3 a page.
    """
    import altair as alt

    rates = table.assign(known=table["grader"] == LABELS)
    place = rates[rates["known"]].set_index("intent")["asr"]
    order = sorted(set(rates["intent"]), key=lambda name: (-float(place.get(name, 0)), str(name)))
    graders = [LABELS, *sorted(set(rates["grader"]) - {LABELS})][:LINES]
    wide = 178 if columns > 2 else 108
    most = columns * max(1, int(ROOM // (24 * len(graders) + 75)))
    left = len(order[most:]) + rates["grader"].nunique() - len({*graders} & {*rates["grader"]})
    order, rates = order[:most], rates[rates["grader"].isin(graders)]
    panels = [
        _rates(
            rates[rates["intent"] == name],
            str(name),
            graders,
            first=n % columns == 0,
            last=n + columns >= len(order),
            width=wide,
        )
        for n, name in enumerate(order)
    ]
    said = "%; bars: 95% intervals; hollow: fewer than 20 traces"
    title = heading("Attack success by attack class", said, shown=len(panels), left=left)
    return alt.ConcatChart(concat=panels or [nothing()], columns=columns, spacing=12, title=title)


def _matrix(card: Card, name: str, *, labelled: bool, last: bool, width: int) -> "alt.LayerChart":
    import altair as alt

    graded = [*card.confusion.classes, NO_VERDICT]
    cells = pd.DataFrame(
        [
            (truth, column, count, count / max(1, sum(row)), truth == column)
            for truth, row in zip(card.confusion.classes, card.confusion.table, strict=True)
            for column, count in zip(graded, row, strict=True)
        ],
        columns=["truth", "graded", "count", "share", "right"],
    )
    words = alt.Axis(labelExpr="replace(datum.label, '_', ' ')", labelAngle=-40, labelFontSize=8, labels=last)
    lines = alt.Axis(labelExpr="split(datum.label, '_')", labels=labelled, ticks=labelled, labelFontSize=8)
    y_title = "truth" if labelled else None
    base = alt.Chart(rounded(cells)).encode(
        x=alt.X("graded:N", sort=graded, title="graded as" if last else None, axis=words),
        y=alt.Y("truth:N", sort=graded, title=y_title, axis=lines),
    )
    paint = alt.condition("datum.right", alt.value(ACCENT), alt.value("#666666"))
    shade = alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.0, 0.9]), legend=None)
    box = base.mark_rect(stroke="#cccccc").encode(color=paint, opacity=shade)
    frame = base.transform_filter("datum.right").mark_rect(filled=False, stroke=ACCENT, strokeWidth=1.5)
    ink = alt.condition("datum.share > 0.6", alt.value("white"), alt.value(INK))
    count = base.mark_text(fontSize=10).encode(text="count:Q", color=ink)
    title = alt.TitleParams(
        cut(name, 30),
        subtitle=f"{card.k} of {card.n} right on {cut(card.calibration_set, 24)}",
        fontSize=10,
    )
    return alt.LayerChart(layer=[box, frame, count], title=title).properties(width=width, height=110)


def _rates(
    table: pd.DataFrame, intent: str, graders: Sequence[str], *, first: bool, last: bool, width: int
) -> "alt.LayerChart":
    import altair as alt

    # The axis cuts long names; cut here, two of them could become one row.
    names = {name: "known labels" if name == LABELS else name for name in graders}
    rows = pd.DataFrame(
        {
            "who": table["grader"].map(names),
            "kind": [_KNOWN if known else _REPORTED for known in table["known"]],
            "rate": 100 * table["asr"].astype(float),
            "low": 100 * table["asr_low"].astype(float),
            "high": 100 * table["asr_high"].astype(float),
            "n": table["n"],
            # Above its point, but not over the names at the left.
            "place": (100 * table["asr"].astype(float)).clip(lower=2000 / width, upper=100 - 2000 / width),
            "text": [
                f"{percent(a)} ({k}/{n})" for a, k, n in table[["asr", "k", "n"]].itertuples(index=False)
            ],
        }
    )
    axis = alt.Axis(
        labels=first, ticks=False, domain=False, labelFontSize=8, labelPadding=5, labelLimit=width * 5 // 9
    )
    base = alt.Chart(rounded(rows)).encode(
        y=alt.Y(
            "who:N",
            sort=list(names.values()),
            title=None,
            axis=axis,
            scale=alt.Scale(domain=list(names.values())),
        )
    )
    domain = list(_LOOKS)
    color = alt.Color(
        "kind:N", legend=None, scale=alt.Scale(domain=domain, range=[_LOOKS[d][0] for d in domain])
    )
    shape = alt.Shape(
        "kind:N", legend=None, scale=alt.Scale(domain=domain, range=[_LOOKS[d][1] for d in domain])
    )
    x = alt.X(
        "low:Q",
        title=None,
        scale=alt.Scale(domain=[0, 100]),
        axis=alt.Axis(values=[0, 50, 100], grid=True, labels=last),
    )
    bars = base.mark_rule(strokeWidth=4, opacity=0.45).encode(x=x, x2="high:Q", color=color)
    points = base.mark_point(size=18, opacity=1, strokeWidth=1.2).encode(
        x="rate:Q", color=color, shape=shape, fill=alt.condition("datum.n < 20", alt.value("white"), color)
    )
    said = base.mark_text(dy=-8, fontSize=8).encode(x="place:Q", text="text:N", color=alt.value(INK))
    layers = alt.LayerChart(
        layer=[bars, points, said],
        title=alt.TitleParams(intent.replace("_", " "), fontSize=10, limit=width + 4),
    )
    return layers.properties(width=width, height=24 * max(1, len(graders)))
