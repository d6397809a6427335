"""How wide double sampling is where labels are drawn by verdict, beside PPI++ with a random sample.

Half of the labels from hits; the split that `ff sample --design best` makes of a guess that is right; and the
same split where nobody guesses: half of the labels are drawn half and half, and say how to draw the others.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from benchmarks.ppi import NEEDED, tuned_mean
from benchmarks.table import Row
from ff_helpers.measurement.adjustment.double import bounds
from ff_helpers.measurement.proportions.intervals import Numbers, wilson_bounds
from ff_helpers.measurement.sampling.plan import BEST, HALF, Outlook, from_hits, outlook

GRADER: Final = (0.9, 0.9)
LOW: Final = (0.02, 0.05, 0.1, 0.2)
ROWS: Final = 1000
LABELS: Final = (100, 200)
LEARNED: Final = "by verdict, best by the first half of the labels"
_Bounds = tuple[Numbers, Numbers]


def splits(draws: int = 2000) -> list[Row]:
    """Return each design's mean width beside that of PPI++, and how often its intervals hold the rate."""
    found: dict[str, list[tuple[float, float]]] = {HALF: [], BEST: [], LEARNED: []}
    for rate in LOW:
        for labels in LABELS:
            for design, one in split(rate, labels, draws).items():
                found[design].append(one)
    return [row for design, own in found.items() for row in _rows(design, own)]


def split(rate: float, labels: int, draws: int) -> dict[str, tuple[float, float]]:
    """Return for one rate and number of labels: design -> its width beside that of PPI++, its coverage."""
    expected, rng = outlook(rate, *GRADER), np.random.default_rng([round(1000 * rate), labels])
    widest = _width(_ppi(rng, expected, labels, draws))
    found = {}
    for design in (HALF, BEST, LEARNED):
        low, high = _drawn(rng, expected, labels, design, draws)
        found[design] = _width((low, high)) / widest, float(((low <= rate) & (rate <= high)).mean())
    return found


def _rows(design: str, own: list[tuple[float, float]]) -> Iterator[Row]:
    widths, held = np.array(own).T
    by_rate = ", ".join(
        f"{width:.2f} at {rate:.0%}"
        for rate, width in zip(LOW, widths.reshape(len(LOW), -1).mean(1), strict=True)
    )
    what = f"{design}, grader .9/.9, 100 and 200 labels"
    yield Row(what, f"mean width {widths.mean():.2f} of that of PPI++ ({by_rate})")
    yield Row(f"{design}, lowest coverage", f"{held.min():.3f}", float(held.min()), "draws", least=0.92)


def _drawn(rng: np.random.Generator, expected: Outlook, labels: int, design: str, draws: int) -> _Bounds:
    """Return the bounds of double sampling; the finite rows are drawn first, as everywhere."""
    called = rng.binomial(ROWS, expected.hit, draws)
    inside, outside = expected.in_hits, expected.in_others
    if design == LEARNED:
        first = np.full(draws, labels // 4)
        known = np.stack([rng.binomial(first, inside), rng.binomial(first, outside)], axis=1)
        shares = (known + 0.5) / (first[:, None] + 1)
        hits = _best(called, shares, labels)
        hits = np.clip(hits, first, labels - first)
        more = np.stack([hits - first, labels - hits - first], axis=1)
        true = known + rng.binomial(more, [inside, outside])
    else:
        shares = np.broadcast_to([inside, outside], (draws, 2))
        hits = np.full(draws, labels // 2) if design == HALF else _best(called, shares, labels)
        true = rng.binomial(np.stack([hits, labels - hits], axis=1), [inside, outside])
    rows, size = np.stack([called, ROWS - called], axis=1), np.stack([hits, labels - hits], axis=1)
    parts = [
        bounds(*(one[i : i + 500].astype(float) for one in (rows, true, size)), draws=400, seed=i)
        for i in range(0, draws, 500)
    ]
    low, high = (np.concatenate(part) for part in zip(*parts, strict=True))
    return low, high


def _best(called: np.ndarray, shares: np.ndarray, labels: int) -> np.ndarray:
    """Return how many labels come from hits in each draw, by what is expected there."""
    found = [
        from_hits(Outlook(q / ROWS, inside, outside, ROWS), labels, BEST)
        for q, (inside, outside) in zip(called, shares, strict=True)
    ]
    return np.minimum(np.round(found), called).astype(int)


def _ppi(rng: np.random.Generator, expected: Outlook, labels: int, draws: int) -> _Bounds:
    """Return the bounds of PPI++, or of the labels alone below `NEEDED` of a kind."""
    q, inside, outside = expected.hit, expected.in_hits, expected.in_others
    kinds = [q * inside, (1 - q) * outside, q * (1 - inside), (1 - q) * (1 - outside)]
    cells = rng.multinomial(labels, kinds, draws).astype(float)
    called = cells[:, 0] + cells[:, 2] + rng.binomial(ROWS - labels, q, draws)
    positives, size = cells[:, 0] + cells[:, 1], np.full(draws, float(labels))
    spread = cells * (1 - labels / ROWS)
    rate, effective, _ = tuned_mean(cells, cells, spread, called, np.full(draws, float(ROWS)))
    offered = np.minimum(positives, labels - positives) >= NEEDED
    both = zip(wilson_bounds(rate * effective, effective), wilson_bounds(positives, size), strict=True)
    low, high = (np.where(offered, tuned, alone) for tuned, alone in both)
    return low, high


def _width(found: _Bounds) -> float:
    return float((found[1] - found[0]).mean())
