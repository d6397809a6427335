"""Evaluator cards of the published graders: what is published about each, and what is not."""

from collections.abc import Hashable

from ff_helpers.casestudy.record import published
from ff_helpers.measurement.calibration.gate import published_state
from ff_helpers.measurement.proportions.intervals import wilson
from ff_helpers.paths import Run
from ff_helpers.publication.evaluator import EvaluatorCard, Measured


def published_evaluators(run: Run) -> list[EvaluatorCard]:
    """Return a card of each grader for which only an accuracy is published."""
    facts, provenance = published("grader_calibration"), published("crescendo_provenance")
    said = provenance.set_index("item")["statement"]
    cards = []
    for grader, rows in facts.groupby("grader", sort=False):
        tested = str(grader) in str(said.get("model under test", ""))
        measured = [_as_published(row) for row in rows.to_dict("records")]
        cards.append(
            EvaluatorCard(
                grader=str(grader),
                digest="digest: not published",
                rubric="rubric: version not published",
                asked="not published",
                software="not published",
                provenance="; ".join(dict.fromkeys(str(s) for s in rows["source"])),
                measured=tuple(measured),
                limitations=(
                    "its verdicts are not published row by row, so its errors cannot be inspected",
                    "`relaxed` accuracies accept several labels as right: not comparable with exact ones",
                ),
                conflict_of_interest="yes: " + str(said["model under test"])
                if tested
                else "not determinable: which models it graded is not published in full",
                stability=("change over time: not assessed, one measurement per set is published",),
                as_of=run.as_of,
            )
        )
    return cards


def _as_published(row: dict[Hashable, object]) -> Measured:
    accuracy, exact = wilson(int(str(row["correct"])), int(str(row["n"]))), str(row["accuracy_kind"])
    state = published_state(accuracy.k, accuracy.n)
    return Measured(
        set=str(row["calibration_set"]),
        space="not published",
        accuracy=accuracy,
        kind=exact,
        gate="rejected" if state == "rejected" and exact.startswith("exact") else "uncalibrated",
        reason=f"as published ({row['source']}); it cannot be run here",
    )
