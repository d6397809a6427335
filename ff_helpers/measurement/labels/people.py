"""Labels of several people, one row per person and trace, as one truth per trace: what the majority said."""

from collections import Counter
from itertools import combinations
from typing import Final

import pandas as pd

from ff_helpers.corpus.traces import majority
from ff_helpers.errors import FFError
from ff_helpers.measurement.calibration.confusion import cohen_kappa, confusion
from ff_helpers.measurement.calibration.humans import Humans
from ff_helpers.measurement.labels.card import texts
from ff_helpers.measurement.labels.cells import is_nothing
from ff_helpers.measurement.labels.file import column_of
from ff_helpers.terms import SPACES, Space, classes

MOST: Final = 4
"""People whose pairs are told; a crowd of which everybody labelled a few traces has too many."""


def by_majority(frame: pd.DataFrame, truth: str, space: Space | None) -> tuple[pd.DataFrame, str]:
    """Return one row per trace, its label what more than half of its people said, and a sentence about it.

    Without a majority a trace has no truth. A table that is not of several people (columns trace_id and
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
    truths = {one: majority(counts.elements()) or "" for one, counts in said.items()}
    open_ones = sum(bool(counts) and not truths[one] for one, counts in said.items())
    pairs = sum(n * (n - 1) // 2 for n in (counts.total() for counts in said.values()))
    agree = sum(n * (n - 1) // 2 for counts in said.values() for n in counts.values())
    rows = frame[~ids.duplicated()]
    people = column_of(frame, "annotator").nunique()
    agreed = (
        f"two of them agree in {agree} of {pairs} pairs of labels" if pairs else "no trace has two labels"
    )
    return rows.assign(**{truth: ids[rows.index].map(truths)}), (
        f"the truth of each of {len(rows)} traces is what more than half of its people said ({people} in "
        f"all; {agreed}); {open_ones} traces without a majority have no truth."
    )


def pairs_of_people(frame: pd.DataFrame, truth: str, space: Space) -> tuple[Humans, ...]:
    """Return how far the people of such a table agree, two by two; none for more than `MOST` people.

    Args:
        frame: the table, as for `by_majority`.
        truth: the column of the labels.
        space: take only labels in this space, where the table has a column `space`.
    """
    if not {"trace_id", "annotator"} <= set(frame.columns):
        return ()
    if "space" in frame.columns:
        frame = frame[column_of(frame, "space") == space]
    labels = texts(column_of(frame, truth))
    told = pd.DataFrame(
        {"id": column_of(frame, "trace_id"), "who": column_of(frame, "annotator"), "label": labels}
    )
    told = told[labels.isin(classes(space))].drop_duplicates(["id", "who"], keep="last")
    wide = told.pivot(index="id", columns="who", values="label")
    if not 2 <= len(wide.columns) <= MOST:
        return ()
    found = []
    for (i, a), (j, b) in combinations(enumerate(wide.columns, start=1), 2):
        both = wide[[a, b]].dropna()
        matrix = confusion(list(both[a]), list(both[b]), classes(space))
        left = len(wide) - len(both)
        found.append(Humans((f"person {i}", f"person {j}"), matrix.accuracy, cohen_kappa(matrix), left))
    return tuple(found)


def only_space(frame: pd.DataFrame) -> Space:
    """Return the label space of a table of people's labels.

    Raises:
        FFError: it holds several, or none.
    """
    spaces = [space for space in SPACES if (column_of(frame, "space") == space).any()]
    if len(spaces) != 1:
        raise FFError(
            f"the labels are in {len(spaces)} label spaces ({', '.join(spaces)}): name one with --space."
        )
    return spaces[0]
