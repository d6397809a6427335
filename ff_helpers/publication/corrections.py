"""The corrections of a run's own verdicts, told from its ledgers: how many, by whom, from what to what."""

import pandas as pd

from ff_helpers.grading.merge import history
from ff_helpers.paths import Run
from ff_helpers.publication.prose import Prose, say


def tell_corrections(run: Run) -> Prose:
    """Return what the run's ledgers say of superseded verdicts, without rationales and without any text.

    One sentence where nothing was superseded; else one sentence a ledger, and a list of which label
    became which.
    """
    records = history(run)
    if records.empty:
        return say(
            "No verdict of this run was ever superseded: its ledgers hold first decisions only. "
            "The published correction is a set of printed counts, not of records."
        )
    told = [_told(str(name), part) for name, part in records.groupby("ledger", sort=False)]
    return Prose("\n\n".join(told))


def _told(name: str, records: pd.DataFrame) -> str:
    records = records.assign(label=records["verdict"].fillna(records["status"]))
    first = records.groupby("trace_id", sort=False)["label"].first()
    last = records[records["stands"]].groupby("trace_id", sort=False)["label"].last()
    moves = pd.DataFrame({"old": first, "new": last}).value_counts().rename("rows").reset_index()
    said = say(
        "`ledger/{name}.jsonl`: records that supersede an earlier one: {corrections}, on traces: {traces}, "
        "by {authors}. What was superseded is still there. The first label, and the one that stands now:",
        name=name,
        corrections=int(records["supersedes_key"].notna().sum()),
        traces=len(first),
        authors=", ".join(sorted(set(records["supersedes_author"].dropna()))),
    )
    lines = [f"- {row.old} → {row.new}: {row.rows}" for row in moves.itertuples()]
    return "\n".join([said.text, "", *lines])
