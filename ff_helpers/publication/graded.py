"""What 01_grade publishes: verdict counts, and the graders behind them, before they are measured."""

import pandas as pd

from ff_helpers.grading.campaign import graders, verdicts
from ff_helpers.grading.identities import identities, shown_names
from ff_helpers.measurement.grader_note import GraderNote
from ff_helpers.measurement.results import Terms, stated
from ff_helpers.paths import Run
from ff_helpers.terms import NOT_RECORDED, STATUSES, Unknown


def graded(run: Run, counts: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of `grade` with `no_verdict` (rows with a status).

    Nothing is measured at this step, even if a card of an earlier run exists: every grader is
    `uncalibrated` here, and says where its accuracy will be.
    """
    return stated(counts.assign(no_verdict=counts[list(STATUSES)].sum(axis=1)), _terms(run, ("n",)))


def sampled(run: Run) -> pd.DataFrame:
    """Return how many rows of which set and truth were graded, and how they were drawn.

    Columns: set, truth_space, truth, sampling (str), rows (int), probability (float in [0, 1]; missing where
    nothing was drawn).
    """
    rows = verdicts(run).query("repeat == 0").drop_duplicates("trace_id")
    groups = rows.groupby(["set", "truth_space", "truth", "sampling"], dropna=False)
    table = groups.agg(rows=("trace_id", "size"), probability=("probability", "first")).reset_index()
    return stated(table, _terms(run, ("rows",)))


def _terms(run: Run, n: tuple[str, ...]) -> Terms:
    notes = tuple(
        GraderNote(
            grader=name,
            digest=(who.digest or NOT_RECORDED).removeprefix("sha256:"),
            rubric=who.rubric or NOT_RECORDED,
            accuracy=Unknown("accuracy", "not measured at this step; 02_calibrate measures it"),
            calibration_set=Unknown("calibration set", "named in 02_calibrate"),
            space=Unknown("space", "named in 02_calibrate"),
            gate="uncalibrated",
        )
        for who, name in shown_names(identities(graders(run))).items()
    )
    return Terms(graders=notes, denominators=("rows",), n=n, left_out=())
