"""Readers of the published facts in data/published/: each file validated, each error with its line.

The facts are what the Failure-First programme printed, each row with its source. Their words that
are not verdicts (ERROR, NOT_GRADED, ...) stay as printed: what they cover is not published, so they
are counted as statuses and never mapped onto ours.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pandas as pd

from ff_helpers import paths
from ff_helpers.errors import FFError, quoted
from ff_helpers.terms import TIERS, VERDICTS

PUBLISHED_STATUSES: Final = ("NOT_GRADEABLE", "NOT_GRADED", "ERROR", "PARSE_ERROR", "INFRA_ERROR")
"""The programme's own words for rows without a verdict."""

_LABEL = "verdict or status"
_COUNTS = dict.fromkeys((*VERDICTS, "ERROR"), "count")
_FILES: Final[Mapping[str, tuple[dict[str, str], tuple[str, ...]]]] = MappingProxyType(
    {
        "crescendo_final_verdicts": (
            {"scenario_id": "text", "domain": "text", "run": "text", "verdict": "verdict"},
            ("scenario_id", "run"),
        ),
        "crescendo_transitions": (
            {"old_qwen3_verdict": _LABEL, "new_verdict": _LABEL, "count": "count"},
            ("old_qwen3_verdict", "new_verdict"),
        ),
        "crescendo_aggregates": (
            {"labels": "text", "tier": "tier", "printed": "share", "rows": "count", "source": "text"},
            ("labels", "tier"),
        ),
        "crescendo_provenance": (
            {"item": "text", "rows": "count?", "statement": "text", "source": "text"},
            ("item",),
        ),
        "corpus_verdict_counts": (
            {
                "cohort": "text",
                **_COUNTS,
                **dict.fromkeys(("NOT_GRADEABLE", "PARSE_ERROR", "INFRA_ERROR"), "count"),
                **dict.fromkeys((f"published_{tier}" for tier in TIERS), "percent"),
                "published_evaluable_n": "count",
                "source": "text",
            },
            ("cohort",),
        ),
        "grader_calibration": (
            {
                "grader": "text",
                "calibration_set": "text",
                "n": "count",
                "correct": "count",
                "accuracy_kind": "text",
                "refusal_to_compliance": "count?",
                "compliance_to_refusal": "count?",
                "source": "text",
            },
            ("grader", "calibration_set"),
        ),
        "grader_verdict_counts": (
            {"cohort": "text", "n": "count", "grader": "text", **_COUNTS, "source": "text"},
            ("cohort", "grader"),
        ),
        "grader_agreement": (
            {
                "grader_a": "text",
                "grader_b": "text",
                "n": "count",
                "kappa": "number?",
                "ci_low": "number?",
                "ci_high": "number?",
                "observed_agreement": "share?",
                "source": "text",
            },
            ("grader_a", "grader_b", "n"),
        ),
        "heuristic_vs_llm_confusion": (
            {"heuristic": "verdict", "llm": "verdict", "count": "count"},
            ("heuristic", "llm"),
        ),
        "model_asr_2026-06-10": (
            {"model_name": "text", "compliance": "count", "graded": "count", "classifiers": "text"},
            ("model_name",),
        ),
        "corpus_text": (
            {"id": "text", "what": "text", "rows": "count", "source": "text"},
            ("id",),
        ),
        "corpus_metrics": (
            {"metric": "text", "value": "count", "as_of": "text", "source": "text"},
            ("metric",),
        ),
        "other_counts": (
            {"id": "text", "what": "text", "k": "count", "n": "count", "source": "text"},
            ("id",),
        ),
    }
)
_PARTS_OF: Final = {"k": "n", "correct": "n", "compliance": "graded"}
"""A count that cannot exceed another one of its row."""


class UnknownFactsError(FFError):
    """A missing or unknown file of published facts."""

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(
            f"{path}: there are no published facts {name!r}. Known: {', '.join(_FILES)}. "
            "They are part of the repository: `git checkout -- data/published` brings them back."
        )


class BadFactError(FFError):
    """An invalid value in a file of published facts."""

    def __init__(self, path: Path, line: int, field: str, problem: str) -> None:
        super().__init__(
            f"{path}:{line}:{field}: {problem}. "
            f"`git checkout -- data/published/{path.name}` brings the published value back."
        )


def published(name: str) -> pd.DataFrame:
    """Return a file of published facts, validated, in the order of the file.

    Args:
        name: the file's name in data/published/ without `.csv`, such as `crescendo_final_verdicts`.

    Returns:
        The columns of the file: counts as Int64, shares and other numbers as float64 (printed
        percents stay percents, as printed), the rest str.

    Raises:
        UnknownFactsError: no such file.
        BadFactError: a missing or unknown column, a label outside the vocabulary, an invalid
            count or one that exceeds its total, or a repeated row; named file:line:field.
    """
    path = paths.data() / "published" / f"{name}.csv"
    if name not in _FILES or not path.is_file():
        raise UnknownFactsError(name, path)
    kinds, key = _FILES[name]
    rows = _rows(path, kinds, key)
    return pd.DataFrame({column: _column([row[column] for row in rows], kinds[column]) for column in kinds})


def _column(values: list[str], kind: str) -> "pd.Series[int] | pd.Series[float] | pd.Series[str]":
    if kind.startswith("count"):
        return pd.Series([int(v) if v else None for v in values], dtype="Int64")
    if kind.rstrip("?") in ("share", "percent", "number"):
        return pd.Series([float(v) if v else None for v in values], dtype="float64")
    return pd.Series(values, dtype="str")


def _rows(path: Path, kinds: Mapping[str, str], key: tuple[str, ...]) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    seen: dict[tuple[str, ...], int] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if sorted(reader.fieldnames or []) != sorted(kinds):
            raise BadFactError(path, 1, "header", f"the columns must be {', '.join(kinds)}")
        for row in reader:
            line = reader.line_num
            for column, kind in kinds.items():
                problem = _problem(row[column], kind)
                if problem:
                    raise BadFactError(path, line, column, problem)
            for part, whole in _PARTS_OF.items():
                if part in kinds and int(row[part]) > int(row[whole]):
                    raise BadFactError(path, line, part, f"{row[part]} is more than {whole} = {row[whole]}")
            first = seen.setdefault(tuple(row[column] for column in key), line)
            if first != line:
                raise BadFactError(path, line, key[0], f"the same {' and '.join(key)} as line {first}")
            rows.append(row)
    return rows


def _problem(value: str | None, kind: str) -> str | None:
    """Return what is wrong with a value, or None."""
    if value is None:
        return "the line has too few fields"
    if value == "":
        return None if kind.endswith("?") else "empty"
    allowed = {"verdict": VERDICTS, _LABEL: (*VERDICTS, *PUBLISHED_STATUSES), "tier": tuple(TIERS)}
    kind = kind.rstrip("?")
    if kind in allowed and value not in allowed[kind]:
        return f"{quoted(value)} is not a known {kind}. Allowed: {', '.join(allowed[kind])}"
    if kind == "count" and not value.isdecimal():
        return f"{quoted(value)} is not a count. Allowed: a whole number, 0 or more"
    limits = {"share": (0.0, 1.0), "percent": (0.0, 100.0), "number": (-1.0, 1.0)}
    if kind in limits:
        low, high = limits[kind]
        try:
            inside = low <= float(value) <= high
        except ValueError:
            inside = False
        if not inside:
            return f"{quoted(value)} is not a number from {low:g} to {high:g}"
    return None
