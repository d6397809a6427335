"""The published crescendo regrade, taken apart: 20 unique traces, 10 scenarios run twice.

Per row only the final verdict is published; of the first labels only how many of them became which
final one. Anything that needs more is not determinable, and reported so.
"""

from dataclasses import dataclass

import pandas as pd

from ff_helpers.casestudy.graders import MANUAL, published_graders
from ff_helpers.casestudy.record import PUBLISHED_STATUSES, published
from ff_helpers.measurement.proportions.clusters import clustered, rate_columns
from ff_helpers.measurement.proportions.intervals import with_wilson
from ff_helpers.measurement.regrades.rates import NAMES, check_marginals, rates, shifts
from ff_helpers.measurement.regrades.regrade import Regrade, changes_frame
from ff_helpers.measurement.results import Terms, stated, terms_of
from ff_helpers.terms import TIERS, Tier

LABELLERS = {
    "contaminated": "first labels: qwen3:1.7b",
    "corrected": "new labels: deepseek-r1:1.5b and people",
}
"""Who gave the labels of either side, as tables and pages name them."""
_HEADLINES: tuple[Tier, ...] = ("strict", "broad")


@dataclass(frozen=True)
class Crescendo(Regrade):
    """The regrade as published and as recomputed: what any regrade has, and what was printed.

    Which trace had which first label is not published, so no interval of a shift is by scenario, and no
    record says who changed what.

    Attributes:
        finals: scenario_id, domain, run, verdict: one row per unique trace.
        aggregates: labels, tier, printed (share), rows, source: the figures as printed.
        provenance: item, rows, statement, source: who labelled what, as far as published.
        shifts: also one row per tier for the printed shift, whose denominator reads `mixed`: its two rates
            are over two sets of rows.
        runs: run, scenarios, runs, rows, strict_k, broad_k, strict, broad (with Wilson bounds over
            graded rows), strict_by_scenario, broad_by_scenario (the design-effect interval).
    """

    finals: pd.DataFrame
    aggregates: pd.DataFrame
    provenance: pd.DataFrame
    runs: pd.DataFrame


def crescendo() -> Crescendo:
    """Return the published crescendo regrade, recomputed from data/published/.

    Raises:
        FFError: a malformed file of facts, or transitions that do not add up to the final verdicts.
    """
    finals = published("crescendo_final_verdicts")
    transitions = published("crescendo_transitions").rename(
        columns={"old_qwen3_verdict": "old", "new_verdict": "new", "count": "rows"}
    )
    check_marginals(transitions, finals["verdict"], side="new", what="final verdicts")
    aggregates = published("crescendo_aggregates")
    table = rates(transitions, statuses=PUBLISHED_STATUSES)
    moved = shifts(table, transitions)
    printed = pd.concat([moved, _printed_shifts(aggregates)], ignore_index=True)
    graders = published_graders("qwen3:1.7b", "deepseek-r1:1.5b", MANUAL)
    counts = Terms(graders=graders, denominators=("rows",), n=("rows",), left_out=())
    runs = Terms(graders=graders, denominators=("graded",), n=("rows",), left_out=())
    return Crescendo(
        names=NAMES,
        transitions=stated(transitions, counts),
        graders=(),
        changes=changes_frame([]),
        again=(),
        contested=(),
        scenarios=finals["scenario_id"].nunique(),
        finals=finals,
        aggregates=aggregates,
        provenance=stated(published("crescendo_provenance"), counts),
        rates=stated(table, graders=graders),
        shifts=stated(
            printed.astype(dict.fromkeys(("old_k", "new_k", "shared"), "Int64")),
            terms_of(moved),
            graders=graders,
        ),
        runs=stated(_runs(finals), runs),
    )


def _printed_shifts(aggregates: pd.DataFrame) -> pd.DataFrame:
    sides = aggregates.set_index(["tier", "labels"])
    rows = sides["rows"].astype("int64").unstack().loc[list(_HEADLINES)]
    printed = sides["printed"].unstack().loc[list(_HEADLINES)]
    names = rows[["contaminated", "corrected"]].itertuples(index=False)
    return pd.DataFrame(
        {
            "denominator": [f"mixed: {old} rows against {new}" for old, new in names],
            "old_n": rows["contaminated"],
            "new_n": rows["corrected"],
            "old_asr": printed["contaminated"],
            "new_asr": printed["corrected"],
            "shift": printed["corrected"] - printed["contaminated"],
        }
    ).reset_index()


def _runs(finals: pd.DataFrame) -> pd.DataFrame:
    parts = {str(run): rows for run, rows in finals.groupby("run")}
    table = pd.DataFrame([_run(name, rows) for name, rows in (parts | {" and ".join(parts): finals}).items()])
    for tier in _HEADLINES:
        table = with_wilson(table, tier, k=f"{tier}_k", n="rows")
    return table


def _run(name: str, rows: pd.DataFrame) -> dict[str, object]:
    scenarios, runs = rows["scenario_id"].nunique(), rows["run"].nunique()
    result: dict[str, object] = {"run": name, "scenarios": scenarios, "runs": runs, "rows": len(rows)}
    for tier in _HEADLINES:
        found = clustered(rows["verdict"].isin(TIERS[tier]), rows["scenario_id"])
        result[f"{tier}_k"] = int(found["k"])
        result |= rate_columns(f"{tier}_by_scenario", found)
    return result
