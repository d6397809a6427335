"""The calibration card: what is known about one grader, in one label space, on one set.

Its file, cards as tables, and what they say in a disclosure.
"""

import datetime
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import BeforeValidator, Field, ValidationInfo, WrapSerializer

from ff_helpers.columns import declared
from ff_helpers.corpus.jsonl import Closed, Versioned
from ff_helpers.corpus.split import Split
from ff_helpers.grading.identities import identity_hash, shown_names
from ff_helpers.measurement.calibration.confusion import Confusion, Kappa, confusion
from ff_helpers.measurement.calibration.gate import FLIPS, Gate
from ff_helpers.measurement.calibration.humans import Humans
from ff_helpers.measurement.calibration.robustness import FlipRate
from ff_helpers.measurement.proportions.between import DIFFER, shares_differ
from ff_helpers.measurement.proportions.intervals import Proportion, rate_counts, rate_text, triple
from ff_helpers.measurement.results import Aside, GraderNote, Terms, stated
from ff_helpers.paths import Run
from ff_helpers.terms import Identity, Space, Unknown


def _read_unknown(value: object, info: ValidationInfo[object]) -> object:
    """Let a field of a card be an Unknown, which its file holds as `{"not_measured": why}`."""
    why = value.why if isinstance(value, Unknown) else ""
    if isinstance(value, dict) and set(value) == {"not_measured"}:
        why = str(value["not_measured"]).strip()
    return Unknown(str(info.field_name).replace("_", " "), why) if why else value


def _write_unknown(value: object, handler: Callable[[object], object]) -> object:
    return {"not_measured": value.why} if isinstance(value, Unknown) else handler(value)


_READ_AND_WRITTEN = (BeforeValidator(_read_unknown), WrapSerializer(_write_unknown))


class ClassRates(Closed):
    """One class: how often it was found where it was true, and true where it was found."""

    name: str
    recall: Proportion
    precision: Proportion


class OfModel(Closed):
    """The rows of one model under test: their table, with the classes of the card's `confusion`.

    Effective counts where the card is weighted, see there.
    """

    model: str
    table: tuple[tuple[int | float, ...], ...]


class Card(Versioned):
    """One grader identity, one label space, one calibration set. Shares are proportions in [0, 1].

    Attributes:
        grader, digest, rubric, temperature, seed: who graded, with which weights or rules, and how.
        software: what the grader ran on.
        calibration_set: its name.
        calibration_sha256: hash of the sorted lines `trace_id<TAB>truth` of the rows that entered.
        space: the label space into which the verdicts were projected.
        n, k: rows that entered, rows graded right; a row without a verdict is wrong.
        accuracy: k of n with Wilson interval.
        confusion: rows truth, columns graded class, the last column `no verdict`.
        by_class: recall and precision with their counts.
        by_model: the table of each model under test; empty where the models are not known.
        weighted: the table as effective counts, worth what the labels are worth, where rows were drawn with
            different probabilities; `confusion`, n and k are of the labelled rows as they are.
        people: how far the people who labelled agree, two by two; empty where that is not known.
        kappa: Cohen's, `no verdict` as a class of its own.
        majority_class, majority: the most frequent truth, and the accuracy of always answering it.
        chance: the accuracy of picking each class with equal probability: 1 / number of classes.
        p_chance: exact one-sided binomial against that.
        p_majority: exact one-sided McNemar against the constant majority grader.
        benign_false_positives: BENIGN_QUERY graded COMPLIANCE or PARTIAL, of all true BENIGN_QUERY.
        refusal_to_compliance: REFUSAL graded COMPLIANCE, of all true REFUSAL.
        compliance_to_refusal: COMPLIANCE graded REFUSAL, of all true COMPLIANCE.
        modal_verdict, modal_share: the most frequent of the five verdicts, and its share of verdicts.
        valid: rows with a verdict, of all rows: the format was right, whether or not the content was.
        statuses: rows without a verdict, by status; their share is the invalid rate.
        test_retest: same verdict in every pass, of rows graded more than once with a verdict each time.
        passes: the most times that a row was graded.
        injection_flip_rate: how often a response that attacks the grader gets the verdict it asks for;
            of the injection suite, which is not part of this set. A criterion of the gate where measured.
        seconds_a_trace, median_seconds: mean and median wall time of the first pass.
        sampling: how the rows came to be in the set, in words.
        left_out: rows with a truth chosen by judgement, which never enter.
        failed: rows with a truth that nobody can grade (`target_error` and the like), by status: what the
            target did wrong is no error of its judge, so they never enter either.
        split: which rows entered: `all`, `held-out` (no choice of a rubric has seen them) or `development`.
        date: the run's as_of; but where the oldest verdict behind the card is older than its age limit, the
            day of that verdict: recomputing a card does not make it newer.
        gate: the decision, its criteria and reasons, and the thresholds, the age limit among them.
    """

    grader: str
    digest: str
    rubric: str
    temperature: float | None
    seed: int | None
    software: str
    calibration_set: str
    calibration_sha256: str
    space: Space
    n: int
    k: int
    accuracy: Proportion
    confusion: Confusion
    by_class: tuple[ClassRates, ...]
    by_model: tuple[OfModel, ...] = Field(default=(), exclude_if=lambda models: not models)
    weighted: tuple[tuple[float, ...], ...] = Field(default=(), exclude_if=lambda table: not table)
    people: tuple[Humans, ...] = Field(default=(), exclude_if=lambda pairs: not pairs)
    kappa: Annotated[Kappa | Unknown, *_READ_AND_WRITTEN]
    majority_class: str
    majority: Proportion
    chance: float
    p_chance: float
    p_majority: float
    benign_false_positives: Annotated[Proportion | Unknown, *_READ_AND_WRITTEN]
    refusal_to_compliance: Annotated[Proportion | Unknown, *_READ_AND_WRITTEN]
    compliance_to_refusal: Annotated[Proportion | Unknown, *_READ_AND_WRITTEN]
    modal_verdict: Annotated[str | Unknown, *_READ_AND_WRITTEN]
    modal_share: Proportion
    valid: Proportion
    statuses: dict[str, int]
    test_retest: Annotated[Proportion | Unknown, *_READ_AND_WRITTEN]
    passes: int
    injection_flip_rate: Annotated[FlipRate | Unknown, *_READ_AND_WRITTEN]
    seconds_a_trace: Annotated[float | Unknown, *_READ_AND_WRITTEN]
    median_seconds: Annotated[float | Unknown, *_READ_AND_WRITTEN]
    sampling: str
    left_out: int
    failed: dict[str, int] = Field(default_factory=dict, exclude_if=lambda rows: not rows)
    split: Split = "all"
    date: datetime.date
    gate: Gate

    @property
    def identity(self) -> Identity:
        """Whose card it is."""
        return Identity(
            self.grader, self.digest, rubric=self.rubric, temperature=self.temperature, seed=self.seed
        )

    @property
    def flips(self) -> FlipRate | None:
        """How often attacks turn the verdict; None where nobody attacked the grader."""
        return None if isinstance(self.injection_flip_rate, Unknown) else self.injection_flip_rate

    @property
    def fails(self) -> tuple[str, ...]:
        """The criteria of our rule that the grader does not pass."""
        return tuple(one.name for one in self.gate.ours if not one.passed)

    @property
    def has_expired(self) -> bool:
        """Whether it no longer counts: a card that counts is never `uncalibrated`, see `as_of`."""
        return self.gate.state == "uncalibrated"

    @property
    def slug(self) -> str:
        """The card's name as a file, where no other is called so: grader, set, space."""
        return card_slug(self.grader, self)

    def sentence(self) -> str:
        """Return `accuracy 65.0% [43.3, 81.9], 13 of 20, on proxies (space five, 2026-11-22)`."""
        rate = rate_text(self.accuracy) if self.n else "unknown [0.0, 100.0]"
        where = f"{self.calibration_set} (space {self.space}, {self.date})"
        counts = self.accuracy.counts if self.weighted else f"{self.k} of {self.n}"
        return f"accuracy {rate}, {counts}, on {where}"

    def by_models(self) -> str:
        """Return how many models under test the rows are of, and how accuracy differs; empty for one."""
        if len(self.by_model) < 2:
            return ""
        told = f"{len(self.by_model)} models"
        if self.weighted:  # effective counts of the classes do not add up to an accuracy
            return told
        sizes = np.array([sum(map(sum, one.table)) for one in self.by_model], dtype=float)
        right = np.array(
            [sum(row[i] for i, row in enumerate(one.table)) for one in self.by_model], dtype=float
        )
        shares = right / sizes
        if shares_differ(right, sizes).p >= DIFFER:
            return told
        return f"{told}, accuracy {shares.min():.0%} to {shares.max():.0%}"

    @property
    def last_day(self) -> datetime.date:
        """The last day on which the card counts."""
        return self.date + datetime.timedelta(days=self.gate.thresholds.max_age_days)

    def as_of(self, day: datetime.date) -> "Card":
        """Return the card as it counts on a day: `uncalibrated`, with the reason, once it has expired."""
        if day <= self.last_day or self.gate.state == "uncalibrated":
            return self
        why = (
            f"expired after {self.last_day}: measured on {self.date}, and a card counts for "
            f"{self.gate.thresholds.max_age_days} days. Calibrate again"
        )
        reasons = (why, *self.gate.reasons)
        changed = {"state": "uncalibrated", "reasons": reasons}
        return self.model_copy(update={"gate": self.gate.model_copy(update=changed)})


def tables_by_model(rows: pd.DataFrame, graded: Sequence[str], classes: Sequence[str]) -> tuple[OfModel, ...]:
    """Return the table of each model under test, sorted; empty where a row does not name its model.

    Args:
        rows: model (may be absent), truth.
        graded: the class of each row; missing where there is no verdict.
        classes: of truth and verdict.
    """
    if "model" not in rows or rows["model"].isna().any():
        return ()
    said = pd.Series(graded, rows.index, dtype="object")
    return tuple(
        OfModel(model=str(name), table=confusion(list(own["truth"]), list(said[own.index]), classes).table)
        for name, own in rows.groupby("model", sort=True)
    )


def card_slug(name: str, card: Card) -> str:
    """Return the name of a card's file: what its grader is called there, set, space."""
    words = (name, card.calibration_set, card.space)
    return "_".join(re.sub(r"[^a-z0-9.]+", "-", word.lower()).strip("-") for word in words)


def card_names(cards: Sequence[Card]) -> list[str]:
    """Return what to call the grader of each card: where two share a name, also what sets them apart."""
    names = shown_names(card.identity for card in cards)
    return [names[card.identity] for card in cards]


def file_names(cards: Sequence[Card]) -> list[str]:
    """Return a name for the file of each card, without suffix; all different."""
    slugs = [card_slug(name, card) for name, card in zip(card_names(cards), cards, strict=True)]
    return [
        f"{slug}_{_content_hash(card)}" if slugs.count(slug) > 1 else slug
        for slug, card in zip(slugs, cards, strict=True)
    ]


def save_card(run: Run, card: Card, *, name: str | None = None) -> Path:
    """Write cards/<name>.json (None: its slug), floats rounded to 6 digits, and return its path."""
    path = run.write(f"cards/{name or card.slug}.json")
    content = json.dumps(_rounded(json.loads(card.model_dump_json())), indent=1, ensure_ascii=False)
    path.write_text(content + "\n", encoding="utf-8", newline="\n")
    return path


def write_card(path: Path, card: Card) -> Path:
    """Write a card in one step, so an interrupt leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    beside.write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return beside.replace(path)


def _content_hash(card: Card) -> str:
    parts = [identity_hash(card.identity), card.calibration_set, card.space]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value


def cards_table(cards: Sequence[Card]) -> pd.DataFrame:
    """Return the cards as a table, one row per card, in the order given.

    Columns: grader, set, space (str), n, k (int), accuracy, majority, valid, modal_share, retest,
    injection_flip (float in [0, 1], each with _low and _high; missing where not measured), kappa,
    kappa_low, kappa_high, p_majority, seconds, median_seconds (float), kappa_note (str: why a
    degenerate table gives this value), retest_n (int: rows graded more than once), passes (int), injection_n
    (int: eligible pairs), left_out (int: labels picked by judgement, which never enter), modal_verdict, gate,
    reason (str: the gate's first).
    """
    rows = [
        {"grader": name, "set": c.calibration_set, "space": c.space, "n": c.n, "k": c.k}
        | triple("accuracy", c.accuracy)
        | triple("majority", c.majority)
        | triple("kappa", c.kappa)
        | {"kappa_note": c.kappa.note if isinstance(c.kappa, Kappa) else c.kappa.why}
        | {"p_majority": c.p_majority}
        | triple("valid", c.valid)
        | {"modal_verdict": _known(c.modal_verdict)}
        | triple("modal_share", c.modal_share)
        | triple("retest", c.test_retest)
        | {"retest_n": getattr(c.test_retest, "n", 0), "passes": c.passes}
        | triple("injection_flip", c.injection_flip_rate)
        | {"injection_n": getattr(c.injection_flip_rate, "n", 0)}
        | {"seconds": _known(c.seconds_a_trace), "median_seconds": _known(c.median_seconds)}
        | {"left_out": c.left_out, "gate": c.gate.state, "reason": c.gate.reasons[0]}
        for name, c in zip(card_names(cards), cards, strict=True)
    ]
    return stated(pd.DataFrame(rows) if rows else declared("cards", []), _terms(cards))


def _known(value: str | float | Unknown) -> str | float | None:
    return None if isinstance(value, Unknown) else value


def gate_table(cards: Sequence[Card]) -> pd.DataFrame:
    """Return why the gate decided as it did, one row per reason: grader, set, gate, reason (str)."""
    named = zip(card_names(cards), cards, strict=True)
    rows = [(name, c.calibration_set, c.gate.state, reason) for name, c in named for reason in c.gate.reasons]
    return stated(declared("gate_table", rows), _terms(cards, counted=False))


def gate_criteria(cards: Sequence[Card]) -> pd.DataFrame:
    """Return what each rule of the gate requires, one row per card and criterion.

    Columns: grader, set, space, rule (`published` or `ours`), criterion (str), value (float; missing where
    it is not defined, which fails), threshold (float), asks (str), passed (bool).
    """
    rows = [
        (name, c.calibration_set, c.space, rule, one.name, one.value, one.threshold, one.asks, one.passed)
        for name, c in zip(card_names(cards), cards, strict=True)
        for rule, criteria in (("published", c.gate.published), ("ours", c.gate.ours))
        for one in criteria
    ]
    return stated(declared("gate_criteria", rows), _terms(cards, counted=False))


def grader_note(card: Card, name: str | None = None) -> GraderNote:
    """Return what a card says in a disclosure; `uncalibrated` is the state of a card that has expired.

    Args:
        card: the card.
        name: what to call its grader; None: as the card does.
    """
    expired = ", expired" if card.gate.state == "uncalibrated" else ""
    own = f", {card.gate.own}" if card.gate.own else ""
    models = f", {card.by_models()}" if card.by_models() else ""
    people = "".join(f"; two people: {pair.sentence()}" for pair in card.people)
    attacked = ""
    if card.flips and card.gate.state == "provisional" and FLIPS in card.fails:
        attacked = f", attacks turn its verdict in {rate_counts(card.flips)}"
    return GraderNote(
        grader=name or card.grader,
        digest=card.digest.removeprefix("sha256:"),
        rubric=card.rubric,
        accuracy=card.accuracy,
        calibration_set=card.calibration_set,
        space=card.space,
        gate=card.gate.state,
        card=f"card of {card.date}{expired}{own}{attacked}{models}{people}",
    )


def notes_of(cards: Sequence[Card]) -> tuple[GraderNote, ...]:
    """Return what each card says in a disclosure, namesakes told apart."""
    return tuple(grader_note(card, name) for name, card in zip(card_names(cards), cards, strict=True))


def backing(cards: Sequence[Card]) -> tuple[tuple[Identity, GraderNote], ...]:
    """Return what cards say about each grader, for `Terms.cards`."""
    return tuple((card.identity, grader_note(card)) for card in cards)


def _terms(cards: Sequence[Card], *, counted: bool = True) -> Terms:
    """Return the terms of a table of cards; `counted`: its rows hold n and what was left out."""
    sizes = sorted(card.n for card in cards)
    size = "none: no card"
    if sizes:
        size = (
            f"n = {sizes[0]}" if sizes[0] == sizes[-1] else f"n of each card from {sizes[0]} to {sizes[-1]}"
        )
    judged = sum(card.left_out for card in cards)
    return Terms(
        graders=notes_of(cards),
        denominators=(
            "rows with a known truth, where a row without a verdict is wrong; of a second pass: rows with a "
            "verdict in every pass; of attacks: eligible pairs",
        ),
        n=("n", "retest_n", "injection_n"),
        counts="" if counted else size,
        left_out=None if counted else (("labels picked by judgement", judged),) if judged else (),
        asides=(Aside("left_out", "labels picked by judgement"),) if counted else (),
    )
