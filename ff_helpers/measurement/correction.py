"""What a grader's errors do to a rate, and how to take them back out.

With sensitivity Se (a success is called one) and specificity Sp (a failure is called one), a true rate
p is reported as p Se + (1 - p)(1 - Sp); solved for p that is the estimator of Rogan and Gladen (1978,
American Journal of Epidemiology 107:71-76).
"""

import numpy as np
import pandas as pd

from ff_helpers.errors import FFError


class NotAShareError(FFError):
    """A rate outside [0, 1]."""

    def __init__(self, name: str, value: float) -> None:
        super().__init__(f"{name} = {value} is no share. Allowed: a number from 0 to 1.")


def apparent_rate(true_rate: float, *, sensitivity: float, specificity: float) -> float:
    """Return the rate that a grader reports, in [0, 1], when the true rate is `true_rate`.

    Raises:
        NotAShareError: an argument outside [0, 1].
    """
    _check(true_rate=true_rate, sensitivity=sensitivity, specificity=specificity)
    return true_rate * sensitivity + (1 - true_rate) * (1 - specificity)


def true_rate(apparent: float, *, sensitivity: float, specificity: float) -> float | None:
    """Return the true rate behind a reported one, cut to [0, 1]; None where it is not identifiable.

    A grader whose sensitivity + specificity is 1 or less tells nothing about the truth. An apparent
    rate outside what such a grader can report (below 1 - Sp, above Se) is cut to the nearest bound.

    Raises:
        NotAShareError: an argument outside [0, 1].
    """
    _check(apparent=apparent, sensitivity=sensitivity, specificity=specificity)
    youden = sensitivity + specificity - 1
    if youden <= 0:
        return None
    return min(1.0, max(0.0, (apparent + specificity - 1) / youden))


def apparent_curve(*, sensitivity: float, specificity: float) -> pd.DataFrame:
    """Return what a grader reports for every true rate from 0 to 1.

    Columns: true_rate, apparent_rate (float in [0, 1]), 101 rows.

    Raises:
        NotAShareError: an argument outside [0, 1].
    """
    true = np.arange(101) / 100
    reported = [apparent_rate(float(p), sensitivity=sensitivity, specificity=specificity) for p in true]
    return pd.DataFrame({"true_rate": true, "apparent_rate": reported})


def _check(**shares: float) -> None:
    for name, value in shares.items():
        if not 0 <= value <= 1:
            raise NotAShareError(name, value)
