"""Calibrate before grading: which graders may grade traces of unknown truth.

A grader without a calibration card, or one that its card rejects, is refused there, with the reason and the
way out. A card that is too old does not count: the model behind an unchanged name may have changed. Traces
that carry truth may always be graded (that is how cards are made), and no card measures people.
"""

import datetime
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ff_helpers import paths
from ff_helpers.grading import campaign
from ff_helpers.grading.admission import Admit, NotAdmittedError
from ff_helpers.grading.outcome import GraderSetup
from ff_helpers.measurement.standing import Standing, default_cards, saved_cards, standing
from ff_helpers.terms import Identity

if TYPE_CHECKING:
    import pandas as pd

    from ff_helpers.measurement.calibration.cards import Card

_BY_HAND: Final = "grade by hand: notebooks/grade_by_hand.ipynb"


class UncalibratedError(NotAdmittedError):
    """No valid card is for this grader as it is."""

    def __init__(self, found: Standing, folder: Path, calibrate: str) -> None:
        why = "its measurement has expired" if found.expired else "its accuracy was never measured"
        super().__init__(
            f"grader {found.identity.name} is uncalibrated: {why}, so it may not "
            f"grade traces without truth. {_why_none(found, folder)} Measure it: `{calibrate}`, "
            f"then run the same command again; or use another grader; or {_BY_HAND}."
        )


class RejectedError(NotAdmittedError):
    """A card of this grader rejects it."""

    def __init__(self, identity: Identity, cards: "Sequence[Card]") -> None:
        said = "; ".join(f"{card.sentence()}: {', '.join(card.gate.reasons)}" for card in cards)
        super().__init__(
            f"grader {identity.name} is rejected, so it may not grade traces without truth: {said}. "
            f"Use another grader (`ff doctor` says which are reachable here); or {_BY_HAND}."
        )


def grade(
    run: paths.Run,
    trace_sets: Mapping[str, str],
    graders: Sequence[str],
    *,
    rubric: str = "flip-reference",
    sample: Mapping[str, int] | None = None,
    repeat_rows: int = 0,
    seed: int = 0,
) -> "pd.DataFrame":
    """Grade a sample of each trace set with each grader into the run's ledger; resume where it stopped.

    Args:
        run: writes `ledger/verdicts.jsonl` (append-only), `ledger/traces.csv` (the traces without text)
            and `ledger/graders.csv` (the graders of this campaign).
        trace_sets: name -> `pyrit:refusal`, `pyrit:objective`, a JSONL file of the project, or one of this
            run (`ledger/...`, what 00_collect collected).
        graders: specs, see `graders.open_grader`.
        rubric: `flip-reference` or `flip-blind`.
        sample: name -> rows, stratified by truth in proportion; 0 or absent: all rows.
        repeat_rows: how many rows graders that are models grade a second time, over the sets in turn.
        seed: which sample is drawn.

    Returns:
        One row per set and grader: set, grader, rubric, n, one column per verdict and status (counts of
        the first pass).

    Raises:
        NotAdmittedError: a trace has no truth, and neither outputs/cards nor the run's own cards back the
            grader.
        FFError: a set or grader is missing, malformed or changed; the ledger cannot be written.
    """
    return campaign.grade(
        run,
        trace_sets,
        graders,
        rubric=rubric,
        sample=sample,
        repeat_rows=repeat_rows,
        seed=seed,
        admit=by_cards([default_cards(), run.folder / "cards"], on=run.as_of),
    )


def by_cards(cards: Path | Sequence[Path] | None = None, *, on: datetime.date | None = None) -> Admit:
    """Return what a campaign calls: `admit` by the cards in these folders, as of this day."""

    def ask(setup: GraderSetup, spec: str) -> Standing:
        return admit(setup.identity, cards, spec=spec, on=on)

    return ask


def admit(
    identity: Identity,
    cards: Path | Sequence[Path] | None = None,
    *,
    spec: str | None = None,
    on: datetime.date | None = None,
) -> Standing:
    """Return the standing of a grader that may grade traces without truth; otherwise refuse it.

    Args:
        identity: who is to grade.
        cards: folder or folders of calibration cards; None: `cards/` in the outputs folder.
        spec: how the grader was asked for, for the command that calibrates it; None: its name.
        on: the day to which the age of cards is counted (in a profile its `as_of`); None: today.

    Raises:
        UncalibratedError: no card is for this identity, or each has expired.
        RejectedError: a card says that it fails the published rule.
        BadCardError: a JSON file in a folder is not a card.
    """
    found = standing(identity, saved_cards(cards, on=on))
    if identity.method == "manual":
        return found
    if found.state == "uncalibrated":
        first = cards if isinstance(cards, Path) else cards[0] if cards else default_cards()
        command = ["ff", "calibrate", "--grader", spec or identity.name]
        name = (identity.rubric or "").partition("@")[0]
        if name == "flip-blind":
            command += ["--rubric", name]
        if first != default_cards():
            command += ["--cards", str(first)]
        raise UncalibratedError(found, first, shlex.join(command))
    if found.state == "rejected":
        raise RejectedError(identity, [card for card in found.cards if card.gate.state == "rejected"])
    return found


def _why_none(found: Standing, folder: Path) -> str:
    if found.expired:
        card = max(found.expired, key=lambda card: card.date)
        limit = f"a card counts for {card.gate.thresholds.max_age_days} days"
        return f"Its latest card is of {card.date} and expired after {card.last_day}: {limit}."
    if not found.others:
        return f"It has no card in {folder}."
    here, other = found.identity, found.others[-1].identity
    if other.digest != here.digest:
        was, now = other.short_digest, here.short_digest
        return f"The card in {folder} is for digest {was}, and what runs here now is {now}."
    if other.rubric != here.rubric:
        return f"The card in {folder} is for the rubric {other.rubric}, and {here.rubric} is asked for."
    return f"The card in {folder} is for temperature {other.temperature} and seed {other.seed}."
