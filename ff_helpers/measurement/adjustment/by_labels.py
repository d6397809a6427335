"""A run's rates by a column, raw and adjusted by what people said of a sample of its traces."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from ff_helpers import paths
from ff_helpers.columns import declared, dtypes, worded
from ff_helpers.grading.identities import told_apart
from ff_helpers.measurement.adjustment.labelled import LEAST, labelled_rates, with_labels
from ff_helpers.measurement.adjustment.sample_card import people_of
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.calibration.robustness import natural_first
from ff_helpers.measurement.rates.known import decided
from ff_helpers.measurement.rates.reported import asr_by
from ff_helpers.measurement.results import LABELS, stated
from ff_helpers.measurement.sampling.files import Sample, read_sample
from ff_helpers.terms import NOT_RECORDED, TIER_SPACES, Tier

NO_LABELS, FEW_LABELS = "no labels", "too few labels"
_ASSUMED = worded("measurement/adjustment/assumptions.csv")
_UNKNOWN: Final = {
    "adjusted": None,
    "adjusted_low": 0.0,
    "adjusted_high": 1.0,
    "method": "none",
    "note": "",
    "warning": "",
}


def adjusted_by(
    verdicts: pd.DataFrame,
    by: str,
    cards: Sequence[Card],
    labels: str = "",
    *,
    sets: Sequence[str] = (),
    least: int = LEAST,
) -> pd.DataFrame:
    """Return the rate of every grader in each class of a column, raw beside adjusted, over `graded` rows.

    The raw rates are those of `asr_by`. The adjusted ones take the truth within each verdict from the labels
    of a sample (`double_sampling`), so nothing is assumed about the grader. Without labels, or where these do
    not decide a tier, an adjusted rate is unknown: [0, 1].

    Args:
        verdicts: the joined verdict frame (`ff.verdicts`), with the sets of which the cards were made.
        by: `set`, `model`, `intent`, `turns` or `source`.
        cards: the run's calibration cards.
        labels: the sample file that `ff sample` drew and people labelled, from the project folder; empty, or
            not there: nobody has labelled yet.
        sets: whose rates to return; empty: those of all sets.
        least: fewest labels of a row with an adjusted rate.

    Returns:
        The columns of `asr_by`; then labels_used (int), adjusted (float in [0, 1], missing where unknown;
        with _low, _high), adjusted_by (`sample`, `no labels` or `too few labels`; `labels` in the rows of
        known labels), method, note, warning (str), known (float: the rate of known labels, where every row
        has one), assumptions (str).

    Raises:
        FFError: the sample file cannot be read, or a labelled trace has no verdict here.
    """
    table = asr_by(verdicts, by, cards, sets=sets)
    table = table[table["denominator"] == "graded"].reset_index(drop=True)
    path = paths.root() / labels
    sample = read_sample(path) if labels and path.is_file() else None
    found = {} if sample is None else _found(verdicts, by, sample, sets, least)
    tops = table[table["grader"] == LABELS].set_index([by, "tier"])
    known = {key: rate for key, rate, n in zip(tops.index, tops["asr"], tops["n"], strict=True) if n}
    rows = []
    for value, grader, tier, n in zip(table[by], table["grader"], table["tier"], table["n"], strict=True):
        row = found.get((value, grader, tier))
        if grader == LABELS:
            row = {"labels_used": 0, "adjusted_by": LABELS, "adjusted_low": None, "adjusted_high": None}
        elif row is None:
            decides = sample is None or sample.space in TIER_SPACES[tier]
            why = "nobody has labelled a sample yet" if decides else "the labels do not decide this tier"
            row = {"labels_used": 0, "adjusted_by": NO_LABELS, "note": why}
        every = (value, tier) in known and tops.loc[(value, tier), "n"] >= (n if pd.notna(n) else 0)
        more = {"known": known[value, tier] if every and grader != LABELS else None}
        rows.append(
            _UNKNOWN
            | row
            | more
            | {"assumptions": _ASSUMED["sample"] if row["adjusted_by"] == "sample" else None}
        )
    new = declared("adjusted_by", rows)
    told = table.assign(**{str(name): new[name] for name in new})
    return told if sample is None else stated(told, assumptions=(_drawn(sample, cards),))


def _found(
    verdicts: pd.DataFrame, by: str, sample: Sample, sets: Sequence[str], least: int
) -> dict[tuple[str, str, str], dict[str, object]]:
    """Return what the labels say: (class, grader, tier) -> columns."""
    named, _ = told_apart(verdicts)
    rows = natural_first(named)
    rows = rows[(rows["method"] != "heuristic") & (rows["set"].isin(sets) if sets else True)]
    rows = rows.assign(**{by: rows[by].astype("str").fillna(NOT_RECORDED)})
    found = {}
    tiers: list[Tier] = [tier for tier, spaces in TIER_SPACES.items() if sample.space in spaces]
    for tier in tiers:
        told = decided(rows, tier)
        if told.empty:
            continue
        table = labelled_rates(with_labels(told, sample, tier), [by, "grader"], least=least)
        for row in ({str(name): row[name] for name in row} for row in table.to_dict("records")):
            how = "sample" if row["method"] != "none" else FEW_LABELS if row["labels"] else NO_LABELS
            found[str(row[by]), str(row["grader"]), str(tier)] = {
                "labels_used": row["labels"],
                "adjusted_by": how,
            } | {name: row[name] for name in row if name in dtypes("adjusted_by")}
    return found


def _drawn(sample: Sample, cards: Sequence[Card]) -> str:
    """Return who labelled what, how it was drawn, and how people agree, if no card says so."""
    n, labelled = len(sample.frame), int(sample.frame["truth"].notna().sum())
    people = {0: "in a spreadsheet", 1: "by one person"}.get(
        len(sample.decided), f"by {len(sample.decided)} people"
    )
    how = "by an unknown design, taken as random"
    if sample.design is not None:
        kind = "at random" if sample.design.design == "random" else "by verdict, with known probabilities"
        how = f"{kind} (seed {sample.design.seed})"
    disputed = f"; {len(sample.disputed)} disputed and left out" if sample.disputed else ""
    pairs = () if any(card.people for card in cards) else people_of(sample)
    agreed = "".join(f"; two people: {pair.sentence()}" for pair in pairs)
    who = f"labelled {people} in the space {sample.space}{agreed}{disputed}"
    return f"Labels: {labelled} of {n} traces drawn {how}, {who}"
