"""How often does an interval ever miss the true rate, if one looks after every label?

    .venv/bin/python -m benchmarks sequential

Double sampling of 1,000 rows, PLANNED labels planned, looked at from the 30th label to the 300th: the 95%
interval for a fixed number of labels, and the confidence sequence of `anytime_level`. An interval excludes
the truth where the truth has less posterior probability on one side than the level allows; the posterior is
the beta distribution of `Posterior.beta`, as 271 looks at each run are too many to draw from. One row
compares it with intervals that are drawn, as the product's are. The last rows are of labels alone: Wilson's
interval, and that of `anytime`.
"""

from itertools import product
from typing import Final

import numpy as np

from benchmarks.table import Row
from ff_helpers.measurement.adjustment.double import PRIOR, bounds
from ff_helpers.measurement.proportions.anytime import ALPHA, FIRST, anytime, anytime_level
from ff_helpers.measurement.proportions.intervals import Numbers, wilson_bounds
from ff_helpers.measurement.sampling.plan import outlook

RUNS: Final = 2000
ROWS: Final = 1000
PLANNED: Final = 100
LOOKS: Final = np.arange(FIRST, 301)
RATES: Final = (0.02, 0.05, 0.1, 0.2, 0.5)
JUDGES: Final = ((0.9, 0.9), (0.7, 0.8))
DRAWN: Final = ("at random", "by verdict")
CHECKED: Final = 100
"""Runs of each cell whose interval is drawn at the planned number of labels."""


def sequential() -> list[Row]:
    """Measure and return a row for each cell, and the targets."""
    missed, price, alike, covered, rows = [], [], [], [], []
    for seed, (drawn, judge, rate) in enumerate(product(DRAWN, JUDGES, RATES)):
        rng = np.random.default_rng(seed)
        counts = _counts(rng, rate, judge, by_verdict=drawn == "by verdict")
        below = _below(counts, rate)
        fixed, held = (_ever(below, level) for level in (1 - ALPHA, anytime_level(LOOKS, PLANNED)))
        missed.append((fixed, held))
        at = [side[:CHECKED, PLANNED - FIRST] for side in counts]
        ends = [bounds(*at, level=level) for level in (1 - ALPHA, float(anytime_level(PLANNED, PLANNED)))]
        widths = [float((high - low).mean()) for low, high in ends]
        price.append(widths[1] / widths[0])
        low, high = ends[0]
        inside = np.abs(below[:CHECKED, PLANNED - FIRST] - 0.5) <= (1 - ALPHA) / 2
        alike.append(float((((low <= rate) & (rate <= high)) == inside).mean()))
        covered.append(1 - _ever(below[:, [PLANNED - FIRST]], 1 - ALPHA))
        what = f"  {drawn}, judge {judge[0]:g}/{judge[1]:g}, true rate {rate:.0%}"
        rows.append(Row(what, f"fixed {fixed:.1%}, sequence {held:.1%}, width {price[-1]:.2f} times"))
    first, second = np.array(missed).T
    of = f"{len(rows)} cells of {RUNS:,} runs"
    return [
        Row("fixed 95% interval, runs that ever miss", f"{first.mean():.1%} ({_span(first)}), {of}"),
        Row(
            "confidence sequence, runs that ever miss",
            f"{second.mean():.1%} ({_span(second)})",
            float(second.max()) / ALPHA,
            "5% in the worst cell",
            most=1.3,
        ),
        Row(
            f"width of the sequence at {PLANNED} labels",
            f"{np.mean(price):.2f} of the fixed interval's width",
        ),
        *rows,
        Row(f"fixed interval, looked at once at {PLANNED} labels, covers", f"{np.mean(covered):.3f}"),
        Row("drawn intervals that agree on whether they cover", f"{np.mean(alike):.1%}"),
        *_alone(),
    ]


def _alone() -> list[Row]:
    """Return the same for the labels alone: how often Wilson's interval ever misses, and `anytime`."""
    n = np.broadcast_to(LOOKS.astype(float), (RUNS, len(LOOKS)))
    fixed: list[float] = []
    held: list[float] = []
    for seed, rate in enumerate(RATES):
        rng = np.random.default_rng([seed, 1])
        k = np.cumsum(rng.random((RUNS, LOOKS[-1])) < rate, axis=1)[:, FIRST - 1 :].astype(float)
        for found, (low, high) in ((fixed, wilson_bounds(k, n)), (held, anytime(k, n))):
            found.append(float(((low > rate) | (high < rate)).any(axis=1).mean()))
    words = [f"{np.mean(side):.1%} ({_span(np.array(side))})" for side in (fixed, held)]
    return [
        Row(f"labels alone, Wilson, runs that ever miss, {len(RATES)} cells", words[0]),
        Row("labels alone, `anytime`", words[1], max(held) / ALPHA, "5% in the worst cell", most=1.3),
    ]


def _span(shares: Numbers) -> str:
    return f"{shares.min():.1%} to {shares.max():.1%}"


def _counts(
    rng: np.random.Generator, rate: float, judge: tuple[float, float], *, by_verdict: bool
) -> tuple[Numbers, Numbers, Numbers]:
    """Return rows, true labels and labels of hits and of others: (RUNS, looks, 2) each."""
    expected = outlook(rate, *judge)
    called = rng.binomial(ROWS, expected.hit, RUNS)[:, None]
    place, last = np.arange(ROWS), LOOKS[-1]
    # By verdict: one of each in turn, until there are no more hits.
    in_turn = (place % 2 == 0) & (place // 2 < called)
    hit = (in_turn if by_verdict else rng.permuted(place < called, axis=1))[:, :last]
    true = rng.random(hit.shape) < np.where(hit, expected.in_hits, expected.in_others)
    sides = np.stack([hit, ~hit], axis=2)
    hits, size = (np.cumsum(kind, axis=1)[:, FIRST - 1 :] for kind in (sides & true[..., None], sides))
    rows = np.broadcast_to(np.stack([called, ROWS - called], axis=2), size.shape)
    return rows.astype(float), hits.astype(float), size.astype(float)


def _below(counts: tuple[Numbers, Numbers, Numbers], rate: float) -> Numbers:
    """Return the posterior probability that the rate is below the true one: (RUNS, looks)."""
    from scipy.special import betainc

    rows, hits, size = counts
    share = (rows + 0.5) / (ROWS + 1)
    within = (hits + PRIOR) / (size + 2 * PRIOR)
    spread = within * (1 - within) / (size + 2 * PRIOR + 1)
    centre = (share * within).sum(axis=2)
    # E[S_c^2] of the shares of two verdicts; they move against each other.
    moved = share.prod(axis=2) / (ROWS + 2)
    variance = ((share**2 + moved[..., None]) * spread).sum(axis=2)
    variance += moved * (within[..., 0] - within[..., 1]) ** 2
    many = centre * (1 - centre) / variance - 1
    return np.asarray(betainc(centre * many, (1 - centre) * many, rate), dtype=np.float64)


def _ever(below: Numbers, level: float | Numbers) -> float:
    """Return the share of runs in which the interval of this level excludes the truth at some look."""
    return float((np.abs(below - 0.5) > np.asarray(level) / 2).any(axis=1).mean())
