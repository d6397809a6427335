"""A run's rates, raw and with the grader's errors taken out.

The source of the labels decides the method, never its result. Labels of every row are the answer.
Labels of a random part of the rows carry over to the rest (double sampling). Errors that were measured on
other sets do not carry over by themselves: how much they differ between models and sets widens the interval
(`transport`). Without a measurement of the grader there is no adjusted rate. Labels that were picked by
judgement are counted and never used.
"""

import hashlib
import math
from collections.abc import Sequence

import pandas as pd

from ff_helpers.columns import declared, worded
from ff_helpers.errors import FFError
from ff_helpers.grading.identities import told_apart
from ff_helpers.measurement.adjustment.double import double_sampling
from ff_helpers.measurement.adjustment.rogan_gladen import Adjusted
from ff_helpers.measurement.adjustment.transport import CARRIED, Errors, card_errors, carried_over, spread
from ff_helpers.measurement.calibration.calibrate import CALIBRATING
from ff_helpers.measurement.calibration.cards import Card, backing
from ff_helpers.measurement.calibration.robustness import natural_first
from ff_helpers.measurement.proportions.clusters import clustered, rate_columns
from ff_helpers.measurement.proportions.intervals import triple
from ff_helpers.measurement.rates.asr import WHY, asr
from ff_helpers.measurement.rates.counts import count_verdicts
from ff_helpers.measurement.rates.known import decided, hits, truths_by_set
from ff_helpers.measurement.rates.reported import READINGS, with_gate
from ff_helpers.measurement.results import stated, verdict_terms
from ff_helpers.measurement.standing import standing
from ff_helpers.terms import NOT_RECORDED, TIER_SPACES, TIERS, Tier

_BY = ("set", "grader")
WIDE = 0.95
"""An interval that is wider contains nearly every rate: that it contains the known one says nothing."""
_ASSUMED = worded("measurement/adjustment/assumptions.csv")
"""What must hold for an adjusted figure, by where it comes from."""


def adjusted(verdicts: pd.DataFrame, cards: Sequence[Card]) -> pd.DataFrame:
    """Return every grader's raw rate on each set next to the adjusted one, tier by tier.

    First pass, over `graded` rows: those with one of the five verdicts. Sensitivity and specificity are
    those of the tier's hit (is the verdict one of the tier's?) among the graded rows of the cards of all
    other sets, model by model (`carried_over`). Left out are heuristics, which are compared and never
    published, and sets whose labels decide no tier.

    Args:
        verdicts: the joined verdict frame (`ff.verdicts`).
        cards: the run's calibration cards.

    Returns:
        One row per set, grader and tier, sorted; shares in [0, 1]:
        set, grader, grader_digest, rubric, tier, denominator (`graded`) (str), k, n, left_out (int: rows with
        a status), left_out_labels (str: which); asr (with _low, _high: the raw rate, Wilson, as if rows were
        independent), scenarios, effective_n (int), by_scenario (the raw rate with the interval of
        `clustered`); labels_used (rows whose label is used), labels_judgement (labels picked by judgement,
        not used) (int), known
        (the labels' rate where every row has one, with _low, _high; missing elsewhere);
        adjusted (missing where not identifiable, _low and _high are 0 and 1 then), adjusted_by (what adjusts:
        `card`, `sample`, `labels`, `none`), card_set (of which sets), errors (the cards' errors in words),
        method, note (why this one, or why there is none), warning, assumptions (str);
        role (`estimate`, or `check`: the labels are the answer, and the adjusted figure shows whether the
        card of another set carries over), carries_over (of a check: `yes` where the interval contains the
        known rate, `no`, `says nothing` where it is [0, 1]), gate (the state of the grader's card of this set
        for the tier; without one the lowest of its cards), reading (str).

    Raises:
        UnknownVerdictError, TwiceGradedError: as `count_verdicts`.
    """
    named, who = told_apart(verdicts)
    rows = natural_first(named)
    rows = rows[rows["method"] != "heuristic"]
    told = rows["truth_space"].isna() | rows["truth_space"].isin(sum(TIER_SPACES.values(), ()))
    rows = rows[told].sort_values("trace_id", kind="stable").fillna(dict.fromkeys(_BY, NOT_RECORDED))
    table = asr(count_verdicts(rows, by=_BY), by=_BY, denominators=["graded"])
    groups = dict(iter(rows.groupby(list(_BY))))
    found = []
    for name, grader, tier in zip(table["set"], table["grader"], table["tier"], strict=True):
        theirs = standing(who[grader], cards, tier=tier).cards if grader in who else ()
        others = sorted((c for c in theirs if c.calibration_set != name), key=lambda c: c.calibration_set)
        elsewhere = [errors for card in others for errors in card_errors(card, tier)]
        found.append(_row(decided(groups[name, grader], tier), tier, elsewhere))
    table = table.join(declared("adjusted", found))
    if WHY in table.columns:  # what a grader's label space does not decide cannot be adjusted either
        table = table[table[WHY] == ""].reset_index(drop=True).drop(columns=WHY)
        table = table.astype(dict.fromkeys(("k", "n", "left_out"), "int64"))
    own = with_gate(table[["grader", "tier", "set"]], cards, who)["gate"]
    gates = own.where(own != "uncalibrated", with_gate(table[["grader", "tier"]], cards, who)["gate"])
    table = table.assign(gate=gates, reading=gates.map(READINGS))
    table["assumptions"] = table["adjusted_by"].map(_ASSUMED)
    return stated(table, verdict_terms(verdicts), cards=backing(cards), truth=truths_by_set(rows), by=_BY)


def hide_truth(verdicts: pd.DataFrame, *, set: str, keep: int, seed: int = 0) -> pd.DataFrame:
    """Return the rows of a labelled set as if only `keep` of its traces had been labelled, drawn at random.

    What an adjustment gives on them can be held against the labels that were hidden.

    Args:
        verdicts: the joined verdict frame (`ff.verdicts`).
        set: the name of the set.
        keep: how many labels stay; the others become unknown.
        seed: which ones are drawn; they do not depend on the order of the rows.

    Raises:
        FFError: the set has fewer labelled traces, or `keep` is less than 1.
    """
    rows = verdicts[verdicts["set"] == set]
    known = rows.loc[rows["truth"].notna(), "trace_id"].unique()
    if not 1 <= keep <= len(known):
        raise FFError(
            f"hide_truth: {keep} labels of set {set!r} cannot be kept. Allowed: 1 to {len(known)}, the "
            "number of its traces that have one."
        )
    drawn = sorted(known, key=lambda i: hashlib.sha256(f"{seed}:{set}:{i}".encode()).digest())[:keep]
    kept = rows["trace_id"].isin(drawn)
    rows = rows.assign(sampling=kept.map({True: "random", False: None}))
    rows["probability"] = kept.map({True: keep / len(known), False: math.nan})
    return rows.assign(truth=rows["truth"].where(kept), truth_space=rows["truth_space"].where(kept))


def _row(group: pd.DataFrame, tier: Tier, elsewhere: Sequence[Errors]) -> dict[str, object]:
    graded = group[group["verdict"].notna()]
    hit = graded["verdict"].isin(TIERS[tier])
    rate = clustered(hit, graded["scenario_id"])
    told = graded["truth_space"].isin(TIER_SPACES[tier])
    used = told & graded["sampling"].isin(CALIBRATING)
    every = len(used) > 0 and bool(used.all())
    if not every:  # of a part, only labels drawn with a known probability say anything about the rest
        used &= (graded["sampling"] == "random") & graded["probability"].notna()
    pairs = zip(used, graded["truth_space"], graded["truth"], strict=True)
    truth = [float(label in hits(space, tier)) if one else None for one, space, label in pairs]
    chance = [1.0] * len(graded) if every else list(graded["probability"])
    scenarios = graded["scenario_id"].fillna("trace " + graded["trace_id"])  # without one: its own scenario
    labels = double_sampling(hit, truth, chance, scenarios) if used.any() else Adjusted()
    row: dict[str, object] = {"card_set": "none", "errors": "", "role": "estimate"}
    row["carries_over"] = "not checked"
    if elsewhere and (every or not used.any()):
        sets = ", ".join(dict.fromkeys(one.set for one in elsewhere))
        row |= {"adjusted_by": "card", "card_set": sets, "errors": spread(elsewhere)}
        found = _by_card(rate, elsewhere)
    else:
        row["adjusted_by"] = "labels" if every else "sample" if used.any() else "none"
        found = labels
    if every:
        row |= triple("known", labels)
    if every and elsewhere:
        row |= {"role": "check", "carries_over": _carries_over(found, labels)}
    row |= triple("adjusted", found) | {"method": found.method, "note": found.note, "warning": found.warning}
    row |= rate_columns("by_scenario", rate)
    row |= {"scenarios": int(rate["clusters"]), "effective_n": round(rate["effective_n"])}
    return row | {
        "labels_used": int(used.sum()),
        "labels_judgement": int((told & (graded["sampling"] == "judgement")).sum()),
    }


def _by_card(rate: dict[str, float], elsewhere: Sequence[Errors]) -> Adjusted:
    """Return the rate by the grader's errors elsewhere, at the effective n."""
    n = rate["effective_n"]
    if not n and rate["clusters"]:
        note = "not identifiable: runs of one scenario say nothing about others"
        return Adjusted(method=CARRIED, note=note)
    return carried_over(rate["rate"] * n if n else 0.0, n, elsewhere)


def _carries_over(found: Adjusted, labels: Adjusted) -> str:
    if labels.estimate is None or found.high - found.low > WIDE:
        return "says nothing"
    return "yes" if found.low <= labels.estimate <= found.high else "no"
