"""PPI++ for a rate, which the suite used before double sampling: what its width is compared with.

Prediction-powered inference with its tuned weight (Angelopoulos, Duchi and Zrnic 2023, arXiv:2311.01453).
"""

from typing import Final

import numpy as np

from ff_helpers.measurement.proportions.intervals import Numbers, Z

NEEDED: Final = 10
"""Labels of the rarer kind without which the labels are used alone."""
_Y, _F = np.array([1.0, 1.0, 0.0, 0.0]), np.array([1.0, 0.0, 1.0, 0.0])
"""Truth and verdict of the four kinds of labelled row."""


def tuned_mean(
    count: Numbers, cells: Numbers, spread: Numbers, called: Numbers, rows: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """Return the PPI++ estimate of a rate in [0, 1], its effective n, and the weight of the verdicts.

    Over arrays of samples. With y the truth and f the verdict the estimate is the mean of y - w f over the
    labelled rows plus w times the mean of f over all rows, w = cov(y, f) / var(f), cut to [0, 1]: the
    paper's lambda (1 + n / N), because its second mean is over the rows without label. The variance has
    two phases: that of drawing the rows, p(1 - p) / rows, and that of drawing the labelled ones of them.
    Before variances are taken one row of each kind is added, of the weight that rows of its verdict have: a
    grader that erred on none of 20 labels may err on the 21st. Instead of adding 1.96 standard errors, which
    is wrong near 0 and 1, the effective n is the n that would give the labels alone this variance, shrunk by
    (z / t)^2 with t on n - 1 degrees of freedom; Wilson's interval is taken at it.

    Args:
        count: (samples, 4), labelled rows that are true and called so, true and not called, false and
            called, false and not called.
        cells: (samples, 4), the same weighted; weights of mean 1.
        spread: (samples, 4), sums of the squared weights times 1 - probability.
        called: rows called a success among all rows.
        rows: all rows.
    """
    from scipy.special import stdtrit

    n = count.sum(axis=-1)
    grown, wide = cells + _mean(cells, count), spread + _mean(spread, count)
    share = grown / grown.sum(axis=-1, keepdims=True)
    p, f = share @ _Y, share @ _F
    tuned = np.clip((share[..., 0] - p * f) / (f * (1 - f)), 0.0, 1.0)
    error = _Y - tuned[..., None] * _F
    off = (error - (share * error).sum(axis=-1, keepdims=True)) ** 2
    labelling = (wide * off).sum(axis=-1) / (n + 4) / (n - 1)
    effective = p * (1 - p) / (labelling + p * (1 - p) / rows) * (Z / stdtrit(n - 1, 0.975)) ** 2
    estimate = cells @ _Y / n + tuned * (called / rows - cells @ _F / n)
    return np.clip(estimate, 0.0, 1.0), effective, tuned


def _mean(values: Numbers, count: Numbers) -> Numbers:
    """Return for each kind the mean of `values` over labelled rows of its verdict, or over all if none."""
    called = np.stack([count @ _F, count @ (1 - _F)], axis=-1)
    sums = np.stack([values @ _F, values @ (1 - _F)], axis=-1)
    every = (values.sum(axis=-1) / count.sum(axis=-1))[..., None]
    mean = np.where(called > 0, sums / np.maximum(called, 1), every)
    return np.asarray(mean[..., [0, 1, 0, 1]], dtype=np.float64)
