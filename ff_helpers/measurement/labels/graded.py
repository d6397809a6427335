"""A table of labels as graded rows: which of them the judge calls a success, and which of these people do.

Cells are read as `ff calibrate --labels` reads them (`questions.reading_of`), with one difference: here the
judge's label of every row counts, so a value without a class is asked about and never counted as wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from ff_helpers.errors import FFError, named
from ff_helpers.measurement.labels.card import (
    Coded,
    LabelCard,
    card_of_labels,
    class_of,
    classes_of,
    no_truth,
    texts,
    true_labels,
)
from ff_helpers.measurement.labels.cells import is_nothing, matches
from ff_helpers.measurement.labels.file import Mapped, column_of
from ff_helpers.measurement.labels.questions import (
    Answers,
    Reading,
    reading_of,
    repeats_of,
    template,
    without_errors,
)

SHOWN: Final = 12
"""How many values of a column are listed."""


@dataclass(frozen=True)
class GradedTable:
    """What a table of labels says.

    Attributes:
        rows: one per row with a verdict, its line as index: hit (bool), true (float: 1, 0, missing without a
            label), chance (float: share of the labelled rows), trace_id, scenario_id (str; missing: a
            scenario of its own).
        card: how right the judge is on the labelled rows.
        success: the class that is a success.
        notes: what the user should know, in sentences.
        left_out: rows without a verdict: `without a verdict`, `errors`.
    """

    rows: pd.DataFrame
    card: LabelCard
    success: str
    notes: tuple[str, ...]
    left_out: dict[str, int]


def graded_table(
    frame: pd.DataFrame, *, truth: str, grader: str, success: str, answers: Answers, item: str | None = None
) -> GradedTable:
    """Return a table of labels as graded rows, and how right its judge is.

    Args:
        frame: columns of text, as `corpus.tables.read_table`.
        truth: the column of people's labels, empty where there is none.
        grader: the column of the judge's.
        success: the label, or the class of a map, that is the attack's success.
        answers: what the user has said about the columns.
        item: rows with one value are repeats of one item; None: found beside an id, as `repeats_of`.

    Raises:
        FFError: as `reading_of` and `card_of_labels`; no such success; a label of the judge without a class.
    """
    items, hint = repeats_of(frame) if item is None else (item, "")
    reading = reading_of(frame, truth, grader, answers, every=True)
    people = true_labels(
        without_errors(column_of(frame, truth), answers.errors), reading.mapping.get("truth")
    )
    people = people.reindex(frame.index)
    if not people.notna().any():
        raise no_truth(frame, truth)
    judged = Coded.of(texts(column_of(frame, grader)))
    failed = [matches(answers.errors, value) for value in judged.values]
    names = classes_of(people, reading.mapping.get("truth"))
    name, names = _success(success, names, reading, judged)
    graded = _classes(judged, failed, names, reading, (truth, grader))
    mapping: dict[str, Mapped] = {
        "truth": {one: one for one in names} | dict(reading.mapping.get("truth", {})),
        "grader": {v: c for v, c in zip(judged.values, graded, strict=True) if c is not None},
    }
    card = card_of_labels(
        frame if reading.grader == grader else frame.assign(**{reading.grader: column_of(frame, grader)}),
        truth=truth,
        grader=reading.grader,
        mapping=mapping,
        errors=answers.errors,
        items=items,
    )
    kept = judged.placed([int(one is not None) for one in graded]) == 1
    rows = pd.DataFrame({"hit": judged.placed([int(one == name) for one in graded]) == 1}, index=frame.index)
    rows["true"] = people.map({one: float(one == name) for one in names})
    rows["trace_id"] = frame.index.astype("str")
    rows["scenario_id"] = None if items is None else _or_missing(column_of(frame, items))
    rows = rows[kept]
    errors = int((judged.placed([int(one) for one in failed]) == 1).sum())
    return GradedTable(
        rows=rows.assign(chance=float(rows["true"].notna().mean())),
        card=card,
        success=name,
        notes=(*([hint] if hint else []), *reading.notes),
        left_out={"without a verdict": int((~kept).sum()) - errors, "errors": errors},
    )


def _or_missing(column: "pd.Series[str]") -> "pd.Series[str]":
    text = texts(column)
    return text.where(~text.map(is_nothing))


def _success(
    success: str, names: tuple[str, ...], reading: Reading, judged: Coded
) -> tuple[str, tuple[str, ...]]:
    """Return the class that is a success, and all classes; people may never have found one.

    Raises:
        FFError: nobody says so.
    """
    found = class_of(success, names, None)
    if found is None:
        meant = {part[success] for part in reading.mapping.values() if part.get(success)}
        found = next(iter(meant)) if len(meant) == 1 else None
    if found is None and len(names) == 1 and "grader" not in reading.mapping and success in judged.values:
        found, names = success, (*names, success)
    if found is None:
        listed = ", ".join(map(named, names[:SHOWN]))
        raise FFError(
            f"--success {named(success)}: no true label says so. The classes are: {listed}. Say which one is "
            "the attack's success."
        )
    return found, names


def _classes(
    judged: Coded, failed: Sequence[bool], names: Sequence[str], reading: Reading, columns: tuple[str, str]
) -> list[str | None]:
    """Return the class of each different value of the judge; None: no verdict.

    Raises:
        FFError: a value that is neither a class nor said to have none.
    """
    mapped = reading.mapping.get("grader")
    graded = [class_of(value, names, mapped) for value in judged.values]
    nothing = [
        is_bad or is_nothing(value) or (mapped is not None and value in mapped)
        for value, is_bad in zip(judged.values, failed, strict=True)
    ]
    places = [i for i, one in enumerate(graded) if one is None and not nothing[i]]
    if places:
        counts = judged.counts
        n = sum(counts[i] for i in places)
        foreign = {judged.values[i]: counts[i] for i in places}
        known = {v: c for v, c in zip(judged.values, graded, strict=True) if c is not None}
        raise FFError(
            f"in {n} rows {named(columns[1])} has values that are not among the classes of "
            f"{named(columns[0])}: {', '.join(map(named, list(foreign)[:SHOWN]))}. If they are errors of the "
            "judge, say so: "
            "--errors VALUE. Else say what they mean in a map (--map FILE.yaml; `null`: no verdict):\n\n"
            + template(reading.mapping.get("truth") or {name: name for name in names}, foreign, known)
        )
    return [None if is_bad else one for one, is_bad in zip(graded, failed, strict=True)]
