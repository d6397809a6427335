"""Figures of the agreement between graders."""

from typing import TYPE_CHECKING

import pandas as pd

from ff_helpers.measurement.agreement import LIMIT
from ff_helpers.publication.figures.theme import ACCENT, COLUMN_WIDTH, INK, rounded, sized

if TYPE_CHECKING:
    import altair as alt


def agreement(table: pd.DataFrame, *, limit: float = LIMIT) -> "alt.Chart | alt.LayerChart":
    """Show how often two graders disagree, with Wilson interval, sorted; the line is the limit of the rule.

    Flagged pairs are orange diamonds, the others blue circles. It does not say which of the two is right,
    and agreement is no accuracy: two graders can be wrong together.

    Args:
        table: as `measurement.agreement.agreement`.
        limit: share in [0, 1] above which a pair is flagged.
    """
    import altair as alt

    names = ["grader_a", "grader_b", "set", "n", "kappa"]
    rows = table.assign(
        label=[
            f"{a} and {b}|{s}, n = {n}, κ {'not defined' if pd.isna(k) else f'{k:.2f}'.replace('-', '−')}"
            for a, b, s, n, k in table[names].itertuples(index=False)
        ]
    ).sort_values("disagreement", ascending=False, kind="stable")
    rows = rows[["label", "disagreement", "disagreement_low", "disagreement_high", "flagged"]]
    color = alt.condition("datum.flagged", alt.value("#D55E00"), alt.value(ACCENT))
    axis = alt.Axis(labelExpr="split(datum.label, '|')", labelLimit=190)
    order = list(rows["label"])
    base = alt.Chart(rounded(rows)).encode(y=alt.Y("label:N", sort=order, title=None, axis=axis))
    x = alt.X("disagreement_low:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=4))
    rule = base.mark_rule(strokeWidth=2.5).encode(
        x=x.title("disagreement"), x2="disagreement_high:Q", color=color
    )
    point = base.mark_point(size=45, filled=True, opacity=1).encode(
        x="disagreement:Q",
        color=color,
        shape=alt.condition("datum.flagged", alt.value("diamond"), alt.value("circle")),
    )
    line = alt.Chart(pd.DataFrame({"x": [limit]})).mark_rule(strokeDash=[3, 3], color=INK).encode(x="x:Q")
    subtitle = f"dashed: flagged above {100 * limit:g}%; κ: Cohen's kappa"
    title = alt.TitleParams("Disagreement of pairs of graders", subtitle=subtitle)
    chart = alt.LayerChart(layer=[line, rule, point], title=title)
    return sized(chart, width=COLUMN_WIDTH, height=75 + 30 * len(rows))
