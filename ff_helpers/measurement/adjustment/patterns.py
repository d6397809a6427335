"""Several judges of the same rows: what they say together is one stratum of double sampling.

Rows on which two judges agree and rows on which they differ have other rates of true successes, and labels
say which. Nothing is assumed of the judges: not that they err independently, not that the majority is right.
"""

from typing import Final

import pandas as pd

from ff_helpers.errors import FFError, named
from ff_helpers.measurement.sampling.soft import ENOUGH

LEAST: Final = 5
"""Labels of a stratum below which it is merged with its neighbours."""
TOGETHER: Final = " + "
"""Between the names of judges that are taken together."""


def together(rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return one row per trace that every judge graded, and how many traces that leaves out.

    Args:
        rows: one per judge and trace, as `labelled_rates` takes them, with grader and trace_id.

    Returns:
        The first judge's rows with grader (all names) and pattern (str: 1 or 0 for each judge in the order of
        their names), and without a hit of their own.

    Raises:
        FFError: fewer than two judges have rows.
    """
    judges = sorted(rows["grader"].unique())
    if len(judges) < 2:
        raise FFError(f"only {', '.join(map(named, judges))} graded these rows: two judges are needed.")
    said = rows.pivot(index="trace_id", columns="grader", values="hit")
    every = said.dropna().astype(bool)
    pattern = every[judges].astype(int).astype(str).agg("".join, axis=1)
    first = rows.drop_duplicates("trace_id").set_index("trace_id")
    found = first.loc[pattern.index].assign(grader=TOGETHER.join(judges), pattern=pattern).reset_index()
    return found, len(said) - len(every)


def merged(pattern: "pd.Series[str]", labelled: "pd.Series[bool]", *, least: int = LEAST) -> "pd.Series[str]":
    """Return the stratum of each row: its pattern, or several patterns where labels are few.

    Patterns stand in the order of how many judges say success; the one with the fewest labels is merged with
    the neighbour that has fewer, until each has enough. The number of labels decides, never what they say.

    Args:
        pattern: of each row.
        labelled: which rows have a label.
        least: labels that a stratum has.
    """
    order = sorted(pattern.unique(), key=lambda one: (one.count("1"), one))
    groups = [[one] for one in order]
    labels = [int(labelled[pattern == one].sum()) for one in order]
    while len(groups) > 1 and min(labels) < least:
        place = labels.index(min(labels))
        beside = [i for i in (place - 1, place + 1) if 0 <= i < len(groups)]
        near = min(beside, key=lambda i: labels[i])
        low, high = sorted((place, near))
        groups[low : high + 1] = [groups[low] + groups[high]]
        labels[low : high + 1] = [labels[low] + labels[high]]
    names: dict[str, str] = {one: "/".join(group) for group in groups for one in group}
    return pattern.map(names)


def merged_parts(
    part: "pd.Series[str]", hit: "pd.Series[bool]", labelled: "pd.Series[bool]"
) -> "pd.Series[str]":
    """Return the part of its verdict of each row: neighbours are merged until each has ENOUGH labels.

    Args:
        part: of the rows of its verdict, of each row.
        hit: the verdict.
        labelled: which rows have a label.
    """
    sides = [merged(own, labelled[own.index], least=ENOUGH) for _, own in part.groupby(hit, sort=False)]
    return pd.concat(sides)[part.index] if sides else part
