"""Does a rate cover the truth that is adjusted by a judge's errors on other models?

    .venv/bin/python -m benchmarks carried              measure; exit code 1 if a target is missed
    .venv/bin/python -m benchmarks.carried              the same, and every cell

Models under test differ: the logits of a judge's sensitivity and specificity are normal between models, and
correlate by -.5 (a lenient judge is so on both sides). Some models have labels, the rate is of one that has
none or few. Beside it the pooled Rogan-Gladen, which takes all labels as of one model, and the prediction
interval of Higgins, Thompson and Spiegelhalter (2009, equation 12: t with k - 2 degrees of freedom,
DerSimonian and Laird's variance, 1/2 added to each count).
"""

import sys
from collections.abc import Iterator
from itertools import product
from typing import Final

import numpy as np
import pandas as pd

from benchmarks.table import Row
from ff_helpers.measurement.adjustment.rogan_gladen import rogan_gladen
from ff_helpers.measurement.adjustment.transport import Errors, carried_over
from ff_helpers.measurement.proportions.intervals import Numbers

DRAWS: Final = 100
MODELS: Final = (3, 8)
LABELLED: Final = (50, 400)
RATES: Final = (0.05, 0.3, 0.9)
LOGITS: Final = ((2.2, 2.2), (2.2, 0.8), (0.6, 1.0))
"""Of the mean sensitivity and specificity: .90 and .90, .90 and .69, .65 and .73."""
SPREADS: Final = (0.0, 0.5, 1.0)
"""Standard deviation of these logits between models; GPT-4's on XSTest is 1.3 and 1.0."""
OWN: Final = (0, 8)
"""Labels of the model itself."""
ROWS: Final = 500
METHODS: Final = ("carried over", "pooled Rogan-Gladen", "HTS prediction")


def carried() -> list[Row]:
    """Measure the grid and return its summary with the targets."""
    return rows_of(measure())


def rows_of(table: pd.DataFrame) -> list[Row]:
    """Return the summary of a table of `measure`, and its targets."""
    found = []
    for (own, method), rows in table.groupby(["own", "method"], sort=False):
        mean, worst = float(rows["coverage"].mean()), float(rows["coverage"].min())
        what = f"{method}, {own} labels of the model itself"
        said = f"{mean:.3f}, lowest {worst:.3f}, mean width {rows['width'].mean():.2f}"
        least = 0.95 if method == METHODS[0] else None
        found.append(Row(f"{what}: coverage", said, mean, "all draws", least=least))
    low = table[(table["method"] == METHODS[0]) & (table["coverage"] < 0.90)]
    return [*found, Row("cells of carried over below .90", f"{len(low)} of {len(table) // len(METHODS)}")]


def measure(draws: int = DRAWS) -> pd.DataFrame:
    """Return coverage and mean width of each method on each cell of the grid."""
    cells = list(product(OWN, MODELS, LABELLED, RATES, LOGITS, SPREADS))
    found = []
    for seed, cell in enumerate(cells):
        rng = np.random.default_rng(seed)
        each = np.array([list(_draw(rng, *cell)) for _ in range(draws)])
        own, models, labels, rate, (se, sp), spread = cell
        place = {"own": own, "models": models, "labels": labels, "rate": rate, "se": se, "sp": sp}
        for method, (covered, width) in zip(METHODS, each.mean(axis=0), strict=True):
            found.append(place | {"spread": spread, "method": method, "coverage": covered, "width": width})
    return pd.DataFrame(found)


def _draw(  # noqa: PLR0917 - a cell of the grid
    rng: np.random.Generator,
    own: int,
    models: int,
    labels: int,
    rate: float,
    mean: tuple[float, float],
    s: float,
) -> Iterator[tuple[float, float]]:
    """Yield for each method whether its interval covers the rate, and how wide it is."""
    logits = np.array(mean) + s * rng.multivariate_normal([0, 0], [[1, -0.5], [-0.5, 1]], models + 1)
    se, sp = (1 / (1 + np.exp(-logits))).T
    of = np.array([*np.full(models, labels), own])
    share = np.array([*rng.uniform(0.15, 0.7, models), rate])
    successes = rng.binomial(of, share)
    counts = (rng.binomial(successes, se), successes, rng.binomial(of - successes, sp), of - successes)
    errors = [Errors(str(i), (tp, p), (tn, n)) for i, (tp, p, tn, n) in enumerate(zip(*counts, strict=True))]
    rest = ROWS - own
    k = int(rng.binomial(rest, rate * se[-1] + (1 - rate) * (1 - sp[-1])))
    ours = carried_over(k, rest, errors[:-1], here=errors[-1] if own else None)
    tp, p, tn, n = (int(side.sum()) for side in counts)
    pooled = rogan_gladen(k, rest, (tp, p), (tn, n))
    bounds = [(ours.low, ours.high), (pooled.low, pooled.high), _hts(rng, k, rest, *(c[:-1] for c in counts))]
    for low, high in bounds:
        yield float(low <= rate <= high), high - low


def _hts(  # noqa: PLR0917 - counts
    rng: np.random.Generator, k: int, rest: int, tp: Numbers, p: Numbers, tn: Numbers, n: Numbers
) -> tuple[float, float]:
    """Return the quantiles of Rogan-Gladen, cut to [0, 1], with errors drawn from prediction intervals."""
    se, sp = (_predict(rng, found, of) for found, of in ((tp, p), (tn, n)))
    gap = se + sp - 1
    rate = np.clip((rng.beta(k + 0.5, rest - k + 0.5, len(se)) + sp - 1) / np.where(gap == 0, 1.0, gap), 0, 1)
    low, high = np.where(gap > 0, rate, 0.0), np.where(gap > 0, rate, 1.0)
    return float(np.quantile(low, 0.025)), float(np.quantile(high, 0.975))


def _predict(rng: np.random.Generator, found: Numbers, of: Numbers, size: int = 3000) -> Numbers:
    y, v = np.log((found + 0.5) / (of - found + 0.5)), 1 / (found + 0.5) + 1 / (of - found + 0.5)
    w = 1 / v
    q = float((w * (y - (w @ y) / w.sum()) ** 2).sum())
    tau = max(0.0, (q - len(y) + 1) / (w.sum() - (w**2).sum() / w.sum()))
    w = 1 / (v + tau)
    logit = (w @ y) / w.sum() + np.sqrt(tau + 1 / w.sum()) * rng.standard_t(len(y) - 2, size)
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -30, 30))))


if __name__ == "__main__":
    measured = measure()
    with pd.option_context("display.width", 140, "display.max_rows", None):
        print(measured.pivot_table(index=list(measured.columns[:7]), columns="method").round(3))
    summary = rows_of(measured)
    for row in summary:
        print(row)
    sys.exit(int(any(row.met is False for row in summary)))
