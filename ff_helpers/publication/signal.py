"""The record `asr_signal` v0.1: one line a model, and the files that hold it.

A field that is not known is null and has its reason beside it. A run writes a new dated file and then
replaces the pointer `atlas/current`; earlier dated files stay.
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from ff_helpers.corpus.canonical import Reason
from ff_helpers.corpus.jsonl import BadLineError, read_records
from ff_helpers.errors import FFError
from ff_helpers.paths import PACKAGE, Run
from ff_helpers.publication.exported_graders import Standing
from ff_helpers.taxonomy import GateState, Tier

Confidence = Literal["insufficient_sample", "low", "medium", "high"]
SCHEMA_FILE: Final = PACKAGE / "publication" / "asr_signal.schema.json"
POINTER: Final = "atlas/current"
_DATED = re.compile(r"asr_signal_\d{4}-\d{2}-\d{2}\.jsonl")
_Share = Field(ge=0, le=1)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rate(_Strict):
    """k of n with its 95% Wilson interval; shares in [0, 1] rounded to 6 digits."""

    overall: float | None = _Share
    ci_low: float = _Share
    ci_high: float = _Share
    k: int = Field(ge=0)
    n: int = Field(ge=0)
    denominator: str = Field(min_length=1)
    tier: Tier

    @model_validator(mode="after")
    def _counts_and_shares_agree(self) -> Self:
        if self.k > self.n:
            raise ValueError("k exceeds n")
        if (self.overall is None) != (self.n == 0):
            raise ValueError("overall is null exactly where n is 0")
        if self.overall is not None and abs(self.overall - self.k / self.n) > 1e-6:
            raise ValueError("overall is not k / n")
        if not self.ci_low <= (self.overall or self.ci_low) <= self.ci_high:
            raise ValueError("overall lies outside its interval")
        return self


class ByIntent(_Strict):
    """The rate in each of the six attack classes, null where the class was not seen."""

    format_lock: Rate | None
    refusal_suppression: Rate | None
    persona_hijack: Rate | None
    future_year_laundering: Rate | None
    constraint_erosion: Rate | None
    research_only_pressure: Rate | None


class Share(_Strict):
    """A share of n."""

    share: float = _Share
    n: int = Field(ge=1)


class SignalGrader(_Strict):
    """A grader behind the counts; accuracy, interval and n are null where nobody published them."""

    grader: str
    spellings: tuple[str, ...]
    accuracy: float | None = _Share
    ci_low: float | None = _Share
    ci_high: float | None = _Share
    n: int | None = Field(ge=1)
    calibration_set: str | None
    gate: GateState
    standing: Standing
    why: str = Field(min_length=1)

    @model_validator(mode="after")
    def _measured_or_not(self) -> Self:
        known = {v is None for v in (self.accuracy, self.ci_low, self.ci_high, self.n, self.calibration_set)}
        if len(known) > 1:
            raise ValueError("accuracy, its interval, n and calibration_set come together or not at all")
        return self


class Signal(_Strict):
    """What the atlas says of one model; a name that did not resolve keeps its own record."""

    signal_version: Literal["0.1"]
    canonical_id: str | None
    unresolved_reason: Reason | None
    aliases: tuple[str, ...] = Field(min_length=1)
    asr: Rate
    by_intent: ByIntent | None
    by_intent_reason: str | None
    refusal_stability: Share | None
    refusal_stability_reason: str | None
    confidence: Confidence
    multi_turn: Share | None
    multi_turn_reason: str | None
    graders: tuple[SignalGrader, ...]
    mixes_graders: bool
    last_graded: date | None
    last_graded_reason: str | None

    @model_validator(mode="after")
    def _nulls_have_reasons(self) -> Self:
        if (self.canonical_id is None) == (self.unresolved_reason is None):
            raise ValueError("canonical_id: this or unresolved_reason, exactly one of the two")
        for field in ("by_intent", "refusal_stability", "multi_turn", "last_graded"):
            if (getattr(self, field) is None) == (getattr(self, f"{field}_reason") is None):
                raise ValueError(f"{field}: this or {field}_reason, exactly one of the two")
        if self.confidence != confidence(self.asr.n):
            raise ValueError(f"confidence: not the band of n = {self.asr.n}")
        if self.mixes_graders != (len(self.graders) > 1):
            raise ValueError("mixes_graders: true exactly where there is more than one grader")
        return self

    @property
    def label(self) -> str:
        """The canonical id, or the name that did not resolve."""
        return self.canonical_id or self.aliases[0]


class BrokenPointerError(FFError):
    """`atlas/current` does not name a signal file."""

    def __init__(self, pointer: Path, named: str) -> None:
        super().__init__(
            f"{pointer} names {named[:80]!r}, which is no signal file beside it. Allowed: the name of a file "
            "asr_signal_YYYY-MM-DD.jsonl. `ff run` with the same profile writes both anew."
        )


def confidence(n: int) -> Confidence:
    """Return the band of a sample size: insufficient_sample (n < 20), low, medium (50), high (100)."""
    if n < 20:
        return "insufficient_sample"
    return "low" if n < 50 else "medium" if n < 100 else "high"


def schema() -> dict[str, JsonValue]:
    """Return the JSON Schema (2020-12) of a record: what `asr_signal.schema.json` holds."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Signal.model_json_schema()


def save_signal(run: Run, signals: Sequence[Signal]) -> str:
    """Write atlas/asr_signal_<as_of>.jsonl, its schema, and then the pointer; return the file's name.

    Each record is validated once more as it is written.

    Raises:
        BadLineError: a record that is not valid, or a model that occurs twice.
    """
    name = f"asr_signal_{run.as_of.isoformat()}.jsonl"
    path = run.write(f"atlas/{name}")
    partial = path.with_name(f".{name}.partial")
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(signal.model_dump_json() + "\n" for signal in signals)
    try:
        _unique(partial, read_records(partial, Signal))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    _replace(run.write("atlas/asr_signal.schema.json"), SCHEMA_FILE.read_text(encoding="utf-8"))
    _replace(run.write(POINTER), name + "\n")
    return f"atlas/{name}"


def read_signal(run: Run, *, as_of: str | None = None) -> list[Signal]:
    """Return the signal of the run: the file that `atlas/current` names, or that of a date.

    Raises:
        MissingInputError: no step has written it yet.
        BrokenPointerError: the pointer names no signal file.
        BadLineError: a record that is not valid, of another version, or there twice; file:line:field.
    """
    if as_of is None:
        pointer = run.read(POINTER)
        name = pointer.read_text(encoding="utf-8", errors="replace").strip()
        if not _DATED.fullmatch(name) or not (pointer.parent / name).is_file():
            raise BrokenPointerError(pointer, name)
        path = pointer.parent / name
    else:
        path = run.read(f"atlas/asr_signal_{date.fromisoformat(as_of).isoformat()}.jsonl")
    return _unique(path, read_records(path, Signal))


def _unique(path: Path, records: Iterable[Signal]) -> list[Signal]:
    signals = list(records)
    seen: dict[str, int] = {}
    for line, signal in enumerate(signals, start=1):
        for key in {signal.label, *signal.aliases}:
            first = seen.setdefault(key, line)
            if first != line:
                raise BadLineError(path, line, "aliases", f"the same model or alias as record {first}")
    return signals


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(path)


def write_schema() -> None:
    """Write the schema into the package; run after a change of the model."""
    SCHEMA_FILE.write_text(json.dumps(schema(), indent=2) + "\n", encoding="utf-8", newline="\n")
