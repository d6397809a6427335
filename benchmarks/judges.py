"""How much narrower is a rate with a second judge? Labels of 1,000 rows, adjusted with one and with two.

    .venv/bin/python -m benchmarks judges

The judges err independently of each other given the truth, or agree in half of their errors.
"""

from itertools import product
from typing import Final

import numpy as np
import pandas as pd

from benchmarks.table import Row
from ff_helpers.measurement.adjustment.double import bounds
from ff_helpers.measurement.adjustment.patterns import merged
from ff_helpers.measurement.proportions.intervals import Numbers

DRAWS: Final = 400
ROWS: Final = 1000
RATES: Final = (0.05, 0.2, 0.5)
JUDGES: Final = (((0.9, 0.9), (0.85, 0.9)), ((0.8, 0.8), (0.75, 0.85)), ((0.9, 0.9), (0.62, 0.74)))
SHARED: Final = (0.0, 0.5)
LABELS: Final = (50, 100, 200)


def judges() -> list[Row]:
    """Measure and return a row for each number of labels, with the targets."""
    found = []
    for seed, (labels, rate, pair, shared) in enumerate(product(LABELS, RATES, JUDGES, SHARED)):
        rng = np.random.default_rng(seed)
        one, two = (np.array(side) for side in zip(*_cell(rng, labels, rate, pair, shared), strict=True))
        for judge, sides in (("one", one), ("two", two)):
            covered = float(((sides[:, 0] <= rate) & (rate <= sides[:, 1])).mean())
            width = float((sides[:, 1] - sides[:, 0]).mean())
            cell = {"labels": labels, "judges": judge, "coverage": covered, "width": width}
            found.append(cell | {"pair": pair, "shared": shared})
    frame = pd.DataFrame(found)
    measured = frame[["labels", "judges", "coverage", "width"]]
    table = measured.pivot_table(index="labels", columns="judges", aggfunc=["mean", "min"])
    rows = []
    for labels in LABELS:
        own = table.loc[labels]
        of, ratio = f"{labels} labels", own["mean", "width", "two"] / own["mean", "width", "one"]
        rows.append(
            Row(f"width with two judges, {of}", f"{own['mean', 'width', 'two']:.3f}", ratio, "one", most=1.0)
        )
        for judge in ("one", "two"):
            mean, least = own["mean", "coverage", judge], own["min", "coverage", judge]
            said = f"{mean:.3f}, lowest {least:.3f}"
            both = None if judge == "one" else float(mean / own["mean", "coverage", "one"])
            rows.append(Row(f"coverage with {judge}, {of}", said, both, "one", least=0.99 if both else None))
    return rows + _by_pair(frame)


def _by_pair(frame: pd.DataFrame) -> list[Row]:
    """Return how much narrower two judges are than the first one, by what judges they are."""
    rows = []
    for (pair, shared), cells in frame.groupby(["pair", "shared"], sort=False):
        names = " and ".join(f"{se:g}/{sp:g}" for se, sp in pair)
        how = "independent errors" if not shared else f"{shared:.0%} of the errors shared"
        for labels, own in cells.groupby("labels"):
            width = own.groupby("judges")["width"].mean()
            what = f"width, {names}, {how}, {labels} labels"
            rows.append(Row(what, f"{width['two']:.3f}", width["two"] / width["one"], "the first alone"))
    return rows


def _cell(
    rng: np.random.Generator, labels: int, rate: float, pair: tuple[tuple[float, float], ...], shared: float
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Return for each draw the bounds with the first judge, and with both."""
    found = []
    for _ in range(DRAWS):
        true = rng.random(ROWS) < rate
        same, luck = rng.random(ROWS) < shared, rng.random((3, ROWS))
        hits = []
        for place, (se, sp) in enumerate(pair):
            right = np.where(same, luck[2], luck[place]) < np.where(true, se, sp)
            hits.append(np.where(right, true, ~true))
        drawn = np.zeros(ROWS, dtype=bool)
        drawn[rng.permutation(ROWS)[:labels]] = True
        first, second = (pd.Series(np.where(hit, "1", "0")) for hit in hits)
        patterns = merged(first + second, pd.Series(drawn))
        found.append((_bounds(first, true, drawn), _bounds(patterns, true, drawn)))
    return found


def _bounds(strata: "pd.Series[str]", true: Numbers, drawn: Numbers) -> tuple[float, float]:
    cell, names = pd.factorize(strata, sort=True)
    called = np.bincount(cell, minlength=len(names)).astype(float)
    size, hits = (np.bincount(cell, weights=w, minlength=len(names)) for w in (drawn, drawn & true))
    low, high = bounds(called[None], hits[None], size[None], draws=1000)
    return float(low[0]), float(high[0])
