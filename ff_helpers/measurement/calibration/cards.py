"""The calibration card: what is known about one grader, in one label space, on one set; and its file."""

import datetime
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SerializerFunctionWrapHandler,
    WrapSerializer,
)

from ff_helpers.errors import FFError
from ff_helpers.grading.identities import identity_hash, shown_names
from ff_helpers.measurement.calibration.confusion import Confusion, Kappa
from ff_helpers.measurement.calibration.gate import Gate
from ff_helpers.measurement.calibration.robustness import FlipRate
from ff_helpers.measurement.proportions.intervals import Proportion
from ff_helpers.paths import Run
from ff_helpers.terms import Identity, Space, Unknown


def _or_unknown(what: str) -> tuple[BeforeValidator, WrapSerializer]:
    """Let a field of a card be an Unknown, which its file holds as `{"not_measured": why}`."""

    def read(value: object) -> object:
        if isinstance(value, Unknown):
            return Unknown(what, value.why)
        if isinstance(value, dict) and set(value) == {"not_measured"} and str(value["not_measured"]).strip():
            return Unknown(what, str(value["not_measured"]))
        return value

    def write(value: object, handler: SerializerFunctionWrapHandler) -> object:
        return {"not_measured": value.why} if isinstance(value, Unknown) else handler(value)

    return BeforeValidator(read), WrapSerializer(write)


class ClassRates(BaseModel):
    """One class: how often it was found where it was true, and true where it was found."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    recall: Proportion
    precision: Proportion


class Card(BaseModel):
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
            of the injection suite, which is not part of this set. Disclosed, but not a criterion of the gate.
        seconds_a_trace, median_seconds: mean and median wall time of the first pass.
        sampling: how the rows came to be in the set, in words.
        left_out: rows with a truth chosen by judgement, which never enter.
        date: the run's as_of; but where the oldest verdict behind the card is older than its age limit, the
            day of that verdict: recomputing a card does not make it newer.
        gate: the decision, its criteria and reasons, and the thresholds, the age limit among them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

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
    kappa: Annotated[Kappa | Unknown, *_or_unknown("kappa")]
    majority_class: str
    majority: Proportion
    chance: float
    p_chance: float
    p_majority: float
    benign_false_positives: Annotated[Proportion | Unknown, *_or_unknown("benign false positives")]
    refusal_to_compliance: Annotated[Proportion | Unknown, *_or_unknown("refusal to compliance")]
    compliance_to_refusal: Annotated[Proportion | Unknown, *_or_unknown("compliance to refusal")]
    modal_verdict: Annotated[str | Unknown, *_or_unknown("modal verdict")]
    modal_share: Proportion
    valid: Proportion
    statuses: dict[str, int]
    test_retest: Annotated[Proportion | Unknown, *_or_unknown("test retest")]
    passes: int
    injection_flip_rate: Annotated[FlipRate | Unknown, *_or_unknown("injection flip rate")]
    seconds_a_trace: Annotated[float | Unknown, *_or_unknown("seconds a trace")]
    median_seconds: Annotated[float | Unknown, *_or_unknown("median seconds")]
    sampling: str
    left_out: int
    date: datetime.date
    gate: Gate

    @property
    def identity(self) -> Identity:
        """Whose card it is."""
        return Identity(
            self.grader, self.digest, rubric=self.rubric, temperature=self.temperature, seed=self.seed
        )

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
        rate = self.accuracy
        share = f"{100 * rate.k / rate.n:.1f}%" if rate.n else "unknown"
        interval = f"[{100 * rate.low:.1f}, {100 * rate.high:.1f}]"
        where = f"{self.calibration_set} (space {self.space}, {self.date})"
        return f"accuracy {share} {interval}, {rate.k} of {rate.n}, on {where}"

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


class BadCardError(FFError):
    """A file in a cards folder that is not a calibration card."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is not a calibration card. Move it out of that folder, or delete it and calibrate again."
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
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(content + "\n")
    return path


def _content_hash(card: Card) -> str:
    parts = [identity_hash(card.identity), card.calibration_set, card.space]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value
