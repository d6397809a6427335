"""How much narrower can the best split of labels make an interval? Arithmetic, nothing is drawn.

    .venv/bin/python -m benchmarks best

In the limit of many labels and rows: Neyman's allocation against a random sample. With few of both: the
expected half-widths of `ff plan`.
"""

from typing import Final

import numpy as np

from benchmarks.table import Row
from ff_helpers.measurement.sampling.plan import BEST, RANDOM, half_widths, outlook

ROWS: Final = 1000
RATES: Final = (0.02, 0.05, 0.1, 0.2)
LABELS: Final = (100, 200)
JUDGE: Final = (0.9, 0.9)


def best() -> list[Row]:
    """Return the ratio of the standard errors for each true rate."""
    rows = []
    for rate in RATES:
        expected = outlook(rate, *JUDGE, rows=ROWS)
        share = np.array([expected.hit, 1 - expected.hit])
        within = np.array([expected.in_hits, expected.in_others])
        spread = np.sqrt(within * (1 - within))
        # Neyman 1934; Cochran 1977, Sampling Techniques, 5.5 and 5.6; a random sample is proportional.
        limit = float((share * spread).sum() / np.sqrt((share * spread**2).sum()))
        few = [float(half_widths(expected, n, BEST) / half_widths(expected, n, RANDOM)) for n in LABELS]
        said = ", ".join(f"{value:.2f} with {n} labels" for value, n in zip(few, LABELS, strict=True))
        what = f"best split, a {JUDGE[0]:g}/{JUDGE[1]:g} judge, true rate {rate:.0%}, in the limit"
        rows.append(Row(what, f"{limit:.2f} ({said} of {ROWS:,} rows)", limit, "a random sample's width"))
    return rows
