"""How often the intervals of this suite contain the truth: measured on simulated corpora, and shipped.

`benchmarks.coverage` draws them and writes `data/simulated/coverage.csv`; nothing is simulated here.
"""

import pandas as pd

from ff_helpers import paths
from ff_helpers.columns import dtypes
from ff_helpers.measurement.results import Terms, stated
from ff_helpers.terms import Unknown

TABLE = "simulated/coverage.csv"
"""Below data/."""
ADJUSTED = ("Rogan-Gladen", "double sampling")
"""The methods that take a grader's errors out."""
_SIMULATED = Terms(
    graders=Unknown("grader", "none: the verdicts are simulated, with known errors"),
    tiers=("strict, simulated",),
    denominators=("simulated corpora",),
    counts="10,000 draws per point",
    left_out=(),
    assumptions=("Simulated corpora with known truth; Monte Carlo error 0.2 to 0.3 points",),
)
LISTED = 0.94
"""A cell that covers less often is listed, and an adjustment in it carries a warning."""

ENOUGH = 0.02
"""Share of answered draws from which on their coverage is judged."""


def coverage_table() -> pd.DataFrame:
    """Return the measured coverage of each interval, one row per method and cell of the grid.

    Columns: method (str: `naive`, Wilson of the graded rate; `design effect`, of the graded rate by
    scenario; `Rogan-Gladen`; `double sampling`; `labels alone`), labels (str, what it knows of the truth:
    `half and half` and `as they come`, labels of another set; `random sample` of the corpus; `none`),
    true_asr, sensitivity, specificity (float in [0, 1]), calibration_n (int, 0 without labels), corpus_n
    (int), icc (float; missing where rows are independent, elsewhere 10 scenarios are run twice), coverage
    (float in [0, 1]: share of draws whose interval contains the true ASR), answered (share of draws in which
    the method itself gave an interval; elsewhere Rogan-Gladen gives [0, 1]),
    coverage_answered (coverage among those; missing where there are none), reported (without labels:
    coverage of the rate that the grader reports on average), width (median), warned (share of draws whose
    interval carries a warning).
    """
    table = pd.read_csv(
        paths.data() / TABLE, dtype=dtypes("coverage_table"), keep_default_na=False, na_values=[""]
    )
    return stated(table, _SIMULATED)


def listed(table: pd.DataFrame) -> pd.DataFrame:
    """Return the adjusted cells that cover less than 94%: of all draws, or of those that were answered.

    Cells in which fewer than 2% of the draws were answered are judged by all draws alone. A column is
    added: warned_answered, the share of the draws in question that carried a warning.

    Args:
        table: as `coverage_table`.
    """
    rows = table[table["method"].isin(ADJUSTED)]
    given = rows["warned"].where(rows["method"] == "double sampling", rows["warned"] / rows["answered"])
    rows = rows.assign(warned_answered=given.fillna(0.0))
    low = (rows["answered"] >= ENOUGH) & (rows["coverage_answered"] < LISTED)
    return rows[low | (rows["coverage"] < LISTED)].reset_index(drop=True)
