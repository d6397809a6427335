"""A choice of rows by a pandas query that can compare columns and do nothing else."""

import ast
import re

import pandas as pd

from ff_helpers.errors import FFError
from ff_helpers.measurement.labels.columns import column_of, columns_text

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
        SameNameError: a name that several columns have.
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
