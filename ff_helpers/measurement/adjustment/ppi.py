"""A rate from labels of a random sample of the rows, sharpened by the grader's verdicts on all of them.

Prediction-powered inference with its tuned weight (PPI++: Angelopoulos, Duchi and Zrnic 2023,
arXiv:2311.01453) for the mean of a yes or no. The labels say how far the verdicts are off, so nothing is
assumed about the grader: a bad one narrows the interval less, and that is all.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ff_helpers.errors import FFError
from ff_helpers.measurement.adjustment.rogan_gladen import Adjusted
from ff_helpers.measurement.proportions.intervals import Numbers, Z, wilson_bounds

PPI, LABELS = "PPI++", "labels alone"
NEEDED, RARE = 10, 20
"""Labels of the rarer kind without which the labels are used alone, and below which a warning is due."""
_Y, _F = np.array([1.0, 1.0, 0.0, 0.0]), np.array([1.0, 0.0, 1.0, 0.0])
"""Truth and verdict of the four kinds of labelled row."""


def ppi(
    verdict: "Sequence[bool] | pd.Series[bool]",
    truth: "Sequence[float | None] | pd.Series[float]",
    probability: "Sequence[float] | pd.Series[float]",
    scenario: "Sequence[str] | pd.Series[str] | None" = None,
) -> Adjusted:
    """Return the true rate of graded rows of which a random sample is labelled, with its 95% interval.

    With fewer than 10 labelled successes or 10 failures the variance of the adjustment cannot be told, and
    the labels are used alone; `method` and `note` say so. Rows drawn with unequal probabilities are weighted
    by their inverse. Runs of one scenario are taken together: the variance is that between scenarios.

    Args:
        verdict: did the grader call the row a success; one value per graded row.
        truth: is it one; missing where the row has no label.
        probability: with which a labelled row was drawn; ignored elsewhere.
        scenario: of each row; None where all rows are independent.

    Raises:
        FFError: columns of different length, a truth that is neither 0 nor 1, a label without a
            probability.
    """
    f, y = np.array(verdict, dtype=np.float64), np.array(truth, dtype=np.float64)
    chance = np.array(probability, dtype=np.float64)
    _check(f, y, chance)
    drawn, rows = ~np.isnan(y), len(f)
    n = int(drawn.sum())
    if not n:
        return Adjusted(method=LABELS, note="not identifiable: no row is labelled")
    weight = np.zeros(rows)
    weight[drawn] = 1 / chance[drawn]
    weight *= n / weight.sum()
    y = np.nan_to_num(y)
    kind = (3 - 2 * y - f)[drawn].astype(int)
    spread = (weight**2 * (1 - chance))[drawn]
    count, cells, spreads = (
        np.bincount(kind, weights=column, minlength=4).astype(float)
        for column in (np.ones(n), weight[drawn], spread)
    )
    least = int(min(y[drawn].sum(), n - y[drawn].sum()))
    if least < NEEDED or n == rows:
        method, tuned, rate, size = LABELS, 0.0, float(cells @ _Y / n), float(n**2 / (weight**2).sum())
        note = (
            "every row is labelled"
            if n == rows
            else f"{least} labels of the rarer kind; PPI++ needs {NEEDED}"
        )
    else:
        called, every = np.array([f.sum()]), np.array([float(rows)])
        found = tuned_mean(count[None], cells[None], spreads[None], called, every)
        method, (rate, size, tuned) = PPI, (float(value[0]) for value in found)
        note = f"{n} labels of {rows} rows; weight of the verdicts {tuned:.2f}"
    if scenario is not None:
        off = y - tuned * f
        part = tuned * (f - f.mean()) / rows + weight / n * (off - off @ weight / n)
        size *= clustering(part, np.array(pd.factorize(pd.Series(scenario))[0]), drawn)
    if not size:
        return Adjusted(method=method, note="not identifiable: runs of one scenario say nothing about others")
    rate = min(max(rate, 0.0), 1.0)  # a weighted mean of ones can be 1 + 2e-16
    low, high = (float(bound[0]) for bound in wilson_bounds(np.array([rate * size]), np.array([size])))
    warned = bool(rare(np.array([y[drawn].sum()]), np.array([float(n)]))[0])
    warning = f"only {least} of {n} labels are of the rarer kind" if warned else ""
    return Adjusted(rate, low, high, method, note, warning)


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


def rare(positives: Numbers, labelled: Numbers) -> NDArray[np.bool_]:
    """Return where labels of the rarer kind are so few that an interval is less sure than it looks."""
    return np.minimum(positives, labelled - positives) < RARE


def clustering(part: Numbers, cluster: NDArray[np.intp], drawn: NDArray[np.bool_]) -> float:
    """Return by what the effective n shrinks because rows come in clusters.

    As in `clustered`: the variance of the estimate between clusters over that between rows, at least 1, and
    t on one less than the clusters that hold a label. 0 where there is one cluster of several rows.

    Args:
        part: what each row adds to the estimate, less its expectation.
        cluster: of each row.
        drawn: which rows are labelled.
    """
    from scipy.special import stdtrit

    labelled, groups = int(drawn.sum()), len(np.unique(cluster[drawn]))
    if len(np.unique(cluster)) == len(cluster):
        return 1.0
    if groups < 2:
        return 0.0
    alone, together = float((part**2).sum()), float((np.bincount(cluster, weights=part) ** 2).sum())
    # Where all labels agree no variance can be seen (but rounding errors), and each cluster counts once.
    seen = alone > 1e-24
    effect = max(1.0, groups / (groups - 1) * together / alone) if seen else labelled / groups
    return float((Z / stdtrit(groups - 1, 0.975)) ** 2) / effect


def _check(f: Numbers, y: Numbers, chance: Numbers) -> None:
    drawn, problem = ~np.isnan(y), ""
    if not len(f) == len(y) == len(chance):
        problem = f"{len(f)} verdicts, {len(y)} truths and {len(chance)} probabilities"
    elif not np.isin(f, (0.0, 1.0)).all():
        problem = "a verdict is missing, or neither true nor false"
    elif not np.isin(y[drawn], (0.0, 1.0)).all():
        problem = "a truth is neither 0 nor 1"
    elif not ((chance[drawn] > 0) & (chance[drawn] <= 1)).all():
        problem = "a labelled row has no probability above 0 and at most 1"
    if problem:
        raise FFError(
            f"ppi(): {problem}. Give one verdict (true or false) per row; a truth (1, 0, missing without "
            "a label); and for labelled rows the probability with which they were drawn, in (0, 1]."
        )
