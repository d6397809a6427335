"""The registry of columns: every column of a published table, declared once in `columns.csv`.

Headings, units, CSV-on-the-Web headers and the glossary take their words from here. `x_low` and `x_high` are
always the bounds of the 95% interval of `x`; `x_k` and `x_n` are the counts behind `x`, hits and rows.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Literal, cast

from ff_helpers.paths import PACKAGE

if TYPE_CHECKING:
    import pandas as pd

Unit = Literal["text", "flag", "date", "count", "share", "points", "number", "coefficient", "p", "seconds"]
BOUNDS = {"_low": "lower bound of the 95% interval of", "_high": "upper bound of the 95% interval of"}
COUNTS = {"_k": "hits behind", "_n": "rows behind"}


@dataclass(frozen=True)
class Column:
    """One column of published tables.

    Attributes:
        name: in frames and CSV files.
        dtype: int, float, str or bool.
        unit: how its values are read; one of UNITS.
        heading: what people read above it.
        meaning: what it holds.
    """

    name: str
    dtype: str
    unit: Unit
    heading: str
    meaning: str


@cache
def packaged(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a CSV file that ships with this package, such as `columns.csv`."""
    with (PACKAGE / name).open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def worded(name: str) -> dict[str, str]:
    """Return a packaged CSV file of two columns as a mapping: a word, and what it says."""
    rows = packaged(name)
    word, meaning = rows[0]
    return {row[word]: row[meaning] for row in rows}


UNITS: Mapping[Unit, str] = cast(Mapping[Unit, str], worded("units.csv"))
"""How the values of each unit are read."""


@cache
def columns() -> dict[str, Column]:
    """Return every declared column by its name, in the order in which they are declared."""
    return {row["name"]: Column(**row) for row in packaged("columns.csv")}  # type: ignore[arg-type]


@cache
def dtypes(frame: str) -> dict[str, str]:
    """Return the columns of a frame, each with its type (`frames.csv`), in order.

    Args:
        frame: the function that returns it; or `verdicts` (a ledger), `traces` and `graders` (of a campaign),
            `history` (of corrections).
    """
    return {row["column"]: row["dtype"] for row in packaged("frames.csv") if row["frame"] == frame}


def declared(frame: str, rows: Sequence[object]) -> "pd.DataFrame":
    """Return rows as a frame with its declared columns and types; what a row lacks is missing.

    Args:
        frame: as for `dtypes`.
        rows: one per row of the frame: mappings by column, or values in the order of the columns.
    """
    import pandas as pd

    types = dtypes(frame)
    return pd.DataFrame(rows, columns=list(types)).astype(types)


def column(name: str, like: Mapping[str, str] | None = None) -> Column | None:
    """Return a column: declared, a bound or count of a declared one, or like one; else None.

    Args:
        name: of the column.
        like: columns that are named after a grader, and the declared column that each is like.
    """
    alias = dict(like or {})
    if name in alias:
        same = columns()[alias[name]]
        return replace(same, name=name, heading=name, meaning=f"{same.meaning}; {name}")
    if name in columns():
        return columns()[name]
    for ends, of in ((BOUNDS, "float"), (COUNTS, "int")):
        stem, end = next(((name.removesuffix(e), e) for e in ends if name.endswith(e)), ("", ""))
        known = column(stem, like) if stem else None
        if known is not None and known.unit not in ("text", "flag", "date"):
            unit: Unit = known.unit if of == "float" else "count"
            heading = f"{known.heading}, {end[1:]}"
            return Column(name, of, unit, heading, f"{ends[end]} `{stem}`: {known.meaning}")
    return None


def heading(name: str, like: Mapping[str, str] | None = None) -> str:
    """Return the heading of a column; for an undeclared one, its name in words."""
    known = column(name, like)
    return known.heading if known else name.replace("_", " ")
