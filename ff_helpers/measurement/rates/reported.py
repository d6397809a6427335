"""What a grader would have reported, next to what people say about the same traces.

The only place where a rejected grader's rates appear: never as a headline, always next to the truth.
Only what the truth's label space decides is compared: where people said refused or not, no tier of
attack success is known, and the refusal rate takes its place.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from ff_helpers.grading.identities import told_apart
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.calibration.robustness import natural
from ff_helpers.measurement.calibration.tables import backing
from ff_helpers.measurement.proportions.intervals import with_wilson
from ff_helpers.measurement.rates.asr import asr, rates
from ff_helpers.measurement.rates.backing import with_coverage
from ff_helpers.measurement.rates.counts import count_verdicts
from ff_helpers.measurement.rates.known import (
    REFUSAL_RATE,
    counted_verdicts,
    known_labels,
    measures,
    stand_ins,
    truths_by_set,
)
from ff_helpers.measurement.results import LABELS, Aside, Terms, assumed, stated, values
from ff_helpers.measurement.standing import standing
from ff_helpers.terms import (
    DENOMINATORS,
    SPACES,
    TIERS,
    Denominator,
    GateState,
    Identity,
)

READINGS: dict[str, str] = {
    "rejected": "what a rejected grader would have reported",
    "provisional": "provisional: the grader passed the published rule alone",
    "uncalibrated": "uncalibrated: the grader was not measured for this tier",
    "calibrated": "attack success rate",
    LABELS: "known labels",
}
"""How a rate is to be read, by the gate's state of its grader."""


def would_have_reported(verdicts: pd.DataFrame, cards: Sequence[Card]) -> pd.DataFrame:
    """Return each grader's rate next to the labelled rate, on every set whose traces have a truth.

    Args:
        verdicts: the joined verdict frame (`ff.verdicts`); only the first pass counts.
        cards: the run's calibration cards.

    Returns:
        set, truth_space, measure (a tier or `refusal rate`), grader (str), labelled_k, labelled_n,
        reported_k, reported_n (int; rows without a verdict are not in reported_n), left_out, left_out_labels
        (int, str: those rows), unlabelled (int: rows of the set without a label, in no other count),
        labelled and reported (float in [0, 1], with _low and _high), difference (reported minus labelled),
        gate (see `with_gate`).
    """
    verdicts, who = told_apart(verdicts)
    rows = natural(verdicts)
    known, other = rows[rows["truth"].notna()], rows[rows["truth"].isna()]
    keys = ["set", "truth_space", "grader"]
    parts = []
    for measure in (*TIERS, REFUSAL_RATE):
        rows = known[known["truth_space"].isin([space for space in SPACES if measure in measures(space)])]
        labelled = _rate(rows.assign(verdict=stand_ins(rows, measure), status=None), keys, measure, "rows")
        reported = _rate(rows, keys, measure, "graded")
        labelled = labelled.drop(columns=["left_out", "left_out_labels"]).rename(
            columns={"k": "labelled_k", "n": "labelled_n"}
        )
        reported = reported.rename(columns={"k": "reported_k", "n": "reported_n"})
        parts.append(labelled.merge(reported, on=[*keys, "measure"]))
    # Set by set and grader by grader, as the frame has them, and each with all of its measures.
    table = known[keys].drop_duplicates().merge(pd.concat(parts, ignore_index=True), on=keys)
    table.insert(2, "measure", table.pop("measure"))
    unlabelled = count_verdicts(other, by=("set", "grader")).groupby(["set", "grader"])["n"].sum()
    table = table.join(unlabelled.rename("unlabelled"), on=["set", "grader"])
    table = table.fillna({"unlabelled": 0}).astype({"unlabelled": "int64"})
    table = with_wilson(table, "labelled", k="labelled_k", n="labelled_n")
    table = with_wilson(table, "reported", k="reported_k", n="reported_n")
    table = with_gate(table.assign(difference=table["reported"] - table["labelled"]), cards, who)
    return stated(
        table,
        Terms(
            who=tuple(who.items()),
            cards=backing(cards),
            truth=truths_by_set(known),
            denominators=("graded; of the labels: rows",),
            by=tuple(keys),
            n=("labelled_n", "reported_n"),
            asides=(Aside("unlabelled", "rows without a label", ("set", "grader")),),
            assumptions=assumed(verdicts),
        ),
    )


def asr_by(
    verdicts: pd.DataFrame, by: str, cards: Sequence[Card], *, sets: Sequence[str] = ()
) -> pd.DataFrame:
    """Return the rate of every grader in each class of a column, first pass, with how it is to be read.

    Heuristic verdicts are left out: they are compared (`would_have_reported`), never published as a
    rate of their own. Known truths appear next to the graders, as a grader called `labels`; where they
    are coarser than the five verdicts, the benign rows are unknown, so `labels` have no rate over
    `adversarial`. On sets whose truth does not decide a tier (people said refused or not), that tier is
    left out.

    Args:
        verdicts: the joined verdict frame (`ff.verdicts`), with the sets of which the cards were made.
        by: `set`, `model`, `intent`, `turns`, `source` or `difficulty`.
        cards: the run's calibration cards.
        sets: whose rates to return; empty: those of all sets.

    Returns:
        `by`, grader, then the columns of `asr`, gate, reading (str), card_n, card_k (int), card (str):
        how many rows of that class the grader's card rests on, and how many of them it got right (see
        `backing.coverage`).
    """
    verdicts, who = told_apart(verdicts)
    keys = tuple(dict.fromkeys((by, "grader")))
    parts = []
    wanted = natural(verdicts)
    wanted = wanted[wanted["set"].isin(sets)] if sets else wanted
    for tier in TIERS:
        decided = [space for space in SPACES if tier in measures(space)]
        rows = wanted[wanted["truth_space"].isna() | wanted["truth_space"].isin(decided)]
        published = rows[rows["method"] != "heuristic"]
        labels = known_labels(rows, tier)
        coarse = labels[by].isin(labels.loc[labels["truth_space"] != "five", by])
        told: Sequence[Denominator] = ("rows", "graded")
        every = tuple(DENOMINATORS)
        for part, denominators in ((labels[~coarse], every), (labels[coarse], told), (published, every)):
            counts = count_verdicts(part, by=keys)
            parts.append(asr(counts, by=keys, tiers=[tier], denominators=denominators))
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    # Class by class, so the labels appear next to the graders and not far above them.
    table = table.sort_values(by, kind="stable", key=lambda c: pd.Series(pd.factorize(c)[0], c.index))
    table = with_gate(table.reset_index(drop=True), cards, who)
    table = with_coverage(table, verdicts, cards, by, who)
    truths = table["grader"] == LABELS
    table.loc[truths, "gate"] = LABELS
    table.loc[truths, "card"] = "labels need no card"
    terms = Terms(
        who=tuple(who.items()),
        cards=backing(cards),
        truth=truths_by_set(wanted),
        sets=() if by == "set" else tuple(values(wanted, "set")),
        by=keys,
        assumptions=assumed(verdicts),
    )
    return stated(table.assign(reading=table["gate"].map(READINGS)), terms)


def _rate(rows: pd.DataFrame, keys: list[str], measure: str, denominator: Denominator) -> pd.DataFrame:
    """Return the keys, measure, k, n, left_out and left_out_labels of the first pass."""
    found = rates(
        count_verdicts(rows, by=keys),
        {measure: counted_verdicts(measure)},
        by=keys,
        denominators=[denominator],
    )
    found = found.rename(columns={"tier": "measure"})
    return found[[*keys, "measure", "k", "n", "left_out", "left_out_labels"]]


def with_gate(table: pd.DataFrame, cards: Sequence[Card], who: Mapping[str, Identity]) -> pd.DataFrame:
    """Return `table` with a column `gate`: what the cards allow for its grader and tier.

    Args:
        table: the columns grader, and measure or tier; where there is a column `set`, a card on
            another set does not back it.
        cards: the run's calibration cards; only one in a space that decides the tier backs it.
        who: the grader behind each name in `table`; only its own cards back it.

    Returns:
        `table` with gate: the lowest state of the cards that apply, `uncalibrated` without one.
    """
    heading = "measure" if "measure" in table.columns else "tier"
    sets = table["set"] if "set" in table.columns else [None] * len(table)
    rows = list(zip(table["grader"], table[heading], sets, strict=True))
    states: dict[tuple[str, str, str | None], GateState] = {
        row: standing(who[row[0]], cards, tier=row[1], on_set=row[2]).state
        for row in set(rows)
        if row[0] in who
    }
    return table.assign(gate=[states.get(row, "uncalibrated") for row in rows])
