"""Figures of the calibration: what graders get right, and where their errors fall."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from ff_helpers.measurement.calibration.cards import Card, card_names, file_names
from ff_helpers.measurement.calibration.confusion import NO_VERDICT
from ff_helpers.measurement.calibration.tables import grader_note
from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.measurement.results import Terms, stated
from ff_helpers.paths import Run
from ff_helpers.publication.about import told
from ff_helpers.publication.figures.room import ROOM, heading, nothing
from ff_helpers.publication.figures.theme import (
    ACCENT,
    COLUMN_WIDTH,
    INK,
    VERDICT_COLORS,
    cut,
    rounded,
    save_figure,
    sized,
)

if TYPE_CHECKING:
    import altair as alt

_GREY = "#999999"
_BARS = {
    "valid": ("format valid", "#56B4E9"),
    "accuracy": ("content right", ACCENT),
    "majority": ("always the majority", _GREY),
    "modal_share": ("most frequent verdict", VERDICT_COLORS["PARTIAL"]),
}


def confusion(card: Card, name: str = "") -> "alt.Chart | alt.LayerChart":
    """Show truth (rows) against graded class (columns): right cells blue, wrong ones grey, counts in all.

    The shade is the share within the row of a truth, so rare classes can be read too. It does not
    show how sure the counts are: see the intervals of the card.

    Args:
        card: the card.
        name: what to call its grader; empty: as the card does.
    """
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
    many = len(graded) > 4
    flat, split = "replace(datum.label, '_', ' ')", "split(datum.label, '_')"
    columns = alt.Axis(labelExpr=flat if many else split, labelAngle=-40 if many else 0)
    base = alt.Chart(rounded(cells)).encode(
        x=alt.X("graded:N", sort=graded, title="graded as", axis=columns),
        y=alt.Y("truth:N", sort=graded, title="truth", axis=alt.Axis(labelExpr=split)),
    )
    shade = alt.Scale(domain=[0, 1], range=[0.0, 0.9])
    paint = alt.condition("datum.right", alt.value(ACCENT), alt.value("#666666"))
    box = base.mark_rect(stroke="#cccccc").encode(
        color=paint, opacity=alt.Opacity("share:Q", scale=shade, legend=None)
    )
    frame = base.transform_filter("datum.right").mark_rect(filled=False, stroke=ACCENT, strokeWidth=1.5)
    ink = alt.condition("datum.share > 0.6", alt.value("white"), alt.value(INK))
    count = base.mark_text(fontSize=11).encode(text="count:Q", color=ink)
    title = alt.TitleParams(
        f"{cut(name or card.grader, 24)} on {cut(card.calibration_set, 18)}: {card.k} of {card.n} right",
        subtitle=f"always answering {card.majority_class}: {card.majority.k} of {card.n} right",
    )
    height = 42 * len(card.confusion.classes) + (130 if many else 70)
    return sized(alt.LayerChart(layer=[box, frame, count], title=title), width=COLUMN_WIDTH, height=height)


def format_against_content(table: pd.DataFrame) -> "alt.VConcatChart":
    """Show, one panel per card: answers valid in form, right in content, and two baselines that look as good.

    The baselines: what always answering the majority class gets right, and how large a share of all
    verdicts the most frequent one is. Lines are Wilson intervals. It does not show where the errors fall.

    Args:
        table: as `cards_table`.
    """
    import altair as alt

    panels = []
    most = ROOM // 90
    rows, left = table.head(most).to_dict("records"), len(table.iloc[most:])
    for place, row in enumerate(rows, start=1):
        bars = pd.DataFrame(
            [
                (label, row[m], row[f"{m}_low"], row[f"{m}_high"], color, f"{percent(row[m])}%")
                for m, (label, color) in _BARS.items()
            ],
            columns=["measure", "share", "low", "high", "color", "text"],
        )
        x = alt.X("share:Q", scale=alt.Scale(domain=[0, 1.2]), title=None)
        # One scale for all panels: its numbers are under the last one.
        values = alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1], labels=place == len(rows))
        names = alt.Axis(minExtent=110, maxExtent=110)
        y = alt.Y("measure:N", sort=list(bars["measure"]), title=None, axis=names)
        base = alt.Chart(rounded(bars)).encode(y=y)
        bar = base.mark_bar(height=9).encode(x=x.axis(values), color=alt.Color("color:N", scale=None))
        rule = base.mark_rule(color=INK).encode(x="low:Q", x2="high:Q")
        text = base.mark_text(align="left", dx=4).encode(x="high:Q", text="text:N")
        title = alt.TitleParams(
            f"{cut(str(row['grader']), 22)} on {cut(str(row['set']), 14)} (n = {row['n']})", fontSize=10
        )
        layers = alt.LayerChart(layer=[bar, rule, text], title=title)
        panels.append(layers.properties(width=COLUMN_WIDTH - 125, height=62))
    if left or not panels:
        said = heading("Right in form, right in content", shown=len(panels), left=left)
        return alt.VConcatChart(vconcat=panels or [nothing()], spacing=6, title=said)
    return alt.vconcat(*panels, spacing=6)


def save_confusions(run: Run, cards: Sequence[Card]) -> None:
    """Write and show the confusion matrix of each card: figures/confusion_<name of the card's file>."""
    from IPython.display import display

    for card, name, file in zip(cards, card_names(cards), file_names(cards), strict=True):
        terms = Terms(
            graders=(grader_note(card, name),),
            denominators=("rows with a known truth, where a row without a verdict is wrong",),
            counts=f"in the cells; n = {card.n}, k = {card.k}",
            left_out=(("labels picked by judgement", card.left_out),) if card.left_out else (),
        )
        columns = [*card.confusion.classes, NO_VERDICT]
        table = pd.DataFrame(card.confusion.table, index=list(card.confusion.classes), columns=columns)
        picture = save_figure(run, told(confusion)(card, name), stated(table, terms), f"confusion_{file}")
        display(picture)  # type: ignore[no-untyped-call]
