"""Labels of several people, one row per person and trace, as one truth per trace: what most of them said."""

from collections import Counter

import pandas as pd

from ff_helpers.measurement.labels.card import texts
from ff_helpers.measurement.labels.cells import is_nothing
from ff_helpers.measurement.labels.file import column_of
from ff_helpers.terms import Space


def by_majority(frame: pd.DataFrame, truth: str, space: Space | None) -> tuple[pd.DataFrame, str]:
    """Return one row per trace, its label what most people said, and a sentence about it.

    A tie leaves the trace without a truth. A table that is not of several people (columns trace_id and
    annotator) is returned unchanged, with "".

    Args:
        frame: the table.
        truth: the column of the labels.
        space: take only labels in this space, where the table has a column `space`.
    """
    if not {"trace_id", "annotator"} <= set(frame.columns):
        return frame, ""
    if space is not None and "space" in frame.columns:
        frame = frame[column_of(frame, "space") == space]
    ids, labels = column_of(frame, "trace_id"), texts(column_of(frame, truth))
    if not ids.duplicated().any():
        return frame, ""
    said: dict[str, Counter[str]] = {one: Counter() for one in ids}
    for one, label in zip(ids, labels, strict=True):
        if not is_nothing(label):
            said[one][label] += 1
    truths, ties = {}, 0
    for one, counts in said.items():
        first, *others = counts.most_common(2) or [("", 0)]
        tied = bool(others) and others[0][1] == first[1]
        ties += tied
        truths[one] = "" if tied else first[0]
    pairs = sum(n * (n - 1) // 2 for n in (counts.total() for counts in said.values()))
    agree = sum(n * (n - 1) // 2 for counts in said.values() for n in counts.values())
    rows = frame[~ids.duplicated()]
    people = column_of(frame, "annotator").nunique()
    agreed = (
        f"two of them agree in {agree} of {pairs} pairs of labels" if pairs else "no trace has two labels"
    )
    return rows.assign(**{truth: ids[rows.index].map(truths)}), (
        f"the truth of each of {len(rows)} traces is what most of {people} people said ({agreed}); "
        f"{ties} ties have no truth."
    )
