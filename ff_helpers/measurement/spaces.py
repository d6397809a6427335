"""Label spaces in frames of verdicts: which one a grader answers in, and labels as classes of another."""

import pandas as pd

from ff_helpers.terms import Space, classes, projected


def space_of(rows: pd.DataFrame) -> Space:
    """Return the label space of one grader's verdicts: `five` where rows do not say."""
    spaces: list[Space] = list(rows["space"].dropna().unique()) if "space" in rows.columns else []
    return spaces[0] if spaces else "five"


def truth_space_of(rows: pd.DataFrame, otherwise: Space) -> Space:
    """Return the label space of the truth of these rows; `otherwise` where they do not say."""
    return rows["truth_space"].iloc[0] if len(rows) and "truth_space" in rows.columns else otherwise


def into(labels: "pd.Series[str]", own: Space, space: Space) -> "pd.Series[str]":
    """Return labels of one space as classes of a coarser one."""
    if own == space:
        return labels
    return labels.map({label: projected(label, own, space) for label in classes(own)})
