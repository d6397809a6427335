"""Figures of the agreement between graders: pairs by disagreement, and all against all."""

from typing import TYPE_CHECKING

import pandas as pd

from ff_helpers.measurement.agreement.pairs import LIMIT
from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.publication.figures.room import first, heading, one_piece
from ff_helpers.publication.figures.theme import ACCENT, COLUMN_WIDTH, INK, rounded, sized

if TYPE_CHECKING:
    import altair as alt

_MOST = 6
"""How many graders, truth included, have room for all pairs in a column of a paper."""


def disagreement(table: pd.DataFrame, *, limit: float = LIMIT) -> "alt.Chart | alt.LayerChart":
    """Show how often two graders disagree, with Wilson interval, sorted; the line is the limit of the rule.

    Flagged pairs are orange diamonds, the others blue circles. It does not say which of the two is right,
    and agreement is not accuracy: two graders can be wrong together.

    Args:
        table: as `measurement.agreement.pairs.agreement`.
        limit: share in [0, 1] above which a pair is flagged.
    """
    import altair as alt

    names = ["grader_a", "grader_b", "set", "n", "kappa"]
    rows = table.assign(
        label=[
            f"{one_piece(a)} and {one_piece(b)}|{one_piece(s)}, n = {n}, {_kappa(k)}"
            for a, b, s, n, k in table[names].itertuples(index=False)
        ]
    ).sort_values("disagreement", ascending=False, kind="stable")
    rows = rows[["label", "disagreement", "disagreement_low", "disagreement_high", "flagged"]]
    rows, left = first(rows, "label", 26)
    color = alt.condition("datum.flagged", alt.value("#D55E00"), alt.value(ACCENT))
    axis = alt.Axis(labelExpr="split(datum.label, '|')", labelLimit=190)
    order = list(rows["label"])
    base = alt.Chart(rounded(rows)).encode(y=alt.Y("label:N", sort=order, title=None, axis=axis))
    shares = alt.Axis(format="%", values=[0, 0.5, 1])
    x = alt.X("disagreement_low:Q", scale=alt.Scale(domain=[0, 1]), axis=shares)
    rule = base.mark_rule(strokeWidth=4, opacity=0.45).encode(
        x=x.title("disagreement"), x2="disagreement_high:Q", color=color
    )
    point = base.mark_point(size=28, filled=True, opacity=1).encode(
        x="disagreement:Q",
        color=color,
        shape=alt.condition("datum.flagged", alt.value("diamond"), alt.value("circle")),
    )
    line = alt.Chart(pd.DataFrame({"x": [limit]})).mark_rule(strokeDash=[3, 3], color=INK).encode(x="x:Q")
    subtitle = f"dashed: flagged above {100 * limit:g}%; κ: Cohen's kappa"
    title = heading("Disagreement of pairs of graders", subtitle, shown=len(rows), left=left)
    chart = alt.LayerChart(layer=[line, rule, point], title=title)
    return sized(chart, width=COLUMN_WIDTH, height=75 + 26 * len(rows))


def agreement_matrix(table: pd.DataFrame) -> "alt.Chart | alt.LayerChart":
    """Show the agreement of all graders with each other on one set: share, Cohen's kappa and n in each cell.

    Flagged pairs have a thick frame and an exclamation mark. Dark cells agree; they need not be right.
    Beyond six, graders are left out and counted under the title.

    Args:
        table: as `measurement.agreement.pairs.agreement`, the rows of one set.
    """
    import altair as alt

    truths = [name for name in table["grader_b"].drop_duplicates() if str(name).startswith("truth")]
    names = [*truths, *dict.fromkeys(n for n in [*table["grader_a"], *table["grader_b"]] if n not in truths)]
    names, left = names[:_MOST], len(names[_MOST:])
    table = table[table["grader_a"].isin(names) & table["grader_b"].isin(names)]
    place = {name: i for i, name in enumerate(names)}
    cells = [
        sorted(pair, key=lambda name: place[name])
        for pair in zip(table["grader_a"], table["grader_b"], strict=True)
    ]
    mark = table["flagged"].map({True: "! ", False: ""})
    frame = pd.DataFrame(cells, columns=["column", "row"]).assign(
        agreement=100 * table["agreement"].to_numpy(),
        flagged=table["flagged"].to_numpy(),
        text=[
            f"{m}{'no rows' if pd.isna(a) else percent(a) + '%'}|{_kappa(k)}|n = {n}"
            for m, a, k, n in zip(mark, table["agreement"], table["kappa"], table["n"], strict=True)
        ],
    )
    color = alt.Color(
        "agreement:Q", scale=alt.Scale(domain=[0, 100], range=["#f4f8fb", ACCENT]), title="agreement, %",
        legend=alt.Legend(orient="top", gradientLength=120, gradientThickness=8, values=[0, 50, 100]),
    )  # fmt: skip
    axis = alt.Axis(
        ticks=False,
        domain=False,
        labelLimit=110,
        labelAngle=0,
        labelExpr="split(replace(datum.label, ')', ''), ' (')",
    )
    base = alt.Chart(rounded(frame)).encode(
        x=alt.X("column:N", sort=names[:-1], title=None, axis=axis),
        y=alt.Y("row:N", sort=names[1:], title=None, axis=axis),
    )
    framed = alt.condition("datum.flagged", alt.value(INK), alt.value("white"))
    tiles = base.mark_rect(strokeWidth=1.8).encode(color=color, stroke=framed)
    words = base.mark_text(fontSize=8.5, lineBreak="|", lineHeight=11, dy=-11).encode(
        text="text:N", color=alt.condition("datum.agreement > 60", alt.value("white"), alt.value(INK))
    )
    said = "! and frame: flagged; κ: Cohen's kappa"
    title = heading("Who agrees with whom", said, shown=len(table), left=left)
    chart = alt.LayerChart(layer=[tiles, words], title=title)
    return sized(chart, width=COLUMN_WIDTH, height=110 + 48 * max(len(names) - 1, 1))


def _kappa(value: float) -> str:
    text = "κ not defined" if pd.isna(value) else f"κ {value:.2f}"
    return text.replace("-0.00", "0.00").replace("-", "−")
