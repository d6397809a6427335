"""Truth against graded class: one matrix of counts, and what can be read off it.

Works on labels of any kind; `calibration` puts verdicts and label spaces on top, `agreement` a second
grader in the place of the truth. A row without a verdict has a column of its own and is wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ff_helpers.errors import FFError
from ff_helpers.measurement.intervals import Proportion, wilson

NO_VERDICT = "no verdict"


class UnknownLabelError(FFError):
    """A label outside the classes."""

    def __init__(self, where: str, label: object, classes: Sequence[str]) -> None:
        super().__init__(
            f"{where} label {label!r} is no class here. Allowed: {', '.join(classes)}"
            + (", or missing where there is no verdict." if where == "graded" else ".")
        )


@dataclass(frozen=True)
class Kappa:
    """Cohen's kappa with its 95% interval; 1 is perfect, 0 what chance would give."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Confusion:
    """Counts by truth and graded class.

    Attributes:
        classes: the classes, in the order of rows and columns.
        table: one row a true class; one column a graded class, and a last one for `no verdict`.
    """

    classes: tuple[str, ...]
    table: tuple[tuple[int, ...], ...]

    @property
    def n(self) -> int:
        """Rows."""
        return sum(map(sum, self.table))

    @property
    def k(self) -> int:
        """Rows graded right."""
        return sum(self.table[i][i] for i in range(len(self.classes)))

    @property
    def accuracy(self) -> Proportion:
        """Right rows of all rows, with Wilson interval."""
        return wilson(self.k, self.n)

    @property
    def majority(self) -> int:
        """Index of the most frequent true class; of equals the first."""
        truths = [sum(row) for row in self.table]
        return truths.index(max(truths))

    @property
    def baseline(self) -> Proportion:
        """The accuracy of a grader that always answers the majority class."""
        return wilson(sum(self.table[self.majority]), self.n)

    def recall(self, i: int) -> Proportion:
        """Of the rows truly of class `i`, those graded so."""
        return wilson(self.table[i][i], sum(self.table[i]))

    def precision(self, i: int) -> Proportion:
        """Of the rows graded as class `i`, those truly so."""
        return wilson(self.table[i][i], sum(row[i] for row in self.table))


def confusion(truth: Sequence[object], graded: Sequence[object], classes: Sequence[str]) -> Confusion:
    """Count truth against graded class.

    Args:
        truth: the true class of each row.
        graded: the graded class of each row; missing (None, NaN) where there is no verdict.
        classes: every class that may occur, in the order of the matrix.

    Raises:
        UnknownLabelError: a label that is none of the classes.
    """
    place = {label: i for i, label in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes) + 1), dtype=int)
    for true, verdict in zip(truth, graded, strict=True):
        if true not in place:
            raise UnknownLabelError("true", true, classes)
        missing = verdict is None or verdict is pd.NA or verdict != verdict  # noqa: PLR0124 - NaN
        if not missing and verdict not in place:
            raise UnknownLabelError("graded", verdict, classes)
        counts[place[str(true)], len(classes) if missing else place[str(verdict)]] += 1
    return Confusion(tuple(classes), tuple(tuple(int(c) for c in row) for row in counts))


def cohen_kappa(matrix: Confusion) -> Kappa | None:
    """Return Cohen's kappa with the standard error of Fleiss, Cohen and Everitt (1969).

    `no verdict` is a class of its own that the truth never has. None where kappa is not defined: no
    rows, or truth and grader both always answer the same one class. At kappa 1, and for a constant
    grader (kappa 0), this large-sample error is 0 and so is the interval's width.
    """
    from statsmodels.stats.inter_rater import cohens_kappa

    square = np.array([*matrix.table, [0] * (len(matrix.classes) + 1)], dtype=float)
    used = (square.sum(axis=0) + square.sum(axis=1)) > 0
    if used.sum() < 2:
        return None
    # A constant grader has kappa 0 and no variance: statsmodels' test statistic divides by it.
    with np.errstate(all="ignore"):
        result = cohens_kappa(square[np.ix_(used, used)])
    # A variance of 0 comes out as a rounding error on either side of it.
    value, half = float(result.kappa), 1.959964 * max(0.0, float(result.var_kappa)) ** 0.5
    return Kappa(value, max(-1.0, value - half), min(1.0, value + half))


def p_chance(matrix: Confusion) -> float:
    """Return P(at least this many right) for a grader that picks each class with equal chance.

    One-sided exact binomial against 1 / number of classes; 1 where there are no rows.
    """
    return binomial_tail(matrix.k, matrix.n, 1 / len(matrix.classes))


def p_majority(matrix: Confusion) -> float:
    """Return the one-sided exact McNemar p that the grader beats the constant majority grader.

    Only rows count on which one of the two is right and the other wrong (McNemar 1947, exact form);
    1 where there are none.
    """
    right = matrix.table[matrix.majority][matrix.majority]
    only_grader = matrix.k - right
    only_majority = sum(matrix.table[matrix.majority]) - right
    return binomial_tail(only_grader, only_grader + only_majority, 0.5)


def binomial_tail(k: int, n: int, p: float) -> float:
    """Return P(X >= k) for X ~ Binomial(n, p)."""
    from scipy.special import bdtrc

    return 1.0 if k <= 0 else float(bdtrc(k - 1, n, p))
