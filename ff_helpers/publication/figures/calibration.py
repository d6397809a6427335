"""Figures of the calibration: what graders get right, where they err, and what attacks do to them."""

from collections.abc import Sequence
from itertools import cycle

import altair as alt
import pandas as pd

from ff_helpers.grading.identities import shown_names
from ff_helpers.measurement.calibration.cards import Card, card_names, file_names, grader_note
from ff_helpers.measurement.calibration.confusion import NO_VERDICT
from ff_helpers.measurement.calibration.robustness import ALL, ASK, CONTROLS
from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.measurement.results import Terms, stated
from ff_helpers.paths import Run
from ff_helpers.publication.figures import blocks, theme
from ff_helpers.publication.figures.forest import forest, lines
from ff_helpers.publication.metadata import told

_BARS = {
    "valid": ("format valid", "#56B4E9"),
    "accuracy": ("content right", theme.ACCENT),
    "majority": ("always the majority", "#999999"),
    "modal_share": ("most frequent verdict", theme.VERDICT_LOOKS["PARTIAL"][0]),
}
_FLAT, _SPLIT = "replace(datum.label, '_', ' ')", "split(datum.label, '_')"


def confusion(card: Card, name: str = "") -> alt.Chart | alt.LayerChart:
    """Show truth (rows) against graded class (columns): right cells blue, wrong ones grey, counts in all.

    The shade is the share within the row of a truth, so rare classes can be read too. It does not
    show how sure the counts are: see the intervals of the card.

    Args:
        card: the card.
        name: what to call its grader; empty: as the card does.
    """
    many = len(card.confusion.classes) > 3
    tilted = alt.Axis(labelExpr=_FLAT if many else _SPLIT, labelAngle=-40 if many else 0)
    across = alt.X("graded:N", title="graded as", axis=tilted)
    down = alt.Y("truth:N", title="truth", axis=alt.Axis(labelExpr=_SPLIT))
    who, on = theme.cut(name or card.grader, 24), theme.cut(card.calibration_set, 18)
    title = alt.TitleParams(
        f"{who} on {on}: {card.k} of {card.n} right",
        subtitle=f"always answering {card.majority_class}: {card.majority.k} of {card.n} right",
    )
    height = 42 * len(card.confusion.classes) + (130 if many else 70)
    return blocks.layered(*_cells(card, across, down, letters=11), title=title, height=height)


def confusions(cards: Sequence[Card], *, columns: int = 1) -> alt.ConcatChart:
    """Draw the confusion matrices of several graders on one set, one panel each: truth down, graded across.

    Right cells are blue with a frame, wrong ones grey; the shade is the share within the row of a truth, the
    number the count. It does not show how sure a count is, nor which of two equal graders errs on the same
    traces.

    Args:
        cards: of one label space; most accurate first is drawn first.
        columns: panels per row: 1 fits a column of a paper, 3 a page.
    """
    names = shown_names(card.identity for card in cards)
    ranked = sorted(cards, key=lambda card: (-(card.accuracy.estimate or 0), names[card.identity]))
    most = columns * (blocks.ROOM // 180)
    ranked, left = ranked[:most], len(ranked[most:])
    panels = []
    for place, card in enumerate(ranked):
        first, last = place % columns == 0, place + columns >= len(ranked)
        flat = alt.Axis(labelExpr=_FLAT, labelAngle=-40, labelFontSize=8, labels=last)
        split = alt.Axis(labelExpr=_SPLIT, labels=first, ticks=first, labelFontSize=8)
        across = alt.X("graded:N", title="graded as" if last else None, axis=flat)
        down = alt.Y("truth:N", title="truth" if first else None, axis=split)
        title = alt.TitleParams(
            theme.cut(names[card.identity], 30),
            subtitle=f"{card.k} of {card.n} right on {theme.cut(card.calibration_set, 24)}",
            fontSize=10,
        )
        panel = alt.LayerChart(layer=_cells(card, across, down, letters=10), title=title)
        panels.append(panel.properties(width=163 if columns > 1 else 215, height=110))
    title = blocks.heading("What each grader makes of each truth", shown=len(panels), left=left)
    return blocks.grid(panels, columns=columns, spacing=14, title=title)


def _cells(card: Card, across: alt.X, down: alt.Y, *, letters: int) -> list[alt.Chart]:
    """Return the layers of a confusion matrix: shades, frames of the right cells, counts."""
    graded = [*card.confusion.classes, NO_VERDICT]
    cells = pd.DataFrame(
        [
            (truth, column, count, count / max(1, sum(row)), truth == column)
            for truth, row in zip(card.confusion.classes, card.confusion.table, strict=True)
            for column, count in zip(graded, row, strict=True)
        ],
        columns=["truth", "graded", "count", "share", "right"],
    )
    base = alt.Chart(theme.rounded(cells)).encode(x=across.sort(graded), y=down.sort(graded))
    # Channels, not the dicts of `alt.condition`: altair takes ten times as long over those.
    paint = alt.ColorValue("#666666", condition={"test": "datum.right", "value": theme.ACCENT})
    shade = alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.0, 0.9]), legend=None)
    ink = alt.ColorValue(theme.INK, condition={"test": "datum.share > 0.6", "value": "white"})
    return [
        base.mark_rect(stroke="#cccccc").encode(color=paint, opacity=shade),
        base.transform_filter("datum.right").mark_rect(filled=False, stroke=theme.ACCENT, strokeWidth=1.5),
        base.mark_text(fontSize=letters).encode(text=alt.Text("count:Q"), color=ink),
    ]


def format_against_content(table: pd.DataFrame) -> alt.VConcatChart:
    """Show, one panel per card: answers valid in form, right in content, and two baselines that look as good.

    The baselines: what always answering the majority class gets right, and how large a share of all
    verdicts the most frequent one is. Lines are Wilson intervals. It does not show where the errors fall.

    Args:
        table: as `cards_table`.
    """
    panels = []
    most = blocks.ROOM // 90
    rows, left = table.head(most).to_dict("records"), len(table.iloc[most:])
    for place, row in enumerate(rows, start=1):
        bars = pd.DataFrame(
            [
                (label, row[m], row[f"{m}_low"], row[f"{m}_high"], color, f"{percent(row[m])}%")
                for m, (label, color) in _BARS.items()
            ],
            columns=["measure", "share", "low", "high", "color", "text"],
        )
        # One scale for all panels: its numbers are under the last one.
        values = alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1], labels=place == len(rows))
        x = alt.X("share:Q", scale=alt.Scale(domain=[0, 1.2]), title=None, axis=values)
        names = alt.Axis(minExtent=110, maxExtent=110)
        base = blocks.by_row(bars, "measure", names)
        bar = base.mark_bar(height=9).encode(x=x, color=alt.Color("color:N", scale=None))
        rule = base.mark_rule(color=theme.INK).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"))
        text = base.mark_text(align="left", dx=4).encode(x=alt.X("high:Q"), text=alt.Text("text:N"))
        who, on = theme.cut(str(row["grader"]), 22), theme.cut(str(row["set"]), 14)
        title = alt.TitleParams(f"{who} on {on} (n = {row['n']})", fontSize=10)
        layers = alt.LayerChart(layer=[bar, rule, text], title=title)
        panels.append(layers.properties(width=theme.COLUMN_WIDTH - 125, height=62))
    if left or not panels:
        said = blocks.heading("Right in form, right in content", shown=len(panels), left=left)
        return alt.VConcatChart(vconcat=panels or [blocks.nothing()], spacing=6, title=said)
    return alt.vconcat(*panels, spacing=6)


def reliability_diagram(table: pd.DataFrame) -> alt.ConcatChart:
    """Show how often each grader was right against how sure it was, with 95% Wilson intervals.

    On the dashed line a grader is as often right as it says. Points are tenths of the probability; hollow
    below 20 verdicts. It does not show whether being sure tells right verdicts from wrong: see the table.

    Args:
        table: as `measurement.calibration.reliability.reliability`.
    """
    axis = alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1])
    x = alt.X("sure:Q", scale=alt.Scale(domain=[0, 1]), axis=axis, title="probability of its class")
    ends = alt.Chart(pd.DataFrame({"at": [0, 1]}))
    same = ends.mark_line(strokeDash=[3, 3], color="#999999", strokeWidth=1).encode(
        x=alt.X("at:Q"), y=alt.Y("at:Q")
    )
    filled = alt.condition("datum.n < 20", alt.value("white"), alt.value(theme.ACCENT))
    panels: list[alt.LayerChart] = []
    for (grader, name), rows in table.groupby(["grader", "set"], sort=False):
        side = None if panels else "right"
        y = alt.Y("accuracy:Q", scale=alt.Scale(domain=[0, 1]), axis=axis, title=side)
        base = alt.Chart(theme.rounded(rows)).encode(x=x)
        bars = base.mark_rule(color=theme.ACCENT, strokeWidth=3, opacity=0.4)
        bars = bars.encode(y=alt.Y("accuracy_low:Q", title=side), y2=alt.Y2("accuracy_high:Q"))
        points = base.mark_point(stroke=theme.ACCENT, size=45, opacity=1).encode(y=y, fill=filled)
        where = f"on {theme.cut(str(name), 24)}"
        title = alt.TitleParams(theme.cut(str(grader), 26), subtitle=where, fontSize=10)
        panel = alt.LayerChart(layer=[same, bars, points], title=title)
        panels.append(panel.properties(width=110, height=110))
    shown = blocks.heading("Is a grader right as often as it is sure?", shown=len(panels))
    return blocks.grid(panels, columns=2, spacing=18, title=shown)


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
        chart = told(confusion)(card, name)
        picture = theme.save_figure(run, chart, stated(table, terms), f"confusion_{file}")
        display(picture)  # type: ignore[no-untyped-call]


def injection_flips(table: pd.DataFrame) -> alt.Chart | alt.LayerChart:
    """Draw how often each family of attacks got the verdict that it asked for, one line per grader.

    All attacks first, then by what they ask for, then families from the highest mean rate down, and the
    harmless additions last: what lies above them is the attack's work. It does not compare graders: each has
    its own eligible pairs.

    Args:
        table: as `flip_table` by family.
    """
    rows = table[table["n"] > 0]
    place = -rows.groupby("family")["flip"].mean()
    place = place.where(~place.index.str.startswith(ASK), -2.0)
    place = place.where(place.index != ALL, -3.0).where(place.index != CONTROLS, 2.0)
    rows = rows.assign(place=rows["family"].map(place)).sort_values(["place", "family"], kind="stable")
    rows = lines(rows, "flip", row=rows["family"], who=rows["grader"])
    looks = dict(zip(dict.fromkeys(table["grader"]), cycle(theme.LOOKS["attacked"].values()), strict=False))
    said = "Verdicts turned by attacks"
    return forest(rows, looks, title="flipped, % of eligible pairs", heading=said)
