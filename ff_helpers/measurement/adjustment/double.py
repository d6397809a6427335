"""A rate from labels of some rows and verdicts on all of them: the truth within each verdict.

Double sampling (Tenenbaum 1970, JASA 65:1350-1361): the rate is the sum over verdicts of the share of the
verdict among all rows times the rate of true successes among its labelled rows. Nothing is assumed about the
grader: a bad one narrows the interval less, and that is all. Which labels may be drawn: any number from each
verdict, also many more from the rarer one, as long as those of one verdict are drawn at random or with known
probabilities.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ff_helpers.errors import FFError
from ff_helpers.measurement.adjustment.rogan_gladen import Adjusted
from ff_helpers.measurement.proportions.anytime import anytime
from ff_helpers.measurement.proportions.clusters import clustering
from ff_helpers.measurement.proportions.intervals import Numbers, wilson_bounds

Codes = NDArray[np.intp]
DOUBLE, LABELS = "double sampling", "labels alone"
LEVEL = 0.95
RARE = 25
"""Labels of the rarer kind below which a warning is due."""
PRIOR = 0.4
"""Successes, and failures, that each verdict is given before it is labelled: between Jeffreys' 1/2 and the
neutral 1/3 of Kerman (2011, Electronic J. Statistics 5:1450). With two verdicts 1/2 in each adds a whole
success; `python -m benchmarks peers_correction` measures what that costs where 2% are true."""
DRAWS = 4000
"""Draws from the posterior: a bound is off by 2% of the interval's width, by more with one or two labels."""


def double_sampling(
    verdict: "Sequence[Hashable] | pd.Series[bool] | pd.Series[str]",
    truth: "Sequence[float | None] | pd.Series[float]",
    probability: "Sequence[float] | pd.Series[float]",
    scenario: "Sequence[str] | pd.Series[str] | None" = None,
    *,
    part: "Sequence[str] | pd.Series[str] | None" = None,
    level: float = LEVEL,
) -> Adjusted:
    """Return the true rate of graded rows of which some are labelled, with its 95% interval.

    The interval is of the product's quantiles under these posteriors: the shares of the verdicts are
    Dirichlet, the rate within each verdict Beta(k + PRIOR, n - k + PRIOR) over its labelled rows, with n the
    effective number where probabilities differ within a verdict. The parts of a verdict share its prior, so
    that parts in which all labels agree say together what the verdict would have said. Runs of one scenario
    are taken together: all counts shrink by the design effect of the estimate. Where every row is labelled
    the labels are the answer, with their Wilson interval.

    Args:
        verdict: what the grader called the row (hit or not, or a finer cell such as model and verdict); one
            value per graded row.
        truth: is it a success; missing where the row has no label.
        probability: with which a labelled row was drawn; ignored elsewhere.
        scenario: of each row; None where all rows are independent.
        part: of the rows of its verdict, such as those that the grader is sure of (`sampling.soft`); None:
            a verdict is not split.
        level: of the interval; `anytime_level` makes it one that holds at every number of labels.

    Raises:
        FFError: columns of different length, a truth that is neither 0 nor 1, a label without a
            probability.
    """
    said = verdict if isinstance(verdict, pd.Series) else pd.Series(list(verdict))
    cell, prior = np.asarray(pd.factorize(said, sort=True)[0]), None
    if part is not None and (cell >= 0).all():
        cell, prior = in_parts(cell, list(part))
    y, chance = np.array(truth, dtype=np.float64), np.array(probability, dtype=np.float64)
    _check(cell, y, chance)
    cluster = None if scenario is None else np.array(pd.factorize(pd.Series(scenario))[0])
    return from_codes(cell, y, chance, cluster, prior=prior, level=level)[0]


@dataclass(frozen=True)
class Posterior:
    """The effective counts behind an adjusted rate, cell by cell, as `bounds` takes them: (cells,) each."""

    called: Numbers
    hits: Numbers
    size: Numbers
    prior: Numbers | float = PRIOR

    def beta(self, yes: float = 0.5) -> tuple[float, float]:
        """Return the parameters of the Beta distribution with the mean and variance of the rate.

        Args:
            yes: the share of the prior that counts as successes. One half: the posterior that the interval
                is of.
        """
        alpha = self.called + 1 / max(len(self.called), 2)
        all_of, share = alpha.sum(), alpha / alpha.sum()
        hits = self.hits + 2 * self.prior * yes
        others = np.maximum(self.size - self.hits, 0.0) + 2 * self.prior * (1 - yes)
        rate, spread = hits / (hits + others), hits * others / (hits + others) ** 2 / (hits + others + 1)
        mean = float(share @ rate)
        # E[S_c S_d] of a Dirichlet: share_c share_d A / (A + 1), and share_c / (A + 1) more where c is d.
        square = share * (share * all_of + 1) / (all_of + 1)
        variance = (float(share @ rate**2) - mean**2) / (all_of + 1) + float(square @ spread)
        many = mean * (1 - mean) / variance - 1
        return mean * many, (1 - mean) * many


def in_parts(cell: Codes, part: Sequence[str]) -> tuple[Codes, Numbers]:
    """Return codes of the parts of each verdict, and the prior of each: a verdict's, over all of its parts.

    Args:
        cell: the verdict of each row, 0 and up.
        part: of the rows of its verdict.
    """
    codes, names = pd.factorize(pd.MultiIndex.from_arrays([cell, list(part)]), sort=True)
    whole = np.asarray(names.get_level_values(0))
    return np.asarray(codes), PRIOR / np.bincount(whole)[whole]


def from_codes(
    cell: Codes,
    y: Numbers,
    chance: Numbers,
    cluster: Codes | None = None,
    *,
    prior: Numbers | None = None,
    level: float = LEVEL,
) -> tuple[Adjusted, Posterior | None]:
    """Return what `double_sampling` does, of checked columns with codes for words; and the counts behind it.

    Args:
        cell: of each row, 0 and up.
        y: 1, 0, or missing without a label.
        chance: of a labelled row.
        cluster: of each row, 0 and up; None: all rows are independent.
        prior: of each cell, where verdicts are split (`in_parts`).
        level: of the interval.
    """
    drawn, rows, many = ~np.isnan(y), len(y), int(cell.max(initial=-1)) + 1
    before = np.full(many, PRIOR) if prior is None else prior
    verdicts = round(before.sum() / PRIOR)
    labelled = int(drawn.sum())
    if not labelled:
        return Adjusted(method=LABELS, note="not identifiable: no row is labelled"), None
    weight = np.zeros(rows)
    weight[drawn] = 1 / chance[drawn]
    y = np.nan_to_num(y)
    total, squares, hits = (
        np.bincount(cell, weights=w, minlength=many) for w in (weight, weight**2, weight * y)
    )
    known = total > 0
    rate = np.where(known, hits / np.where(known, total, 1.0), 0.5)
    size = np.where(known, total**2 / np.where(known, squares, 1.0), 0.0)
    called = np.bincount(cell, minlength=many).astype(np.float64)
    shrink = 1.0
    if cluster is not None:
        centre = float((called * rate).sum() / rows)
        adds = (rate[cell] - centre) / rows + np.where(
            drawn, (called / rows)[cell] * weight / np.where(known, total, 1.0)[cell] * (y - rate[cell]), 0.0
        )
        shrink = clustering(adds, cluster, drawn)
        if not shrink:
            why = "not identifiable: runs of one scenario say nothing about others"
            return Adjusted(method=DOUBLE, note=why), None
    estimate = min(max(float((called * rate).sum() / rows), 0.0), 1.0)
    positives = float(y[drawn].sum())
    least = int(min(positives, labelled - positives))
    warned = bool(rare(np.array([positives]), np.array([float(labelled)]))[0])
    warning = f"only {least} of {labelled} labels are of the rarer kind" if warned else ""
    counts = Posterior(called * shrink, rate * size * shrink, size * shrink, before)
    if labelled == rows:
        # Exact bounds at another level than Wilson's: these hold at every number of labels, too.
        method = wilson_bounds if level == LEVEL else anytime
        ends = method(np.array([estimate * rows * shrink]), np.array([rows * shrink]))
        low, high = (float(end[0]) for end in ends)
        return Adjusted(estimate, low, high, LABELS, "every row is labelled", warning), counts
    sides = (counts.called, counts.hits, counts.size)
    ends = bounds(*(one[None] for one in sides), prior=before, level=level)
    low, high = (float(end[0]) for end in ends)
    blind = int(called[~known].sum())
    note = f"{labelled} labels of {rows} rows"
    note += f"; {many} strata by verdict and label probability" if many > verdicts else ""
    note += f"; no label among {blind} rows of one verdict, whose rate is unknown" if blind else ""
    return Adjusted(estimate, min(low, estimate), max(high, estimate), DOUBLE, note, warning), counts


def bounds(
    called: Numbers,
    hits: Numbers,
    size: Numbers,
    *,
    prior: Numbers | float = PRIOR,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[Numbers, Numbers]:
    """Return the bounds of the sum over cells of their share times the rate of successes in them.

    Args:
        called: (samples, cells), rows of each cell, labelled or not (effective counts may be fractional).
        hits: (samples, cells), true successes among the labelled rows of each cell.
        size: (samples, cells), labelled rows of each cell; 0: its rate is unknown.
        prior: successes, and failures, that each cell has before it is labelled; (cells,) or one for all.
        level: of the interval between them.
        draws: from the posterior of each sample, at the usual level; as many more as fewer lie outside.
        seed: of these draws.
    """
    rng, tail = np.random.default_rng(seed), round((1 - level) / 2, 12)
    samples, cells = called.shape
    shape = (round(draws * (1 - LEVEL) / (1 - level)), samples, cells)
    # 1 / cells in all: for two cells the Jeffreys prior; more would pull the shares towards each other.
    shares = rng.standard_gamma(called + 1 / max(cells, 2), shape)
    rates = rng.beta(hits + prior, np.maximum(size - hits, 0.0) + prior, shape)
    low, high = np.quantile((shares * rates).sum(axis=2) / shares.sum(axis=2), (tail, 1 - tail), axis=0)
    return np.asarray(low), np.asarray(high)


def rare(positives: Numbers, labelled: Numbers) -> NDArray[np.bool_]:
    """Return where labels of the rarer kind are so few that an interval is less sure than it looks."""
    return np.minimum(positives, labelled - positives) < RARE


def _check(cell: Codes, y: Numbers, chance: Numbers) -> None:
    drawn, problem = ~np.isnan(y), ""
    if not len(cell) == len(y) == len(chance):
        problem = f"{len(cell)} verdicts, {len(y)} truths and {len(chance)} probabilities"
    elif (cell < 0).any():
        problem = "a verdict is missing"
    elif not np.isin(y[drawn], (0.0, 1.0)).all():
        problem = "a truth is neither 0 nor 1"
    elif not ((chance[drawn] > 0) & (chance[drawn] <= 1)).all():
        problem = "a labelled row has no probability above 0 and at most 1"
    if problem:
        raise FFError(
            f"double_sampling(): {problem}. Give one verdict per row; a truth (1, 0, missing without a "
            "label); and for labelled rows the probability with which they were drawn, in (0, 1]."
        )
