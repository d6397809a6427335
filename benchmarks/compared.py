"""How often does `ff asr --compare` call rows of one rate different, and how often does it see a difference?

    .venv/bin/python -m benchmarks compared

Nine rows of 500 graded rows each; the judge's errors differ between them. Each row is compared with the
others together, p-values adjusted by Holm; any row that differs is a false alarm. Then one row has another
rate.
"""

from itertools import product
from typing import Final

import numpy as np

from benchmarks.table import Row
from ff_helpers.measurement.adjustment.compared import LEVEL, p_value
from ff_helpers.measurement.adjustment.double import Posterior
from ff_helpers.measurement.proportions.intervals import Numbers
from ff_helpers.measurement.sampling.plan import outlook

DRAWS: Final = 200
ROWS: Final = 500
GROUPS: Final = 9
RATES: Final = (0.02, 0.05, 0.2, 0.5)
LABELS: Final = (10, 15, 30, 100)
JUDGES: Final = ((0.9, 0.9), (0.7, 0.9), (0.62, 0.74))
HALF: Final = (False, True)
"""Whether half of the labels are drawn from hits."""


def compared() -> list[Row]:
    """Measure and return the rows with the target: at most 5% of tables with a false alarm."""
    alarms, seen = [], {labels: [] for labels in LABELS}
    for seed, (rate, labels, half) in enumerate(product(RATES, LABELS, HALF)):
        rng = np.random.default_rng(seed)
        alike = [_table(rng, [rate] * GROUPS, labels, half=half) for _ in range(DRAWS)]
        alarms.append(float(np.mean([min(p) <= LEVEL for p in alike])))
        one = [rate + 0.3, *[rate] * (GROUPS - 1)]
        seen[labels] += [_table(rng, one, labels, half=half)[0] <= LEVEL for _ in range(DRAWS // 4)]
    mean, most = float(np.mean(alarms)), max(alarms)
    what = f"tables of {GROUPS} rows of one rate in which any row differs"
    rows = [
        Row(what, f"mean {mean:.3f}, most {most:.3f} of {len(alarms)} cells", mean / LEVEL, "5%", most=1),
        # Of 32 cells at .05, 200 draws each, the highest is at .09 by chance.
        Row("the cell with the most", f"{most:.3f}", most, "1", most=0.09),
    ]
    for labels, found in seen.items():
        rows.append(
            Row(f"a row 30 points above the others, {labels} labels each", f"seen in {np.mean(found):.0%}")
        )
    return rows


def _table(rng: np.random.Generator, rates: list[float], labels: int, *, half: bool) -> list[float]:
    """Return the p-values of one table, adjusted as Holm adjusts the smallest."""
    cells = [_cells(rng, rate, JUDGES[i % len(JUDGES)], labels, half=half) for i, rate in enumerate(rates)]
    return [GROUPS * p_value(_posterior(one), _rest(cells, i)) for i, one in enumerate(cells)]


def _cells(
    rng: np.random.Generator, rate: float, judge: tuple[float, float], labels: int, *, half: bool
) -> Numbers:
    """Return called, true and labelled rows of hits and of the others: (3, 2)."""
    expected = outlook(rate, *judge)
    called = int(rng.binomial(ROWS, expected.hit))
    inside = min(labels // 2, called) if half else int(rng.hypergeometric(called, ROWS - called, labels))
    size = np.array([inside, labels - inside])
    true = rng.binomial(size, [expected.in_hits, expected.in_others])
    return np.array([[called, ROWS - called], true, size], dtype=float)


def _posterior(cells: Numbers) -> Posterior:
    return Posterior(*cells)


def _rest(cells: list[Numbers], place: int) -> Posterior:
    """Return the other rows together: labels of one verdict weigh by how many rows they stand for."""
    others = np.array(cells[:place] + cells[place + 1 :])
    called, true, size = others[:, 0], others[:, 1], others[:, 2]
    weight = np.divide(called, size, out=np.zeros_like(size), where=size > 0)
    total, squares = (weight * size).sum(axis=0), (weight**2 * size).sum(axis=0)
    rate = (weight * true).sum(axis=0) / np.maximum(total, 1e-9)
    effective = total**2 / np.maximum(squares, 1e-9)
    return Posterior(called.sum(axis=0), rate * effective, effective)
