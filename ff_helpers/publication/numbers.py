"""Every number of a paper as a generated macro: `\\ff{asr-by-intent/format-lock/strict/graded/asr}`.

A typed figure can go stale or lose its grader. `numbers.tex` holds each cell of the
run's tables under a key, a rate never without its interval, and the first use of a table's numbers sets its
disclosure as a footnote (once, where several tables have the same): every macro carries it. Footnotes that
name the same graders name them in full in the first only.
"""

import re
from collections.abc import Iterator, Sequence

import pandas as pd

from ff_helpers.columns import column as declared
from ff_helpers.errors import FFError, named
from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.paths import Run
from ff_helpers.publication.explore import read_table, table_disclosure
from ff_helpers.publication.pages import TEMPLATES, write_page
from ff_helpers.publication.prose import Prose, points, say
from ff_helpers.publication.tex import tex

NAME = "tex/numbers.tex"
_AFTER_GRADERS = " Tier: "


def save_numbers(run: Run, tables: Sequence[str]) -> Prose:
    """Write tex/numbers.tex: one macro for each number of some tables, and the disclosure of each table.

    The key is table, row, column, joined by `/`, in lower case with `-` for anything but letters, digits,
    `.` and `:`. The row is named by its leading text columns, as many as needed.

    Args:
        run: whose tables are read. A number is set as the registry of columns says: a rate with its interval
            in percent, a difference of two rates in percentage points, anything else as it is.
        tables: their names.

    Raises:
        MissingInputError: no step has written a table yet.
        FFError: the text columns do not tell the rows of a table apart.
    """
    head = (TEMPLATES / "numbers.tex").read_text(encoding="utf-8")
    lines: list[str] = []
    count = 0
    disclosures: dict[str, str] = {}
    graders: dict[str, str] = {}
    for name in tables:
        known = len(disclosures)
        table = read_table(run, name)
        said = table_disclosure(run, name)
        # Tables with the same disclosure share its footnote.
        note = disclosures.setdefault(said, f"d{len(disclosures) + 1}")
        if len(disclosures) > known:
            who, mark, rest = said.partition(_AFTER_GRADERS)
            if who not in graders:
                graders[who] = f"g{len(graders) + 1}"
                lines.append(f"\\ff@graders{{{graders[who]}}}{{{tex(who)}}}")
            lines.append(f"\\ff@disclosure{{{note}}}{{{graders[who]}}}{{{tex((mark + rest).strip())}}}")
        for key, value in _numbers(name, table):
            lines.append(f"\\ff@def{{{key}}}{{{note}}}{{{tex(value)}}}")
            count += 1
    write_page(run.write(NAME), head + "\n".join(lines) + "\n\\makeatother\n")
    return say("{count} numbers of {tables} tables, each a macro.", count=count, tables=len(tables))


def slug(text: str) -> str:
    """Return a text as part of a key: lower case, `-` for all but letters, digits, `.` and `:`."""
    return re.sub(r"[^a-z0-9.:]+", "-", text.lower()).strip("-")


def _numbers(name: str, table: pd.DataFrame) -> Iterator[tuple[str, str]]:
    words = [str(c) for c in table.columns if not pd.api.types.is_numeric_dtype(table[c])]
    keys = _keys(name, table, words)
    columns = [str(c) for c in table.columns if pd.api.types.is_numeric_dtype(table[c])]
    bounds = {f"{column}_{end}" for column in columns for end in ("low", "high")} & set(columns)
    for column in (c for c in columns if c not in bounds):
        for key, value in zip(keys, _values(table, column), strict=True):
            yield f"{key}/{slug(column)}", value


def _keys(name: str, table: pd.DataFrame, words: list[str]) -> list[str]:
    for width in range(1, len(words) + 1):
        keys = ["/".join(slug(str(v)) for v in row) for row in table[words[:width]].itertuples(index=False)]
        if len(set(keys)) == len(keys):
            return [f"{slug(name)}/{key}" for key in keys]
    if len(table) == 1:
        return [slug(name)]
    raise FFError(
        f"tables/{name}.csv: two rows have the same {', '.join(map(named, words)) or 'key: no text column'}; "
        "every macro needs its own name. Save a table with a column that tells its rows apart."
    )


def _values(table: pd.DataFrame, column: str) -> list[str]:
    known = declared(column)
    unit = known.unit if known else "share"
    ends = [f"{column}_low", f"{column}_high"]
    if not set(ends) <= set(table.columns):
        return [_number(float(value), unit) for value in table[column]]
    rows = zip(*(table[name] for name in (column, *ends)), strict=True)
    return [_with_interval(float(value), float(low), float(high), unit) for value, low, high in rows]


def _number(value: float, unit: str) -> str:
    if pd.isna(value):
        return "not determinable"
    return points(value) if unit == "points" else f"{value:.6g}".replace("-", "−")


def _with_interval(value: float, low: float, high: float, unit: str) -> str:
    if pd.isna(value):
        return "not determinable"
    if unit == "points":
        return f"{points(value)} [{points(low)}, {points(high)}]"
    if unit in ("number", "coefficient"):
        return f"{value:.2f} [{low:.2f}, {high:.2f}]".replace("-", "−")
    return f"{percent(value)}% [{percent(low)}, {percent(high)}]"
