"""What a card says beside the accuracy: stability, direction of the errors, how the rows were drawn."""

import math

import pandas as pd

from ff_helpers.measurement.proportions.intervals import Proportion, wilson
from ff_helpers.terms import Space, Unknown, classes


def retest(rows: pd.DataFrame) -> Proportion | Unknown:
    """Return how often one grader gave the same verdict in every pass.

    Of traces graded more than once with a verdict each time; a trace with a status in one pass is left
    out. Stability, not truth: a grader that repeats one word is perfectly stable.
    """
    passes = rows.groupby("trace_id")["verdict"].agg(["size", "count", "nunique"])
    again = passes[(passes["size"] > 1) & (passes["size"] == passes["count"])]
    if again.empty:
        return Unknown("value", "no second pass")
    return wilson(int((again["nunique"] == 1).sum()), len(again))


def turned(
    rows: pd.DataFrame, own: Space, space: Space, truth: str, into: tuple[str, ...]
) -> Proportion | Unknown:
    """Return how many rows of one truth got one of some verdicts, or why this grader cannot say."""
    if truth not in classes(space):
        return Unknown("value", f"the space {space} does not single out {truth}")
    if not set(into) <= set(classes(own)):
        return Unknown("value", f"a judge that answers in the space {own} does not say {' or '.join(into)}")
    true = rows[rows["truth"] == truth]
    return wilson(int(true["verdict"].isin(into).sum()), len(true))


def seconds(value: float) -> float | Unknown:
    """Return seconds, or that none were recorded."""
    return Unknown("value", "no durations recorded") if math.isnan(value) else float(value)


def sampling(rows: pd.DataFrame) -> str:
    """Return how many rows were drawn in which way, in words."""
    parts = []
    for kind, group in rows.groupby("sampling"):
        chances = group["probability"].dropna()
        drawn = f" with probability {chances.min():.3g} to {chances.max():.3g}" if len(chances) else ""
        parts.append(f"{len(group)} {kind}{drawn}")
    return "; ".join(parts) or "no row entered"
