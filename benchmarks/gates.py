"""The gate `--max-rate`: how often it passes a rate at the limit, and how often one that is lower.

    .venv/bin/python -m benchmarks gates

The exact test of `limit.p_above` on labels of 1,000 rows; beside it the gate that passes where the upper end
of the 95% interval is below the limit, which is approximate.
"""

from itertools import product
from typing import Final

import numpy as np

from benchmarks.table import Row
from ff_helpers.measurement.adjustment.double import bounds
from ff_helpers.measurement.adjustment.limit import ALPHA, p_above
from ff_helpers.measurement.proportions.intervals import Numbers
from ff_helpers.measurement.sampling.plan import outlook

DRAWS: Final = 500
POSTERIOR: Final = 1000
ROWS: Final = 1000
LIMITS: Final = (0.05, 0.1)
OF_LIMIT: Final = (1.0, 0.75, 0.5, 0.2)
"""True rates, as parts of the limit."""
JUDGES: Final = ((0.9, 0.9), (0.7, 0.8))
LABELS: Final = (50, 100, 200)
DRAWN: Final = ("at random", "by verdict")


def gates() -> list[Row]:
    """Measure and return wrong passes with the target, and the power by labels and true rate."""
    wrong, power = [], []
    for seed, cell in enumerate(product(LIMITS, JUDGES, DRAWN, LABELS)):
        limit, judge, drawn, labels = cell
        for place, part in enumerate(OF_LIMIT):
            rng = np.random.default_rng([seed, place])
            passed = _passed(rng, limit, part * limit, judge, labels, half=drawn == "by verdict")
            if place == 0:
                wrong.append(passed)
            else:
                power.append((limit, part, labels, *passed))
    exact, upper = np.array(wrong).T
    words = f"{exact.mean():.1%} (most {exact.max():.1%}), {len(wrong)} cells of {DRAWS:,} samples"
    worst = float(exact.max()) / ALPHA
    rows = [
        Row("exact test, passes at the limit", words, worst, "5% in the worst cell", most=1.4),
        Row("upper end of the 95% interval, the same", f"{upper.mean():.1%} (most {upper.max():.1%})"),
    ]
    for limit, part in product(LIMITS, OF_LIMIT[1:]):
        sides = [_mean(power, (limit, part, labels)) for labels in LABELS]
        words = ", ".join(f"{own:.0%} ({other:.0%})" for own, other in sides)
        many = ", ".join(map(str, LABELS))
        rows.append(Row(f"limit {limit:.0%}, true rate {part * limit:.1%}: passes at {many} labels", words))
    return [*rows, Row("(in brackets: by the upper end of the interval)", ""), _fewest()]


def _fewest(limit: float = 0.1, called: tuple[int, int] = (100, 900)) -> Row:
    """Return the fewest labels, as many of hits as their share, that show a low rate without a success."""
    for labels in range(10, ROWS):
        hits = round(labels * called[0] / sum(called))
        p = p_above(limit, called, (hits, labels - hits), (0, 0))
        if p <= ALPHA:
            break
    what = f"no success, {called[0]} of {ROWS:,} rows hits: fewest labels that show a rate below {limit:.0%}"
    return Row(what, f"{labels} ({hits} of hits), p = {p:.3f}")


def _mean(power: list[tuple[float, float, int, float, float]], cell: tuple[float, float, int]) -> Numbers:
    """Return the mean over judges and designs of passes by the test, and by the interval."""
    return np.asarray(np.mean([row[3:] for row in power if row[:3] == cell], axis=0), dtype=np.float64)


def _passed(
    rng: np.random.Generator,
    limit: float,
    rate: float,
    judge: tuple[float, float],
    labels: int,
    *,
    half: bool,
) -> tuple[float, float]:
    """Return the share of samples that pass by the test, and by the interval."""
    expected = outlook(rate, *judge)
    called = rng.binomial(ROWS, expected.hit, DRAWS)
    inside = np.minimum(labels // 2, called) if half else rng.hypergeometric(called, ROWS - called, labels)
    size = np.stack([inside, labels - inside], axis=1)
    true = rng.binomial(size, [expected.in_hits, expected.in_others])
    rows = np.stack([called, ROWS - called], axis=1)
    p = [
        p_above(limit, (int(c[0]), int(c[1])), (int(n[0]), int(n[1])), (int(k[0]), int(k[1])))
        for c, n, k in zip(rows, size, true, strict=True)
    ]
    _, high = bounds(*(side.astype(float) for side in (rows, true, size)), draws=POSTERIOR)
    return float((np.array(p) <= ALPHA).mean()), float((high < limit).mean())
