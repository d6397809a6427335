"""Graded rows with what is known of their traces: what a sample is drawn from and a rate is over."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from ff_helpers.errors import FFError, named
from ff_helpers.grading.identities import told_apart
from ff_helpers.measurement.rates.count_file import read_counts
from ff_helpers.terms import IDENTITY_COLUMNS, NOT_RECORDED, VERDICTS

FIELDS = ("model", "intent", "turns", "source", "set")
"""What rows can be told apart by, besides the grader."""
_SURE: Final = tuple(f"p_{label}" for label in VERDICTS)
_OF_VERDICTS: Final = (
    "trace_id",
    *IDENTITY_COLUMNS.values(),
    "space",
    "verdict",
    "status",
    "started",
    *_SURE,
)
_OF_TRACES: Final = (*FIELDS, "scenario_id", "sampling")


def graded_rows(
    ledger: Path,
    traces: Sequence[Path],
    *,
    grader: str | Sequence[str] | None = None,
    tags: Sequence[str] = (),
) -> pd.DataFrame:
    """Return the first pass of a file of verdicts with its traces, one row per grader and trace.

    Superseded rows, rows of traces that are not in the files, and of traces made to attack the grader, are
    left out. A row that nobody can grade has the status of its trace, as in the raw rates.

    Args:
        ledger: verdict records, or any file that `read_counts` reads.
        traces: JSONL files of the graded traces; the name of a file is the set of its traces.
        grader: only this one's rows, or those of several; None: all.
        tags: tags of the traces that become columns (str); `not recorded` where a trace has none.

    Returns:
        trace_id, the columns of `terms.IDENTITY_COLUMNS`, space, verdict, status, started, model, intent,
        turns, source, set, scenario_id, sampling (str; missing where unknown), the probability of each label,
        `p_COMPLIANCE` to `p_BENIGN_QUERY` (float), repeat (int: 0); sorted by grader and trace.

    Raises:
        FFError: no such file, a bad line, a trace that one grader graded twice, one trace in two files of
            traces, no row is left, no such grader, or no trace has one of the tags.
    """
    kept = (*_OF_VERDICTS, *_OF_TRACES)
    first = read_counts(ledger, by=("grader",), traces=traces, tags=tags, ordered=False, keep=kept).first
    rows = pd.DataFrame(columns=[*kept, *tags]) if first is None else first
    rows = rows.fillna(dict.fromkeys(tags, NOT_RECORDED))
    rows = rows.astype(dict.fromkeys(_SURE, "float64"))
    rows, _ = told_apart(rows.assign(space=rows["space"].fillna("five"), repeat=0))
    wanted = [grader] if isinstance(grader, str) else list(grader or ())
    known = sorted(rows["grader"].unique())
    for name in wanted:
        if name not in known:
            there = ", ".join(known) or "none"
            raise FFError(f"{ledger}: no grader {named(name)} has verdicts on these traces. There: {there}.")
    rows = rows[rows["grader"].isin(wanted)].reset_index(drop=True) if wanted else rows
    if rows.empty:
        raise FFError(
            f"{ledger}: it has no verdict of the first pass on the traces of {', '.join(map(str, traces))}."
        )
    return rows
