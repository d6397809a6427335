"""Several graders of the same traces: pairs by disagreement, all against all, and the range they span."""

import altair as alt
import pandas as pd

from ff_helpers.measurement.agreement.pairs import LIMIT
from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.publication.figures import blocks, theme

_MOST = 6
"""How many graders, truth included, have room for all pairs in a column of a paper."""
_BRACKET = "The same traces, graded by several"


def disagreement(table: pd.DataFrame, *, limit: float = LIMIT) -> alt.Chart | alt.LayerChart:
    """Show how often two graders disagree, with Wilson interval, sorted; the line is the limit of the rule.

    Flagged pairs are orange diamonds, the others blue circles. It does not say which of the two is right,
    and agreement is not accuracy: two graders can be wrong together.

    Args:
        table: as `measurement.agreement.pairs.agreement`.
        limit: share in [0, 1] above which a pair is flagged.
    """
    names = ["grader_a", "grader_b", "set", "n", "kappa"]
    rows = table.assign(
        label=[
            f"{blocks.one_piece(a)} and {blocks.one_piece(b)}|{blocks.one_piece(s)}, n = {n}, {_kappa(k)}"
            for a, b, s, n, k in table[names].itertuples(index=False)
        ]
    ).sort_values("disagreement", ascending=False, kind="stable")
    rows = rows[["label", "disagreement", "disagreement_low", "disagreement_high", "flagged"]]
    rows, left = blocks.first(rows, "label", 26)
    color = alt.condition("datum.flagged", alt.value("#D55E00"), alt.value(theme.ACCENT))
    shape = alt.condition("datum.flagged", alt.value("diamond"), alt.value("circle"))
    axis = alt.Axis(labelExpr="split(datum.label, '|')", labelLimit=190)
    base = blocks.by_row(rows, "label", axis).encode(color=color)
    x = alt.X(
        "disagreement_low:Q",
        title="disagreement",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", values=[0, 0.5, 1]),
    )
    subtitle = f"dashed: flagged above {100 * limit:g}%; κ: Cohen's kappa"
    return blocks.layered(
        blocks.line_at([limit]),
        base.mark_rule(strokeWidth=4, opacity=0.45).encode(x=x, x2=alt.X2("disagreement_high:Q")),
        base.mark_point(size=28, filled=True, opacity=1).encode(x=alt.X("disagreement:Q"), shape=shape),
        title=blocks.heading("Disagreement of pairs of graders", subtitle, shown=len(rows), left=left),
        height=75 + 26 * len(rows),
    )


def agreement_matrix(table: pd.DataFrame) -> alt.Chart | alt.LayerChart:
    """Show the agreement of all graders with each other on one set: share, Cohen's kappa and n in each cell.

    Flagged pairs have a thick frame and an exclamation mark. Dark cells agree; they need not be right.
    Beyond six, graders are left out and counted under the title.

    Args:
        table: as `measurement.agreement.pairs.agreement`, the rows of one set.
    """
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
        "agreement:Q",
        scale=alt.Scale(domain=[0, 100], range=["#f4f8fb", theme.ACCENT]),
        title="agreement, %",
        legend=alt.Legend(orient="top", gradientLength=120, gradientThickness=8, values=[0, 50, 100]),
    )
    label = "split(replace(datum.label, ')', ''), ' (')"
    # Long names side by side would run into each other: one part per line.
    parts = "split(replace(datum.label, regexp('-', 'g'), '-|'), '|')"
    narrow = f"length(datum.label) > 10 && indexof(datum.label, ' (') < 0 ? {parts} : {label}"
    axis = alt.Axis(ticks=False, domain=False, labelLimit=110, labelAngle=0, labelExpr=label)
    below = alt.Axis(ticks=False, domain=False, labelLimit=110, labelAngle=0, labelExpr=narrow)
    base = alt.Chart(theme.rounded(frame)).encode(
        x=alt.X("column:N", sort=names[:-1], title=None, axis=below),
        y=alt.Y("row:N", sort=names[1:], title=None, axis=axis),
    )
    framed = alt.condition("datum.flagged", alt.value(theme.INK), alt.value("white"))
    ink = alt.condition("datum.agreement > 60", alt.value("white"), alt.value(theme.INK))
    words = base.mark_text(fontSize=8.5, lineBreak="|", lineHeight=11, dy=-11)
    said = "! and frame: flagged; κ: Cohen's kappa"
    return blocks.layered(
        base.mark_rect(strokeWidth=1.8).encode(color=color, stroke=framed),
        words.encode(text=alt.Text("text:N"), color=ink),
        title=blocks.heading("Who agrees with whom", said, shown=len(table), left=left),
        height=110 + 48 * max(len(names) - 1, 1),
    )


def grader_bracket(table: pd.DataFrame) -> alt.Chart | alt.LayerChart:
    """Draw what several graders report on the same traces, and the range between them as a band.

    The band is the finding, not any grader in it: a vote or a mean of them would hide it. It is not an
    interval: the truth can lie outside.

    Args:
        table: as `measurement.agreement.bracket.bracket` or `facts.grader_bracket`, one tier: the columns
            set or cohort, denominator, grader, k, n, asr, gate and the range.
    """
    if table.empty:
        panel = alt.LayerChart(layer=[blocks.nothing("a bracket needs two graders of the same traces")])
        return panel.properties(width=theme.COLUMN_WIDTH - 12, title=blocks.heading(_BRACKET, shown=0))
    frame, left = blocks.first(_bracket_rows(table), "row", 17)
    states = {state: look for state, look in theme.LOOKS["gate"].items() if state in set(frame["gate"])}
    label = "split(datum.label, '|')[1]"
    axis = alt.Axis(ticks=False, domain=False, labelPadding=7, labelExpr=label, labelLimit=150)
    base = alt.Chart(theme.rounded(frame)).encode(
        y=alt.Y("row:N", sort=list(frame["row"]), title=None, axis=axis, scale=alt.Scale(padding=0))
    )
    highest = float(frame["end"].max())
    x = blocks.percents(
        "rate:Q",
        f"{', '.join(table['tier'].drop_duplicates())} attack success rate, %".replace("_", " "),
        top=150.0 if highest > 66 else 1.5 * highest + 5,
    )
    legend = alt.Legend(title=None, orient="top", columns=2)
    color, shape = blocks.marks("gate:N", states, legend)
    graders = base.transform_filter("isValid(datum.gate)").encode(color=color)
    points = graders.transform_filter("isValid(datum.rate)").mark_point(size=22, filled=True, opacity=1)
    counts = base.mark_text(align="left", dx=4, fontSize=8, color=theme.INK)
    said = "band: from the lowest grader to the highest"
    return blocks.layered(
        base.mark_rect(color=theme.SOFT, opacity=0.3).encode(x=alt.X("lowest:Q"), x2=alt.X2("highest:Q")),
        graders.mark_rule(strokeWidth=4, opacity=0.45).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q")),
        points.encode(x=x, shape=shape),
        counts.encode(x=alt.X("end:Q"), text=alt.Text("text:N")),
        title=blocks.heading(_BRACKET, said, shown=len(frame), left=left),
        height=95 + 17 * len(frame),
    )


def _bracket_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return for each set and denominator a line with its range, then its graders, highest first."""
    traces = "set" if "set" in table.columns else "cohort"
    several = table[traces].nunique() > 1
    lines: list[dict[str, object]] = []
    for (name, over), part in table.groupby([traces, "denominator"], sort=False):
        ranks = part.sort_values(["asr", "grader"], ascending=[False, True], kind="stable")
        lowest, highest = float(part["lowest"].iloc[0]), float(part["highest"].iloc[0])
        edges = {"lowest": 100 * lowest, "highest": 100 * highest}
        who = blocks.one_piece(name)
        key = f"{who}, {over}"
        head = f"{who}, of {over}" if several else f"of {over}"
        text = f"range {percent(lowest)} to {percent(highest)}"
        lines.append({"row": f"{key}|{head}", "end": 100 * highest, "text": text} | edges)
        for grader, gate, rate, low, high, k, n in ranks[
            ["grader", "gate", "asr", "asr_low", "asr_high", "k", "n"]
        ].itertuples(index=False):
            text = blocks.rate_with_counts(rate, k, n) if n else "no rows"
            numbers = {"rate": 100 * rate, "low": 100 * low, "high": 100 * high, "end": 100 * high}
            row = f"{key} {blocks.one_piece(grader)}|{blocks.one_piece(grader)}"
            lines.append({"row": row, "gate": gate, "text": text} | numbers | edges)
    return pd.DataFrame(lines)


def _kappa(value: float) -> str:
    text = "κ not defined" if pd.isna(value) else f"κ {value:.2f}"
    return text.replace("-0.00", "0.00").replace("-", "−")
