"""Which class a cell of a label file names: the cell itself, yes or no, or by a map.

Labels are text. A cell that says NA or None holds a label; only an empty one holds none.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from ff_helpers.errors import FFError

Mapped = Mapping[str, str | None]
"""Raw value -> class; None: no class."""
BOOLEANS: Final = (("true", "false"), ("True", "False"), ("TRUE", "FALSE"), ("1", "0"), ("1.0", "0.0"))
"""Spellings of yes and no that count as the same where every true label is one of them."""
_MEANS: Final = {name: place for pair in BOOLEANS for place, name in enumerate(pair)}
SHOWN: Final = 40
"""Characters of a value that an error or a card shows."""
MOST_CLASSES: Final = 100
"""More different values, or one longer than twice `SHOWN`, are text, not labels."""


class BadTruthError(FFError):
    """A true label without a class."""

    def __init__(self, column: str, line: object, value: str, known: int) -> None:
        super().__init__(
            f"line {line}, column {column!r}: the cell, of {len(value)} characters, is not one of the "
            f"{known} true labels that the map names. Correct the cell, or name its value in the map "
            "(--map); null there leaves its rows out."
        )


class NoLabelColumnError(FFError):
    """A column that does not hold labels."""

    def __init__(self, classes: Sequence[str]) -> None:
        super().__init__(
            f"the column of true labels holds {len(classes)} different values, the longest of "
            f"{max(map(len, classes))} characters. Labels are at most {MOST_CLASSES} values of at most "
            f"{2 * SHOWN} characters: name another column, or map its values to classes (--map)."
        )


def texts(column: "pd.Series[str]") -> "pd.Series[str]":
    """Return a column of any type as text, "" where it is empty."""
    return column.astype("str").fillna("")


def true_labels(column: "pd.Series[str]", mapped: Mapped | None) -> "pd.Series[str]":
    """Return the class of each true label, missing where it has none."""
    text = texts(column)
    if mapped is None:
        return text.where(text != "", None)
    for line, value in text.items():
        if value and value not in mapped:
            raise BadTruthError(str(column.name), line, value, len(mapped))
    return text.map(mapped.get)


def classes_of(true: "pd.Series[str]", mapped: Mapped | None) -> tuple[str, ...]:
    """Return the classes: those of the map in its order, else what the truth says, sorted.

    Raises:
        NoLabelColumnError: too many, or one that is too long to be a label.
    """
    if mapped is not None:
        return tuple(dict.fromkeys(name for name in mapped.values() if name is not None))
    said = Counter(map(str, true.dropna()))
    if all(value in _MEANS for value in said):
        # yes and no as the truth spells them most often, both of them even if it has only one
        return max(BOOLEANS, key=lambda pair: (sum(said[name] for name in pair), -BOOLEANS.index(pair)))
    if len(said) > MOST_CLASSES or max(map(len, said)) > 2 * SHOWN:
        raise NoLabelColumnError(tuple(said))
    return tuple(sorted(said))


def class_of(value: str, classes: Sequence[str], mapped: Mapped | None) -> str | None:
    """Return the class of a value, None where it has none."""
    if mapped is not None:
        name = mapped.get(value)
        return name if name in classes else None
    if value in classes:
        return value
    if value in _MEANS and all(name in _MEANS for name in classes):
        return next((name for name in classes if _MEANS[name] == _MEANS[value]), None)
    return None


def cut(value: str) -> str:
    """Return a value as it may be printed: quoted, escaped, never long."""
    return repr(short(value))


def short(value: str) -> str:
    """Return at most `SHOWN` characters of a value."""
    return value if len(value) <= SHOWN else value[:SHOWN] + "..."
