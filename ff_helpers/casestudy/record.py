"""Readers of the published facts in data/published/: each file validated, each error with its line.

The facts are what the Failure-First programme printed, each row with its source. Their words that
are not verdicts (ERROR, NOT_GRADED, ...) stay as printed: what they cover is not published, so they
are counted as statuses and never mapped onto ours. `published.csv` says what is in each file's columns.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from ff_helpers import paths
from ff_helpers.columns import packaged
from ff_helpers.errors import FFError, quoted
from ff_helpers.terms import TIERS, VERDICTS

PUBLISHED_STATUSES: Final = ("NOT_GRADEABLE", "NOT_GRADED", "ERROR", "PARSE_ERROR", "INFRA_ERROR")
"""The programme's own words for rows without a verdict."""

_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "verdict": VERDICTS,
    "verdict or status": (*VERDICTS, *PUBLISHED_STATUSES),
    "tier": tuple(TIERS),
}
_LIMITS: Final = {"share": (0.0, 1.0), "percent": (0.0, 100.0), "number": (-1.0, 1.0)}
_PARTS_OF: Final = {"k": "n", "correct": "n", "compliance": "graded"}
"""A count that cannot exceed another one of its row."""


def published(name: str) -> pd.DataFrame:
    """Return a file of published facts, validated, in the order of the file.

    Args:
        name: the file's name in data/published/ without `.csv`, such as `crescendo_final_verdicts`.

    Returns:
        The columns of the file: counts as Int64, shares and other numbers as float64 (printed
        percents stay percents, as printed), the rest str.

    Raises:
        FFError: no such file; a missing or unknown column, a label outside the vocabulary, an invalid
            count or one that exceeds its total, or a repeated row; named file:line:field.
    """
    path, known = paths.data() / "published" / f"{name}.csv", packaged("casestudy/published.csv")
    columns = [row for row in known if row["file"] == name]
    if not columns or not path.is_file():
        names = sorted({row["file"] for row in known})
        raise FFError(
            f"{path}: there are no published facts {name!r}. Known: {', '.join(names)}. "
            "They are part of the repository: `git checkout -- data/published` brings them back."
        )
    kinds = {row["column"]: row["kind"] for row in columns}
    _check(path, kinds, key=[row["column"] for row in columns if row["key"]])
    types = {column: _type(kind.rstrip("?")) for column, kind in kinds.items()}
    facts = pd.read_csv(path, dtype="str", keep_default_na=False, na_values="")
    return facts[list(kinds)].astype(types)


def _type(kind: str) -> str:
    if kind == "count":
        return "Int64"
    return "float64" if kind in _LIMITS else "str"


def _check(path: Path, kinds: Mapping[str, str], key: Sequence[str]) -> None:
    seen: dict[tuple[str, ...], int] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if sorted(reader.fieldnames or []) != sorted(kinds):
            raise _bad(path, 1, "header", f"the columns must be {', '.join(kinds)}")
        for row in reader:
            line = reader.line_num
            for column, kind in kinds.items():
                problem = _problem(row[column], kind)
                if problem:
                    raise _bad(path, line, column, problem)
            for part, whole in _PARTS_OF.items():
                if part in kinds and int(row[part]) > int(row[whole]):
                    raise _bad(path, line, part, f"{row[part]} is more than {whole} = {row[whole]}")
            first = seen.setdefault(tuple(row[column] for column in key), line)
            if first != line:
                raise _bad(path, line, key[0], f"the same {' and '.join(key)} as line {first}")


def _bad(path: Path, line: int, field: str, problem: str) -> FFError:
    mend = f"`git checkout -- data/published/{path.name}` brings the published value back."
    return FFError(f"{path}:{line}:{field}: {problem}. {mend}")


def _problem(value: str | None, kind: str) -> str | None:
    """Return what is wrong with a value, or None."""
    if value is None:
        return "the line has too few fields"
    if value == "":
        return None if kind.endswith("?") else "empty"
    kind = kind.rstrip("?")
    if kind in _WORDS and value not in _WORDS[kind]:
        return f"{quoted(value)} is not a known {kind}. Allowed: {', '.join(_WORDS[kind])}"
    if kind == "count" and not (value.isascii() and value.isdecimal()):
        return f"{quoted(value)} is not a count. Allowed: a whole number, 0 or more"
    if kind in _LIMITS:
        low, high = _LIMITS[kind]
        number = pd.to_numeric(value, errors="coerce")
        if not low <= number <= high:
            return f"{quoted(value)} is not a number from {low:g} to {high:g}"
    return None
