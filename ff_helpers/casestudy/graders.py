"""The published graders as a reader must know them: typed unknowns where nothing is published."""

from ff_helpers.casestudy.record import published
from ff_helpers.measurement.calibration.gate import published_state
from ff_helpers.measurement.proportions.intervals import wilson
from ff_helpers.measurement.results import GraderNote
from ff_helpers.terms import Unknown

MANUAL = "manual regrade"
"""The name under which the 14 manual verdicts of the crescendo regrade are disclosed."""


def published_graders(*names: str) -> tuple[GraderNote, ...]:
    """Return the notes of graders known only from the published texts.

    An exact published accuracy is in the note with the set it is on; one that fails the published
    rule makes the grader `rejected`. Otherwise the state is `uncalibrated`, since it cannot be run
    here. `MANUAL` stands for the unnamed people of the crescendo regrade.
    """
    return tuple(_note(name) for name in names)


def _note(name: str) -> GraderNote:
    digest, rubric = Unknown("digest", "not published"), Unknown("rubric", "version not published")
    if name == MANUAL:
        unnamed = Unknown("digest", "graders unnamed")
        unmeasured = Unknown("accuracy", "never measured, agreement not published")
        return GraderNote(name, unnamed, rubric, unmeasured, unmeasured, unmeasured, "uncalibrated")
    facts = published("grader_calibration")
    facts = facts[facts["grader"] == name]
    exact = facts["accuracy_kind"].str.startswith("exact")
    if not exact.any():
        unmeasured = Unknown("accuracy", "never measured, as far as published")
        return GraderNote(name, digest, rubric, unmeasured, unmeasured, unmeasured, "uncalibrated")
    row = facts[exact].iloc[0]
    accuracy = wilson(int(row["correct"]), int(row["n"]))
    # Next to an accuracy on an easy set, the one on a hard set: alone the first would flatter.
    others = [
        f"{o.correct} of {o.n} {o.accuracy_kind} on {o.calibration_set}" for o in facts[~exact].itertuples()
    ]
    where = f"{row['calibration_set']} (as published{''.join(f'; {other}' for other in others)})"
    state = published_state(accuracy.k, accuracy.n)
    return GraderNote(name, digest, rubric, accuracy, where, "not published", state)
