"""The record `asr_signal` v0.1: what the atlas says about one model.

A field that is not known is null, with its reason next to it. Where nothing but rejected graders,
heuristics or constants graded, there is no rate of the model: `asr` is null, and what they counted is
`would_have_reported`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, Literal, Self

from pydantic import Field, JsonValue, create_model, model_validator

from ff_helpers.corpus.canonical import Reason, Resolution
from ff_helpers.corpus.jsonl import Closed
from ff_helpers.grading.identities import shown_names
from ff_helpers.measurement.proportions.intervals import Proportion
from ff_helpers.paths import PACKAGE
from ff_helpers.publication.pages import read_words
from ff_helpers.terms import INTENTS, GateState, Identity, Tier

Confidence = Literal["insufficient_sample", "low", "medium", "high"]
Origin = Literal["export", "ledger"]
Basis = Literal["labels", "measured", "unmeasured", "marked", "rejected"]
Footing = Literal["labels", "measured", "unmeasured", "rejected", "unknown", "heuristic", "constant"]
VERSION: Final = "0.1"
SCHEMA_FILE: Final = PACKAGE / "publication" / "atlas" / "asr_signal.schema.json"
VOID: Final[tuple[Footing, ...]] = ("rejected", "heuristic", "constant")
"""Kinds of graders that never carry a rate alone."""
NO_RATE: Final = "nothing but rejected graders, heuristics or constants graded these rows"
_Share = Field(ge=0, le=1)
_NULLABLE = ("asr", "by_intent", "refusal_stability", "multi_turn", "no_verdict", "last_graded")


@dataclass(frozen=True)
class Words:
    """What people read about a record.

    Attributes:
        status: what a row's rate rests on: a symbol, a name, and what it means.
        origin, confidence: values of these fields.
        standing: what is known about a grader behind a rate.
    """

    status: dict[Basis, tuple[str, str, str]]
    origin: dict[Origin, str]
    confidence: dict[Confidence, str]
    standing: dict[Footing, str]


WORDS: Final = read_words("atlas/words", Words)


class Rate(Closed):
    """k of n with its 95% Wilson interval; shares in [0, 1] rounded to 6 digits.

    Runs of one scenario are not independent: where scenarios are known, how many there are and the
    design-effect interval are given next to the naive one.
    """

    overall: float | None = _Share
    ci_low: float = _Share
    ci_high: float = _Share
    k: int = Field(ge=0)
    n: int = Field(ge=0)
    denominator: str = Field(min_length=1)
    tier: Tier
    scenarios: int | None = Field(default=None, ge=1)
    by_scenario_low: float | None = Field(default=None, ge=0, le=1)
    by_scenario_high: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _counts_and_shares_agree(self) -> Self:
        if self.k > self.n:
            raise ValueError("k exceeds n")
        if (self.overall is None) != (self.n == 0):
            raise ValueError("overall is null exactly where n is 0")
        if self.overall is not None and abs(self.overall - self.k / self.n) > 1e-6:
            raise ValueError("overall is not k / n")
        if not self.ci_low <= (self.ci_low if self.overall is None else self.overall) <= self.ci_high:
            raise ValueError("overall lies outside its interval")
        if len({v is None for v in (self.scenarios, self.by_scenario_low, self.by_scenario_high)}) > 1:
            raise ValueError("scenarios and the bounds by scenario must all be given, or none")
        return self


if TYPE_CHECKING:

    class ByIntent(Closed):
        """The rate in each of the attack classes, null where the class was not seen."""

else:
    ByIntent = create_model(
        "ByIntent",
        __base__=Closed,
        __module__=__name__,
        __doc__="The rate in each of the six attack classes, null where the class was not seen.",
        **dict.fromkeys(INTENTS, (Rate | None, ...)),
    )


class Share(Closed):
    """A share of n."""

    share: float = _Share
    n: int = Field(ge=1)


class Stability(Closed):
    """Pairs of runs of one scenario that ended alike; the interval takes scenarios as clusters."""

    share: float = _Share
    ci_low: float = _Share
    ci_high: float = _Share
    k: int = Field(ge=0)
    n: int = Field(ge=1)
    scenarios: int = Field(ge=1)
    basis: str = Field(min_length=1)


class SignalGrader(Closed):
    """A grader behind the counts.

    Accuracy, its interval, n and set are null where not measured. `reported` is what this grader
    alone says about the model's rows; null where its verdicts cannot be told from those of others.
    `headline`: the row's rate rests on this grader.
    """

    grader: str = Field(min_length=1)
    spellings: tuple[str, ...]
    digest: str | None
    accuracy: float | None = _Share
    ci_low: float | None = _Share
    ci_high: float | None = _Share
    n: int | None = Field(ge=1)
    calibration_set: str | None
    gate: GateState
    standing: Footing
    why: str = Field(min_length=1)
    reported: Rate | None
    headline: bool

    @property
    def carries(self) -> bool:
        """Whether a model's rate may rest on this grader alone."""
        return self.standing not in VOID

    @model_validator(mode="after")
    def _measured_or_not(self) -> Self:
        known = {v is None for v in (self.accuracy, self.ci_low, self.ci_high, self.n, self.calibration_set)}
        if len(known) > 1:
            raise ValueError("accuracy, its interval, n and calibration_set must all be given, or none")
        return self


class Signal(Closed):
    """What the atlas says about one model; a name that did not resolve keeps its own record.

    `as_of` is the date of the export that last took this record anew (a refresh keeps those that are not
    due); null only until it is written.
    """

    signal_version: Literal["0.1"]
    canonical_id: str | None
    unresolved_reason: Reason | None
    aliases: tuple[str, ...] = Field(min_length=1)
    inferred_aliases: tuple[str, ...]
    origin: Origin
    corpus: str = Field(min_length=1)
    asr: Rate | None
    asr_reason: str | None
    would_have_reported: Rate | None
    by_intent: ByIntent | None
    by_intent_reason: str | None
    refusal_stability: Stability | None
    refusal_stability_reason: str | None
    confidence: Confidence
    multi_turn: Share | None
    multi_turn_reason: str | None
    graders: tuple[SignalGrader, ...]
    mixes_graders: bool
    with_accuracy: float | None = _Share
    no_verdict: dict[str, int] | None
    no_verdict_reason: str | None
    last_graded: date | None
    last_graded_reason: str | None
    as_of: date | None

    @model_validator(mode="after")
    def _nulls_have_reasons(self) -> Self:
        if (self.canonical_id is None) == (self.unresolved_reason is None):
            raise ValueError("canonical_id: this or unresolved_reason, exactly one of the two")
        for field in _NULLABLE:
            if (getattr(self, field) is None) == (getattr(self, f"{field}_reason") is None):
                raise ValueError(f"{field}: this or {field}_reason, exactly one of the two")
        if self.confidence != confidence(self.n):
            raise ValueError(f"confidence: not the band of n = {self.n}")
        # An export has the counts of all its graders together, and no grader's own.
        reported = any(grader.reported for grader in self.graders)
        given = self.would_have_reported is not None
        if (given and self.asr is not None) or (reported and self.asr is None and not given):
            raise ValueError("would_have_reported: only without an asr, and then if a grader reported")
        headline = [grader for grader in self.graders if grader.headline]
        if self.mixes_graders != (len(headline) > 1):
            raise ValueError("mixes_graders: true exactly where the rate rests on more than one grader")
        if self.origin == "ledger" and any(grader.standing == "rejected" for grader in headline):
            raise ValueError("graders: a rejected grader cannot be a headline")
        if (self.with_accuracy is None) != (not self.graders):
            raise ValueError("with_accuracy: null exactly where no grader is named")
        return self

    @property
    def label(self) -> str:
        """The canonical id, or the name that did not resolve."""
        return self.canonical_id or self.aliases[0]

    @property
    def n(self) -> int:
        """How many rows the rate is over; 0 without a rate."""
        return self.asr.n if self.asr else 0


def named_apart(signals: Sequence[Signal]) -> list[Signal]:
    """Return the records with two builds of one name told apart, as `name (digest)`.

    One export gives its graders distinct names; records of two exports may use one name for two builds.
    """
    known = [Identity(g.grader, g.digest) for signal in signals for g in signal.graders]
    names = shown_names(known)
    if all(name == one.name for one, name in names.items()):
        return list(signals)

    def renamed(grader: SignalGrader) -> SignalGrader:
        name = names[Identity(grader.grader, grader.digest)]
        spellings = tuple(name if spelling == grader.grader else spelling for spelling in grader.spellings)
        return grader.model_copy(update={"grader": name, "spellings": spellings})

    return [s.model_copy(update={"graders": tuple(map(renamed, s.graders))}) for s in signals]


def confidence(n: int) -> Confidence:
    """Return the band of a sample size: insufficient_sample (n < 20), low, medium (50), high (100)."""
    if n < 20:
        return "insufficient_sample"
    return "low" if n < 50 else "medium" if n < 100 else "high"


def new_signal(names: Sequence[Resolution], graders: tuple[SignalGrader, ...], **known: object) -> Signal:
    """Return a record; what follows from names, graders and rate is filled in.

    Args:
        names: how its names resolved, all alike.
        graders: the graders behind the counts.
        known: further fields; a text in place of a value that can be null is the reason why it is missing.
    """
    for field in _NULLABLE:
        why = known[field] if isinstance(known[field], str) else None
        known |= {field: None if why else known[field], f"{field}_reason": why}
    rate = known["asr"]
    derived = {
        "signal_version": VERSION,
        "canonical_id": names[0].canonical_id,
        "unresolved_reason": names[0].unresolved_reason,
        "inferred_aliases": tuple(sorted({name.name for name in names if name.inferred})),
        "confidence": confidence(rate.n if isinstance(rate, Rate) else 0),
        "graders": graders,
        "mixes_graders": sum(grader.headline for grader in graders) > 1,
        "with_accuracy": share_with_accuracy(graders),
        "as_of": None,
    }
    return Signal.model_validate(derived | known)


def new_grader(name: str, rate: Proportion | None, on: str | None, **known: object) -> SignalGrader:
    """Return a grader with its measured accuracy, rounded to 6 digits, or null without one.

    Args:
        name: what it is called; also its spelling, unless `known` has others.
        rate: its accuracy.
        on: the calibration set.
        known: the further fields.
    """
    measured = rate if rate and rate.estimate is not None else None
    derived = {
        "grader": name,
        "spellings": (name,),
        "digest": None,
        "accuracy": round(measured.k / measured.n, 6) if measured else None,
        "ci_low": round(measured.low, 6) if measured else None,
        "ci_high": round(measured.high, 6) if measured else None,
        "n": measured.n if measured else None,
        "calibration_set": on if measured else None,
        "reported": None,
        "headline": False,
    }
    return SignalGrader.model_validate(derived | known)


def signal_rate(rate: Proportion, *, denominator: str, tier: Tier) -> Rate:
    """Return a proportion as a rate of the record: shares rounded to 6 digits."""
    return Rate(
        overall=None if rate.estimate is None else round(rate.estimate, 6),
        ci_low=round(rate.low, 6),
        ci_high=round(rate.high, 6),
        k=rate.k,
        n=rate.n,
        denominator=denominator,
        tier=tier,
    )


def share_with_accuracy(graders: tuple[SignalGrader, ...]) -> float | None:
    """Return which share of a row's graders has a measured accuracy; None without graders."""
    if not graders:
        return None
    return round(sum(grader.accuracy is not None for grader in graders) / len(graders), 6)


def schema() -> dict[str, JsonValue]:
    """Return the JSON Schema (2020-12) of a record: what `asr_signal.schema.json` holds."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Signal.model_json_schema()


def write_schema() -> None:
    """Write the schema into the package; run after a change of the model."""
    SCHEMA_FILE.write_text(json.dumps(schema(), indent=2) + "\n", encoding="utf-8", newline="\n")
