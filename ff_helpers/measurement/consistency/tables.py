"""Which tables of counts give the printed accuracy, precision and recall of a yes/no judge.

A paper prints shares; whether a judge beats a constant answer, and its kappa, need the counts. With the
number of rows and of true positives, few tables fit, often one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ff_helpers.errors import FFError
from ff_helpers.measurement.calibration.confusion import Confusion

Measure = Literal["accuracy", "precision", "recall", "fpr", "fnr"]
Numbers = NDArray[np.float64]
_EDGE = 1e-9
"""A share at the edge of a rounding belongs to it, however a float represents it."""


@dataclass(frozen=True)
class Rebuilt:
    """The table that fits printed figures.

    Attributes:
        matrix: of all that fit, the one nearest to the figures.
        fits: how many tables fit; 1: the counts are certain.
        furthest: by how much the accuracy of another one differs at most, in [0, 1].
    """

    matrix: Confusion
    fits: int
    furthest: float


def rebuilt(
    n: int, positives: int, printed: Mapping[Measure, float], *, digits: int, classes: tuple[str, str]
) -> Rebuilt:
    """Return the table of counts behind printed figures.

    Args:
        n: rows.
        positives: rows that are truly of the first class.
        printed: figures in [0, 1], each rounded to `digits`.
        digits: decimals of the figures, as shares.
        classes: the positive class, and the other one.

    Raises:
        FFError: no table gives these figures, or there are no rows of one class.
    """
    negatives = n - positives
    if not (0 < positives < n):
        raise FFError(f"{positives} of {n} rows are positive: figures of two classes need rows of both.")
    found = np.arange(positives + 1, dtype=float)[:, None]
    false = np.arange(negatives + 1, dtype=float)[None, :]
    off = np.zeros((positives + 1, negatives + 1))
    fits = np.ones(off.shape, dtype=bool)
    half = 0.5 * 10.0**-digits + _EDGE
    for name, value in printed.items():
        distance = np.abs(_share(name, found, false, positives, negatives) - value)
        fits &= distance <= half  # no share at all (no positive answer) fits nothing
        off = off + np.nan_to_num(distance, nan=np.inf) ** 2
    if not fits.any():
        said = ", ".join(f"{name} {value:g}" for name, value in printed.items())
        raise FFError(
            f"no table of {n} rows, {positives} of them positive, gives {said}: one of them is wrong."
        )
    at = np.unravel_index(int(np.argmin(np.where(fits, off, np.inf))), off.shape)
    tp, fp = int(at[0]), int(at[1])
    accuracy = (found + negatives - false) / n
    furthest = float(np.abs(accuracy[fits] - (tp + negatives - fp) / n).max())
    table = ((tp, positives - tp, 0), (fp, negatives - fp, 0))
    return Rebuilt(Confusion(classes, table), int(fits.sum()), furthest)


def _share(name: Measure, found: Numbers, false: Numbers, positives: int, negatives: int) -> Numbers:
    with np.errstate(invalid="ignore", divide="ignore"):
        match name:
            case "accuracy":
                return (found + negatives - false) / (positives + negatives)
            case "precision":
                return found / (found + false)
            case "recall":
                return found / positives + 0 * false
            case "fnr":
                return 1 - found / positives + 0 * false
            case "fpr":
                return false / negatives + 0 * found
