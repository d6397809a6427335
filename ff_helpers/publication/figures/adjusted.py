"""What a grader's errors do to a rate, the rate without them, and how often an interval holds the truth."""

import altair as alt
import pandas as pd

from ff_helpers.measurement.adjustment.by_labels import FEW_LABELS, NO_LABELS
from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.measurement.results import LABELS
from ff_helpers.publication.figures import blocks, theme

RAW, ADJUSTED, TRUTH = "raw", "adjusted", "known truth"
_SAMPLE = "double sampling"
_UNKNOWN = {"none": "no card"} | {why: why for why in (NO_LABELS, FEW_LABELS)}
_DASHES = {"naive": [1, 0], "Rogan-Gladen": [1, 0], _SAMPLE: [5, 2]}


def reported_asr(curve: pd.DataFrame, *, true_rate: float) -> alt.Chart | alt.LayerChart:
    """Draw what a grader reports for every true ASR, against the diagonal of a perfect one.

    Shows the bias of a grader with known sensitivity and specificity, and marks one true rate. Does not
    show the uncertainty of a sample: the line is the expectation.

    Args:
        curve: as `apparent_curve` returns it: true_rate, apparent_rate.
        true_rate: the true rate to mark; one of the curve's.
    """
    nearest = (curve["true_rate"] - true_rate).abs().idxmin()
    mark = theme.rounded(curve.loc[[nearest]])
    words = mark.assign(
        text=f"true {mark['true_rate'].iloc[0]:.0%}, reported {mark['apparent_rate'].iloc[0]:.0%}"
    )
    ticks = alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1])
    share = alt.Scale(domain=[0, 1])
    x = alt.X("true_rate:Q", title="true ASR", axis=ticks, scale=share)
    y = alt.Y("apparent_rate:Q", title="reported ASR", axis=ticks, scale=share)
    faultless = curve.iloc[[0, -1]].assign(apparent_rate=[0.0, 1.0])
    diagonal = alt.Chart(faultless).mark_line(color=theme.INK, strokeDash=[4, 3], strokeWidth=1)
    reported = alt.Chart(theme.rounded(curve)).mark_line(color=theme.ACCENT, strokeWidth=2.5)
    gap = alt.Chart(mark).mark_rule(color="#D55E00", strokeWidth=3)
    point = alt.Chart(mark).mark_point(filled=True, color="#D55E00", size=50, opacity=1)
    label = alt.Chart(words).mark_text(align="right", fontSize=11, fontWeight="bold", color="#D55E00")
    return blocks.layered(
        diagonal.encode(x=x, y=y),
        reported.encode(x=x, y=y),
        gap.encode(x=x, y=alt.Y("true_rate:Q"), y2=alt.Y2("apparent_rate:Q")),
        point.encode(x=x, y=y),
        label.encode(x=alt.datum(0.98), y=alt.datum(0.08), text=alt.Text("text:N")),
        title=alt.TitleParams(
            "What this grader reports", subtitle="dashed: a perfect grader; red: the error"
        ),
        height=theme.COLUMN_WIDTH,
    )


def raw_against_adjusted(table: pd.DataFrame, by: str = "set") -> alt.Chart | alt.LayerChart:
    """Draw each grader's raw rate over its adjusted one, highest raw rate first, with the known truth.

    An open band over the whole width is an interval of [0, 1]: nothing can be concluded. It does not show
    whether the assumptions of an adjustment hold; the caption states them.

    Args:
        table: as `adjusted` or `adjusted_by`, one tier.
        by: the column that names a row beside the grader.
    """
    table = table[table["grader"] != LABELS].sort_values(["asr", by, "grader"], ascending=[False, True, True])
    rows = (table[by].astype("str") + ", " + table["grader"].astype("str")).map(blocks.one_piece)
    table, left = blocks.first(table.assign(row=rows), "row", 36)
    raw = _side(table, RAW, "asr").assign(text=blocks.counted(table, "asr"))
    adjusted = _side(table, ADJUSTED, "adjusted").assign(text=_words(table))
    known = pd.DataFrame({"row": table["row"], "x": 100 * table["known"], "who": TRUTH}).dropna()
    axis = alt.Axis(ticks=False, domain=False, labelPadding=5)
    y = alt.Y("row:N", sort=list(table["row"]), title=None, axis=axis)
    x = blocks.percents("low:Q", "attack success rate, %", top=150, step=25)
    legend = alt.Legend(title=None, orient="top", symbolOpacity=1)
    color, shape = blocks.marks("who:N", theme.LOOKS["adjustment"], legend)
    base = alt.Chart(theme.rounded(pd.concat([raw, adjusted], ignore_index=True))).encode(
        y=y, yOffset=alt.YOffset("who:N", sort=[RAW, ADJUSTED]), color=color
    )
    unknown, closed = base.transform_filter("datum.open"), base.transform_filter("!datum.open")
    bands = unknown.mark_bar(height=11, filled=False, strokeWidth=1, strokeDash=[3, 2])
    ticks = alt.Chart(theme.rounded(known)).mark_tick(thickness=2, size=26, opacity=1)
    points = base.transform_filter("isValid(datum.rate)").mark_point(size=18, opacity=1, filled=True)
    # Beyond 100, so no tick runs through a word.
    words = base.mark_text(align="left", fontSize=8).encode(
        x=alt.datum(103), text=alt.Text("text:N"), color=alt.value(theme.INK)
    )
    return blocks.layered(
        bands.encode(x=x, x2=alt.X2("high:Q")),
        closed.mark_rule(strokeWidth=4, opacity=0.45).encode(x=x, x2=alt.X2("high:Q")),
        ticks.encode(y=y, x=alt.X("x:Q"), color=color),
        points.encode(x=alt.X("rate:Q"), shape=shape),
        words,
        title=blocks.heading("Raw rates, and rates with the errors taken out", shown=len(table), left=left),
        height=75 + 36 * len(table),
    )


def _side(table: pd.DataFrame, who: str, rate: str) -> pd.DataFrame:
    columns = {rate: "rate", f"{rate}_low": "low", f"{rate}_high": "high"}
    frame = 100 * table[list(columns)].rename(columns=columns).astype(float)
    # A point in an interval of [0, 1] would be mistaken for a finding.
    everything = frame["high"] - frame["low"] >= 100
    return frame.assign(rate=frame["rate"].mask(everything), open=everything, row=table["row"], who=who)


def _words(table: pd.DataFrame) -> list[str]:
    """Return what stands beside each adjusted rate: the rate, or why there is none."""
    unknown = table["adjusted_by"].map(_UNKNOWN).fillna("not identifiable")
    unknown = unknown.mask(table["adjusted"].notna(), "excludes nothing")
    everything = 100 * (table["adjusted_high"] - table["adjusted_low"]).astype(float) >= 100
    found = table["adjusted"].map(percent).where(table["adjusted"].notna(), "bracket")
    return list(unknown.where(everything, found))


def coverage(
    table: pd.DataFrame, *, corpus_n: int = 1000, calibration_n: int = 100, columns: int = 5
) -> alt.ConcatChart:
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
    rows = table[(table["corpus_n"] == corpus_n) & table["icc"].isna()]
    rows = rows[rows["calibration_n"].isin((0, calibration_n)) & (rows["labels"] != "as they come")]
    rows = rows[rows["method"].isin(("naive", "Rogan-Gladen", "double sampling"))]
    rows = rows.assign(line=rows["method"])
    keys = rows[["sensitivity", "specificity"]].drop_duplicates()
    youden = (keys.sum(axis=1)).sort_values(ascending=False, kind="stable")
    order = keys.loc[youden.index].itertuples(index=False)
    panels = [
        _panel(
            rows[(rows["sensitivity"] == se) & (rows["specificity"] == sp)],
            f"Se {se:.2f}, Sp {sp:.2f}",
            first=place % columns == 0,
            last=place + columns >= len(keys),
            legend=place == 0,
        )
        for place, (se, sp) in enumerate(order)
    ]
    told = [f"n = {corpus_n:,} graded, {calibration_n} labels; dashed: the nominal 95%"]
    told.append("blue [0, 1]: share of draws not identifiable")
    subtitle = told if columns < 4 else ["; ".join(told)]
    title = blocks.heading("How often a 95% interval contains the true ASR", *subtitle, shown=len(panels))
    return blocks.grid(panels, columns=columns, spacing=10, title=title)


def _panel(rows: pd.DataFrame, name: str, *, first: bool, last: bool, legend: bool) -> alt.LayerChart:
    refused = 1 - rows.loc[rows["method"] == "Rogan-Gladen", "answered"].mean()
    axis = alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 0.95], labels=first, ticks=first, domain=first)
    x = alt.X(
        "true_asr:Q",
        title="true ASR" if last else None,
        axis=alt.Axis(format=".0%", values=[0, 0.5, 1], grid=False),
        scale=alt.Scale(domain=[0, 1]),
    )
    y = alt.Y("coverage:Q", title="coverage" if first else None, axis=axis, scale=alt.Scale(domain=[0, 1.05]))
    keys = alt.Legend(title=None, orient="top", columns=3, symbolStrokeWidth=0) if legend else None
    color, shape = blocks.marks("line:N", theme.LOOKS["methods"], keys)
    dash = alt.StrokeDash("line:N", scale=blocks.mapped(_DASHES), legend=None)
    base = alt.Chart(theme.rounded(rows[["line", "true_asr", "coverage"]])).encode(x=x, y=y, color=color)
    promised = alt.Chart(pd.DataFrame({"y": [0.95]})).mark_rule(color=theme.INK, strokeDash=[3, 3])
    lines = base.mark_line(strokeWidth=1.8).encode(strokeDash=dash)
    points = base.mark_point(filled=True, size=20, opacity=1).encode(shape=shape)
    title = alt.TitleParams(
        name, subtitle=f"[0, 1] in {refused:.0%}", subtitleColor=theme.ACCENT, fontSize=9, anchor="middle"
    )
    layers = alt.LayerChart(layer=[promised.encode(y=alt.Y("y:Q")), lines, points], title=title)
    return layers.properties(width=104, height=110)
