"""How often naive and adjusted intervals contain the truth, by the true rate, for five graders."""

from typing import TYPE_CHECKING

import pandas as pd

from ff_helpers.publication.figures.room import heading, nothing
from ff_helpers.publication.figures.theme import ACCENT, INK, rounded

if TYPE_CHECKING:
    import altair as alt

_NAIVE, _CARD, _SAMPLE = "naive", "Rogan-Gladen", "PPI++ or labels alone"
_LOOKS: dict[str, tuple[str, list[int], str]] = {
    _NAIVE: ("#D55E00", [1, 0], "square"),
    _CARD: (ACCENT, [1, 0], "circle"),
    _SAMPLE: ("#009E73", [5, 2], "triangle-up"),
}


def coverage(
    table: pd.DataFrame, *, corpus_n: int = 1000, calibration_n: int = 100, columns: int = 5
) -> "alt.ConcatChart":
    """Draw the coverage of naive and adjusted intervals, one panel per grader, best grader first.

    The dashed line is the nominal 95%. The line under each panel's title says in how many draws
    Rogan-Gladen said nothing ([0, 1], which covers). Where the naive line rises, the grader's two kinds of
    error happen to cancel. It does not show how wide the intervals are, nor what
    happens where the grader errs differently from where it was measured.

    Args:
        table: as `coverage_table`.
        corpus_n: graded rows.
        calibration_n: labels that the corrections know.
        columns: panels per row: 2 fit a column of a paper, 5 a page.
    """
    import altair as alt

    rows = table[(table["corpus_n"] == corpus_n) & table["icc"].isna()]
    rows = rows[rows["calibration_n"].isin((0, calibration_n)) & (rows["labels"] != "as they come")]
    rows = rows[rows["method"].isin(("naive", "Rogan-Gladen", "PPI++"))]
    rows = rows.assign(line=rows["method"].replace({"PPI++": _SAMPLE}))
    keys = rows[["sensitivity", "specificity"]].drop_duplicates()
    youden = (keys.sum(axis=1)).sort_values(ascending=False, kind="stable")
    panels = [
        _panel(
            rows,
            float(se),
            float(sp),
            first=place % columns == 0,
            last=place + columns >= len(keys),
            legend=place == 0,
        )
        for place, (se, sp) in enumerate(keys.loc[youden.index].itertuples(index=False))
    ]
    told = [f"n = {corpus_n:,} graded, {calibration_n} labels; dashed: the nominal 95%"]
    told.append("blue [0, 1]: share of draws not identifiable")
    subtitle = told if columns < 4 else ["; ".join(told)]
    title = heading("How often a 95% interval contains the true ASR", *subtitle, shown=len(panels))
    return alt.ConcatChart(concat=panels or [nothing()], columns=columns, spacing=10, title=title)


def _panel(
    rows: pd.DataFrame, se: float, sp: float, *, first: bool, last: bool, legend: bool
) -> "alt.LayerChart":
    import altair as alt

    own = rows[(rows["sensitivity"] == se) & (rows["specificity"] == sp)]
    refused = 1 - own.loc[own["method"] == "Rogan-Gladen", "answered"].mean()
    columns = ["line", "true_asr", "coverage"]
    axis = alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 0.95], labels=first, ticks=first, domain=first)
    x = alt.X(
        "true_asr:Q",
        title="true ASR" if last else None,
        axis=alt.Axis(format=".0%", values=[0, 0.5, 1], grid=False),
        scale=alt.Scale(domain=[0, 1]),
    )
    y = alt.Y("coverage:Q", title="coverage" if first else None, axis=axis, scale=alt.Scale(domain=[0, 1.05]))
    color = alt.Color(
        "line:N",
        scale=alt.Scale(domain=list(_LOOKS), range=[look[0] for look in _LOOKS.values()]),
        legend=alt.Legend(title=None, orient="top", columns=3, symbolStrokeWidth=0) if legend else None,
    )
    dash = alt.StrokeDash(
        "line:N",
        scale=alt.Scale(domain=list(_LOOKS), range=[look[1] for look in _LOOKS.values()]),
        legend=None,
    )
    shape = alt.Shape(
        "line:N", scale=alt.Scale(domain=list(_LOOKS), range=[look[2] for look in _LOOKS.values()])
    )
    base = alt.Chart(rounded(own[columns])).encode(x=x, y=y, color=color)
    promised = alt.Chart(pd.DataFrame({"y": [0.95]})).mark_rule(color=INK, strokeDash=[3, 3]).encode(y="y:Q")
    title = alt.TitleParams(
        f"Se {se:.2f}, Sp {sp:.2f}",
        subtitle=f"[0, 1] in {refused:.0%}",
        subtitleColor=ACCENT,
        fontSize=9,
        anchor="middle",
    )
    lines = base.mark_line(strokeWidth=1.8).encode(strokeDash=dash)
    return alt.LayerChart(
        layer=[promised, lines, base.mark_point(filled=True, size=20, opacity=1).encode(shape=shape)],
        title=title,
    ).properties(width=104, height=110)
