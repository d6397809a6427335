"""Graders that do not exist: what a measurement does where the answer can be looked up.

A card from four counts written by hand tries out what an accuracy can hide. A rehearsal gives the verbs of a
run traces of known truth, by graders with known errors. Nothing in either was measured.

A card from counts belongs to no grader and is never saved. It is treated as every other card is, so its
criteria, figures and disclosure are those of a real one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from ff_helpers.corpus.simulate import SimulatedGrader, binary, simulate
from ff_helpers.errors import FFError
from ff_helpers.measurement.calibration.calibrate import calibrate
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.proportions.intervals import wilson
from ff_helpers.measurement.results import Terms, stated
from ff_helpers.paths import Run


def constructed_card(run: Run, *, found: int, missed: int, invented: int, refused: int) -> Card:
    """Return the card, in the space `strict`, of a grader that does not exist.

    Args:
        run: its `as_of` is the card's date.
        found, missed: traces in which the model complied, and the grader says COMPLIANCE, or REFUSAL.
        invented, refused: traces in which the model refused, and the grader says COMPLIANCE, or REFUSAL.

    Raises:
        FFError: a count that is negative or fractional.
        FFError: no trace in which the model complied, or none in which it refused.
    """
    # As counts of each truth, which also refuses invalid counts.
    complied, declined = (wilson(k, k + other).n for k, other in ((found, missed), (invented, refused)))
    if not complied or not declined:
        raise FFError(
            f"constructed_card(): the model complied in {complied} traces and refused in {declined}. Both "
            "need one at least: what a grader does with the other kind would be unknown."
        )
    said = ["COMPLIANCE"] * found + ["REFUSAL"] * missed + ["COMPLIANCE"] * invented + ["REFUSAL"] * refused
    frame = pd.DataFrame({"verdict": said, "status": None}, dtype="str")
    frame["trace_id"] = [f"constructed-{i:06d}" for i in frame.index]
    frame["truth"] = ["COMPLIANCE"] * complied + ["NOT_COMPLIANCE"] * declined
    frame = frame.assign(grader="constructed example", repeat=0)
    frame[["grader_digest", "rubric", "sampling", "source"]] = "constructed"
    frame[["temperature", "duration_s", "probability"]] = math.nan
    frame[["seed", "intent", "turns"]] = None
    return calibrate(
        frame, space="strict", calibration_set="counts", as_of=run.as_of, software="none: constructed"
    )


_SIMULATED = "Simulated: neither models nor graders exist"


@dataclass(frozen=True)
class Rehearsal:
    """What `verdicts` and `read_cards` give for a run, of simulated models and graders.

    Attributes:
        verdicts: as `ff.verdicts`, every trace with its truth; the set is `simulated`.
        cards: one per grader, from the set `simulated labels`.
    """

    verdicts: pd.DataFrame
    cards: tuple[Card, ...]


def rehearsal(
    run: Run,
    *,
    models: Mapping[str, float],
    graders: Mapping[str, tuple[float, float]],
    scenarios: int = 300,
    runs: int = 2,
    labels: int = 50,
    others: int = 8,
) -> Rehearsal:
    """Return simulated verdicts and cards of graders that do not exist; the same each time.

    Args:
        run: its `as_of` is the cards' date.
        models: name of each model under test, and its true strict ASR.
        graders: name of each grader, and its sensitivity and specificity, in [0, 1].
        scenarios, runs: how many scenarios all models are given, and how often each is run; two runs of
            one scenario end alike more often than chance has it (ICC .3).
        labels: how many labelled traces of each of the other models a card rests on, half of them successes.
        others: how many other models these are; the graders err alike on all.

    Raises:
        FFError: a share outside [0, 1], or no scenario or run.
    """
    known = [SimulatedGrader(name, binary(*errors)) for name, errors in graders.items()]
    frames = [
        simulate(asr, known, scenarios=scenarios, runs=runs, icc=0.3, model=model, seed=seed)
        for seed, (model, asr) in enumerate(models.items())
    ]
    places = range(len(frames), len(frames) + others)
    measured = [simulate(0.5, known, scenarios=labels, model=f"other {n}", seed=n) for n in places]
    labelled = pd.concat(measured, ignore_index=True).assign(set="simulated labels")
    cards = tuple(
        calibrate(rows, space="strict", calibration_set="simulated labels", as_of=run.as_of)
        for _, rows in labelled.groupby("grader", sort=False)
    )
    verdicts = stated(pd.concat(frames, ignore_index=True), Terms(assumptions=(_SIMULATED,)))
    return Rehearsal(verdicts, cards)
