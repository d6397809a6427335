"""Graded rows with what is known of their traces: what a sample is drawn from and a rate is over."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ff_helpers.columns import declared
from ff_helpers.corpus.traces import read_traces
from ff_helpers.errors import FFError, named
from ff_helpers.grading.identities import told_apart
from ff_helpers.grading.ledger import verdict_frame
from ff_helpers.measurement.calibration.robustness import natural_first

FIELDS = ("model", "intent", "turns", "source", "set")
"""What rows can be told apart by, besides the grader."""


def graded_rows(ledger: Path, traces: Sequence[Path], *, grader: str | None = None) -> pd.DataFrame:
    """Return the first pass of a ledger with its traces, one row per grader and trace.

    Rows of traces that are not in the files, and of traces made to attack the grader, are left out.

    Args:
        ledger: verdict records.
        traces: JSONL files of the graded traces; the name of a file is the set of its traces.
        grader: only this one's rows; None: all.

    Returns:
        The columns of `ledger.verdict_frame` and of the frame `traces`, sorted by grader and trace.

    Raises:
        FFError: no such file, a bad line, one trace in two files, no row is left, or no such grader.
    """
    index: dict[str, dict[str, object]] = {}
    for path in traces:
        for trace in read_traces(path):
            if trace.trace_id in index:
                raise FFError(f"{path}: trace {named(trace.trace_id)} is in an earlier file too.")
            index[trace.trace_id] = trace.about(path.stem)
    known = declared("traces", list(index.values()))
    frame, _ = told_apart(verdict_frame(ledger))
    rows = natural_first(frame.merge(known, on="trace_id", how="inner", validate="many_to_one"))
    if grader is not None:
        if grader not in set(rows["grader"]):
            there = ", ".join(sorted(set(rows["grader"]))) or "none"
            raise FFError(
                f"{ledger}: no grader {named(grader)} has verdicts on these traces. There: {there}."
            )
        rows = rows[rows["grader"] == grader]
    if rows.empty:
        raise FFError(
            f"{ledger}: it has no verdict of the first pass on the traces of {', '.join(map(str, traces))}."
        )
    return rows.sort_values(["grader", "trace_id"], kind="stable").reset_index(drop=True)
