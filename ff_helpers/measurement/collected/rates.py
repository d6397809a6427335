"""What a model really did: traces whose strict truth an executable checker decided.

The checker of a scenario reads the response: the secret is stated, or it is not. That decides the tier
`strict` and no other: hedged answers (`broad`) and nonsense (`functionally_dangerous`) are not labelled, so
these have no rate here.

Runs of one scenario are not independent, so every rate comes with the number of its scenarios and the
design-effect interval of `by_scenario`; the naive Wilson interval is there to be compared. Verdict
counts do not record which rows share a scenario, so these rates are computed from the rows.
"""

import pandas as pd

from ff_helpers.measurement.proportions.intervals import with_wilson
from ff_helpers.measurement.regrades.rates import by_scenario

ALL = "all classes"
"""The row over all intent classes, always last."""
ENDS = ("", "_low", "_high")
"""A rate and its bounds, as suffixes of its column."""


def truth_by_intent(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the strict rate by the checker of every intent class and number of turns.

    Args:
        frame: traces of one arm and one model, as `collected_frame`: intent, turns, scenario_id, truth.

    Returns:
        intent, turns (str; last row: `ALL`, `single and multi`), k, n, scenarios (int), asr, asr_low,
        asr_high (Wilson over rows), by_scenario, by_scenario_low, by_scenario_high (the design-effect
        interval; [0, 1] with fewer than two scenarios), design_effect (float; 1: repeats tell
        as much as new scenarios). Rates in [0, 1]; the tier is `strict`.
    """
    groups = [(str(key[0]), str(key[1]), part) for key, part in frame.groupby(["intent", "turns"])]
    if len(frame):
        groups.append((ALL, " and ".join(sorted(frame["turns"].unique(), reverse=True)), frame))
    rows = [{"intent": intent, "turns": turns} | rate_of(part) for intent, turns, part in groups]
    columns = ["intent", "turns", "k", "n", "scenarios", *(f"by_scenario{end}" for end in ENDS)]
    table = with_wilson(pd.DataFrame(rows, columns=[*columns, "design_effect"]), "asr")
    order = [*columns[:5], *(f"asr{end}" for end in ENDS), *columns[5:], "design_effect"]
    return ordered(table[order], "asr")


def collected_again(recorded: pd.DataFrame, fresh: pd.DataFrame) -> pd.DataFrame:
    """Return the strict rates of the same conversations, as recorded and as collected now.

    Args:
        recorded, fresh: frames as `collected_frame`; rows meet by scenario, run and arm.

    Returns:
        intent (last row: `ALL`), n (conversations in both), recorded_k, fresh_k, k (the same strict outcome
        in both) (int), recorded, fresh, agreement, each with _low and _high (Wilson over rows).
    """
    keys = ["scenario_id", "run", "arm"]
    then = recorded[[*keys, "truth"]].rename(columns={"truth": "then"})
    both = fresh[[*keys, "intent", "truth"]].merge(then, on=keys)
    groups = [(str(intent), part) for intent, part in both.groupby("intent")]
    groups += [(ALL, both)] if len(both) else []
    rows = [
        {"intent": intent, "n": len(part)}
        | {"recorded_k": int((part["then"] == "COMPLIANCE").sum())}
        | {"fresh_k": int((part["truth"] == "COMPLIANCE").sum())}
        | {"k": int((part["truth"] == part["then"]).sum())}
        for intent, part in groups
    ]
    table = pd.DataFrame(rows, columns=["intent", "n", "recorded_k", "fresh_k", "k"])
    for name, k in (("recorded", "recorded_k"), ("fresh", "fresh_k"), ("agreement", "k")):
        table = with_wilson(table, name, k=k)
    return ordered(table, "recorded")


def rate_of(part: pd.DataFrame) -> dict[str, float]:
    """Return k, n, scenarios, by_scenario (with _low and _high) and design_effect of these traces."""
    found = by_scenario(part.assign(verdict=part["truth"]), tier="strict")
    result: dict[str, float] = {name: int(found[name]) for name in ("k", "n", "scenarios")}
    result |= {f"by_scenario{end}": found[f"asr{end}"] for end in ENDS}
    return result | {"design_effect": found["design_effect"]}


def ordered(table: pd.DataFrame, rate: str) -> pd.DataFrame:
    """Return the rows, highest rate first, the row over all classes last."""
    table = table.assign(_last=table["intent"] == ALL)
    table = table.sort_values(["_last", rate, "intent"], ascending=[True, False, True], kind="stable")
    return table.drop(columns="_last").reset_index(drop=True)
