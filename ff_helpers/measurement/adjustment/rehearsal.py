"""A rehearsal: the verbs of a run on traces of known truth, by graders with known errors.

Nothing in it was measured. It shows what a method does where the answer can be looked up.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from ff_helpers.corpus.simulate import SimulatedGrader, binary, simulate
from ff_helpers.measurement.calibration.calibrate import calibrate
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.results import Terms, stated
from ff_helpers.paths import Run

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
    labels: int = 200,
) -> Rehearsal:
    """Return simulated verdicts and cards of graders that do not exist; the same each time.

    Args:
        run: its `as_of` is the cards' date.
        models: name of each model under test, and its true strict ASR.
        graders: name of each grader, and its sensitivity and specificity, in [0, 1].
        scenarios, runs: how many scenarios all models are given, and how often each is run; two runs of
            one scenario end alike more often than chance has it (ICC .3).
        labels: how many labelled traces of another set each card rests on, half of them successes.

    Raises:
        BadSimulationError: a share outside [0, 1], or no scenario or run.
    """
    known = [SimulatedGrader(name, binary(*errors)) for name, errors in graders.items()]
    frames = [
        simulate(asr, known, scenarios=scenarios, runs=runs, icc=0.3, model=model, seed=seed)
        for seed, (model, asr) in enumerate(models.items())
    ]
    labelled = simulate(0.5, known, scenarios=labels, seed=len(frames)).assign(set="simulated labels")
    cards = tuple(
        calibrate(rows, space="strict", calibration_set="simulated labels", as_of=run.as_of)
        for _, rows in labelled.groupby("grader", sort=False)
    )
    verdicts = stated(pd.concat(frames, ignore_index=True), Terms(assumptions=(_SIMULATED,)))
    return Rehearsal(verdicts, cards)
