"""Simulated corpora for `peers_correction`: what is true, what a judge said, and how probable that was to it.

Only numpy and scipy, because the packages that we compare with run in a Python of their own, on corpora from
the same seeds. A judge scores each row: normal with variance 1, around z(Se) for a true success and -z(Sp)
for the others; it says success above 0. Its probability is that of the score if both kinds were as common.
Rows are independent, so the first n of them are a random sample.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

ROWS: Final = 1000
RATES: Final = (0.02, 0.05, 0.1, 0.2, 0.4, 0.65, 0.85, 0.95)
JUDGES: Final = ((0.95, 0.95), (0.9, 0.9), (0.9, 0.7), (0.7, 0.9), (0.62, 0.74), (0.55, 0.55))
"""Sensitivity and specificity: those of `benchmarks coverage`, and .9 and .9."""
LABELS: Final = (30, 50, 100, 200)
Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """A cell of the grid: the true rate, the judge's sensitivity and specificity, labels of ROWS rows."""

    rate: float
    se: float
    sp: float
    labels: int


@dataclass(frozen=True)
class Corpora:
    """Corpora of one cell, (draws, ROWS) each.

    Attributes:
        true: successes.
        hit: what the judge calls a success.
        probability: of a success, by the judge.
        noise: one that says no more than the verdict.
        luck: uniform in [0, 1], for whoever draws rows.
    """

    true: Flags
    hit: Flags
    probability: Numbers
    noise: Numbers
    luck: Numbers


def grid() -> list[Cell]:
    """Return the cells."""
    return [Cell(rate, se, sp, n) for n, (se, sp), rate in product(LABELS, JUDGES, RATES)]


def corpora(draws: int) -> Iterator[tuple[Cell, Corpora]]:
    """Yield each cell of the grid with as many corpora; the same for the same number."""
    for seed, cell in enumerate(grid()):
        rng = np.random.default_rng([draws, seed])
        true = rng.random((draws, ROWS)) < cell.rate
        up, down = float(ndtri(cell.se)), float(-ndtri(cell.sp))
        score = rng.standard_normal((draws, ROWS)) + np.where(true, up, down)
        hit = score > 0
        probability = expit(score * (up - down) - (up**2 - down**2) / 2)
        luck = rng.random((draws, ROWS))
        yield cell, Corpora(true, hit, probability, (hit + rng.random((draws, ROWS))) / 2, luck)
