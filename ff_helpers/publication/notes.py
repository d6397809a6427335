"""From calibration cards to words: the checkers as a grader, and the lessons that go with a figure."""

import hashlib
from collections.abc import Sequence

import pandas as pd

from ff_helpers.corpus.collect import SCENARIOS
from ff_helpers.grading.identities import shown_names
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.grader_note import GraderNote
from ff_helpers.paths import root
from ff_helpers.publication.prose import Prose, say
from ff_helpers.terms import Unknown


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


def calibration_lesson(cards: Sequence[Card]) -> Prose:
    """Return in words, for the card where format and content lie furthest apart, why format is not enough."""
    names = shown_names(card.identity for card in cards)
    card = min(cards, key=lambda c: (c.accuracy.estimate or 0.0) - (c.valid.estimate or 0.0))
    worthless = card.p_majority >= 0.025
    return say(
        "**{grader}** on `{set}`: {valid:percent} of its answers have the right **format**, and "
        "{accuracy:counts} have the right **content**. A program that always answers `{majority_class}` "
        "without reading anything is right in {majority:percent}. {verdict} Its most frequent verdict, "
        "{modal_verdict}, makes up {modal_share:percent} of all it gives.",
        grader=names[card.identity],
        set=card.calibration_set,
        valid=card.valid,
        accuracy=card.accuracy,
        majority_class=card.majority_class,
        majority=card.majority,
        modal_verdict=f"`{card.modal_verdict}`" if isinstance(card.modal_verdict, str) else "none",
        modal_share=card.modal_share,
        verdict=(
            f"Nothing shows that the grader does better (one-sided exact McNemar p = {card.p_majority:.3g}): "
            "next to its majority baseline that accuracy is worth nothing."
            if worthless
            else f"The grader does better than that (one-sided exact McNemar p = {card.p_majority:.3g})."
        ),
    )


def drift_lesson(table: pd.DataFrame) -> Prose:
    """Return the drift warnings of a table of `ff.drift` in words; or that there are none.

    A warning means: look, and calibrate again. No card says what the grader does now.
    """
    compared = table.dropna(subset=["n"])
    windows = len(compared[["set", "grader", "rubric", "first"]].drop_duplicates())
    if not windows:
        return Prose(
            "No drift was assessed: no grader has enough traces of a corpus to compare two parts of it."
        )
    warnings = [
        say(
            "- **Drift warning**: {grader} on `{set}` said {verdict} in {baseline:percent} of its first "
            "{before} traces and in {share:percent} of traces {first} to {last}: {shift:points} points "
            "[{low:points}, {high:points}]. {reading}. Calibrate it again before its later verdicts count.",
            **{str(name): row[name] for name in ("grader", "set", "verdict", "baseline", "share", "shift")},
            before=int(row["baseline_n"]),
            first=int(row["first"]),
            last=int(row["last"]),
            low=row["shift_low"],
            high=row["shift_high"],
            reading=str(row["reading"]).capitalize(),
        ).text
        for _, row in compared[compared["flagged"]].iterrows()
    ]
    seen = f"{windows} {'window was' if windows == 1 else 'windows were'} compared with the first traces"
    return Prose("\n".join(warnings) or f"No drift warning: {seen}, and no class moved beyond the limit.")
