"""Exports of model catalogues: counts per model name, read from the published JSON form or CSV, and written.

The published form (ModelAtlas site export) has `models`, each with model_name, numerator, denominator,
asr_pct and classifiers_used; the CSV form has model_name, compliance, graded, classifiers (joined by `|`).
The signal is written under the published names for consumers that read those. Next to each rate is what the
published form leaves out: interval, confidence and what is known of the graders; models without a rate are
listed apart.
"""

import csv
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from ff_helpers.corpus.jsonl import kind_of
from ff_helpers.errors import FFError
from ff_helpers.publication.atlas.signal import VERSION, Rate, Signal, named_apart

COLUMNS: Final = ("model_name", "compliance", "graded", "classifiers")


class ExportedRow(BaseModel):
    """One model name of an export: COMPLIANCE counted among graded traces, and who graded."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    model_name: str = Field(min_length=1)
    compliance: int = Field(ge=0, alias="numerator")
    graded: int = Field(ge=0, alias="denominator")
    classifiers: tuple[str, ...] = Field(alias="classifiers_used")
    asr_pct: float | None = None


def read_export(path: Path) -> pd.DataFrame:
    """Return an export, one row per model name, in the order of the file.

    Returns:
        model_name (str), compliance, graded (int), classifiers (str, joined by `|`).

    Raises:
        FFError: no such file; neither CSV nor JSON of that form; a field missing or wrong; counts
            that contradict each other or the printed percentage; a duplicate name.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise _bad(path, "", "no such file") from None
    except UnicodeDecodeError:
        raise _bad(path, "", "not UTF-8 text") from None
    placed = _from_json(path, text) if text.lstrip().startswith(("{", "[")) else _from_csv(path, text)
    seen: dict[str, str] = {}
    rows = []
    for place, raw in placed:
        row = _row(path, place, raw)
        first = seen.setdefault(row.model_name, place)
        if first != place:
            raise _bad(path, f"{place}:model_name", f"the same name as at {first}")
        rows.append((row.model_name, row.compliance, row.graded, "|".join(row.classifiers)))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"model_name": "str", "compliance": "int64", "graded": "int64", "classifiers": "str"})


def _bad(path: Path, place: str, problem: str) -> FFError:
    return FFError(
        f"{path}{':' + place if place else ''}: {problem}. Expected {', '.join(COLUMNS)} as CSV, or JSON "
        "with `models` (model_name, numerator, denominator, classifiers_used)."
    )


def _from_json(path: Path, text: str) -> list[tuple[str, object]]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise _bad(path, str(error.lineno), f"not JSON: {error.msg}") from None
    models = content.get("models") if isinstance(content, dict) else content
    if not isinstance(models, list):
        raise _bad(path, "models", "must be a list")
    return [(f"models.{number}", raw) for number, raw in enumerate(models)]


def _from_csv(path: Path, text: str) -> list[tuple[str, object]]:
    reader = csv.DictReader(text.splitlines())
    lacking = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
    if lacking:
        raise _bad(path, "1", f"this is {kind_of(path)}, and its header lacks {', '.join(lacking)}")
    found: list[tuple[str, object]] = []
    for row in reader:
        if None in row.values():
            raise _bad(path, str(reader.line_num), "the line has too few fields")
        names = [name for name in str(row["classifiers"]).split("|") if name]
        found.append((str(reader.line_num), {**row, "classifiers": names}))
    return found


def _row(path: Path, place: str, raw: object) -> ExportedRow:
    try:
        row = ExportedRow.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise _bad(path, ":".join([place, *map(str, first["loc"])]), first["msg"]) from None
    if row.compliance > row.graded:
        problem = f"{row.compliance} of {row.graded} is not a proportion"
        raise _bad(path, f"{place}:compliance", problem)
    if any("|" in name for name in row.classifiers):
        raise _bad(path, f"{place}:classifiers_used", "a name with `|` in it")
    printed = row.asr_pct
    # Printed with one decimal; a tie may have been rounded either way.
    if printed is not None and row.graded and abs(100 * row.compliance / row.graded - printed) > 0.0500001:
        problem = f"{printed} is not {row.compliance} of {row.graded} in percent"
        raise _bad(path, f"{place}:asr_pct", problem)
    return row


def compat_text(signals: Sequence[Signal], *, as_of: date) -> str:
    """Return the records in the published form, highest rate first; percents with one decimal."""
    rated = [
        (signal, signal.asr)
        for signal in named_apart(signals)
        if signal.asr and signal.asr.overall is not None
    ]
    exported = {signal.label for signal, _ in rated if signal.origin == "export"}
    content: dict[str, JsonValue] = {
        "generated_at": as_of.isoformat(),
        "query_name": "flip_graded_asr_by_model",
        "grading_method": "see `graders` of each model",
        "signal_version": VERSION,
        "model_count": len(rated),
        "models": [_model(signal, rate, exported) for signal, rate in rated],
        "without_rate": [
            {"model_name": signal.label, "reason": signal.asr_reason or "no row counts"}
            for signal in signals
            if not (signal.asr and signal.asr.overall is not None)
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _model(signal: Signal, rate: Rate, exported: set[str]) -> dict[str, JsonValue]:
    # Consumers look models up by name: one that is exported and graded here too has two.
    again = signal.origin == "ledger" and signal.label in exported
    headline = [grader for grader in signal.graders if grader.headline]
    return {
        "model_name": f"{signal.label} (graded here)" if again else signal.label,
        "asr_pct": round(100 * rate.k / rate.n, 1),
        "numerator": rate.k,
        "denominator": rate.n,
        "classifiers_used": [name for grader in headline for name in grader.spellings],
        "asr_pct_low": round(100 * rate.ci_low, 1),
        "asr_pct_high": round(100 * rate.ci_high, 1),
        "confidence": signal.confidence,
        "tier": rate.tier,
        "denominator_of": rate.denominator,
        "origin": signal.origin,
        "aliases": list(signal.aliases),
        "unresolved_reason": signal.unresolved_reason,
        "mixes_graders": signal.mixes_graders,
        "with_accuracy": signal.with_accuracy,
        "graders": [
            {
                "grader": grader.grader,
                "standing": grader.standing,
                "gate": grader.gate,
                "accuracy": grader.accuracy,
                "accuracy_low": grader.ci_low,
                "accuracy_high": grader.ci_high,
                "accuracy_n": grader.n,
                "why": grader.why,
            }
            for grader in headline
        ],
    }
