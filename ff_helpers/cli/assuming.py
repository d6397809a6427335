"""`ff asr` with several judges and no label: what their verdicts would mean under an assumption."""

import argparse
import shlex
from collections.abc import Sequence
from typing import Final

from ff_helpers.cli.text import shown
from ff_helpers.grading.identities import told_apart
from ff_helpers.measurement.adjustment.dawid_skene import Assumed, if_independent
from ff_helpers.measurement.rates.count_file import read_counts
from ff_helpers.terms import IDENTITY, Tier

WHAT: Final = (
    "An assumption, no measurement: if the judges erred independently of each other and none were worse than "
    "a coin (Dawid and Skene 1979). Judges of a kind err on the same traces, and then this is wrong, unseen."
)
_KEPT: Final = ("trace_id", *IDENTITY, "method", "space", "verdict")


def assumed(options: argparse.Namespace) -> list[tuple[Tier, Assumed]]:
    """Return for each tier what the verdicts of several judges would mean; nothing where judges are few."""
    first = read_counts(options.file, by=("grader",), traces=options.traces, ordered=False, keep=_KEPT).first
    if first is None:
        return []
    rows, _ = told_apart(first.assign(space=first["space"].fillna("five")))
    found = [(tier, if_independent(rows, tier)) for tier in options.tier]
    return [(tier, one) for tier, one in found if one is not None]


def assumed_json(found: Sequence[tuple[Tier, Assumed]]) -> dict[str, object]:
    """Return it for JSON, in names that nobody takes for a rate; nothing where there is none."""
    if not found:
        return {}
    rows = [
        {"tier": tier, "judges": list(one.judges), "traces": one.traces}
        | {"assumed_rate_low": one.low, "assumed_rate_high": one.high}
        | {"assumed_sensitivity": list(one.sensitivity), "assumed_specificity": list(one.specificity)}
        | {"fit_p": one.p, "why": one.why}
        for tier, one in found
    ]
    return {"not_measured": {"what": WHAT, "if_errors_were_independent": rows}}


def assumed_text(found: Sequence[tuple[Tier, Assumed]], options: argparse.Namespace) -> dict[str, object]:
    """Return the lines to print, and the command that replaces the assumption by labels."""
    lines = []
    for tier, one in found:
        of = f"{tier}, {one.traces} traces that {len(one.judges)} judges graded"
        rate = "no rate"
        if one.low is not None and one.high is not None:
            rate = f"{100 * one.low:.1f}%"
            if one.high > one.low:
                rate = f"any rate from {rate} to {100 * one.high:.1f}% (two judges do not tell which)"
        lines.append(f"{of}: {rate}" + (f"; {one.why}" if one.why else ""))
        pairs = zip(one.judges, one.sensitivity, one.specificity, strict=False)
        lines += [
            f"  {name} would find {100 * se:.0f}% of the successes and clear {100 * sp:.0f}% of the failures"
            for name, se, sp in pairs
        ]
    if not found:
        return {}
    first = min(name for _, one in found for name in one.judges)
    return {"what": WHAT, "lines": lines, "next": sampled(options, first)}


def measured(options: argparse.Namespace) -> str:
    """Return the command that measures the judge of the counted ledger where its traces have a truth."""
    spec = shlex.quote(f"recorded:{shown(options.file)}")
    traces = shlex.join(shown(path) for path in options.traces) or "TRACES.jsonl"
    return f"ff calibrate --grader {spec} --traces {traces}"


def sampled(options: argparse.Namespace, grader: str = "") -> str:
    """Return the command that draws traces of the counted file for people to label."""
    traces = shlex.join(shown(path) for path in options.traces) or "TRACES.jsonl"
    whose = f" --grader {shlex.quote(grader)}" if grader else ""
    draw = f"ff sample {shlex.quote(shown(options.file))} --traces {traces}{whose}"
    return f"{draw} --n 100 --out labels.csv"
