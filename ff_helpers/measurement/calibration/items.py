"""What a matrix of truth against graded class is worth: by rows, or by items whose rows are not independent.

Repeats of one item (epochs, generations) are no further evidence: 40 items graded three times are 40. By
items, shares have the interval of `proportions.clusters`; kappa has the large-sample one with its variance
between items (its linearized values, summed by item) and t on items - 1 degrees of freedom, never narrower
than by rows; a comparison with the constant grader counts items in which one of the two is right more often
(sign test).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ff_helpers.measurement.calibration.confusion import (
    Confusion,
    Kappa,
    binomial_tail,
    cohen_kappa,
    p_majority,
)
from ff_helpers.measurement.proportions.clusters import Places, clustered
from ff_helpers.measurement.proportions.intervals import Proportion

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Evidence:
    """Measures of one matrix, each with the interval of its independent units.

    Attributes:
        n: independent units: rows, or items.
        majority: place of the most frequent true class.
        accuracy, baseline: of all rows.
        recalls, precisions: of each class.
        truths: units of each class, by truth.
        kappa: Cohen's.
        p_majority: one-sided, against the constant majority grader.
    """

    n: int
    majority: int
    accuracy: Proportion
    baseline: Proportion
    recalls: tuple[Proportion, ...]
    precisions: tuple[Proportion, ...]
    truths: tuple[int, ...]
    kappa: Kappa | None
    p_majority: float


def by_row(matrix: Confusion) -> Evidence:
    """Return what a matrix of independent rows is worth."""
    places = range(len(matrix.classes))
    return Evidence(
        n=matrix.n,
        majority=matrix.majority,
        accuracy=matrix.accuracy,
        baseline=matrix.baseline,
        recalls=tuple(map(matrix.recall, places)),
        precisions=tuple(map(matrix.precision, places)),
        truths=tuple(sum(row) for row in matrix.table),
        kappa=cohen_kappa(matrix),
        p_majority=p_majority(matrix),
    )


def by_item(matrix: Confusion, true: Places, graded: Places, items: Places) -> Evidence:
    """Return what a matrix is worth whose rows come in items.

    Args:
        matrix: the counts of the rows.
        true, graded: the place of each row's class; `len(matrix.classes)` where it has no graded class.
        items: the item of each row.
    """
    classes = range(len(matrix.classes))
    right, everywhere = true == graded, np.ones(len(true), dtype=bool)
    accuracy = _share(right, everywhere, items)
    return Evidence(
        n=len(np.unique(items)),
        majority=matrix.majority,
        accuracy=accuracy,
        baseline=_share(true == matrix.majority, everywhere, items),
        recalls=tuple(_share(graded == c, true == c, items) for c in classes),
        precisions=tuple(_share(true == c, graded == c, items) for c in classes),
        truths=tuple(len(np.unique(items[true == c])) for c in classes),
        kappa=_kappa(matrix, true, graded, items, accuracy),
        p_majority=_p_majority(matrix, true, right, items),
    )


def _share(hits: Flags, of: Flags, items: Places) -> Proportion:
    found = clustered(pd.Series(hits[of]), pd.Series(items[of]))
    return Proportion(int((hits & of).sum()), int(of.sum()), found["low"], found["high"])


def _kappa(
    matrix: Confusion, true: Places, graded: Places, items: Places, accuracy: Proportion
) -> Kappa | None:
    from scipy.special import stdtrit

    rows = cohen_kappa(matrix)
    if rows is None:
        return None
    size = len(matrix.classes) + 1
    row = np.bincount(true, minlength=size) / matrix.n
    column = np.bincount(graded, minlength=size) / matrix.n
    chance, seen = float(row @ column), matrix.k / matrix.n
    count = len(np.unique(items))
    if chance == 1 or count < 2:
        return Kappa(rows.value, -1.0, 1.0, rows.note or "one item: no kappa can be measured")
    if rows.note:  # the variance between items is 0, or nearly so
        low, high = (max(-1.0, (bound - chance) / (1 - chance)) for bound in (accuracy.low, accuracy.high))
        return Kappa(rows.value, min(low, rows.low), max(high, rows.high), rows.note)
    agreed = ((true == graded) - seen) / (1 - chance)
    value = agreed - (1 - seen) / (1 - chance) ** 2 * (column[true] + row[graded] - 2 * chance)
    sums = np.bincount(np.unique(items, return_inverse=True)[1], weights=value)
    error = float(np.sqrt(count / (count - 1) * (sums**2).sum())) / matrix.n
    half = float(stdtrit(count - 1, 0.975)) * error
    low, high = max(-1.0, rows.value - half), min(1.0, rows.value + half)
    return Kappa(rows.value, min(low, rows.low), max(high, rows.high))


def _p_majority(matrix: Confusion, true: Places, right: Flags, items: Places) -> float:
    """Return the sign test over items; of equally frequent classes, the one that is hardest to beat."""
    places = np.unique(items, return_inverse=True)[1]
    truths = [sum(row) for row in matrix.table]
    found = []
    for rival in (c for c, n in enumerate(truths) if n == max(truths)):
        ahead = np.bincount(places, weights=right.astype(float) - (true == rival))
        better, worse = int((ahead > 0).sum()), int((ahead < 0).sum())
        found.append(binomial_tail(better, better + worse, 0.5))
    return max(found)
