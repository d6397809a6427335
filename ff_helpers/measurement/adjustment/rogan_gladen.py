"""What a grader's errors do to a rate, and how to take them back out.

With sensitivity Se (a success is called one) and specificity Sp (a failure is called one), a true rate
p is reported as p Se + (1 - p)(1 - Sp); solved for p that is the estimator of Rogan and Gladen (1978,
American Journal of Epidemiology 107:71-76). It holds where the grader errs on the corpus as it did on the
traces that measured it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.intervals import Numbers, Z, difference_bounds, wilson_bounds
from ff_helpers.measurement.results import Terms, stated

ROGAN_GLADEN = "Rogan-Gladen"
FEW, WEAK = 10, 0.2
"""Labelled successes or failures, and lower bound of Youden's index, below which an adjustment warns."""

_BEYOND = (
    "the reported rate is more or less than the measured errors explain: by chance, or because the grader "
    "errs differently here"
)


@dataclass(frozen=True)
class Adjusted:
    """A rate with the grader's errors taken out.

    Attributes:
        estimate: in [0, 1]; None where nothing can be concluded.
        low, high: the 95% interval, in [0, 1]; [0, 1] where nothing can be concluded.
        method: what was computed, or `none`.
        note: why this method, or why there is none.
        warning: what makes the interval less trustworthy than it looks; empty where nothing does.
    """

    estimate: float | None = None
    low: float = 0.0
    high: float = 1.0
    method: str = "none"
    note: str = ""
    warning: str = ""


def rogan_gladen(k: float, n: float, sensitivity: tuple[int, int], specificity: tuple[int, int]) -> Adjusted:
    """Return the true rate behind k of n that a grader called a success, with its 95% interval.

    The estimate is Rogan and Gladen's (1978), cut to [0, 1]; the interval that of `lang_reiczigel`. It is
    not identifiable where the interval of sensitivity + specificity - 1 (`youden`) reaches 0.

    Args:
        k, n: successes among the graded rows; may be fractional (rate times effective n of `clustered`).
        sensitivity: (called a success, all) of the labelled true successes.
        specificity: (called a failure, all) of the labelled true failures.

    Raises:
        FFError: counts that are negative, not finite, or more found than there are.
    """
    (found, successes), (told, failures) = sensitivity, specificity
    given = {"k, n": (k, n), "sensitivity": sensitivity, "specificity": specificity}
    for name, (some, total) in given.items():
        if not (0 <= some <= total < np.inf):
            raise FFError(
                f"{name}: {some} of {total} is not a valid count. Allowed: 0 <= found <= all, both finite."
            )
    there = {"graded row": n, "labelled success": successes, "labelled failure": failures}
    if not all(there.values()):
        none = ", ".join(what for what, count in there.items() if not count)
        return Adjusted(method=ROGAN_GLADEN, note=f"not identifiable: no {none}")
    counts = [np.array([value], dtype=float) for value in (k, n, *sensitivity, *specificity)]
    estimate, low, high, gap_low = (float(values[0]) for values in lang_reiczigel(*counts))
    gap, least, most = youden(sensitivity, specificity)
    shown = f"sensitivity + specificity - 1 is {gap:.2f} [{least:.2f}, {most:.2f}]"
    if np.isnan(estimate):
        note = f"not identifiable: {shown}, and at 0 or below a verdict says nothing of the truth"
        return Adjusted(method=ROGAN_GLADEN, note=note)
    warning = ""
    if min(successes, failures) < FEW:
        warning = f"only {min(successes, failures)} labels of one class measured the grader"
    elif doubtful(counts[3], counts[5], np.array([gap_low]))[0]:
        warning = f"{shown}: so close to chance, intervals contain the truth less often than they claim"
    explained = 1 - told / failures - 1e-9 <= k / n <= found / successes + 1e-9
    return Adjusted(estimate, low, high, ROGAN_GLADEN, "" if explained else _BEYOND, warning)


def youden(sensitivity: tuple[int, int], specificity: tuple[int, int]) -> tuple[float, float, float]:
    """Return sensitivity + specificity - 1 (Youden's index) and its bounds; at 0 a verdict says nothing.

    It is the difference of two independent proportions, Se - (1 - Sp), with the interval of
    `independent_difference` (Newcombe 1998).

    Args:
        sensitivity, specificity: as in `rogan_gladen`.
    """
    value, low, high = _youden(*(np.array([x], dtype=float) for x in (*sensitivity, *specificity)))
    return float(value[0]), float(low[0]), float(high[0])


def lang_reiczigel(  # noqa: PLR0917 - the six counts of the paper
    k: Numbers, n: Numbers, tp: Numbers, positives: Numbers, tn: Numbers, negatives: Numbers
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Return Rogan and Gladen's estimate, the bounds of Lang and Reiczigel, and Youden's lower bound.

    Lang and Reiczigel 2014, Preventive Veterinary Medicine 113:13-22: z^2 observations, half of them
    successes, are added to the graded rows, two to each of the labelled classes; the variance is that of the
    delta method at these shares, and the middle is shifted because the estimate is skewed. Cut to [0, 1],
    and widened to the estimate where that lies outside. Unlike the paper in two places, both wider and both
    measured by `benchmarks.coverage`. With fewer than 10 labels of a class the unshifted interval is held
    too: of 1 to 4 labels the added ones make up most of the shift, and at a rare class 85 to 92% were
    covered. And the middle stays in [0, 1]: where a grader reports more or less than its errors explain,
    the paper's interval shrinks to nothing.

    Where Youden's lower bound is 0 or less the estimate is NaN, the bounds 0 and 1. All arguments are arrays
    of counts above 0.
    """
    rate, sp = k / n, tn / negatives
    value, gap_low, _ = _youden(tp, positives, tn, negatives)
    p, size = (k + Z**2 / 2) / (n + Z**2), n + Z**2
    se_, sp_ = (tp + 1) / (positives + 2), (tn + 1) / (negatives + 2)
    known = (gap_low > 0) & (se_ + sp_ > 1)
    gap = np.where(known, se_ + sp_ - 1, 1.0)
    middle = (p + sp_ - 1) / gap
    of_se, of_sp = se_ * (1 - se_) / (positives + 2), sp_ * (1 - sp_) / (negatives + 2)
    variance = (p * (1 - p) / size + middle**2 * of_se + (1 - middle) ** 2 * of_sp) / gap**2
    shift = 2 * Z**2 * (middle * of_se - (1 - middle) * of_sp)
    half = Z * np.sqrt(variance)
    estimate = np.clip((rate + sp - 1) / np.where(known, value, 1.0), 0.0, 1.0)
    some = np.minimum(positives, negatives) < FEW
    down, up = np.where(some, np.minimum(shift, 0.0), shift), np.where(some, np.maximum(shift, 0.0), shift)
    low = np.minimum(np.clip(np.minimum(middle + down, 1.0) - half, 0.0, 1.0), estimate)
    high = np.maximum(np.clip(np.maximum(middle + up, 0.0) + half, 0.0, 1.0), estimate)
    return np.where(known, estimate, np.nan), np.where(known, low, 0.0), np.where(known, high, 1.0), gap_low


def doubtful(positives: Numbers, negatives: Numbers, gap_low: Numbers) -> NDArray[np.bool_]:
    """Return where an adjustment warns: few labels of a class, or a grader that may be close to chance.

    Given that an interval is identifiable at all, it contains the truth less often where Youden's index
    (lower bound: `gap_low`) is near 0: it was identifiable because the index came out too high.
    """
    return (np.minimum(positives, negatives) < FEW) | (gap_low < WEAK)


def apparent_rate(true_rate: float, *, sensitivity: float, specificity: float) -> float:
    """Return the rate that a grader reports, in [0, 1], when the true rate is `true_rate`.

    Raises:
        FFError: an argument outside [0, 1].
    """
    _check(true_rate=true_rate, sensitivity=sensitivity, specificity=specificity)
    return true_rate * sensitivity + (1 - true_rate) * (1 - specificity)


def apparent_curve(*, sensitivity: float, specificity: float) -> pd.DataFrame:
    """Return what a grader reports for every true rate from 0 to 1.

    Columns: true_rate, apparent_rate (float in [0, 1]), 101 rows.

    Raises:
        FFError: an argument outside [0, 1].
    """
    true = np.arange(101) / 100
    reported = [apparent_rate(float(p), sensitivity=sensitivity, specificity=specificity) for p in true]
    curve = pd.DataFrame({"true_rate": true, "apparent_rate": reported})
    return stated(curve, Terms(graders=(), denominators=("none",), counts="none: arithmetic", left_out=()))


def _youden(
    tp: Numbers, positives: Numbers, tn: Numbers, negatives: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """Return Youden's index with its bounds; NaN, -1, 1 where a class has no labels."""
    known = (positives > 0) & (negatives > 0)
    se = np.where(known, tp / np.maximum(positives, 1), 0.5)
    false = np.where(known, 1 - tn / np.maximum(negatives, 1), 0.5)
    bounds = wilson_bounds(tp, positives), wilson_bounds(negatives - tn, negatives)
    low, high = difference_bounds(se, bounds[0], false, bounds[1])
    return np.where(known, se - false, np.nan), np.where(known, low, -1.0), np.where(known, high, 1.0)


def _check(**shares: float) -> None:
    for name, value in shares.items():
        if not 0 <= value <= 1:
            raise FFError(f"{name} = {value} is not a share. Allowed: a number from 0 to 1.")
