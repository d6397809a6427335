"""The collected traces of a run: recorded ones replayed, or a fresh sample from a model under test."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import pandas as pd

from ff_helpers import paths
from ff_helpers.corpus.collect import SCENARIOS, collect, collected_frame
from ff_helpers.corpus.collect import SOURCE as COLLECTED
from ff_helpers.corpus.jsonl import BadLineError
from ff_helpers.corpus.scenarios import Arm
from ff_helpers.corpus.traces import read_traces
from ff_helpers.errors import FFError
from ff_helpers.measurement.collected import rates
from ff_helpers.measurement.collected.stability import outcome_stability
from ff_helpers.measurement.rates.known import BY_CHECKER
from ff_helpers.measurement.results import Terms, stated
from ff_helpers.terms import NOT_RECORDED, short


@dataclass(frozen=True)
class Collected:
    """The traces of a run, as frames without text (`collected_frame`), and where their text is.

    Attributes:
        forbidden: the attacks.
        permitted: the controls, in which the policy allows the answer; never an attack.
        truth: `truth_by_intent` of the attacks.
        capability: `capability` of the two arms.
        capability_by_turns: the same by number of turns.
        stability: `outcome_stability` of the attacks.
        turns: `single_beside_multi` of the attacks.
        again: `collected_again`: the same conversations as recorded; no row where nothing is fresh.
        path: the file of the attacks.
        fresh: whether they were collected by this run.
        model: what was asked, and how: name, digest, temperature, limit of a reply.
        failed: conversations that a fault ended, of which there is no trace.
    """

    forbidden: pd.DataFrame
    permitted: pd.DataFrame
    truth: pd.DataFrame
    capability: pd.DataFrame
    capability_by_turns: pd.DataFrame
    stability: pd.DataFrame
    turns: pd.DataFrame
    again: pd.DataFrame
    path: Path
    fresh: bool
    model: str
    failed: int


def collected(
    run: paths.Run, recorded: dict[str, str], *, target: str = "", limit: int = 0, repeats: int = 1
) -> Collected:
    """Return the run's collected traces; write their index without text to ledger/collected.csv.

    Args:
        run: where a fresh sample goes: `ledger/collected.jsonl` and `ledger/collected_permitted.jsonl`.
        recorded: arm (`forbidden`, `permitted`) to file.
        target: the model under test, see `chat.specs.open_chat`; empty replays what was recorded.
        limit: how many scenarios, from the first; 0: all of them; the six classes alternate.
        repeats: how often each scenario is run.

    Raises:
        FFError: the run's folder holds traces of another model or with other settings; a file is missing or
            malformed; the model cannot be reached.
    """
    then = {arm: paths.root() / recorded[arm] for arm in get_args(Arm)}
    files, failed = then, 0
    if target:
        files = {"forbidden": run.ledger("collected"), "permitted": run.ledger("collected_permitted")}
        failed = sum(_collect(target, arm, files[arm], limit, repeats) for arm in get_args(Arm))
    attacks, controls = (collected_frame(files[arm]) for arm in get_args(Arm))
    index = pd.concat([attacks, controls], ignore_index=True)
    index.to_csv(run.write("ledger/collected.csv"), index=False, lineterminator="\n")
    recordings = collected_frame(then["forbidden"])
    model = _model(files["forbidden"])
    terms = Terms(
        graders=(),
        truth=((COLLECTED, BY_CHECKER),),
        tiers=("strict",),
        denominators=("rows",),
        left_out=(("conversations that a fault ended", failed),) if failed else (),
        assumptions=(f"Model under test: {model}", "No other tier is decided by a checker"),
    )
    arms, turns = replace(terms, n=("forbidden_n", "permitted_n")), replace(terms, n=("multi_n", "single_n"))
    once = int((attacks.groupby("scenario_id")["run"].nunique() < 2).sum()) if len(attacks) else 0
    repeated = replace(
        terms,
        tiers=("strict, and how often its outcome stays the same",),
        denominators=("scenarios that were run twice or more",),
        left_out=(("scenarios that were run once", once),) if once else (),
    )
    return Collected(
        forbidden=attacks,
        permitted=controls,
        truth=stated(rates.truth_by_intent(attacks), terms),
        capability=stated(rates.capability(attacks, controls), arms),
        capability_by_turns=stated(rates.capability(attacks, controls, by="turns"), arms),
        stability=stated(outcome_stability(attacks), repeated),
        turns=stated(rates.single_beside_multi(attacks), turns),
        again=stated(rates.collected_again(recordings, attacks if target else attacks.iloc[:0]), terms),
        path=files["forbidden"],
        fresh=bool(target),
        model=model,
        failed=failed,
    )


def _collect(target: str, arm: Arm, out: Path, limit: int, repeats: int) -> int:
    """Collect one arm and return how many conversations a fault ended."""
    try:
        done = collect(target, Path(SCENARIOS), out, arm=arm, limit=limit or None, repeats=repeats)
    except BadLineError as error:
        raise FFError(
            f"{error}. A run keeps what it collected before and adds to it. To collect anew, move that file "
            f"away (mv {out} {out.with_suffix('.old')}) and run the step again."
        ) from None
    return len(done.failed)


def _model(path: Path) -> str:
    first = next(read_traces(path), None)
    if first is None or first.generation is None:
        return "no trace was collected"
    made = first.generation
    heat = NOT_RECORDED if made.temperature is None else f"{made.temperature:g}"
    return (
        f"{first.model} (digest {short(made.digest or NOT_RECORDED)}; "
        f"temperature {heat}; at most {made.max_tokens} tokens per reply)"
    )
