"""Corpora with known truth, graded by graders with known errors: to test the measurements.

Nothing here is real data. Scenarios differ in how often they succeed (ICC), runs repeat them, a grader
errs by its confusion matrix, and after some trace perhaps by another one (drift).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ff_helpers.errors import FFError
from ff_helpers.terms import INTENTS, SPACES, VERDICTS, Space

Mix = Mapping[str, float]
"""How often each label occurs; shares that sum to 1."""


def _refusal(problem: str, allowed: str) -> FFError:
    """Return the error about a corpus or grader that cannot be drawn."""
    return FFError(f"simulate(): {problem}. Allowed: {allowed}.")


@dataclass(frozen=True)
class SimulatedGrader:
    """A grader that errs as specified.

    Attributes:
        name: its name.
        confusion: from truth to the mix of its verdicts.
        then: the confusion after `after` traces, in the order of the frame; None: it does not drift.
        after: how many traces it grades by `confusion` first.
    """

    name: str
    confusion: Mapping[str, Mix]
    then: Mapping[str, Mix] | None = None
    after: int = 0


def binary(sensitivity: float, specificity: float) -> dict[str, dict[str, float]]:
    """Return the confusion of a grader that says COMPLIANCE or REFUSAL, over truth in the space `strict`."""
    return {
        "COMPLIANCE": {"COMPLIANCE": sensitivity, "REFUSAL": 1 - sensitivity},
        "NOT_COMPLIANCE": {"COMPLIANCE": 1 - specificity, "REFUSAL": specificity},
    }


def simulate(
    truth: float | Mix,
    graders: Sequence[SimulatedGrader],
    *,
    scenarios: int,
    runs: int = 1,
    icc: float = 0.0,
    model: str = "simulated",
    seed: int = 0,
) -> pd.DataFrame:
    """Return the verdicts of graders on a corpus with known truth, in the shape of `ff.verdicts`.

    The order of rows is that of grading: run by run, each scenario in turn. The six attack classes
    alternate over scenarios and do not differ. Same arguments, same frame.

    Args:
        truth: the true strict ASR, a share; or the mix of the five labels.
        graders: each of them grades every trace.
        scenarios, runs: how many scenarios, and how often each is run.
        icc: the correlation of two runs of a scenario, in [0, 1): each scenario has its own mix, drawn from
            a Dirichlet distribution (for an ASR: beta-binomial); 0: all scenarios alike.
        model: name of the model under test; frames of several models can be concatenated.
        seed: of every draw.

    Returns:
        One row per trace and grader: trace_id, scenario_id, run, model, intent, turns, set, source, truth,
        truth_space (`strict` or `five`), sampling (`census`), grader, grader_digest, rubric, method,
        verdict, status, started (str), probability, temperature, duration_s (float), repeat, seed (int).

    Raises:
        FFError: shares outside [0, 1] or that do not sum to 1, an unknown label, a confusion
            without one of the truths, no scenario, run or grader, or an icc outside [0, 1).
    """
    mix = truth if isinstance(truth, Mapping) else {"COMPLIANCE": truth, "NOT_COMPLIANCE": 1 - truth}
    space: Space = "five" if isinstance(truth, Mapping) else "strict"
    _check_mix(mix, tuple(dict.fromkeys(SPACES[space].values())), "truth")
    if min(scenarios, runs, len(graders)) < 1 or not 0 <= icc < 1:
        given = f"scenarios = {scenarios}, runs = {runs}, graders = {len(graders)}, icc = {icc}"
        raise _refusal(given, "1 or more of each, and 0 <= icc < 1")
    rng = np.random.default_rng(seed)
    shares = scenario_shares(rng, np.array(list(mix.values())), icc, scenarios)
    labels = np.array(list(mix))
    place = np.tile(np.arange(scenarios), runs)
    true = labels[_pick(rng, shares[place])]
    traces = pd.DataFrame({"scenario_id": [f"s{i:04d}" for i in place], "truth": true}).astype("str")
    traces = traces.assign(run=[f"r{i}" for i in np.repeat(np.arange(runs), scenarios)], model=model)
    traces["trace_id"] = model + "-" + traces["scenario_id"] + "-" + traces["run"]
    traces = traces.assign(intent=[INTENTS[i % len(INTENTS)] for i in place], truth_space=space)
    traces = traces.assign(turns="single", set="simulated", source="simulated", sampling="census")
    frames = [traces.assign(grader=one.name, verdict=_verdicts(rng, true, one)) for one in graders]
    frame = pd.concat(frames, ignore_index=True)
    frame = frame.assign(grader_digest="simulated-" + frame["grader"])
    frame = frame.assign(status=pd.Series(dtype="str"), probability=np.nan)
    frame = frame.assign(rubric="none", method="simulated", temperature=0.0, seed=0, repeat=0)
    return frame.assign(duration_s=0.0, started="")


def scenario_shares(
    rng: np.random.Generator, shares: NDArray[np.float64], icc: float, size: int | tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the mix of labels of each scenario, (*size, labels): Dirichlet with mean `shares`.

    Its concentration is (1 - icc) / icc, so two runs of one scenario have the correlation `icc`.
    """
    if icc == 0:
        return np.broadcast_to(shares, (*np.atleast_1d(size), len(shares)))
    found = np.zeros((*np.atleast_1d(size), len(shares)))
    there = shares > 0
    found[..., there] = rng.dirichlet(shares[there] * (1 - icc) / icc, size)
    return found


def _verdicts(rng: np.random.Generator, truth: NDArray[np.str_], grader: SimulatedGrader) -> list[str]:
    order = np.arange(len(truth))
    chances = np.zeros((len(truth), len(VERDICTS)))
    for late, confusion in enumerate((grader.confusion, grader.then or grader.confusion)):
        for label in dict.fromkeys(truth.tolist()):
            if label not in confusion:
                problem = f"grader {grader.name} has no mix for the truth {label}"
                raise _refusal(problem, "one per truth")
            _check_mix(confusion[label], VERDICTS, f"grader {grader.name} on {label}")
            rows = (truth == label) & ((order >= grader.after) == bool(late))
            chances[rows] = [confusion[label].get(verdict, 0.0) for verdict in VERDICTS]
    return [VERDICTS[i] for i in _pick(rng, chances)]


def _pick(rng: np.random.Generator, shares: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return one index per row, drawn with the row's shares."""
    total = shares.cumsum(axis=1)
    drawn = rng.random((len(shares), 1)) * total[:, -1:]
    return np.asarray((drawn >= total).sum(axis=1), dtype=np.intp)


def _check_mix(mix: Mix, labels: Sequence[str], what: str) -> None:
    unknown = sorted(set(mix) - set(labels))
    if unknown or not all(0 <= share <= 1 for share in mix.values()) or abs(sum(mix.values()) - 1) > 1e-9:
        allowed = f"shares from 0 to 1 that sum to 1, of {', '.join(labels)}"
        raise _refusal(f"{what} is {dict(mix)}", allowed)
