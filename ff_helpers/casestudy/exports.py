"""Exports of model catalogues: counts per model name, in the published JSON form or as CSV.

The published form (ModelAtlas site export) has `models`, each with model_name, numerator, denominator,
asr_pct and classifiers_used; the CSV form has model_name, compliance, graded, classifiers (joined by `|`).
"""

import csv
import json
from pathlib import Path
from typing import Final

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ff_helpers.corpus.jsonl import kind_of
from ff_helpers.errors import FFError

COLUMNS: Final = ("model_name", "compliance", "graded", "classifiers")


class BadExportError(FFError):
    """An invalid value in an export, named file:place:field."""

    def __init__(self, path: Path, place: str, problem: str) -> None:
        super().__init__(
            f"{path}{':' + place if place else ''}: {problem}. Expected {', '.join(COLUMNS)} as CSV, or JSON "
            "with `models` (model_name, numerator, denominator, classifiers_used)."
        )


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
        BadExportError: no such file; neither CSV nor JSON of that form; a field missing or wrong; counts
            that contradict each other or the printed percentage; a duplicate name.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadExportError(path, "", "no such file") from None
    except UnicodeDecodeError:
        raise BadExportError(path, "", "not UTF-8 text") from None
    placed = _from_json(path, text) if text.lstrip().startswith(("{", "[")) else _from_csv(path, text)
    seen: dict[str, str] = {}
    rows = []
    for place, raw in placed:
        row = _row(path, place, raw)
        first = seen.setdefault(row.model_name, place)
        if first != place:
            raise BadExportError(path, f"{place}:model_name", f"the same name as at {first}")
        rows.append((row.model_name, row.compliance, row.graded, "|".join(row.classifiers)))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"model_name": "str", "compliance": "int64", "graded": "int64", "classifiers": "str"})


def _from_json(path: Path, text: str) -> list[tuple[str, object]]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadExportError(path, str(error.lineno), f"not JSON: {error.msg}") from None
    models = content.get("models") if isinstance(content, dict) else content
    if not isinstance(models, list):
        raise BadExportError(path, "models", "must be a list")
    return [(f"models.{number}", raw) for number, raw in enumerate(models)]


def _from_csv(path: Path, text: str) -> list[tuple[str, object]]:
    reader = csv.DictReader(text.splitlines())
    lacking = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
    if lacking:
        raise BadExportError(path, "1", f"this is {kind_of(path)}, and its header lacks {', '.join(lacking)}")
    found: list[tuple[str, object]] = []
    for row in reader:
        if None in row.values():
            raise BadExportError(path, str(reader.line_num), "the line has too few fields")
        names = [name for name in str(row["classifiers"]).split("|") if name]
        found.append((str(reader.line_num), {**row, "classifiers": names}))
    return found


def _row(path: Path, place: str, raw: object) -> ExportedRow:
    try:
        row = ExportedRow.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise BadExportError(path, ":".join([place, *map(str, first["loc"])]), first["msg"]) from None
    if row.compliance > row.graded:
        problem = f"{row.compliance} of {row.graded} is not a proportion"
        raise BadExportError(path, f"{place}:compliance", problem)
    if any("|" in name for name in row.classifiers):
        raise BadExportError(path, f"{place}:classifiers_used", "a name with `|` in it")
    printed = row.asr_pct
    # Printed with one decimal; a tie may have been rounded either way.
    if printed is not None and row.graded and abs(100 * row.compliance / row.graded - printed) > 0.0500001:
        problem = f"{printed} is not {row.compliance} of {row.graded} in percent"
        raise BadExportError(path, f"{place}:asr_pct", problem)
    return row
