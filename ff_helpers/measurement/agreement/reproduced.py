"""Reproduction: do verdicts given on this machine agree with the recorded ones of the same grader?

Compared are verdicts of one identity (weights, rubric, temperature, seed) on the same text; what differs then
is processor, threads, batching and software. A row without a verdict agrees with one of the same status.
"""

from pathlib import Path

import pandas as pd

from ff_helpers import paths
from ff_helpers.columns import declared
from ff_helpers.grading.campaign import graders, verdicts
from ff_helpers.grading.identities import told_apart
from ff_helpers.grading.ledger import live_records
from ff_helpers.measurement.proportions.intervals import with_wilson
from ff_helpers.measurement.results import stated, verdict_terms
from ff_helpers.terms import IDENTITY


def reproduced(run: paths.Run) -> pd.DataFrame:
    """Compare the first pass of a run with `data/recorded/`; replayed graders are left out.

    Returns:
        One row per grader and set with a recorded verdict: grader, set (str), n (rows given here and
        recorded), left_out (rows given here, not recorded), k (the same verdict or status) (int), agreement
        (in [0, 1], with its Wilson interval: _low, _high).

    Raises:
        MissingInputError: nothing has been graded yet.
    """
    known = graders(run)
    fresh = known.loc[~known["spec"].str.startswith("recorded:"), list(IDENTITY)].drop_duplicates()
    first = verdicts(run).query("repeat == 0").merge(fresh, on=list(IDENTITY))
    return _compared(first, paths.data() / "recorded", "rows graded here and recorded")


def with_slots(run: paths.Run) -> pd.DataFrame:
    """Compare the first pass of a run with what the same graders said with two traces in flight.

    These verdicts ship in `data/recorded/slots/`: two slots share a batch, which can change a verdict at
    temperature 0 too.

    Returns:
        As `reproduced`; left_out are rows given here and not with two slots.

    Raises:
        MissingInputError: nothing has been graded yet.
    """
    first = verdicts(run).query("repeat == 0")
    return _compared(first, paths.data() / "recorded" / "slots", "rows graded with one slot and with two")


def _compared(first: pd.DataFrame, folder: Path, rows_of: str) -> pd.DataFrame:
    """Return how many verdicts of a pass are those of the ledgers in a folder, same identity, same text."""
    here, who = told_apart(first)
    recorded = {
        (record.identity, record.key): record.verdict or record.status
        for path in sorted(folder.glob("*.jsonl"))
        for record in live_records(path)
    }
    pairs = zip(here["grader"].map(who), here["key"], strict=True)
    before = pd.Series([recorded.get(pair) for pair in pairs], here.index, dtype="str")
    now = here["verdict"].fillna(here["status"])
    rows = here.assign(n=before.notna(), k=before == now)
    counted = rows.groupby(["grader", "set"], sort=False)[["n", "k"]].sum().astype("int64")
    counted["left_out"] = rows.groupby(["grader", "set"], sort=False).size() - counted["n"]
    compared = with_wilson(counted[counted["n"] > 0].reset_index(), "agreement")
    return stated(
        declared("reproduced", compared.to_dict("records")),
        verdict_terms(first),
        denominators=(f"{rows_of}, from the same identity on the same text",),
    )
