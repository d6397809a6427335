"""Columns of a table of labels by name; an error lists names only where the first row is a header."""

import pandas as pd

from ff_helpers.errors import FFError, is_name, quoted

SHOWN = 12
"""How many column names are listed; the rest are counted."""


class NoColumnError(FFError):
    """A column that the table does not have."""

    def __init__(self, column: str, columns: str) -> None:
        super().__init__(f"there is no column {column!r}. {columns}")


class SameNameError(FFError):
    """A name that several columns have."""

    def __init__(self, column: str, places: list[int]) -> None:
        where = " and ".join(map(str, places))
        super().__init__(
            f"columns {where} are both called {column!r}, so the name does not say which is meant. "
            "Rename one of them in the first row of the file."
        )


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
        NoColumnError: there is none.
        SameNameError: there are several.
    """
    places = [place for place, column in enumerate(frame.columns, start=1) if column == name]
    if not places:
        raise NoColumnError(name, columns_text(frame))
    if len(places) > 1:
        raise SameNameError(name, places)
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
