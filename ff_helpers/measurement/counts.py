"""The verdict-count table: every rate of the suite is taken from it.

Kept to group-by and length through narwhals, so that pandas, DuckDB (in process, out of core) or
another of its engines gives the same counts.
"""

import narwhals as nw
import pandas as pd
from narwhals.typing import IntoFrame

KEYS = ("model", "intent", "turns", "set", "source", "grader")
"""What the table counts by, unless told otherwise."""
NOT_RECORDED = "not recorded"


def count_verdicts(verdicts: IntoFrame, *, by: tuple[str, ...] = KEYS, repeat: int = 0) -> pd.DataFrame:
    """Count verdicts and statuses: the one table from which every rate is taken.

    Args:
        verdicts: the joined verdict frame (pandas, DuckDB relation, ...) with the columns of `by`,
            `verdict`, `status` and `repeat`.
        by: the columns to count by.
        repeat: which pass; repeated grading of a trace is no further trace.

    Returns:
        One row a combination that occurs, sorted: the columns of `by` (str; missing is `not recorded`),
        outcome (str: one of taxonomy.VERDICTS or STATUSES), graded (bool: is it a verdict), n (int).
    """
    keys = [*by, "verdict", "status", "repeat"]
    grouped = nw.from_native(verdicts).lazy().group_by(*keys).agg(nw.len().alias("n"))
    table: pd.DataFrame = grouped.collect("pandas").to_native()
    table = table[table["repeat"] == repeat]
    table = table.assign(
        **{key: table[key].astype("str").fillna(NOT_RECORDED) for key in by},
        outcome=table["verdict"].fillna(table["status"]).astype("str"),
        graded=table["verdict"].notna(),
        n=table["n"].astype("int64"),
    )
    return table[[*by, "outcome", "graded", "n"]].sort_values([*by, "outcome"]).reset_index(drop=True)
