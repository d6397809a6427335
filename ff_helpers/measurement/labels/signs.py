"""Signs that a comparison of two columns of labels does not mean what it seems to, in sentences."""

from typing import Final

from ff_helpers.errors import named
from ff_helpers.measurement.labels.card import LabelCard

_FEW: Final = 5
"""Fewer empty cells than this are no sign."""
_MOST: Final = 0.8
"""Share of the truths of one class at which the judge is empty."""
_ENOUGH: Final = 20
"""Rows from which an agreement without an exception is worth a question."""


def signs(card: LabelCard) -> tuple[str, ...]:
    """Return what the user should look at before they take the figures for what they seem to be."""
    found, matrix, judge = [], card.matrix, named(card.grader)
    said = [sum(row[i] for row in matrix.table) for i in range(len(matrix.classes))]
    empty = [row[-1] for row in matrix.table]
    kappa = card.evidence.kappa
    if kappa is not None and kappa.high < 0:
        found.append(
            f"kappa is clearly below 0: {judge} disagrees with the truth more often than chance would. Its "
            "direction looks inverted: does its positive label mean what the truth's negative one means? A "
            "map (--map) turns it; nothing was turned here."
        )
    if sum(n > 0 for n in said) == 1 and sum(empty) == 0:
        name = matrix.classes[next(i for i, n in enumerate(said) if n)]
        found.append(f"{judge} always says {named(name)}: a constant answer measures nothing.")
    for i, name in enumerate(matrix.classes):
        truths = sum(matrix.table[i])
        if not said[i] and empty[i] >= max(_FEW, _MOST * truths, sum(empty) / 2):
            found.append(
                f"{judge} never says {named(name)}, and has no label in {empty[i]} of the {truths} rows that "
                f"are truly {named(name)}: does an empty cell mean {named(name)}? Then map it (--map): "
                f"`'': {named(name)}` under `grader:`."
            )
    if matrix.n >= _ENOUGH and matrix.k == matrix.n:
        found.append(f"the two columns agree in all {matrix.n} rows: was one of them made from the other?")
    return tuple(found)
