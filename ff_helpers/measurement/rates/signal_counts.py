"""The counts behind a signal: verdicts by model, class, turns, scenario and grader, known truths among them.

Rows of traces that were written to a known truth, or made to attack a grader, belong to no model and never
count. Known truths appear next to the graders, as a grader called `labels`, one row per trace.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from ff_helpers.measurement.rates.count_file import read_counts, trace_index
from ff_helpers.measurement.rates.counts import count_verdicts
from ff_helpers.measurement.rates.known import known_labels, measures
from ff_helpers.measurement.results import LABELS
from ff_helpers.terms import IDENTITY, NOT_RECORDED, SPACES, Tier

BY: Final = ("model", "intent", "turns", "scenario_id", *IDENTITY, "method", "sampling", "day")
"""What the counts of a signal are by; `day` is the day on which a verdict was asked for."""
_NO_MODEL: Final = ("constructed", "injected")


def run_counts(verdicts: pd.DataFrame, *, tier: Tier, sets: Sequence[str] = ()) -> pd.DataFrame:
    """Return the counts of a joined verdict frame (`ff.verdicts`), first pass: `BY`, outcome, graded, n.

    Args:
        verdicts: the frame.
        tier: truths count where their space decides this tier.
        sets: of which sets; empty: all.
    """
    rows = verdicts[verdicts["set"].isin(sets)] if sets else verdicts
    rows = rows.assign(day=rows["started"].str.slice(0, 10))
    graded = count_verdicts(rows[~rows["sampling"].isin(_NO_MODEL)], by=BY)
    return pd.concat([graded, _label_counts(rows, tier)], ignore_index=True)


def file_counts(ledger: Path | None, traces: Sequence[Path], *, tier: Tier) -> pd.DataFrame:
    """Return the counts of a ledger (or of any file of verdicts with a model in each row) and of its traces.

    Args:
        ledger: verdicts; None: only what the traces hold.
        traces: files of the traces; empty: the ledger's own rows hold model and class.
        tier: truths count where their space decides this tier.

    Raises: as `read_counts`.
    """
    parts = []
    if ledger is not None:
        counts = read_counts(ledger, by=BY, traces=traces, needs=("model",), ordered=False).table
        parts.append(counts[~counts["sampling"].isin(_NO_MODEL)])
    if traces:
        index = trace_index(traces)
        rows = index[~index["control"]].assign(repeat=0, day=None)
        parts.append(_label_counts(rows, tier))
    return pd.concat(parts, ignore_index=True) if parts else _label_counts(pd.DataFrame(), tier)


def _label_counts(rows: pd.DataFrame, tier: Tier) -> pd.DataFrame:
    """Return the counts of the truths whose space decides the tier."""
    if rows.empty:
        return pd.DataFrame(columns=[*BY, "outcome", "graded", "n"])
    spaces = [space for space in SPACES if tier in measures(space)]
    rows = rows[rows["truth_space"].isin(spaces) & ~rows["sampling"].isin(_NO_MODEL)]
    labels = known_labels(rows, tier).assign(method=LABELS)
    labels = labels.assign(**dict.fromkeys((*IDENTITY[1:], "day"), NOT_RECORDED))
    return count_verdicts(labels, by=BY)
