"""Columns of a table of labels by name, and the choice of rows by a query that compares columns.

An error lists names only where the first row is a header. A query can compare columns and do nothing else.
"""

import ast
import re

import pandas as pd

from ff_helpers.errors import FFError, is_name, quoted

SHOWN = 12
"""How many column names are listed; the rest are counted."""


class SameColumnError(FFError):
    """One column named twice where two are to be compared."""

    def __init__(self, column: str, one: str, other: str) -> None:
        super().__init__(
            f"{one} and {other} are both column {column!r}: a column always agrees with itself. "
            " Name two columns."
        )


def column_of(frame: pd.DataFrame, name: str) -> "pd.Series[str]":
    """Return the one column of this name.

    Raises:
        FFError: there is none, or there are several.
    """
    places = [place for place, column in enumerate(frame.columns, start=1) if column == name]
    if not places:
        raise FFError(f"there is no column {name!r}. {columns_text(frame)}")
    if len(places) > 1:
        raise FFError(
            f"columns {' and '.join(map(str, places))} are both called {name!r}, so the name does not say "
            "which is meant. Rename one of them in the first row of the file."
        )
    return frame[name]


def columns_text(frame: pd.DataFrame) -> str:
    """Return the names of the columns, or only their number where the first row is not a header."""
    names = [str(column) for column in frame.columns]
    if not all(_heads(name, frame.iloc[:, place]) for place, name in enumerate(names)):
        return (
            f"The table has {len(names)} columns, and its first row does not look like their names: it must "
            "be a header."
        )
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"Columns: {', '.join(map(quoted, names[:SHOWN]))}{more}."


def _heads(name: str, cells: "pd.Series[str]") -> bool:
    """Return whether a name is the header of these cells, rather than one of them.

    A name has a letter, occurs in no cell below it, and is one word where the cells are texts.
    """
    below = cells.astype("str")
    texts = " " in name and bool(len(below)) and below.str.contains(" ").mean() >= 0.5
    return is_name(name) and any(map(str.isalpha, name)) and not texts and not (below == name).any()


ASKS = frozenset({"isin", "isna", "notna", "between", "str", "contains", "startswith", "endswith", "lower"})
"""The methods of a column that a query may call, besides comparing it."""
_GRAMMAR = (
    *(ast.Expression, ast.BoolOp, ast.boolop, ast.UnaryOp, ast.unaryop, ast.Compare, ast.cmpop, ast.Load),
    *(ast.BinOp, ast.BitAnd, ast.BitOr, ast.Name, ast.Constant, ast.List, ast.Tuple),
    *(ast.Call, ast.Attribute, ast.keyword),
)


class BadQueryError(FFError):
    """A choice of rows that cannot be made."""

    def __init__(self, query: str, problem: str) -> None:
        super().__init__(
            f"cannot choose rows by {query!r}: {problem}. Compare columns with values, join with and, or, "
            "not, as in \"model == 'm1' and score >= 2\"; names of other signs go in backticks; a column may "
            f"be asked {', '.join(sorted(ASKS))}."
        )


def where(frame: pd.DataFrame, query: str) -> pd.DataFrame:
    """Return the rows that a pandas query keeps.

    A column in which every filled cell is a number compares as numbers, one of only true and false as
    booleans, every other one as text. The query is checked before pandas sees it: no variables, no
    functions, nothing of a column but `ASKS`.

    Raises:
        BadQueryError: an invalid query, an unknown column, or no row kept.
        FFError: a name that several columns have.
    """
    names: dict[str, str] = {}

    def plain(found: re.Match[str]) -> str:
        """Put a plain name for a name in backticks; leave a quoted text alone."""
        if found[1] is None:
            return found[0]
        names[f"column{len(names)}_"] = found[1]
        return next(reversed(names))

    text = re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`([^`]*)`", plain, query.strip())
    used = {name: names.get(name, name) for name in _names(query, text)}
    if unknown := [column for column in used.values() if column not in frame.columns]:
        raise BadQueryError(query, f"there is no column {unknown[0]!r}. {columns_text(frame)[:-1]}")
    typed = pd.DataFrame(
        {name: _typed(column_of(frame, column)) for name, column in used.items()}, index=frame.index
    )
    try:
        kept = typed.eval(text, engine="python")
    except Exception as error:  # pandas raises whatever its parts do, in words that may quote a cell
        problem = f"cannot compare ({type(error).__name__}): compare numbers with numbers, text with text"
        raise BadQueryError(query, problem) from None
    if not isinstance(kept, pd.Series) or kept.dtype != bool:
        raise BadQueryError(query, "it does not give yes or no for each row")
    if not kept.any():
        raise BadQueryError(query, f"it keeps none of the {len(frame)} rows")
    return frame[kept]


def _names(query: str, text: str) -> list[str]:
    """Return the names in a query, after a look at every part of it."""
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        raise BadQueryError(query, "it is not a query") from None
    for node in ast.walk(tree):
        if not isinstance(node, _GRAMMAR):
            raise BadQueryError(query, f"it may hold no {type(node).__name__.lower()}")
        if isinstance(node, ast.Attribute) and node.attr not in ASKS:
            raise BadQueryError(query, f"it asks for {node.attr!r}")
        if isinstance(node, ast.Call) and not isinstance(node.func, ast.Attribute):
            raise BadQueryError(query, "it calls a function")
    return list(dict.fromkeys(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)))


def _typed(column: "pd.Series[str]") -> "pd.Series[str] | pd.Series[bool] | pd.Series[float]":
    """Return a column as a query compares it."""
    filled = column[column != ""]
    if len(column) and column.str.lower().isin(("true", "false")).all():
        return column.str.lower() == "true"
    numbers = pd.to_numeric(filled, errors="coerce")
    return numbers.reindex(column.index) if len(filled) and numbers.notna().all() else column
