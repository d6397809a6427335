"""What 01_grade publishes: verdict counts, and the graders behind them before anybody measured them."""

import pandas as pd

from ff_helpers.grading.campaign import graders
from ff_helpers.grading.identities import identities, shown_names
from ff_helpers.paths import Run
from ff_helpers.publication.disclosure import NO_TIER, Disclosed, Disclosure, GraderNote, disclosed
from ff_helpers.terms import NOT_RECORDED, STATUSES, Unknown


def graded(run: Run, counts: pd.DataFrame) -> Disclosed:
    """Return the counts of `grade` with `no_verdict` (rows with a status) and with their disclosure.

    Nothing is measured at this step, also where a card of an earlier run lies about: every grader is
    `uncalibrated` here, and says where its accuracy will stand.
    """
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
    frame = counts.assign(no_verdict=counts[list(STATUSES)].sum(axis=1))
    disclosure = Disclosure(
        graders=notes,
        tier=NO_TIER,
        denominator="rows",
        counts="column n, and one column a verdict",
        left_out=f"nothing; {int(frame['no_verdict'].sum())} rows with a status are in the column no_verdict",
        as_of=run.as_of,
    )
    return disclosed(frame, disclosure)
