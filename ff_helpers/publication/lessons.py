"""Lessons: what a table or a card says, in sentences whose words are in templates/sentences.yaml."""

import shlex
from collections.abc import Sequence
from typing import Final

import pandas as pd

from ff_helpers.grading.identities import shown_names
from ff_helpers.measurement.calibration.cards import Card, card_names
from ff_helpers.measurement.calibration.confusion import Kappa
from ff_helpers.measurement.calibration.gate import FLIPS
from ff_helpers.measurement.calibration.robustness import FlipRate
from ff_helpers.measurement.proportions.intervals import Proportion, percent, rate_counts
from ff_helpers.measurement.results import LABELS
from ff_helpers.paths import Run
from ff_helpers.publication.prose import Prose, tell, tell_rows, with_rate
from ff_helpers.terms import Unknown

_PHRASES: Final = "heuristic"
_SURE: Final = 0.8


def calibration_lesson(cards: Sequence[Card]) -> Prose:
    """Return in words, for the card where format and content lie furthest apart, why format is not enough.

    Without cards: that nothing is known yet.
    """
    if not cards:
        return Prose(tell("not_calibrated"))
    names = shown_names(card.identity for card in cards)
    card = min(cards, key=lambda c: (c.accuracy.estimate or 0.0) - (c.valid.estimate or 0.0))
    return Prose(
        tell(
            "calibration",
            grader=names[card.identity],
            set=card.calibration_set,
            valid=card.valid,
            accuracy=card.accuracy,
            majority_class=card.majority_class,
            majority=card.majority,
            modal_verdict=f"`{card.modal_verdict}`" if isinstance(card.modal_verdict, str) else "none",
            modal_share=card.modal_share,
            verdict=tell("no_better" if card.p_majority >= 0.025 else "better", p=card.p_majority),
        )
    )


def earned_lesson(cards: Sequence[Card]) -> Prose:
    """Return, one paragraph per card that attacks alone may hold back, what it is right on and gets wrong.

    The phrase list's own cards are only compared with: its rates are never published.
    """
    named = zip(card_names(cards), cards, strict=True)
    phrases = {(card.calibration_set, card.space): card for card in cards if card.grader == _PHRASES}
    told = [
        _earned(name, card, phrases.get((card.calibration_set, card.space)))
        for name, card in named
        if card.grader != _PHRASES and (card.gate.state == "calibrated" or _is_held_by_attacks(card))
    ]
    return Prose("\n\n".join(told or [tell("nobody_earned")]))


def comparison_lesson(pairs: pd.DataFrame) -> Prose:
    """Return in words which models differ by the known truth, and how many graders find the same.

    Args:
        pairs: as `compare_models` with the labels.
    """
    made = pairs[pairs["refused"] == ""]
    truth = made[made["grader"] == LABELS]
    if truth.empty:
        return Prose(tell("one_model"))
    found = truth.assign(found=truth["differ"].map({True: "a difference", False: "no difference is shown"}))
    pair = ["model_a", "model_b"]
    graded = made[made["grader"] != LABELS].merge(truth[[*pair, "differ", "difference"]], on=pair)
    same = graded["differ_x"] == graded["differ_y"]
    turned = graded["differ_x"] & graded["differ_y"] & (graded["difference_x"] * graded["difference_y"] < 0)
    said = tell("compared", n=len(graded), k=int((same & ~turned).sum()), turned=int(turned.sum()))
    return Prose("\n".join([*tell_rows("models_differ", found), "", said]))


def robustness_lesson(cards: Sequence[Card]) -> Prose:
    """Return, one paragraph per grader, how often attacks and harmless additions turned its verdict."""
    by_name = dict(zip(card_names(cards), cards, strict=True))
    return Prose("\n\n".join(_flips(name, card.injection_flip_rate) for name, card in by_name.items()))


def certainty_lesson(table: pd.DataFrame) -> Prose:
    """Return, one line per grader and set, whether its probabilities are worth anything.

    Args:
        table: as `measurement.calibration.reliability.abstention`.
    """
    if table.empty:
        return Prose(tell("nothing_certain"))
    every = table[table["least"] == 0.0].assign(all=lambda t: t["n"])
    sure = table[table["least"] == _SURE][["grader", "set", "n", "k"]]
    told = every.drop(columns=["n", "k"]).merge(sure, on=["grader", "set"])
    return Prose("\n".join(tell_rows("certainty", with_rate(told, "right"))))


def retest_lesson(cards: Sequence[Card]) -> Prose:
    """Return, one line per card, how often the same verdict was repeated, and how long a trace took."""
    named = zip(card_names(cards), cards, strict=True)
    return Prose("\n".join(_retest(name, card) for name, card in named))


def reproduced_lesson(table: pd.DataFrame) -> Prose:
    """Return how many of a run's verdicts are the recorded ones.

    Args:
        table: as `measurement.agreement.reproduced.reproduced`.
    """
    if table.empty:
        return Prose(tell("nothing_to_reproduce"))
    total = table.groupby("grader", sort=False)[["k", "n"]].sum().reset_index()
    return Prose("\n".join(tell_rows("reproduced", with_rate(total, "same"))))


def bracket_lesson(table: pd.DataFrame) -> Prose:
    """Return, one line per set of traces, its widest range over graders.

    Args:
        table: as `measurement.agreement.bracket.bracket`.
    """
    spans = table.drop_duplicates(["set", "tier", "denominator"])
    spans = spans.assign(gap=spans["highest"] - spans["lowest"]).dropna(subset="gap")
    if spans.empty:
        return Prose("No set was graded by two graders whose rates could be compared: there is no bracket.")
    widest = spans.sort_values("gap", ascending=False, kind="stable").drop_duplicates("set")
    return Prose("By the choice of grader alone:\n\n" + "\n".join(tell_rows("bracket", widest)))


def reported_lesson(table: pd.DataFrame) -> Prose:
    """Return in words what people say about each set, and what each grader would have reported.

    Args:
        table: as `would_have_reported`.
    """
    told = with_rate(table, "labelled", "labelled_k", "labelled_n")
    told = with_rate(told, "reported", "reported_k", "reported_n")
    return Prose("\n".join(tell_rows("reported", told)) or "No set of this run has labels to compare with.")


def class_lesson(table: pd.DataFrame) -> Prose:
    """Return in words on which attack class each grader is furthest from the known truth.

    Args:
        table: as `asr_by` by intent; only strict over graded rows is read.
    """
    strict = table[(table["tier"] == "strict") & (table["denominator"] == "graded")]
    known = strict.loc[strict["grader"] == LABELS, ["intent", "asr", "k", "n"]]
    both = strict[strict["grader"] != LABELS].merge(known, on="intent", suffixes=("", "_known"))
    if both.empty:
        return Prose("No collected trace of this run was graded.")
    both = both.assign(gap=both["asr"] - both["asr_known"])
    gaps = both.groupby("grader", sort=False)["gap"].agg(classes="size", low="min", high="max")
    worst = both.sort_values("gap", key=abs, kind="stable").drop_duplicates("grader", keep="last")
    told = gaps.join(worst.set_index("grader")).reset_index()
    told = with_rate(with_rate(told, "known", "k_known", "n_known"), "reported")
    return Prose("\n".join(tell_rows("furthest_off", told)))


def adjusted_lesson(table: pd.DataFrame) -> Prose:
    """Return in words what adjustment leaves of each raw rate, and the statement of assumptions.

    Args:
        table: as `adjusted`.
    """
    if table.empty:
        return Prose("No grader of this run has a rate to adjust.")
    rows = table.to_dict("records")
    told = with_rate(table, "raw").assign(
        how=[_how(row["adjusted_by"], row["card_set"], row["note"] or row["errors"]) for row in rows],
        interval=[_interval(row["adjusted"], row["adjusted_low"], row["adjusted_high"]) for row in rows],
        known=[_known(row["known"], row["carries_over"]) for row in rows],
        judged=[
            f" {n} labels picked by judgement are not used." if n else "" for n in table["labels_judgement"]
        ],
        warned=[f" Warning: {warning}." if warning else "" for warning in table["warning"]],
    )
    stated = " ".join(f"{sentence}." for sentence in table["assumptions"].unique())
    return Prose("\n".join(tell_rows("adjusted", told)) + f"\n\n**What is assumed.** {stated}")


def labelled_lesson(run: Run, table: pd.DataFrame, by: str, traces: Sequence[str]) -> Prose:
    """Return in words what labels of a sample leave of each strict rate; or, without labels, how to get them.

    Args:
        run: whose ledger is named.
        table: as `adjusted_by`.
        by: its column.
        traces: the files of the traces that were graded.
    """
    strict = table[(table["tier"] == "strict") & (table["grader"] != LABELS)]
    told = strict[strict["adjusted_by"] == "sample"]
    if told.empty:
        grader = next(iter(strict["grader"]), "GRADER")
        names = f"{shlex.quote(f'outputs/{run.profile}/ledger/verdicts.jsonl')} --traces {shlex.join(traces)}"
        return Prose(tell("to_label", ledger=names, grader=shlex.quote(grader), traces=shlex.join(traces)))
    told = with_rate(told, "raw").assign(
        row=told[by],
        interval=[
            _interval(*cell)
            for cell in zip(*(told[f"adjusted{e}"] for e in ("", "_low", "_high")), strict=True)
        ],
        warned=[f" Warning: {warning}." if warning else "" for warning in told["warning"]],
    )
    return Prose("\n".join(tell_rows("by_sample", told)))


def hidden_lesson(table: pd.DataFrame) -> Prose:
    """Return, one line per grader, how often its own interval misses what all labels say, and ours does.

    Args:
        table: as `hidden_summary`.
    """
    told = with_rate(table, "raw").assign(
        drawn_missed=[round(d * (1 - h)) for d, h in zip(table["draws"], table["drawn_holds"], strict=True)],
        missed=[round(d * (1 - h)) for d, h in zip(table["draws"], table["adjusted_holds"], strict=True)],
        ours=[percent(width) for width in table["adjusted_width"]],
        theirs=[percent(width) for width in table["alone_width"]],
    )
    return Prose("\n".join(tell_rows("hidden", told)))


def drift_lesson(table: pd.DataFrame) -> Prose:
    """Return the drift warnings of a table of `ff.drift` in words; or that there are none.

    A warning means: look, and calibrate again. No card says what the grader does now.
    """
    compared = table.dropna(subset=["n"])
    windows = len(compared[["set", "grader", "rubric", "first"]].drop_duplicates())
    if not windows:
        return Prose(
            "No drift was assessed: no grader has enough traces of a corpus to compare two parts of it."
        )
    flagged = compared[compared["flagged"]].astype({"baseline_n": "int64"})
    warnings = tell_rows("drift", flagged.assign(reading=flagged["reading"].str.capitalize()))
    seen = f"{windows} {'window was' if windows == 1 else 'windows were'} compared with the first traces"
    return Prose("\n".join(warnings) or f"No drift warning: {seen}, and no class moved beyond the limit.")


def _is_held_by_attacks(card: Card) -> bool:
    return card.gate.state == "provisional" and card.fails == (FLIPS,)


def _earned(grader: str, card: Card, phrases: Card | None) -> str:
    classes = [
        tell("earned_class", true=one.recall.n, name=f"`{one.name}`", recall=one.recall)
        for one in card.by_class
        if one.recall.n
    ]
    flips = card.injection_flip_rate
    return tell(
        "earned",
        grader=grader,
        set=card.calibration_set,
        accuracy=card.accuracy,
        majority_class=card.majority_class,
        majority=card.majority,
        p=card.p_majority,
        kappa=card.kappa.value if isinstance(card.kappa, Kappa) else None,
        wrong=card.n - card.k,
        n=card.n,
        found=" ".join(classes),
        phrases=f" {tell('earned_phrases', phrases=phrases.accuracy)}" if phrases else "",
        flips=f" {tell('earned_flips', flips=flips)}" if isinstance(flips, Proportion) else "",
        held=f" {tell('earned_held')}" if _is_held_by_attacks(card) else f" {tell('earned_headline')}",
    )


def _flips(grader: str, rate: FlipRate | Unknown) -> str:
    if isinstance(rate, Unknown):
        return tell("flips_unmeasured", grader=grader, why=rate.why)
    said = tell(
        "flips",
        grader=grader,
        k=rate.k,
        n=rate.n,
        rate=rate,
        attacks=rate.attacks,
        part=f" ({rate.part})" if rate.part else "",
        naive_low=rate.naive_low,
        naive_high=rate.naive_high,
        control_flips=_counts(rate.control_flips),
        changed=_counts(rate.changed),
        control=_counts(rate.control),
        denied=rate.denied,
        out=rate.not_eligible,
    )
    return f"{said} {tell('flips_constant')}" if rate.clean_verdicts == 1 else said


def _counts(rate: Proportion) -> str:
    return rate_counts(rate) if rate.n else "no pairs (none was graded)"


def _retest(grader: str, card: Card) -> str:
    said, speed = "no trace was graded twice", "no durations are recorded"
    if isinstance(card.test_retest, Proportion):
        said = tell("retested", passes=card.passes, again=card.test_retest)
    mean, median = card.seconds_a_trace, card.median_seconds
    if not (isinstance(mean, Unknown) or isinstance(median, Unknown)):
        speed = f"seconds per trace: mean {mean:.2f}, median {median:.2f}"
    return tell("retest", grader=grader, set=card.calibration_set, said=said, speed=speed)


def _how(source: str, card: str, note: str) -> str:
    how = {
        "card": f"With its errors on `{card}`",
        "sample": "With the labels of a random sample",
        "labels": "By the labels of every row",
        "none": "It was not measured for this tier",
    }
    return how[source] + (f", {note}" if note and source != "labels" else "")


def _interval(rate: float, low: float, high: float) -> str:
    if pd.isna(rate) and high - low < 1:
        return f"between {percent(low)}% and {percent(high)}% if it errs here as on one of them"
    if pd.isna(rate):
        return f"it may be anything from {percent(low)}% to {percent(high)}%"
    nothing = ", which excludes nothing" if high - low == 1 else ""
    return f"{percent(rate)}% [{percent(low)}, {percent(high)}]{nothing}"


def _known(rate: float, carries_over: str) -> str:
    said = {"yes": "; the interval contains it", "no": "; the interval **misses** it"}
    return "" if pd.isna(rate) else f" The labels say {percent(rate)}%{said.get(carries_over, '')}."
