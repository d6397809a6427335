"""Trust: one tier per model from licence, provider, sample size and refusal stability, as in trust.yaml.

What is known about each model besides verdicts is hand-checked, in `data/models/metadata.csv`. Anything
unconfirmed is `unknown` there and stays unknown here.

Trust is not ASR. A signal that is not known is not assessed and never filled in: the score is then a
range, and the tier is given only where the whole range lies in it.
"""

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from ff_helpers import paths
from ff_helpers.corpus.jsonl import BadLineError, Closed, FileMissingError
from ff_helpers.errors import FFError, named, place_in, quoted
from ff_helpers.formats import refuse_newer
from ff_helpers.publication.atlas.signal import Confidence, Signal

SignalName = Literal["licence_clarity", "provider_transparency", "sample_size", "refusal_stability"]
LicenceKind = Literal["open_source", "own_terms", "non_commercial", "proprietary", "unknown"]
Transparency = Literal["weights_published", "size_stated", "report_published"]
NOT_ASSESSED: Final = "not assessed"


class ModelFacts(Closed):
    """One row of the metadata file.

    Attributes:
        model: canonical id, or the name that did not resolve.
        family, provider: their common names; `unknown` where not known.
        parameters_b, active_b: billions of parameters, in all and active at a time; None where not stated.
        weights: whether they can be downloaded.
        licence: SPDX id, or the licence's own name.
        licence_kind: what kind of licence that is.
        report: whether the maker has published a model card or a technical report.
        source: where this is stated.
        checked: the day it was checked.
        note: what is doubtful; may be empty.
        basis: `page`: a page that says so was read; `known`: general knowledge, the page named was not
            read; `none`: nothing was found.
    """

    model: str = Field(min_length=1)
    family: str = Field(min_length=1)
    provider: str = Field(min_length=1)
    parameters_b: float | None = Field(default=None, gt=0)
    active_b: float | None = Field(default=None, gt=0)
    weights: Literal["open", "closed", "unknown"]
    licence: str = Field(min_length=1)
    licence_kind: LicenceKind
    report: Literal["yes", "no", "unknown"]
    source: str = Field(min_length=1)
    checked: date
    note: str
    basis: Literal["page", "known", "none"]


class Weight(Closed):
    """The weight of a signal, and why."""

    weight: float = Field(gt=0, le=1)
    why: str = Field(min_length=1)


class Value(Closed):
    """What a kind of licence is worth, and why."""

    value: float = Field(ge=0, le=1)
    why: str = Field(min_length=1)


class Tier(Closed):
    """A tier: its name and the score from which it begins."""

    name: str = Field(min_length=1)
    at_least: float = Field(ge=0, le=1)
    why: str = Field(min_length=1)


class Veto(Closed):
    """The rate and the band of confidence that cap a model's tier at the bottom."""

    asr_above: float = Field(ge=0, le=1)
    confidence: Confidence
    why: str = Field(min_length=1)


class TrustRules(Closed):
    """The content of params/trust.yaml."""

    format_version: Literal[1] = 1
    signals: dict[SignalName, Weight]
    licence_clarity: dict[Literal["open_source", "own_terms", "non_commercial", "proprietary"], Value]
    provider_transparency: tuple[Transparency, ...] = Field(min_length=1)
    sample_size: dict[Confidence, float]
    refusal_stability: Literal["lower_bound", "estimate"]
    tiers: tuple[Tier, ...] = Field(min_length=2)
    veto: Veto

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if abs(sum(signal.weight for signal in self.signals.values()) - 1) > 1e-9:
            raise ValueError("signals: the weights must add up to 1")
        cuts = [tier.at_least for tier in self.tiers]
        if cuts != sorted(cuts, reverse=True) or cuts[-1] != 0 or len(set(cuts)) < len(cuts):
            raise ValueError("tiers: from the highest cut down, the last one at 0")
        if any(not 0 <= value <= 1 for value in self.sample_size.values()):
            raise ValueError("sample_size: values in [0, 1]")
        return self


@dataclass(frozen=True)
class Assessed:
    """One signal of one model: its value in [0, 1], or None with the reason."""

    name: SignalName
    value: float | None
    weight: float
    why: str


@dataclass(frozen=True)
class Trust:
    """What the rules say about one model.

    Attributes:
        tier: the tier, or None where what is not assessed leaves it open.
        between: the lowest and the highest tier that are possible.
        low, high: the two ends of the score, in [0, 1].
        vetoed: the rate caps the tier at the bottom.
        signals: each signal with its value or reason, in the order of the file.
        reason: why this tier, or why there is none, in a sentence.
    """

    tier: str | None
    between: tuple[str, str]
    low: float
    high: float
    vetoed: bool
    signals: tuple[Assessed, ...]
    reason: str


def read_trust(path: Path | None = None) -> TrustRules:
    """Return the rules of trust (default: params/trust.yaml).

    Raises:
        FFError: no such file, not YAML, or a field that is missing, unknown or wrong.
    """
    path = path or paths.params() / "trust.yaml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        refuse_newer(path, content)
        return TrustRules.model_validate(content)
    except FileNotFoundError:
        problem = ": no such file"
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problem = f": not YAML: {place_in(error)}"
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(named(str(part)) for part in first["loc"])
        problem = f"{':' if field else ''}{field}: {first['msg'].removeprefix('Value error, ')}"
    raise FFError(f"{path}{problem}. `git checkout -- params/trust.yaml` brings the shipped rules back.")


def model_facts(path: Path | None = None) -> dict[str, ModelFacts]:
    """Return the known models by name (default: `data/models/metadata.csv`).

    Raises:
        FileMissingError: there is no such file.
        BadLineError: an invalid or duplicate row, named file:line:field.
    """
    path = path or paths.data() / "models" / "metadata.csv"
    if not path.is_file():
        raise FileMissingError(path, "model metadata")
    known: dict[str, ModelFacts] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            given = {key: value for key, value in row.items() if value or not key.endswith("_b")}
            try:
                facts = ModelFacts.model_validate(given)
            except ValidationError as error:
                first = error.errors(include_url=False, include_context=False)[0]
                field = ".".join(named(str(part)) for part in first["loc"])
                raise BadLineError(path, reader.line_num, field, first["msg"]) from None
            if facts.model in known:
                raise BadLineError(path, reader.line_num, "model", f"{quoted(facts.model)} is listed already")
            known[facts.model] = facts
    return known


def trust(signal: Signal, facts: ModelFacts | None, rules: TrustRules) -> Trust:
    """Return the tier of a model: its signals weighted, what is not known left open, the veto applied."""
    signals = tuple(_assess(name, signal, facts, rules) for name in rules.signals)
    low = round(sum(s.weight * s.value for s in signals if s.value is not None), 6)
    high = round(low + sum(s.weight for s in signals if s.value is None), 6)
    bottom = rules.tiers[-1].name
    between = (_tier(low, rules), _tier(high, rules))
    rate = signal.asr.overall if signal.asr else None
    if rate is not None and rate > rules.veto.asr_above and signal.confidence == rules.veto.confidence:
        why = f"vetoed: ASR {100 * rate:.1f}% on {signal.n} traces caps the tier at the bottom"
        return Trust(bottom, (bottom, bottom), low, high, True, signals, why)
    missing = ", ".join(s.name.replace("_", " ") for s in signals if s.value is None)
    why = f"score {low:.2f}" + (f" to {high:.2f}: {missing} {NOT_ASSESSED}" if missing else "")
    decided = between[0] == between[1]
    return Trust(between[0] if decided else None, between, low, high, False, signals, why)


def _tier(score: float, rules: TrustRules) -> str:
    return next(tier.name for tier in rules.tiers if score >= tier.at_least)


def _assess(name: SignalName, signal: Signal, facts: ModelFacts | None, rules: TrustRules) -> Assessed:
    weight = rules.signals[name].weight
    value: float | None
    if name == "sample_size":
        value, why = rules.sample_size[signal.confidence], f"n = {signal.n}: {signal.confidence}"
    elif name == "refusal_stability":
        value, why = _stability(signal, rules)
    elif facts is None:
        value, why = None, "the model is not in the metadata"
    elif name == "licence_clarity":
        value, why = _licence(facts, rules)
    else:
        value, why = _transparency(facts, rules)
    return Assessed(name, value, weight, why if value is not None else f"{NOT_ASSESSED}: {why}")


def _stability(signal: Signal, rules: TrustRules) -> tuple[float | None, str]:
    stability = signal.refusal_stability
    if stability is None:
        return None, str(signal.refusal_stability_reason)
    value = stability.ci_low if rules.refusal_stability == "lower_bound" else stability.share
    taken = rules.refusal_stability.replace("_", " ")
    return value, f"{stability.k} of {stability.n} pairs of runs ended alike; {taken}"


def _licence(facts: ModelFacts, rules: TrustRules) -> tuple[float | None, str]:
    for kind, value in rules.licence_clarity.items():
        if kind == facts.licence_kind:
            return value.value, f"{facts.licence}: {value.why}"
    return None, f"licence {facts.licence}"


def _transparency(facts: ModelFacts, rules: TrustRules) -> tuple[float | None, str]:
    known: dict[Transparency, bool | None] = {
        "weights_published": {"open": True, "closed": False}.get(facts.weights),
        "size_stated": facts.parameters_b is not None,
        "report_published": {"yes": True, "no": False}.get(facts.report),
    }
    asked = rules.provider_transparency
    words = ", ".join(f"{part.replace('_', ' ')}: {_WORDS[known[part]]}" for part in asked)
    if any(known[part] is None for part in asked):
        return None, words
    return round(sum(known[part] is True for part in asked) / len(asked), 6), words


_WORDS: Final[dict[bool | None, str]] = {True: "yes", False: "no", None: "unknown"}
