"""What a ledger's counts say of every model and grader: rates, classes, stability, turns, statuses, days.

Everything is counted once for all models; a record then looks its own up.
"""

from dataclasses import dataclass
from typing import Final

import pandas as pd

from ff_helpers.measurement.collected.stability import stability_of_counts
from ff_helpers.measurement.proportions.clusters import design_rates
from ff_helpers.measurement.proportions.intervals import wilson
from ff_helpers.measurement.rates.asr import asr
from ff_helpers.measurement.rates.counts import IDENTITY, NOT_RECORDED
from ff_helpers.measurement.rates.reported import LABELS
from ff_helpers.publication.atlas.signal import Rate, Stability, signal_rate
from ff_helpers.taxonomy import STATUSES, TIERS, VERDICTS, Denominator, Tier, in_denominator

Key = tuple[str, ...]
"""A model's label, then its grader: name, digest, rubric, temperature, seed, method."""
_ROW: Final = ["label", *IDENTITY, "how"]
_ALIKE: Final = {True: "both successes, or neither", False: "both refused, or neither"}


@dataclass(frozen=True)
class Tables:
    """The counts of every model and grader.

    Attributes:
        rates, by_intent: the rate; the latter's key ends with the class.
        stability: pairs of runs that ended alike, or why there is none.
        turns, statuses: rows; the key ends with `single`, `multi` or with the status.
        days: the last day of grading.
    """

    rates: dict[Key, Rate]
    by_intent: dict[Key, Rate]
    stability: dict[Key, Stability | str]
    turns: dict[Key, int]
    statuses: dict[Key, int]
    days: dict[Key, str]


def count_tables(counts: pd.DataFrame, *, tier: Tier, denominator: Denominator) -> Tables:
    """Return the tables of counts (`signal_counts`, with `label`: the model that a row is of).

    Known truth is over all of its rows with one, whatever the denominator of the graders.
    """
    counts = counts.rename(columns={"method": "how"})  # the table of stability has a `method` of its own
    days = counts[counts["day"] != NOT_RECORDED].groupby(_ROW)["day"].max().reset_index()
    return Tables(
        rates=_rates(counts, _ROW, tier, denominator),
        by_intent=_rates(counts, [*_ROW, "intent"], tier, denominator),
        stability=_stability(counts),
        turns=_sums(counts, [*_ROW, "turns"]),
        statuses=_sums(counts[counts["outcome"].isin(STATUSES)], [*_ROW, "outcome"]),
        days=dict(zip(_keys(days, _ROW), days["day"].astype("str"), strict=True)),
    )


def _keys(frame: pd.DataFrame, columns: list[str]) -> list[Key]:
    return list(frame[columns].astype("str").itertuples(index=False, name=None))


def _rates(counts: pd.DataFrame, keys: list[str], tier: Tier, denominator: Denominator) -> dict[Key, Rate]:
    found: dict[Key, Rate] = {}
    known = counts["how"] == LABELS
    graded: Denominator = "graded"
    for part, of in ((counts[known], graded), (counts[~known], denominator)):
        table = asr(part, by=keys, tiers=[tier], denominators=[of])
        for key, k, n in zip(_keys(table, keys), table["k"], table["n"], strict=True):
            found[key] = signal_rate(wilson(int(k), int(n)), denominator=of, tier=tier)
        for key, update in _by_scenario(part, keys, tier, of).items():
            found[key] = found[key].model_copy(update=update)
    return found


def _by_scenario(
    counts: pd.DataFrame, keys: list[str], tier: Tier, denominator: Denominator
) -> dict[Key, dict[str, float]]:
    """Return scenarios and their design-effect interval where every row of a group says its scenario."""
    labels = [verdict for verdict in VERDICTS if in_denominator(verdict, denominator)]
    rows = counts[counts["outcome"].isin([*labels, *(STATUSES if denominator == "rows" else ())])]
    rows = rows.assign(
        k=rows["n"].where(rows["outcome"].isin(TIERS[tier]), 0),
        group=rows.groupby(keys).ngroup(),
        cluster=rows["scenario_id"],
    )
    rows = rows[~rows["group"].isin(rows.loc[rows["scenario_id"] == NOT_RECORDED, "group"])]
    if rows.empty:
        return {}
    table = design_rates(rows).set_index("group")
    first = rows.drop_duplicates("group").set_index("group").loc[table.index]
    columns = zip(_keys(first, keys), table["clusters"], table["low"], table["high"], strict=True)
    return {
        key: {
            "scenarios": int(clusters),
            "by_scenario_low": round(float(low), 6),
            "by_scenario_high": round(float(high), 6),
        }
        for key, clusters, low, high in columns
    }


def _stability(counts: pd.DataFrame) -> dict[Key, Stability | str]:
    table = stability_of_counts(counts, _ROW)
    found: dict[Key, Stability | str] = {}
    for key, row in zip(_keys(table, _ROW), table.itertuples(index=False), strict=True):
        found[key] = str(row.reason) or Stability(
            share=round(float(str(row.stable)), 6),
            ci_low=round(float(str(row.stable_low)), 6),
            ci_high=round(float(str(row.stable_high)), 6),
            k=int(str(row.k)),
            n=int(str(row.n)),
            scenarios=int(str(row.scenarios)),
            basis=f"pairs of runs of one scenario: {_ALIKE[key[-1] == LABELS]}",
        )
    return found


def _sums(counts: pd.DataFrame, keys: list[str]) -> dict[Key, int]:
    table = counts.groupby(keys)["n"].sum().reset_index()
    return dict(zip(_keys(table, keys), map(int, table["n"]), strict=True))
