"""`ff watch`: whether graders are as right as they were, and how many labels to draw next."""

import argparse
import shlex
from collections.abc import Sequence

import pandas as pd

from ff_helpers.cli.text import aligned, announce, json_rows, percent, print_json, said, shown
from ff_helpers.errors import FFError
from ff_helpers.measurement.adjustment.watch import asks, labels_to_see, periods
from ff_helpers.measurement.sampling.files import read_sample
from ff_helpers.measurement.sampling.rows import graded_rows

LIMITS = (
    "Limits are exact binomial ones at three sigma around the accuracy of the earlier labels (a p chart)."
)
_HEADS = ("labels of", "n", "accuracy [95%]", "limits", "")


def watch(options: argparse.Namespace) -> int:
    """Print a control chart of each grader's labels and the labels to draw; exit code 1 if one changed."""
    rows = graded_rows(options.file, options.traces, grader=options.grader)
    samples = [read_sample(path, space=options.space) for path in options.labels or ()]
    told: list[dict[str, object]] = []
    charts: list[pd.DataFrame] = []
    for name, own in rows.groupby("grader", sort=True):
        chart = periods(own, samples, options.tier)
        charts.append(chart.assign(grader=str(name)))
        why = asks(own, chart)
        centre = _accuracy(chart, options.accuracy)
        n = labels_to_see(centre, options.drop, options.power)
        there = int(own["verdict"].notna().sum())
        told.append(
            {
                "grader": str(name),
                "chart": json_rows(chart),
                "lines": _lines(chart),
                "why": why,
                "accuracy": centre,
                "labels": min(n, there),
            }
            | {"digest": _text(own["grader_digest"].iloc[0]), "rubric": _text(own["rubric"].iloc[0])}
            | {"rows": there, "drop": options.drop, "power": options.power}
            | {"next": _next(options, str(name), min(n, there)), "enough": n <= there}
        )
    if not told:
        raise FFError(f"{options.file}: no graded row.")
    if options.figure is not None:
        _draw(options, pd.concat(charts, ignore_index=True), told)
    if options.json:
        print_json([{key: one[key] for key in one if key != "lines"} for one in told])
    else:
        print(said("watch", limits=LIMITS, told=told, drop=options.drop, power=options.power))
    return int(any(one["why"] for one in told))


def _draw(options: argparse.Namespace, table: pd.DataFrame, told: Sequence[dict[str, object]]) -> None:
    """Write the control chart, with a caption that names each grader and what it was measured on."""
    from ff_helpers.publication.figures.theme import write_chart
    from ff_helpers.publication.figures.watched import control_chart

    if not table["labels"].sum():
        raise FFError(f"--figure {options.figure}: no label yet, so there is nothing to draw. Add --labels.")
    who = "; ".join(
        f"{one['grader']} (digest {str(one['digest'] or 'unknown')[:19]}, "
        f"rubric {one['rubric'] or 'unknown'})"
        for one in told
    )
    files = ", ".join(path.name for path in options.labels)
    caption = f"{who} against labels of people in {files}, tier {options.tier}. {LIMITS}"
    write_chart(options.figure, control_chart(table), caption=caption)
    announce(f"ff watch: the control chart is in {shown(options.figure)}")


def _text(value: object) -> str | None:
    return None if pd.isna(value) else str(value)  # type: ignore[call-overload]


def _accuracy(chart: pd.DataFrame, expected: float) -> float:
    """Return the accuracy of all labels so far, or what was expected where there is none."""
    size = chart["size"].sum()
    return float((chart["accuracy"].fillna(0) * chart["size"]).sum() / size) if size else expected


def _lines(chart: pd.DataFrame) -> Sequence[str]:
    lines = [_HEADS]
    for row in chart.to_dict("records"):
        rate = percent(row["accuracy"], row["low"], row["high"]) if row["labels"] else "no label"
        known = pd.notna(row["limit_low"])
        limits = f"{100 * row['limit_low']:.1f} to {100 * row['limit_high']:.1f}" if known else "–"
        lines.append((row["period"], str(row["labels"]), rate, limits, "below" if row["out"] else ""))
    return aligned(lines, right=(1,))


def _next(options: argparse.Namespace, grader: str, n: int) -> str:
    traces = shlex.join(shown(path) for path in options.traces)
    words = f"ff sample {shlex.quote(shown(options.file))} --traces {traces} --grader {shlex.quote(grader)}"
    return f"{words} --n {n} --tier {options.tier} --out NEW.csv"
