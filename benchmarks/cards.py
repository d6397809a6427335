"""How often do the intervals of a card hold its judge's measures, if labels were drawn by verdict?

    .venv/bin/python -m benchmarks cards

Half of the labels are drawn from the judge's hits; `evidence_by_design` weights them.
"""

from itertools import product
from typing import Final

import numpy as np
import pandas as pd

from benchmarks.table import Row
from ff_helpers.measurement.calibration.by_design import Drawn, Posterior, accuracy, evidence_by_design, kappa

DRAWS: Final = 1000
POSTERIOR: Final = 1000
"""Draws from the posterior per sample; the product takes four times as many."""
ROWS: Final = (500, 2000)
RATES: Final = (0.05, 0.1, 0.3)
JUDGES: Final = ((0.9, 0.9), (0.8, 0.95), (0.7, 0.8))
LABELS: Final = (60, 100)
MEASURES: Final = ("accuracy", "kappa", "sensitivity", "specificity")
YES, NO = 0, 1


def cards() -> list[Row]:
    """Measure and return the coverage of each measure with the targets, and each cell."""
    found = []
    for seed, (rows, labels, (se, sp), rate) in enumerate(product(ROWS, LABELS, JUDGES, RATES)):
        rng = np.random.default_rng(seed)
        share = np.mean([_covered(rng, rate, (se, sp), rows, labels) for _ in range(DRAWS)], axis=0)
        what = f"  {labels} labels of {rows:,} rows, judge {se:g}/{sp:g}, true rate {rate:.0%}"
        found.append({"what": what} | dict(zip(MEASURES, share, strict=True)))
    table = pd.DataFrame(found)
    lines = []
    for name in MEASURES:
        mean, low, high = (float(value) for value in table[name].agg(["mean", "min", "max"]))
        words = f"mean {mean:.3f}, {low:.3f} to {high:.3f} in {len(table)} cells"
        lines += [Row(f"{name}, coverage of 95% intervals", words, mean, "all draws", least=0.945)]
        lines += [Row(f"{name}, lowest cell", f"{low:.3f}", low, "its draws", least=0.90)]
    for cell in table.to_dict("records"):
        lines.append(Row(cell["what"], ", ".join(f"{name} {cell[name]:.3f}" for name in MEASURES)))
    return lines


def _covered(
    rng: np.random.Generator, rate: float, judge: tuple[float, float], rows: int, labels: int
) -> list[bool]:
    """Return for each measure whether the interval of one sample holds it."""
    se, sp = judge
    true = rng.random(rows) < rate
    hit = np.where(true, rng.random(rows) < se, rng.random(rows) >= sp)
    truth, chance = np.full(rows, -1), np.ones(rows)
    for side in (hit, ~hit):
        places = np.flatnonzero(side)
        drawn = rng.choice(places, min(labels // 2, len(places)), replace=False)
        truth[drawn], chance[drawn] = np.where(true[drawn], YES, NO), len(drawn) / len(places)
    graded = np.where(hit, YES, NO)
    found = evidence_by_design(Posterior(Drawn(("yes", "no"), graded, truth, chance), draws=POSTERIOR))
    whole = np.array([[rate * se, rate * (1 - se), 0.0], [(1 - rate) * (1 - sp), (1 - rate) * sp, 0.0]])
    sides = (
        (found.accuracy, float(accuracy(whole))),
        (found.kappa, float(kappa(whole))),
        (found.recalls[YES], se),
        (found.recalls[NO], sp),
    )
    return [one is not None and one.low <= value <= one.high for one, value in sides]
