"""The frames behind the paper's tables: what other steps computed, in the few columns that fit a page."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from ff_helpers.casestudy.crescendo_regrade import LABELLERS
from ff_helpers.grading.identities import told_apart
from ff_helpers.measurement.calibration.cards import Card, notes_of
from ff_helpers.measurement.calibration.robustness import natural
from ff_helpers.measurement.rates.asr import asr
from ff_helpers.measurement.rates.counts import count_verdicts
from ff_helpers.measurement.rates.known import truths_by_set
from ff_helpers.measurement.rates.reported import asr_by, with_gate
from ff_helpers.measurement.results import LABELS, Terms, left_out, stated, terms_of
from ff_helpers.terms import TIERS, Identity

_GATES = {"contaminated": "rejected", "corrected": "uncalibrated"}


def three_tiers(table: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return rates with one column per tier.

    Args:
        table: as `asr` or `asr_by`: the columns `by`, tier, n, asr with bounds; one denominator.
        by: the columns that name a row.

    Returns:
        `by`, traces (int: rows of the denominator), then strict, broad and functionally_dangerous (float in
        [0, 1], each with _low and _high; missing where that tier is not decided). Rows in the order of the
        first appearance of their `by`.
    """
    return _side_by_side(table, list(by), "tier", {tier: tier for tier in TIERS})


def _side_by_side(table: pd.DataFrame, by: list[str], of: str, names: Mapping[str, str]) -> pd.DataFrame:
    """Return `by`, traces and one rate with bounds for each value of the column `of`, under its name."""
    wide = table.groupby(by, sort=False)["n"].max().rename("traces").reset_index()
    for value, name in names.items():
        columns = {"asr": name, "asr_low": f"{name}_low", "asr_high": f"{name}_high"}
        part = table.loc[table[of] == value, [*by, *columns]].rename(columns=columns)
        wide = wide.merge(part, on=by, how="left")
    return wide


def model_tiers(
    verdicts: pd.DataFrame, cards: Sequence[Card], crescendo: pd.DataFrame, corpus: pd.DataFrame
) -> pd.DataFrame:
    """Return rates in three tiers over graded rows, one row per model (or corpus) and labeller.

    Args:
        verdicts: the joined verdict frame (`ff.verdicts`) of collected traces, whose truth is known.
        cards: the run's calibration cards.
        crescendo: the rates of `crescendo()`: one published model under two sets of labels.
        corpus: as `facts.corpus_asr`: published corpora of many models each.

    Returns:
        model, labels (who labelled), gate (of the labels' grader), then the columns of `three_tiers`. Known
        labels decide only the tiers of their space. A grader's rates are what it reports on the same traces.
    """
    known = asr_by(verdicts, "model", cards)
    known = known[known["grader"] == LABELS].assign(labels="checkers (known)")
    rows, who = told_apart(natural(verdicts))
    counts = count_verdicts(rows[rows["method"] != "heuristic"], by=("model", "grader"))
    told = with_gate(asr(counts, by=["model", "grader"]), cards, who)
    labels = crescendo["labels"]
    published = crescendo.assign(
        model="deepseek-r1:1.5b", gate=labels.map(_GATES), labels=labels.map(LABELLERS)
    )
    corpora = corpus.rename(columns={"cohort": "model"})
    corpora = corpora.assign(labels="several graders, as published", gate="uncalibrated")
    parts = [published, corpora, known, told.assign(labels=told["grader"])]
    table = pd.concat(parts, ignore_index=True).query("denominator == 'graded'")
    named, sets = set(told["grader"]), set(rows["set"])
    measured = [card for card in cards if card.grader in named and card.calibration_set in sets]
    theirs = terms_of(crescendo), terms_of(corpus)
    printed = [note for one in theirs if one and isinstance(one.graders, tuple) for note in one.graders]
    terms = Terms(
        graders=(*notes_of(measured), *printed),
        truth=truths_by_set(rows),
        denominators=("graded",),
        n=("traces",),
        left_out=left_out(table, Terms(by=("model", "labels"))),
        assumptions=tuple(said for one in theirs if one for said in one.assumptions),
    )
    return stated(three_tiers(table, ["model", "labels", "gate"]), terms)


def intent_rates(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per attack class, one rate per labeller: what is known, and what each grader reports.

    Args:
        table: as `asr_by(verdicts, "intent", cards)`; strict over graded rows are read.

    Returns:
        intent, traces (int), then a rate in [0, 1] with bounds for each grader, the known labels (`known`)
        first; highest known rate first.
    """
    rows = table[(table["tier"] == "strict") & (table["denominator"] == "graded")]
    graders = sorted(set(rows["grader"]) - {LABELS})
    names = {LABELS: "known"} | {grader: grader for grader in graders}
    wide = _side_by_side(rows, ["intent"], "grader", names)
    wide = wide.sort_values(["known", "intent"], ascending=[False, True], kind="stable", ignore_index=True)
    known = terms_of(table) or Terms()
    terms = replace(
        known,
        graders=tuple(dict(known.who).get(grader, Identity(grader)) for grader in graders),
        tiers=("strict",),
        denominators=("graded",),
        by=(),
        n=("traces",),
        left_out=left_out(rows, known),
        like=tuple((grader, "asr") for grader in graders),
    )
    return stated(wide, terms)


def correction_rates(shifts: pd.DataFrame) -> pd.DataFrame:
    """Return contaminated and corrected rates side by side, one row per tier and denominator.

    Args:
        shifts: as `crescendo().shifts` or `regrade().shifts`; rows that mix two sets of rows are left out.

    Returns:
        tier, denominator, old_counts, new_counts (str: `7/20`), contaminated, corrected (in [0, 1], with
        bounds), shift, paired (differences of shares; paired with the interval, of rows in both).
    """
    rows = shifts[shifts["old_k"].notna()].reset_index(drop=True)
    frame = rows[["tier", "denominator"]].copy()
    for name, side in (("contaminated", "old"), ("corrected", "new")):
        counts = zip(rows[f"{side}_k"], rows[f"{side}_n"], strict=True)
        frame[f"{side}_counts"] = [f"{k:.0f}/{n:.0f}" for k, n in counts]
        for end in ("", "_low", "_high"):
            frame[f"{name}{end}"] = rows[f"{side}_asr{end}"]
    frame = frame.join(rows[["shift", "paired", "paired_low", "paired_high", "old_n", "new_n"]])
    return stated(frame, terms_of(shifts))


def claim_counts(claims: pd.DataFrame) -> pd.DataFrame:
    """Return how many claims have which finding: finding (str), claims (int), the total last."""
    counts = claims["finding"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    frame = counts.rename("claims").rename_axis("finding").reset_index()
    total = pd.DataFrame({"finding": ["all"], "claims": [len(claims)]})
    return stated(pd.concat([frame, total], ignore_index=True), terms_of(claims))
