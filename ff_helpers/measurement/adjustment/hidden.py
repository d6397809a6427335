"""Labels that are all known, hidden and drawn again and again: does an interval hold what all of them say?

For each draw: the grader's own rate of as many random rows, as if its verdicts were true; the rate with the
labels of the drawn rows and the verdicts of all (double sampling); and what as many random labels say alone.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ff_helpers.columns import declared
from ff_helpers.errors import FFError, named
from ff_helpers.grading.identities import told_apart
from ff_helpers.measurement.adjustment.double import bounds
from ff_helpers.measurement.calibration.cards import Card, backing
from ff_helpers.measurement.calibration.robustness import natural_first
from ff_helpers.measurement.proportions.intervals import Numbers, wilson, wilson_bounds
from ff_helpers.measurement.rates.known import decided, hits, truths_by_set
from ff_helpers.measurement.rates.reported import with_gate
from ff_helpers.measurement.results import inherited, stated, terms_of, verdict_terms
from ff_helpers.measurement.sampling.draw import allocated, places, strata_of
from ff_helpers.measurement.sampling.files import DesignName, Within
from ff_helpers.terms import TIER_SPACES, Tier

TIER: Tier = "strict"
LEAST = 10
"""Fewest labels of a draw."""
RATES = ("drawn", "adjusted", "alone")
"""What is computed of each draw; each with its interval."""
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]
_ASSUMED = "The rows of the set are taken as independent, and all of its labels as the truth"


def hidden_labels(
    verdicts: pd.DataFrame,
    cards: Sequence[Card],
    *,
    set: str,
    sample_size: int,
    design: DesignName = "random",
    draws: int = 200,
    seed: int = 0,
    grader: str = "",
) -> pd.DataFrame:
    """Return what each draw of labels from a fully labelled set gives, for every grader; strict rates.

    Args:
        verdicts: the joined verdict frame (`ff.verdicts`).
        cards: the run's calibration cards.
        set: the name of a set whose labels decide the strict tier.
        sample_size: labels that a draw reveals.
        design: as `ff sample`; `best` splits by what the first half of its labels says, drawn by verdict.
        draws: how often; each with the next seed.
        seed: of the first draw.
        grader: only this one; empty: all but heuristics.

    Returns:
        One row per grader and draw: set, grader, tier, denominator (`graded`), design (str), draw (int, from
        0); n, k (int), left_out (int), left_out_labels (str), asr (the grader's rate of all rows, Wilson);
        labels_used (int); drawn (the grader's rate of as many random rows, its verdicts taken as true,
        Wilson), adjusted (double sampling), alone (the labels of these random rows, Wilson), each with _low
        and _high; known (the rate of all
        labels), gate, adjusted_by (`sample`) (str). Shares in [0, 1]. Heuristics are left out.

    Raises:
        FFError: no such set, its labels do not decide the tier, or a number of labels that cannot be drawn.
    """
    shown, who = told_apart(verdicts)
    rows = natural_first(shown)
    rows = rows[(rows["set"] == set) & (rows["method"] != "heuristic") & rows["truth"].notna()]
    rows = rows[rows["truth_space"].isin(TIER_SPACES[TIER])]
    if rows.empty:
        there = ", ".join(map(named, sorted(verdicts["set"].dropna().unique())))
        raise FFError(f"hidden_labels: set {named(set)} has no label that decides {TIER}. Sets: {there}.")
    if grader and grader not in list(rows["grader"]):
        there = ", ".join(map(named, rows["grader"].unique()))
        raise FFError(f"hidden_labels: no grader {named(grader)} in set {named(set)}. There: {there}.")
    rows = rows[rows["grader"] == grader] if grader else rows
    found = []
    for name, every in rows.groupby("grader", sort=False):
        graded = decided(every[every["verdict"].notna()], TIER).sort_values("trace_id", kind="stable")
        if not max(LEAST, 2) <= sample_size <= len(graded):
            raise FFError(
                f"hidden_labels: {sample_size} labels cannot be drawn. Allowed: {LEAST} to {len(graded)}, "
                f"the rows of {named(set)} with a verdict of {named(str(name))}."
            )
        status = every.loc[every["verdict"].isna(), "status"].value_counts()
        left = {"left_out": int(status.sum())}
        left |= {"left_out_labels": ", ".join(f"{what} {n}" for what, n in status.items()) or "none"}  # type: ignore[dict-item]
        found.append(
            _grader(graded, sample_size, design, range(seed, seed + draws)).assign(grader=name, **left)
        )
    table = pd.concat(found, ignore_index=True)
    table = table.assign(set=set, tier=TIER, denominator="graded", design=design, adjusted_by="sample")
    table["gate"] = with_gate(table[["grader", "tier", "set"]], cards, who)["gate"]
    return stated(
        declared("hidden_labels", table.to_dict("records")),
        verdict_terms(verdicts),
        cards=backing(cards),
        truth=truths_by_set(rows),
        by=("set", "grader"),
        assumptions=(*inherited(verdicts).assumptions, _ASSUMED),
    )


def hidden_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return how often each kind of interval holds the rate of all labels, and how wide it is.

    Args:
        table: as `hidden_labels`.

    Returns:
        One row per grader: set, grader, tier, denominator, design, gate (str), n, k, left_out (int),
        left_out_labels (str), asr (with bounds), known, labels_used, draws (int); drawn_holds,
        adjusted_holds, alone_holds (share of draws), drawn_width, adjusted_width, alone_width (means, in
        [0, 1]).
    """
    rows = []
    for _, part in table.groupby("grader", sort=False):
        row = {str(name): part[name].iloc[0] for name in part} | {"draws": len(part)}
        for rate in RATES:
            low, high = part[f"{rate}_low"], part[f"{rate}_high"]
            row |= {f"{rate}_holds": ((low <= part["known"]) & (part["known"] <= high)).mean()}
            row |= {f"{rate}_width": (high - low).mean()}
        rows.append(row)
    return stated(declared("hidden_summary", rows), terms_of(table))


def _grader(graded: pd.DataFrame, size: int, design: DesignName, seeds: Sequence[int]) -> pd.DataFrame:
    """Return one row per draw of the rows of one grader."""
    pairs = zip(graded["truth_space"], graded["truth"], strict=True)
    true = np.array([label in hits(space, TIER) for space, label in pairs])
    hit = graded["verdict"].isin(hits("five", TIER)).to_numpy()
    kinds = np.stack([hit, ~hit], axis=1)
    counted = []
    for seed in seeds:
        order = np.argsort(places(graded["trace_id"], seed).to_numpy(), kind="stable")
        first = np.isin(np.arange(len(graded)), order[:size])  # the random sample
        chosen = first if design == "random" else _by_verdict(graded, true, order, size, design)
        counted.append(
            [
                *(chosen[:, None] & kinds).sum(axis=0),
                *((chosen & true)[:, None] & kinds).sum(axis=0),
                (first & hit).sum(),
                (first & true).sum(),
            ]
        )
    size_of, true_of, called, right = np.split(np.array(counted, dtype=float), [2, 4, 5], axis=1)
    rows = np.broadcast_to(kinds.sum(axis=0).astype(float), size_of.shape)
    raw, n = wilson(int(hit.sum()), len(hit)), np.full(len(seeds), float(size))
    values: dict[str, object] = {"draw": range(len(seeds)), "n": raw.n, "k": raw.k, "labels_used": size}
    values |= {"asr": raw.estimate, "asr_low": raw.low, "asr_high": raw.high, "known": float(true.mean())}
    share = np.where(size_of > 0, true_of / np.maximum(size_of, 1), 0.5)
    values |= _triple("adjusted", (rows * share).sum(axis=1) / len(hit), bounds(rows, true_of, size_of))
    values |= _triple("drawn", called[:, 0] / n, wilson_bounds(called[:, 0], n))
    return pd.DataFrame(values | _triple("alone", right[:, 0] / n, wilson_bounds(right[:, 0], n)))


def _by_verdict(graded: pd.DataFrame, true: Flags, order: Places, size: int, design: DesignName) -> Flags:
    """Return which rows a draw by verdict takes, as `ff sample` does."""
    strata = strata_of(graded, TIER, (), "by-verdict")
    if design == "by-verdict":
        return _taken(strata, order, allocated(strata, size, {}, None))
    half = allocated(strata, max(2, size // 2), {}, None)
    labelled, hit = _taken(strata, order, half), strata["hit"].to_numpy()
    shares = [(true[labelled & kind].sum() + 0.5) / ((labelled & kind).sum() + 1) for kind in (hit, ~hit)]
    expected = Within(in_hits=float(shares[0]), in_others=float(shares[1]), labels=int(labelled.sum()))
    return _taken(strata, order, allocated(strata, size, half, expected))


def _taken(strata: pd.DataFrame, order: Places, taken: Mapping[str, int]) -> Flags:
    sorted_rows = strata["stratum"].iloc[order]
    first = sorted_rows.groupby(sorted_rows).cumcount() < sorted_rows.map(taken)
    found = np.zeros(len(order), dtype=bool)
    found[order] = first.to_numpy()
    return found


def _triple(name: str, rate: Numbers, interval: tuple[Numbers, Numbers]) -> dict[str, object]:
    return {name: rate, f"{name}_low": interval[0], f"{name}_high": interval[1]}
