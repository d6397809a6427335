"""`ff watch`: whether graders are as right as they were, and how many labels to draw next."""

import argparse
import shlex
from collections.abc import Sequence

import pandas as pd

from ff_helpers.cli.text import aligned, json_rows, percent, print_json, said, shown
from ff_helpers.errors import FFError
from ff_helpers.measurement.adjustment.watch import asks, labels_to_see, periods
from ff_helpers.measurement.sampling.files import read_sample
from ff_helpers.measurement.sampling.rows import graded_rows

_HEADS = ("labels of", "n", "accuracy [95%]", "limits", "")


def watch(options: argparse.Namespace) -> int:
    """Print a control chart of each grader's labels and the labels to draw; exit code 1 if one changed."""
    rows = graded_rows(options.file, options.traces, grader=options.grader)
    samples = [read_sample(path, space=options.space) for path in options.labels or ()]
    told: list[dict[str, object]] = []
    for name, own in rows.groupby("grader", sort=True):
        chart = periods(own, samples, options.tier)
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
    if options.json:
        print_json([{key: one[key] for key in one if key != "lines"} for one in told])
    else:
        print(said("watch", told=told, drop=options.drop, power=options.power))
    return int(any(one["why"] for one in told))


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
