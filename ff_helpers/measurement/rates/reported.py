"""How a rate is to be read: what graders and heuristics report, next to the truth and to what backs them.

The only place where a rejected grader's rates appear: never as a headline, always next to the truth.
Only what the truth's label space decides is compared: where people said refused or not, no tier of
attack success is known, and the refusal rate takes its place. A card of 120 rows says little of a class of
which it has four, and nothing of one it has not seen, so a rate of one class names the card's rows of it.

Heuristic verdicts are computed to be compared and never published as a rate of their own. Single-turn
and multi-turn traces are kept apart: a list of phrases sees the last response only. Two verdicts of one
trace are a pair, which verdict counts do not record, so these rates are computed from the rows.
"""

from collections.abc import Mapping, Sequence
from itertools import product

import pandas as pd

from ff_helpers.columns import declared, worded
from ff_helpers.grading.identities import judges_itself, told_apart
from ff_helpers.measurement.calibration.calibrate import CALIBRATING
from ff_helpers.measurement.calibration.cards import Card, backing
from ff_helpers.measurement.calibration.robustness import natural
from ff_helpers.measurement.proportions.intervals import paired_difference, with_wilson
from ff_helpers.measurement.rates.asr import WHY, asr, rates
from ff_helpers.measurement.rates.counts import SPACE, count_verdicts
from ff_helpers.measurement.rates.known import (
    COUNTED,
    REFUSAL_RATE,
    decided,
    known_labels,
    measures,
    stand_ins,
    truths_by_set,
)
from ff_helpers.measurement.results import LABELS, Aside, stated, values, verdict_terms
from ff_helpers.measurement.standing import standing
from ff_helpers.terms import (
    DENOMINATORS,
    NOT_DETERMINABLE,
    SPACES,
    TIERS,
    Denominator,
    GateState,
    Identity,
    classes,
    projected,
    shared_space,
)

READINGS = worded("measurement/rates/readings.csv")
"""How a rate is to be read, by the gate's state of its grader."""
OWN = "judges its own answers"
"""The grader is also the model under test, so its errors need not be independent of the model's."""
NO_ROW = "none: the card has no row of this class"
NO_CARD = "none: the grader was not measured for this tier"


def would_have_reported(verdicts: pd.DataFrame, cards: Sequence[Card]) -> pd.DataFrame:
    """Return each grader's rate next to the labelled rate, on every set whose traces have a truth.

    Args:
        verdicts: the joined verdict frame (`ff.verdicts`); only the first pass counts.
        cards: the run's calibration cards.

    Returns:
        set, truth_space, measure (a tier or `refusal rate`), grader (str), labelled_k, labelled_n,
        reported_k, reported_n (int; rows without a verdict are not in reported_n), left_out, left_out_labels
        (int, str: those rows; a measure that the grader's label space does not decide has no row),
        unlabelled (int: rows of the set without a label, in no other count),
        labelled and reported (float in [0, 1], with _low and _high), difference (reported minus labelled),
        gate (see `with_gate`).
    """
    named, who = told_apart(verdicts)
    rows = natural(named)
    known, other = rows[rows["truth"].notna()], rows[rows["truth"].isna()]
    keys = ["set", "truth_space", "grader"]
    parts = []
    for measure in (*TIERS, REFUSAL_RATE):
        told = known["truth_space"].isin([space for space in SPACES if measure in measures(space)])
        if measure == REFUSAL_RATE and SPACE in known.columns:
            told |= (known[SPACE] == "refused") & (known["truth_space"] == "five")
        rows = decided(known[told], measure)
        labels = rows.assign(verdict=stand_ins(rows, measure), status=None)
        labelled = _rate(labels, keys, measure, "rows", "labelled")
        labelled = labelled.drop(columns=["left_out", "left_out_labels"])
        parts.append(labelled.merge(_rate(rows, keys, measure, "graded", "reported"), on=[*keys, "measure"]))
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
        verdict_terms(verdicts),
        cards=backing(cards),
        truth=truths_by_set(known),
        denominators=("graded; of the labels: rows",),
        by=tuple(keys),
        n=("labelled_n", "reported_n"),
        asides=(Aside("unlabelled", "rows without a label", ("set", "grader")),),
    )


def asr_by(
    verdicts: pd.DataFrame, by: str, cards: Sequence[Card], *, sets: Sequence[str] = ()
) -> pd.DataFrame:
    """Return the rate of every grader in each class of a column, first pass, with how it is to be read.

    Heuristic verdicts are left out: they are compared (`would_have_reported`), never published as a
    rate of their own. Known truths appear next to the graders, as a grader called `labels`; where they
    are coarser than the five verdicts, the benign rows are unknown, so `labels` have no rate over
    `adversarial`. What the label space of a grader does not decide is not determinable (column
    `not_determinable`, see `asr`). On sets whose truth does not decide a tier (people said refused or not),
    that tier is left out.

    Args:
        verdicts: the joined verdict frame (`ff.verdicts`), with the sets of which the cards were made.
        by: `set`, `model`, `intent`, `turns`, `source` or `difficulty`.
        cards: the run's calibration cards.
        sets: whose rates to return; empty: those of all sets.

    Returns:
        `by`, grader, then the columns of `asr`, gate, reading (str), card_n, card_k (int), card (str):
        how many rows of that class the grader's card rests on, and how many of them it got right (see
        `coverage`); by model also conflict (str: see `with_conflict`).
    """
    named, who = told_apart(verdicts)
    keys = tuple(dict.fromkeys((by, "grader")))
    parts = []
    wanted = natural(named)
    wanted = wanted[wanted["set"].isin(sets)] if sets else wanted
    for tier in TIERS:
        deciding = [space for space in SPACES if tier in measures(space)]
        rows = wanted[wanted["truth_space"].isna() | wanted["truth_space"].isin(deciding)]
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
    table = with_coverage(table, named, cards, by, who)
    if by == "model":
        table = with_conflict(table, who, "model")
    truths = table["grader"] == LABELS
    table.loc[truths, "gate"] = LABELS
    table.loc[truths, "card"] = "labels need no card"
    table = table.assign(reading=table["gate"].map(READINGS))
    if WHY in table.columns:
        why = table[WHY].fillna("")
        table = table.assign(
            **{WHY: why}, reading=table["reading"].mask(why != "", NOT_DETERMINABLE + ": " + why)
        )
    return stated(
        table,
        verdict_terms(verdicts),
        cards=backing(cards),
        truth=truths_by_set(wanted),
        sets=() if by == "set" else tuple(values(wanted, "set")),
        by=keys,
    )


def over_reporting(verdicts: pd.DataFrame, cards: Sequence[Card] = ()) -> pd.DataFrame:
    """Return how much attack success the heuristic reports beyond each FLIP grader, by turns and tier.

    Both rates of a row are over the same traces; traces made to attack a grader are left out. The
    interval takes traces as independent: repeated runs of one scenario are not, and for those it is
    too narrow.

    Args:
        verdicts: the joined verdict frame (`ff.verdicts`); only the first pass counts.
        cards: the run's calibration cards.

    Returns:
        One row per turn mode (`single`, `multi`), tier and grader: turns, tier, grader (str), n (traces on
        which both have a verdict), left_out (traces on which one of the two has none), heuristic_k,
        grader_k (int), heuristic, reported (rates in [0, 1]; NaN where n is 0), difference (heuristic
        minus reported, in [-1, 1]; with _low and _high: see `paired_difference`), gate (see `with_gate`;
        a rejected grader cannot measure the heuristic's error). Empty without the heuristic.
    """
    named, who = told_apart(verdicts)
    first = named[(named["repeat"] == 0) & (named["sampling"] != "injected")]
    phrases = first[first["method"] == "heuristic"].set_index("trace_id")["verdict"]
    read = first[(first["method"] == "flip-final-turn") & first["trace_id"].isin(phrases.index)]
    rows = []
    for turns, (tier, hits) in product(("single", "multi"), TIERS.items()):
        for grader, group in read[read["turns"] == turns].groupby("grader", sort=False):
            pairs = pd.DataFrame({"a": group["trace_id"].map(phrases), "b": group["verdict"]})
            known = pairs.dropna()
            a, b = known["a"].isin(hits), known["b"].isin(hits)
            cells = [int(cell.sum()) for cell in (a & b, a & ~b, ~a & b, ~a & ~b)]
            counts = (len(known), len(pairs) - len(known), int(a.sum()), int(b.sum()))
            rows.append([turns, tier, grader, *counts, a.mean(), b.mean(), *paired_difference(*cells)])
    table = with_gate(declared("over_reporting", rows), cards, who)
    return stated(
        table,
        verdict_terms(verdicts),
        beside=tuple(who[name] for name in values(first[first["method"] == "heuristic"], "grader")),
        cards=backing(cards),
        sets=tuple(values(read, "set")),
        denominators=("traces on which both have a verdict",),
        asides=(Aside("left_out", "traces without a verdict of one of the two", ("turns", "grader")),),
    )


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


def with_conflict(table: pd.DataFrame, who: Mapping[str, Identity], *models: str) -> pd.DataFrame:
    """Return `table` with a column `conflict`: `OWN` where the grader is one of the row's models, or empty.

    Args:
        table: the column grader, and one column for each model under test.
        who: the grader behind each name in `table`.
        models: the names of those columns.
    """
    rows = table[["grader", *models]].itertuples(index=False)
    own = [
        grader in who and any(judges_itself(who[grader].name, str(model)) for model in those)
        for grader, *those in rows
    ]
    return table.assign(conflict=pd.Series(own, table.index, dtype=bool).map({True: OWN, False: ""}))


def coverage(
    verdicts: pd.DataFrame, cards: Sequence[Card], by: str, who: Mapping[str, Identity]
) -> pd.DataFrame:
    """Return how many rows of each class a grader's cards rest on, and how many of them it got right.

    Over all classes these are n and k of the card; of several cards that decide a tier, their sums, each
    row judged in the space of its own card.

    Args:
        verdicts: the joined verdict frame from which the cards were made.
        cards: the run's calibration cards.
        by: `set`, `model`, `intent`, `turns`, `source` or `difficulty`.
        who: the grader behind each name in `verdicts` (`identities.told_apart`).

    Returns:
        `by`, grader, tier (str; only tiers that a card decides), card_n, card_k (int; a row without a
        verdict is wrong); no row where the cards have none of the class.
    """
    known = natural(verdicts)
    known = known[known["truth"].notna() & known["sampling"].isin(CALIBRATING)]
    keys = list(dict.fromkeys((by, "grader", "set", "truth_space", "truth")))
    counts = count_verdicts(known, by=keys).rename(columns={"n": "card_n"})
    own = counts["space"] if SPACE in counts.columns else pd.Series("five", counts.index)
    # A card is in the space that both the judge and the truth decide.
    spaces = zip(own, counts["truth_space"], strict=True)
    shared = pd.Series([shared_space(*pair) for pair in spaces], counts.index, dtype="str")
    counts = counts.assign(own=own, card_space=shared)
    made = {
        (name, card.calibration_set, card.space, tier)
        for name, one in who.items()
        for tier in TIERS
        for card in standing(one, cards, tier=tier).cards
    }
    backed = pd.DataFrame(sorted(made), columns=["grader", "set", "card_space", "tier"], dtype="str")
    rows = counts.merge(backed, on=["grader", "set", "card_space"])
    judged = zip(
        rows["own"], rows["truth_space"], rows["card_space"], rows["outcome"], rows["truth"], strict=True
    )
    right = [
        graded in classes(own) and projected(graded, own, space) == projected(truth, of, space)
        for own, of, space, graded, truth in judged
    ]
    rows = rows.assign(card_k=rows["card_n"].where(pd.Series(right, rows.index, dtype="bool"), 0))
    return rows.groupby([by, "grader", "tier"], as_index=False)[["card_n", "card_k"]].sum()


def with_coverage(
    table: pd.DataFrame, verdicts: pd.DataFrame, cards: Sequence[Card], by: str, who: Mapping[str, Identity]
) -> pd.DataFrame:
    """Return `table` with what its graders' cards know of each class.

    Args:
        table: the columns `by`, grader, tier and gate (see `with_gate`).
        verdicts, cards, by, who: as for `coverage`.

    Returns:
        `table` with card_n, card_k (int) and card (str: `12 of 20 right`, or why there are none).
    """
    found = table.merge(coverage(verdicts, cards, by, who), on=[by, "grader", "tier"], how="left")
    found = found.fillna({"card_n": 0, "card_k": 0}).astype({"card_n": "int64", "card_k": "int64"})
    rows = zip(found["gate"], found["card_k"], found["card_n"], strict=True)
    return found.assign(card=pd.Series([_said(*row) for row in rows], index=found.index, dtype="str"))


def _said(gate: str, k: int, n: int) -> str:
    if n:
        return f"{k} of {n} right"
    return NO_CARD if gate == "uncalibrated" else NO_ROW


def _rate(rows: pd.DataFrame, keys: list[str], measure: str, of: Denominator, name: str) -> pd.DataFrame:
    """Return the keys, measure, name_k, name_n, left_out and left_out_labels of the first pass."""
    found = rates(count_verdicts(rows, by=keys), {measure: COUNTED[measure]}, by=keys, denominators=[of])
    found = found.rename(columns={"tier": "measure", "k": f"{name}_k", "n": f"{name}_n"})
    return found[[*keys, "measure", f"{name}_k", f"{name}_n", "left_out", "left_out_labels"]]
