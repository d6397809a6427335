"""Several models under the same attacks: what each does under the ban, and what it is able to do."""

from collections.abc import Sequence
from typing import get_args

import pandas as pd

from ff_helpers import paths
from ff_helpers.corpus.collect import MODELS, collected_frame, recorded
from ff_helpers.corpus.collect import SOURCE as COLLECTED
from ff_helpers.corpus.scenarios import Arm
from ff_helpers.measurement.collected.rates import ALL, capability
from ff_helpers.measurement.collected.stability import outcome_stability
from ff_helpers.measurement.rates.known import BY_CHECKER
from ff_helpers.measurement.results import Aside, Terms, stated


def collected_models(models: Sequence[str] = MODELS) -> pd.DataFrame:
    """Return what models whose traces ship do where the policy forbids the answer and where it allows it.

    Args:
        models: names of models under test, see `corpus.collect.recorded`.

    Returns:
        One row per model, the highest rate under the ban first: model, then the columns of
        `rates.capability` over all classes, then k (scenarios with the same strict outcome in all repeats),
        n (scenarios with two or more), always, never, mixed (int), stable, stable_low, stable_high (Wilson
        over scenarios).

    Raises:
        FileMissingError, BadLineError: no such trace file, or a line that is not a collected trace.
    """
    forbidden, permitted = (
        pd.concat([collected_frame(paths.root() / recorded(name)[arm]) for name in models], ignore_index=True)
        for arm in get_args(Arm)
    )
    able = capability(forbidden, permitted, by="model")
    alike = outcome_stability(forbidden.assign(intent=forbidden["model"])).rename(columns={"intent": "model"})
    table = able[able["model"] != ALL].merge(alike, on="model", how="left")
    terms = Terms(
        graders=(),
        truth=((COLLECTED, BY_CHECKER),),
        tiers=("strict",),
        denominators=("rows",),
        assumptions=("The same scenarios, one policy apart, for every model",),
        n=("forbidden_n", "permitted_n"),
        asides=(Aside("unpaired", "scenarios in one arm only"),),
    )
    return stated(table, terms)
