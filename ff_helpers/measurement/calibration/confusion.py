"""Truth against graded class: one matrix of counts, and what can be read off it.

Works on labels of any kind; `calibration` puts verdicts and label spaces on top, `agreement` a second
grader in the place of the truth. A row without a verdict has a column of its own and is wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ff_helpers.errors import FFError, quoted
from ff_helpers.measurement.proportions.intervals import Proportion, Z, wilson

NO_VERDICT = "no verdict"
_SMALLEST_VARIANCE = 1e-12
"""Of a kappa; below it is what rounding leaves of 0."""


def _unknown_label(where: str, label: object, classes: Sequence[str]) -> FFError:
    """Return the error about a label outside the classes."""
    return FFError(
        f"{where} label {quoted(str(label))} is not a class here. Allowed: {', '.join(classes)}"
        + (", or missing where there is no verdict." if where == "graded" else ".")
    )


@dataclass(frozen=True)
class Kappa:
    """Cohen's kappa with its 95% interval; 1 is perfect, 0 what chance would give.

    `note` says why a degenerate table gives this value; empty for every other table.
    """

    value: float
    low: float
    high: float
    note: str = ""


@dataclass(frozen=True)
class Confusion:
    """Counts by truth and graded class.

    Attributes:
        classes: the classes, in the order of rows and columns.
        table: one row per true class; one column per graded class, and a last one for `no verdict`.
    """

    classes: tuple[str, ...]
    table: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        """Refuse impossible tables: no classes, a ragged table, negative or fractional counts."""
        wanted, sizes, problem = len(self.classes), [len(row) for row in self.table], ""
        if not wanted or len(set(self.classes)) != wanted:
            problem = f"its classes are {list(self.classes)}"
        elif sizes != [wanted + 1] * wanted:
            problem = f"{wanted} classes, but rows of {sizes} counts"
        elif wrong := [c for row in self.table for c in row if c < 0 or int(c) != c]:
            problem = f"it holds the count {wrong[0]}"
        if problem:
            raise FFError(
                f"not a table of truth against graded class: {problem}. It needs at least one class, each "
                "named once, a row for each, and in each row a whole number from 0 up for each class and one "
                f"for `{NO_VERDICT}`."
            )

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
        FFError: a label outside the classes.
        FFError: no classes, or one of them twice.
    """
    place = {label: i for i, label in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes) + 1), dtype=int)
    for true, verdict in zip(truth, graded, strict=True):
        if true not in place:
            raise _unknown_label("true", true, classes)
        missing = verdict is None or verdict is pd.NA or verdict != verdict  # noqa: PLR0124 - NaN
        if not missing and verdict not in place:
            raise _unknown_label("graded", verdict, classes)
        counts[place[str(true)], len(classes) if missing else place[str(verdict)]] += 1
    return Confusion(tuple(classes), tuple(tuple(int(c) for c in row) for row in counts))


def cohen_kappa(matrix: Confusion) -> Kappa | None:
    """Return Cohen's kappa with the large-sample interval of Fleiss, Cohen and Everitt (1969).

    `no verdict` is a class of its own that the truth never has. None only where there are no rows.

    Their standard error (Psychological Bulletin 72:323-327) is 0 for perfect agreement and for a constant
    grader, and 0 or nearly so where the two never agree; such an interval would claim that chance had no
    part. There the bounds are those of kappa at the Wilson bounds of the agreement, the chance agreement
    as observed: (L - pe) / (1 - pe). Where truth and grader always say the same one class, kappa is 0 /
    0: the value is 0 and the interval [-1, 1], because such rows cannot tell agreement from chance. The
    note says so.
    """
    from statsmodels.stats.inter_rater import cohens_kappa

    n, classes = matrix.n, len(matrix.classes)
    if not n:
        return None
    square = np.array([*matrix.table, [0] * (classes + 1)], dtype=float)
    rows, columns = square.sum(axis=1) / n, square.sum(axis=0) / n
    said, true = np.flatnonzero(columns), np.flatnonzero(rows)
    if len(said) == len(true) == 1 and matrix.k:
        name = matrix.classes[true[0]]
        return Kappa(0.0, -1.0, 1.0, f"truth and grader both always say {name}: no kappa can be measured")
    with np.errstate(invalid="ignore"):  # the root of what rounding leaves of a variance of 0
        found = cohens_kappa(square)
    # A constant side agrees as often as chance does, whatever the other one says.
    value = 0.0 if 1 in (len(said), len(true)) else float(found.kappa)
    if found.var_kappa > _SMALLEST_VARIANCE and matrix.k:
        half = Z * float(found.std_kappa)
        return Kappa(value, max(-1.0, value - half), min(1.0, value + half))
    chance = float(rows @ columns)
    seen = matrix.accuracy
    low, high = (max(-1.0, min(1.0, (bound - chance) / (1 - chance))) for bound in (seen.low, seen.high))
    why = _edge(matrix, len(said) == 1, len(true) == 1)
    return Kappa(
        value,
        min(low, value),
        max(high, value),
        f"{why}; interval from the Wilson bounds of the agreement, because the usual one has almost no width",
    )


def _edge(matrix: Confusion, constant: bool, one_truth: bool) -> str:
    """Say what makes the large-sample error of kappa 0."""
    if constant:
        return "a grader that always says the same agrees as often as chance does: kappa is 0"
    if one_truth:
        return "with one true class any grader agrees as often as chance does: kappa is 0"
    agree = {matrix.n: "the grader and the truth always agree", 0: "the grader and the truth never agree"}
    return agree.get(matrix.k, "the agreement is what the margins force")


def p_chance(matrix: Confusion) -> float:
    """Return P(at least this many right) for a grader that picks each class with equal chance.

    One-sided exact binomial against 1 / number of classes; 1 where there are no rows.
    """
    return binomial_tail(matrix.k, matrix.n, 1 / len(matrix.classes))


def p_majority(matrix: Confusion) -> float:
    """Return the one-sided exact McNemar p that the grader beats the constant majority grader.

    Only rows count on which one of the two is right and the other wrong (McNemar 1947, exact form); 1 where
    there are none. Of equally frequent classes, the one that is hardest to beat.
    """
    truths = [sum(row) for row in matrix.table]
    rivals = [matrix.table[i][i] for i, n in enumerate(truths) if n == max(truths)]
    return max(binomial_tail(matrix.k - right, matrix.k + max(truths) - 2 * right, 0.5) for right in rivals)


def binomial_tail(k: int, n: int, p: float) -> float:
    """Return P(X >= k) for X ~ Binomial(n, p)."""
    from scipy.special import bdtrc

    return 1.0 if k <= 0 else float(bdtrc(k - 1, n, p))
