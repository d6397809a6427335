"""Chance-corrected agreement (our own): Gwet's AC1 for two raters, Fleiss' kappa and Krippendorff's alpha.

Every coefficient has a defined value, an interval that has a width, and a note where the table is at an edge.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ff_helpers.errors import FFError
from ff_helpers.measurement.calibration.confusion import Confusion, Kappa
from ff_helpers.measurement.proportions.intervals import Numbers, Z, wilson

MIN_UNITS = 10
"""A panel that rated fewer units (or clusters) is not resampled: its interval is [-1, 1]."""
NOTHING = "nothing was rated by two: nothing is known"
_NOT_ALIKE = "these ratings cannot be compared"


def gwet_ac1(matrix: Confusion) -> Kappa | None:
    """Return Gwet's AC1 of two raters, with the large-sample interval of Gwet 2008.

    British Journal of Mathematical and Statistical Psychology 61:29-48. Chance agreement is
    sum(pi (1 - pi)) / (q - 1) over the q classes, pi the mean share of a class: at most 1 / q, so AC1 is
    defined for every table, and a lopsided one does not push it to 0 as it does Cohen's kappa. It changes
    with the number of classes offered, used or not. `no verdict` is one more class where it occurs.

    Where all agree, or none do, that interval leaves out how the agreement itself varies: it then reaches
    to AC1 at the Wilson bounds of the agreement. None only where there are no rows.
    """
    table = np.array([*matrix.table, [0] * (len(matrix.classes) + 1)], dtype=float)
    table = table if table[:, -1].any() else table[:-1, :-1]
    n, q = matrix.n, len(table)
    if not n or q == 1:
        return Kappa(0.0, -1.0, 1.0, "with one class there is nothing to agree on") if n else None
    share, agree = table / n, matrix.k / n
    pi = (share.sum(axis=0) + share.sum(axis=1)) / 2
    chance = float((pi * (1 - pi)).sum()) / (q - 1)
    value = (agree - chance) / (1 - chance)
    diagonal = float((share.diagonal() * (1 - pi)).sum()) / (q - 1)
    squares = float((share * (1 - (pi[:, None] + pi[None, :]) / 2) ** 2).sum()) / (q - 1) ** 2
    variance = agree * (1 - agree) - 4 * (1 - value) * (diagonal - agree * chance)
    variance += 4 * (1 - value) ** 2 * (squares - chance**2)
    half = Z * (max(variance, 0.0) / n) ** 0.5 / (1 - chance)
    low, high, note = value - half, value + half, ""
    if matrix.k in (0, n):
        seen = [(bound - chance) / (1 - chance) for bound in (matrix.accuracy.low, matrix.accuracy.high)]
        low, high = min(low, *seen), max(high, *seen)
        note = f"{'all' if matrix.k else 'none'} agree: AC1 as wide as Wilson's bounds of the agreement"
    return Kappa(value, max(-1.0, low), min(1.0, high), note)


def fleiss(ratings: Sequence[Sequence[int]]) -> Kappa:
    """Return Fleiss' kappa of a panel (Psychological Bulletin 76, 1971, 378-382) with its interval.

    The interval is that of nominal alpha, of which kappa lacks the correction for few ratings: 1 - kappa =
    (1 - alpha) n / (n - 1) for n ratings in all. The error of Fleiss, Nee and Landis (1979) holds only
    where kappa is 0.

    Args:
        ratings: one row per subject, one column per class: how many raters chose it; equal sums.

    Raises:
        FFError: rows with different sums, fewer than two raters, or invalid counts.
    """
    from statsmodels.stats.inter_rater import fleiss_kappa

    counts = np.array([list(row) for row in ratings], dtype=float)
    counts = counts if len(ratings) else np.zeros((0, 2))
    sums = counts.sum(axis=1)
    if (counts < 0).any() or (counts != np.floor(counts)).any() or (sums != sums[:1].sum()).any():
        problem = "rows differ in their number of raters, or hold invalid counts"
        raise FFError(f"{_NOT_ALIKE}: {problem}. Count each row.")
    if len(sums) and sums[0] < 2:
        raise FFError(f"{_NOT_ALIKE}: fewer than two raters. Give a panel of two or more.")
    alpha = _with_interval(counts, np.arange(len(counts)))
    if not len(sums) or (counts.any(axis=0).sum()) < 2:
        return alpha
    more = sums.sum() / (sums.sum() - 1)
    value = float(fleiss_kappa(counts, method="fleiss"))
    low, high = (max(-1.0, 1 - (1 - x) * float(more)) for x in (alpha.low, alpha.high))
    return Kappa(value, min(low, value), max(high, value), alpha.note)


def krippendorff_alpha(ratings: pd.DataFrame, *, clusters: "pd.Series[str] | None" = None) -> Kappa:
    """Return Krippendorff's nominal alpha of a panel with missing ratings, with a bootstrap interval.

    Krippendorff 2011, Computing Krippendorff's Alpha-Reliability. A unit with fewer than two ratings says
    nothing and is left out. The interval is the expanded percentile interval of 2,000 resamples (Hesterberg
    2015, American Statistician 69:371-386); the same numbers in any order of rows or raters give the same
    one. Verdicts are nominal: BENIGN_QUERY has no place in an order.

    Args:
        ratings: one row per unit, one column per rater; labels, or missing.
        clusters: of each unit, where units are not independent: then whole clusters are resampled.
    """
    given = pd.Series(ratings.to_numpy(dtype=object).ravel()).dropna()
    labels = sorted(set(given), key=str)
    counts = np.zeros((len(ratings), len(labels)))
    for place, label in enumerate(labels):
        counts[:, place] = (ratings == label).sum(axis=1)
    places = np.arange(len(ratings)) if clusters is None else pd.factorize(clusters)[0]
    return _with_interval(counts, places)


def _with_interval(counts: Numbers, places: NDArray[np.intp]) -> Kappa:
    """Return alpha of counts (one row per unit, one column per class); `places`: the cluster of each row."""
    from scipy.special import ndtr, stdtrit

    rated = counts.sum(axis=1) > 1
    counts, places = counts[rated], places[rated]
    if not len(counts):
        return Kappa(0.0, -1.0, 1.0, NOTHING)
    # A class of unpaired ratings alone has no share in chance.
    used = counts.any(axis=0)
    counts = counts[:, used]
    if used.sum() == 1:
        return Kappa(0.0, -1.0, 1.0, "only one class was ever chosen: agreement and chance look alike")
    # Sums of floats depend on their order: sorted, they depend on neither the order of rows nor of raters.
    rows = np.lexsort(counts.T)
    counts, places = counts[rows], np.unique(places[rows], return_inverse=True)[1]
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(counts.shape[1])
    pairs /= (counts.sum(axis=1) - 1)[:, None, None]
    groups = np.zeros((int(places.max()) + 1, *pairs.shape[1:]))
    np.add.at(groups, places, pairs)
    value, size = float(_alpha(groups.sum(axis=0)[None])[0]), len(groups)
    if size == 1:
        return Kappa(value, -1.0, 1.0, "one unit says nothing about others")
    kinds, often = np.unique(groups.reshape(size, -1), axis=0, return_counts=True)
    drawn = np.random.default_rng(0).multinomial(size, often / size, size=2000)
    found = _alpha((drawn @ kinds).reshape(-1, *pairs.shape[1:]))
    tail = float(ndtr(-((size / (size - 1)) ** 0.5) * stdtrit(size - 1, 0.975)))
    low, high = (float(x) for x in np.quantile(found[~np.isnan(found)], [tail, 1 - tail]))
    if high - low > 1e-9 and size < MIN_UNITS:
        return Kappa(value, -1.0, 1.0, f"fewer than {MIN_UNITS} units: too few to resample")
    if high - low > 1e-9:
        return Kappa(value, max(-1.0, min(low, value)), max(high, value))
    # All agree, or all differ alike: then as many units may agree as Wilson's bounds of none or all allow.
    share = counts.sum(axis=0) / counts.sum()
    seen = wilson(size if value == 1 else 0, size)
    low, high = (1 - (1 - bound) / (1 - float((share**2).sum())) for bound in (seen.low, seen.high))
    note = (
        "no unit differs from the others in how far it agrees: interval from Wilson's bounds of the agreement"
    )
    return Kappa(value, max(-1.0, min(low, value)), min(1.0, max(high, value)), note)


def _alpha(pairs: Numbers) -> Numbers:
    """Return alpha of each matrix of coincidences; NaN where only one class occurs."""
    totals, differ = pairs.sum(axis=2), 1 - np.eye(pairs.shape[2])
    expected = (totals[:, :, None] * totals[:, None, :] * differ).sum(axis=(1, 2))
    expected = np.where(expected > 0, expected, np.nan)
    return np.asarray(1 - (totals.sum(axis=1) - 1) * (pairs * differ).sum(axis=(1, 2)) / expected)
