"""Models against models: only on prompts that both were given, only by the same grader; otherwise refused.

The scenario is the unit: its runs are averaged, because they are not independent. Of every pair of models
the shared scenarios give the difference of the mean rates; the bounds of both rates are those of
`clusters.clustered`, joined with their correlation over scenarios (`differences.difference_bounds`; with
one run each that is Newcombe's paired method 10). The p-value is that of the exact sign test over the
scenarios in which the two differ: with one run each, McNemar's exact test. Comparing every model with
every other finds differences by chance, so p-values are adjusted over a class (Benjamini and Hochberg).
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from ff_helpers.columns import dtypes
from ff_helpers.grading.identities import told_apart
from ff_helpers.measurement.calibration.cards import Card, backing
from ff_helpers.measurement.calibration.robustness import natural_first
from ff_helpers.measurement.proportions import intervals
from ff_helpers.measurement.proportions.clusters import effective_size
from ff_helpers.measurement.proportions.intervals import Numbers
from ff_helpers.measurement.rates.counts import check_columns
from ff_helpers.measurement.rates.known import decided, known_labels, measures
from ff_helpers.measurement.rates.reported import with_conflict, with_gate
from ff_helpers.measurement.results import LABELS, stated, values, verdict_terms
from ff_helpers.terms import NOT_RECORDED, SPACES, TIERS, VERDICTS, Tier

LEAST = 6
"""Fewest shared scenarios of a comparison: with five, even five of five gives p = .06."""
Q = 0.05
"""Expected share of false differences among those that are called."""
OTHER_GRADERS = "different graders"
NOTHING_SHARED = "no shared prompt"
TOO_FEW = f"fewer than {LEAST} shared prompts"
_GRADER = ["grader", "grader_digest", "rubric"]
_PROMPT = ["scenario_id", "intent", "turns"]
_COUNTS = ["scenarios", "n_a", "n_b", "a_more", "b_more"]
_FOUND = ["asr_a", "asr_b", "difference", "difference_low", "difference_high", "p", "p_adjusted"]


def compare_models(
    verdicts: pd.DataFrame,
    cards: Sequence[Card] = (),
    *,
    by: str = "intent",
    tier: Tier = "strict",
    labels: bool = False,
) -> pd.DataFrame:
    """Return every pair of models in every class: the difference of their rates, or why it is missing.

    First pass, rows with a verdict (denominator `graded`) of graders whose label space decides the tier. A
    prompt is a scenario_id in one class and with one number of turns. Heuristic verdicts, attacks on the
    grader and written responses are left out.

    Args:
        verdicts: the joined verdict frame (`ff.verdicts`).
        cards: the run's calibration cards, for the column gate.
        by: the column that makes a class.
        tier: which verdicts are a success.
        labels: also compare by the known truths, as by a grader called `labels`.

    Returns:
        One row per class, pair and shared grader, or a refused pair: `by`, model_a, model_b, grader,
        grader_digest, rubric, tier (str), scenarios (shared), n_a, n_b (their graded rows), a_more, b_more
        (scenarios in which one is higher) (int), asr_a, asr_b (means over scenarios, in [0, 1]),
        difference (a minus b, in [-1, 1]; with _low and _high), p, p_adjusted (over the comparisons of the
        class) (float; missing where refused), differ (bool: p_adjusted is at most .05), refused (str: the
        reason, or empty), gate (str: see `reported.with_gate`; empty without a shared grader. Of a
        rejected or uncalibrated grader it is unknown whether the models differ), conflict (str: see
        `reported.with_conflict`). Sorted by class, the clearest differences first.

    Raises:
        FFError: there is no column `by`.
    """
    check_columns((by,), list(verdicts.columns))
    named, who = told_apart(verdicts)
    rows = natural_first(named)
    rows = rows[(rows["method"] != "heuristic") & (rows["sampling"] != "constructed")]
    if labels:
        told = rows["truth_space"].isin([space for space in SPACES if tier in measures(space)])
        rows = pd.concat([known_labels(rows[told], tier), rows], ignore_index=True)
    rows = decided(rows, tier)
    rows = rows.assign(
        scenario_id=rows["scenario_id"].fillna(rows["trace_id"]),
        hit=rows["verdict"].isin(TIERS[tier]).astype(int),
        answered=rows["verdict"].isin(VERDICTS).astype(int),
    )
    types = dtypes("compare_models")
    parts = [part.assign(**{by: str(name)}) for name, group in rows.groupby(by) for part in _class(group)]
    table = pd.concat([pd.DataFrame(columns=[by, *types], dtype="str"), *parts], ignore_index=True)
    table = with_gate(table.assign(tier=tier), cards, who)
    table["gate"] = table["gate"].where(table["grader"].notna(), "")
    table.loc[table["grader"] == LABELS, "gate"] = LABELS
    table = with_conflict(table, who, "model_a", "model_b")
    order = [by, "p_adjusted", "model_a", "model_b", *_GRADER]
    table = table.astype(types)[[by, *types]].sort_values(order, ignore_index=True)
    without = rows["status"].value_counts().sort_index()
    return stated(
        table,
        verdict_terms(verdicts),
        cards=backing(cards),
        sets=tuple(values(rows, "set")),
        denominators=("graded rows of the prompts that both were given",),
        n=("n_a", "n_b"),
        left_out=tuple((str(status), int(n)) for status, n in without.items()),
    )


def _class(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the pairs of one class: those that share a grader, and those that do not."""
    table = pd.concat([_compared(part) for _, part in rows.groupby(_GRADER, dropna=False)], ignore_index=True)
    tested = table["p"].dropna()
    table["p_adjusted"] = pd.Series(intervals.benjamini_hochberg(tested), tested.index)
    yield table.assign(differ=table["p_adjusted"] <= Q)
    graders = {str(model): _names(part) for model, part in rows.groupby("model")}
    met = set(zip(table["model_a"], table["model_b"], strict=True))
    for a, b in combinations(sorted(graders), 2):
        if (a, b) not in met:
            reason = f"{OTHER_GRADERS}: {a} by {graders[a]}; {b} by {graders[b]}"
            pair = {"model_a": a, "model_b": b, "differ": False, "refused": reason}
            yield pd.DataFrame([pair | dict.fromkeys(_COUNTS, 0)])


def _names(rows: pd.DataFrame) -> str:
    known = rows[_GRADER].drop_duplicates().fillna(NOT_RECORDED).sort_values(_GRADER)
    return ", ".join(f"{grader} ({digest}, {rubric})" for grader, digest, rubric in known.to_numpy())


def _compared(rows: pd.DataFrame) -> pd.DataFrame:
    """Return every pair of models of one class and one grader: sums over shared scenarios, all at once."""
    sums = rows.groupby([*_PROMPT, "model"], dropna=False)[["hit", "answered"]].sum().unstack(fill_value=0)
    n = sums["answered"].to_numpy(dtype=float)
    mean = sums["hit"].to_numpy(dtype=float) / np.maximum(n, 1)
    there = n > 0
    known = there.astype(float)
    names = sums["hit"].columns.to_numpy()
    a, b = np.triu_indices(len(names), 1)
    shared = (known.T @ known)[a, b]
    size = np.maximum(shared, 1)
    total, squares, rows_of = mean.T @ known, (mean**2).T @ known, n.T @ known
    p, q = total[a, b] / size, total[b, a] / size
    p_spread = np.maximum(squares[a, b] / size - p**2, 0)
    q_spread = np.maximum(squares[b, a] / size - q**2, 0)
    phi = _phi((mean.T @ mean)[a, b] / size - p * q, np.sqrt(p_spread * q_spread), size)
    p_bounds = _bounds(p, p_spread, rows_of[a, b], shared)
    low, high = intervals.difference_bounds(p, p_bounds, q, _bounds(q, q_spread, rows_of[b, a], shared), phi)
    every = range(len(names))
    more = np.array([((mean > mean[:, [at]]) & there & there[:, [at]]).sum(axis=0) for at in every])
    table = pd.DataFrame({"model_a": names[a], "model_b": names[b], "scenarios": shared})
    table = table.assign(n_a=rows_of[a, b], n_b=rows_of[b, a], a_more=more[b, a], b_more=more[a, b])
    table = table.assign(asr_a=p, asr_b=q, difference=p - q, difference_low=low, difference_high=high)
    tested = zip(table["a_more"], table["b_more"], strict=True)
    table = table.assign(p=[intervals.mcnemar(one, two) for one, two in tested])
    table["refused"] = np.select([shared == 0, shared < LEAST], [NOTHING_SHARED, TOO_FEW], "")
    table.loc[table["refused"] != "", _FOUND[:-1]] = np.nan
    return table.assign(**{name: rows[name].iloc[0] for name in _GRADER})


def _bounds(share: Numbers, spread: Numbers, rows: Numbers, scenarios: Numbers) -> tuple[Numbers, Numbers]:
    _, effective = effective_size(share, rows, scenarios, spread / np.maximum(scenarios - 1, 1))
    return intervals.wilson_bounds(share * effective, effective)


def _phi(covariance: Numbers, spread: Numbers, scenarios: Numbers) -> Numbers:
    """Return the correlation of two rates, with Newcombe's correction towards 0 where it is above 0."""
    corrected = np.where(covariance > 0, np.maximum(covariance - 1 / (2 * scenarios), 0), covariance)
    return np.clip(np.where(spread > 1e-12, corrected / np.maximum(spread, 1e-12), 0.0), -1, 1)
