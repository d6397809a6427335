"""The graders of a run as a reader must know them: before they are measured, and in one line each after."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd

from ff_helpers.corpus.collect import SCENARIOS
from ff_helpers.grading.campaign import graders, verdicts
from ff_helpers.grading.identities import identities, shown_names
from ff_helpers.measurement.calibration.cards import card_names, grader_note
from ff_helpers.measurement.regrades.regrade import Regrade
from ff_helpers.measurement.results import GraderNote, Terms, stated
from ff_helpers.measurement.standing import run_cards, saved_cards, standing
from ff_helpers.paths import Run, root
from ff_helpers.terms import NOT_RECORDED, STATUSES, Identity, Unknown

_PASSED: Final = {
    "calibrated": "passed the gate",
    "provisional": "passed the published rule, not ours",
}


def checker_note() -> GraderNote:
    """Return what takes the place of a grader where scenarios decide strict truth with their checkers."""
    scenarios = (root() / SCENARIOS).read_bytes()
    return GraderNote(
        grader="the scenarios' checkers",
        digest=hashlib.sha256(scenarios).hexdigest(),
        rubric="the response states the secret, or it does not",
        accuracy=Unknown(
            "accuracy", "strict compliance is known by construction; not measured against people"
        ),
        calibration_set=Unknown("calibration set", "none: a checker needs no calibration"),
        space="strict",
        gate="uncalibrated",
    )


def unmeasured(who: Identity, name: str, *, accuracy: str, others: str) -> GraderNote:
    """Return the note of a grader without a card.

    Args:
        who: the grader.
        name: what it is called.
        accuracy: why its accuracy is unknown.
        others: why its calibration set and label space are.
    """
    return GraderNote(
        grader=name,
        digest=who.digest.removeprefix("sha256:") if who.digest else Unknown("digest", NOT_RECORDED),
        rubric=who.rubric or Unknown("rubric", NOT_RECORDED),
        accuracy=Unknown("accuracy", accuracy),
        calibration_set=Unknown("calibration set", others),
        space=Unknown("space", others),
        gate="uncalibrated",
    )


def labeller_notes(run: Run, result: Regrade) -> tuple[GraderNote, ...]:
    """Return who gave the labels of a regrade: by the run's cards, else never measured."""
    cards, notes = run_cards(run), []
    for who, name in shown_names(one.who for one in result.graders).items():
        known = standing(who, cards)
        found = [grader_note(card, name) for card in (*known.cards, *known.expired)]
        if not found and who.method == "manual":
            note = unmeasured(who, name, accuracy="never measured (a person)", others="none")
            found = [replace(note, digest=Unknown("digest", "a person"))]
        notes += found or [unmeasured(who, name, accuracy="never measured in this run", others="none")]
    return tuple(notes)


def graded(run: Run, counts: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of `grade` with `no_verdict` (rows with a status).

    Nothing is measured at this step, even if a card of an earlier run exists: every grader is
    `uncalibrated` here, and says where its accuracy will be.
    """
    return stated(counts.assign(no_verdict=counts[list(STATUSES)].sum(axis=1)), _terms(run, "n"))


def sampled(run: Run) -> pd.DataFrame:
    """Return how many rows of which set and truth were graded, and how they were drawn.

    Columns: set, truth_space, truth, sampling (str), rows (int), probability (float in [0, 1]; missing where
    nothing was drawn).
    """
    rows = verdicts(run).query("repeat == 0").drop_duplicates("trace_id")
    groups = rows.groupby(["set", "truth_space", "truth", "sampling"], dropna=False)
    table = groups.agg(rows=("trace_id", "size"), probability=("probability", "first")).reset_index()
    return stated(table, _terms(run, "rows"))


def gate_lines(run: Run) -> list[str]:
    """Return one line per calibration card: who passed the gate, who did not, on what."""
    cards, said = run_cards(run), []
    for name, card in zip(card_names(cards), cards, strict=True):
        state = card.gate.state
        accuracy = f"{card.k} of {card.n} right" + (f", {card.k / card.n:.1%}" if card.n else "")
        said.append(
            f"{name} {_PASSED.get(state, 'did not pass the gate')}: {state} "
            f"({accuracy}; {card.calibration_set}, {card.space})"
        )
    return said


def measured_graders(folder: Path, as_of: date) -> Sequence[tuple[str, Identity]]:
    """Return the graders that have a card in `cards/` of a run's folder, by what to call them."""
    names = shown_names(card.identity for card in saved_cards(folder / "cards", on=as_of))
    return sorted((name, who) for who, name in names.items())


def _terms(run: Run, n: str) -> Terms:
    later = "not measured at this step; 02_calibrate measures it"
    notes = tuple(
        unmeasured(who, name, accuracy=later, others="named in 02_calibrate")
        for who, name in shown_names(identities(graders(run))).items()
    )
    return Terms(graders=notes, denominators=("rows",), n=(n,), left_out=())
