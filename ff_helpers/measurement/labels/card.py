"""A grader's labels against true ones, with labels of any name: the card of two columns.

The classes are what the truth says (or what the map names). Any other graded value counts as
wrong, and is shown.

Labels are text. An empty cell holds none, and neither does one that says nan, NA or None (`cells.NOTHING`)
unless the map names it. Which class a cell names: the cell itself, yes or no, or by a map. Cells that are
errors of an API are left out and counted, where the user says which they are.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from ff_helpers.errors import FFError, quoted
from ff_helpers.measurement.calibration.confusion import Confusion, Kappa, cohen_kappa, confusion
from ff_helpers.measurement.calibration.gate import Gate, decide
from ff_helpers.measurement.calibration.humans import Humans
from ff_helpers.measurement.calibration.items import Evidence, by_item, by_row
from ff_helpers.measurement.labels.cells import is_nothing, matches
from ff_helpers.measurement.labels.file import Mapped, column_of
from ff_helpers.measurement.proportions.clusters import Places, cluster_places
from ff_helpers.measurement.proportions.intervals import Proportion, wilson

BOOLEANS: Final = (("true", "false"), ("True", "False"), ("TRUE", "FALSE"), ("1", "0"), ("1.0", "0.0"))
"""Spellings of yes and no that count as the same where every true label is one of them."""
_MEANS: Final = {name: place for pair in BOOLEANS for place, name in enumerate(pair)}
SHOWN: Final = 40
"""Characters of a value that an error or a card shows."""
MOST_CLASSES: Final = 100
"""More different values, or one longer than twice `SHOWN`, are text, not labels."""


@dataclass(frozen=True)
class Positive:
    """One class against all others; shares in [0, 1].

    Attributes:
        name: the class.
        precision: of the rows graded so, those truly so.
        sensitivity: of the rows truly so, those graded so; also called recall.
        specificity: of the other rows, those graded as one of the other classes; no label is wrong.
        f1: 2 TP / (2 TP + FP + FN); None where nothing is positive.
    """

    name: str
    precision: Proportion
    sensitivity: Proportion
    specificity: Proportion
    f1: float | None


@dataclass(frozen=True)
class LabelCard:
    """How right one column of labels is, measured against another.

    Attributes:
        truth, grader: the columns.
        matrix: rows truth, columns graded class; the last column counts invalid labels.
        evidence: what the matrix is worth: by rows, by items where these were named, or by design where rows
            were drawn with different probabilities.
        items: the column of the items; None: rows are independent.
        invalid: invalid graded values, with their counts; "" is an empty cell.
        no_truth: rows left out because they have no true label.
        errors: rows left out because a cell is an error, by its words.
        positive: rates of the positive class, where one was named.
        humans: how far people agree on the same rows, two by two, where it is known who labelled.
        gate: the decision of the gate for this table.
        by_model: the table of each model under test, where their column was named.
    """

    truth: str
    grader: str
    matrix: Confusion
    evidence: Evidence
    items: str | None
    invalid: dict[str, int]
    no_truth: int
    errors: dict[str, int]
    positive: Positive | None
    humans: tuple[Humans, ...]
    gate: Gate
    by_model: tuple[tuple[str, Confusion], ...] = ()

    @property
    def kappa(self) -> Kappa | None:
        """Cohen's, with invalid labels as a category of their own."""
        return self.evidence.kappa


def card_of_labels(
    frame: pd.DataFrame,
    *,
    truth: str,
    grader: str,
    positive: str | None = None,
    mapping: Mapping[str, Mapped] | None = None,
    annotators: tuple[str, str] | None = None,
    errors: Sequence[str] = (),
    items: str | None = None,
    model: str | None = None,
) -> LabelCard:
    """Return the card of the column `grader` against the column `truth`.

    Args:
        frame: columns of labels, compared as text; "" or missing is an empty cell. The index names the
            line in errors.
        truth: the true label of each row; rows without one are left out and counted.
        grader: the graded label of each row; an empty cell counts as wrong.
        positive: the class for precision, recall, F1, sensitivity and specificity.
        mapping: under `truth` and `grader`, what each raw value means; the classes are those of `truth`, in
            their order there. A true value that it lacks is an error; one that it maps to None is left out. A
            graded value that it lacks, or maps to None, is invalid.
        annotators: two columns of people's labels, read as the truth is.
        errors: cells of both columns that are errors (`cells.matches`); their rows are left out and counted.
        items: the column that repeats of one item share; n, intervals and gate then count items.
        model: the column of the model under test.

    Raises:
        FFError: a column that is not there, whose name is not unique, that holds no labels or is to be
            compared with itself; no row with a truth; a true label that the map lacks; a positive value that
            is not a class.
    """
    maps = mapping or {}
    for column in (truth, grader, *(annotators or ())):
        column_of(frame, column)
    pairs = {"the truth and the grader": (truth, grader), "the first annotator and the second": annotators}
    for who, pair in pairs.items():
        if pair is not None and pair[0] == pair[1]:
            raise FFError(f"{who} are both column {pair[0]!r}: a column always agrees with itself. Name two.")
    everything = frame
    failed = _failed(frame, (truth, grader), errors)
    if failed is not None:
        frame = frame[failed == ""]
    true = true_labels(column_of(frame, truth), maps.get("truth"))
    rows = frame[true.notna().to_numpy()]
    if rows.empty:
        raise no_truth(everything, truth)
    classes = classes_of(true, maps.get("truth"))
    places = {name: place for place, name in enumerate(classes)}
    found = Coded.of(true[true.notna()])
    one = found.placed([places[class_of(value, classes, None) or ""] for value in found.values])
    said = Coded.of(texts(column_of(rows, grader)))
    of = [class_of(value, classes, maps.get("grader")) for value in said.values]
    other = said.placed([len(places) if name is None else places[name] for name in of])
    matrix = _counted(one, other, classes)
    counts = said.counts
    invalid: Counter[str] = Counter()
    for value, name, n in zip(said.values, of, counts, strict=True):
        if name is None:
            invalid[short(value)] += n
    evidence = by_row(matrix)
    if items is not None:
        evidence = by_item(matrix, one, other, _items(column_of(rows, items)))
    return LabelCard(
        truth=truth,
        grader=grader,
        matrix=matrix,
        evidence=evidence,
        items=items,
        invalid=dict(sorted(invalid.items(), key=lambda item: (-item[1], item[0]))),
        no_truth=len(frame) - len(rows),
        errors={} if failed is None else dict(Counter(failed[failed != ""])),
        positive=None if positive is None else _positive(matrix, positive),
        humans=() if annotators is None else (_humans(rows, annotators, classes, maps.get("truth")),),
        gate=decide(matrix, proxy=None, evidence=evidence),
        by_model=() if model is None else _by_model(texts(column_of(rows, model)), one, other, classes),
    )


def no_truth(frame: pd.DataFrame, truth: str) -> FFError:
    """Return the error about a table without a single true label."""
    return FFError(
        f"none of the {len(frame)} rows has a true label in column {quoted(truth)}: an empty cell is not a "
        "label, and neither is a value that the map sets to null. There is nothing to measure a grader "
        "against."
    )


def _by_model(
    models: "pd.Series[str]", true: Places, graded: Places, classes: Sequence[str]
) -> tuple[tuple[str, Confusion], ...]:
    coded = Coded.of(models)
    own = {name: coded.codes == place for place, name in enumerate(coded.values)}
    return tuple((name, _counted(true[own[name]], graded[own[name]], classes)) for name in sorted(own))


@dataclass(frozen=True)
class Coded:
    """A column as its different values and the place of each row's value among them."""

    codes: Places
    values: tuple[str, ...]

    @classmethod
    def of(cls, column: "pd.Series[str]") -> "Coded":
        """Return a column of text, coded."""
        codes, values = pd.factorize(column)
        return cls(np.asarray(codes, dtype=np.intp), tuple(map(str, values)))

    @property
    def counts(self) -> list[int]:
        """Rows of each value."""
        return [int(n) for n in np.bincount(self.codes, minlength=len(self.values))]

    def placed(self, places: Sequence[int]) -> Places:
        """Return what stands for each row, given what stands for each value."""
        return np.array(places, dtype=np.intp)[self.codes]


def _items(column: "pd.Series[str]") -> Places:
    """Return a number for each item; a row without one is an item of its own."""
    text = texts(column)
    return cluster_places(text.where(~text.map(is_nothing), None))


def _counted(true: Places, graded: Places, classes: Sequence[str]) -> Confusion:
    width = len(classes) + 1
    cells = np.bincount(true * width + graded, minlength=len(classes) * width).reshape(-1, width)
    return Confusion(tuple(classes), tuple(tuple(int(n) for n in row) for row in cells))


def _failed(frame: pd.DataFrame, columns: tuple[str, str], errors: Sequence[str]) -> "pd.Series[str] | None":
    """Return the pattern of the error in each row, "" where there is none."""
    if not errors:
        return None
    found = pd.Series("", index=frame.index, dtype="str")
    for column in columns:
        coded = Coded.of(texts(column_of(frame, column)))
        words = [next((e for e in errors if matches([e], value)), "") for value in coded.values]
        here = pd.Series(np.array(words, dtype=object)[coded.codes], index=frame.index, dtype="str")
        found = found.where(found != "", here)
    return found


def _positive(matrix: Confusion, positive: str) -> Positive:
    name = class_of(positive, matrix.classes, None)
    if name is None:
        raise FFError(
            f"the positive value {cut(positive)} is not one of the {len(matrix.classes)} classes of the true "
            "labels. Run the command without it to see them."
        )
    i = matrix.classes.index(name)
    others = [row for j, row in enumerate(matrix.table) if j != i]
    kept = sum(sum(row[:-1]) - row[i] for row in others)
    found = matrix.recall(i)
    of = found.k + found.n + sum(row[i] for row in others)  # 2 TP + FN + FP
    return Positive(
        name=name,
        precision=matrix.precision(i),
        sensitivity=found,
        specificity=wilson(kept, sum(map(sum, others))),
        f1=2 * found.k / of if of else None,
    )


def _humans(
    rows: pd.DataFrame, columns: tuple[str, str], classes: tuple[str, ...], mapped: Mapped | None
) -> Humans:
    """Compare two annotators; people may use a class that the adjudicated truth never has."""
    one, other = (true_labels(column_of(rows, column), mapped) for column in columns)
    both = one.notna() & other.notna()
    pairs = [
        [class_of(str(value), classes, None) or str(value) for value in labels[both]]
        for labels in (one, other)
    ]
    matrix = confusion(pairs[0], pairs[1], tuple(dict.fromkeys((*classes, *sorted({*pairs[0], *pairs[1]})))))
    return Humans(columns, wilson(matrix.k, matrix.n), cohen_kappa(matrix), int((~both).sum()))


def texts(column: "pd.Series[str]") -> "pd.Series[str]":
    """Return a column of any type as text, "" where it is empty."""
    return column.astype("str").fillna("")


def true_labels(column: "pd.Series[str]", mapped: Mapped | None) -> "pd.Series[str]":
    """Return the class of each true label, missing where it has none."""
    coded = Coded.of(texts(column))
    names: list[str | None] = []
    for place, value in enumerate(coded.values):
        if mapped is not None and value in mapped:
            names.append(mapped[value])
        elif is_nothing(value):
            names.append(None)
        elif mapped is None:
            names.append(value)
        else:
            line = column.index[int(np.argmax(coded.codes == place))]
            raise FFError(
                f"line {line}, column {quoted(str(column.name))}: the cell, of {len(value)} characters, is "
                f"not one of the {len(mapped)} true labels that the map names. Correct the cell, or name its "
                "value in the map (--map); null there leaves its rows out."
            )
    return pd.Series(np.array(names, dtype=object)[coded.codes], index=column.index, dtype="str")


def classes_of(true: "pd.Series[str]", mapped: Mapped | None) -> tuple[str, ...]:
    """Return the classes: those of the map in its order, else what the truth says, sorted.

    Raises:
        FFError: too many, or one that is too long to be a label.
    """
    if mapped is not None:
        return tuple(dict.fromkeys(name for name in mapped.values() if name is not None))
    found = Coded.of(true[true.notna()])
    said = Counter(dict(zip(found.values, found.counts, strict=True)))
    if all(value in _MEANS for value in said):
        # yes and no as the truth spells them most often, both of them even if it has only one
        return max(BOOLEANS, key=lambda pair: (sum(said[name] for name in pair), -BOOLEANS.index(pair)))
    if len(said) > MOST_CLASSES or max(map(len, said)) > 2 * SHOWN:
        raise FFError(
            f"the column of true labels holds {len(said)} different values, the longest of "
            f"{max(map(len, said))} characters. Labels are at most {MOST_CLASSES} values of at most "
            f"{2 * SHOWN} characters: name another column, or map its values to classes (--map)."
        )
    return tuple(sorted(said))


def class_of(value: str, classes: Sequence[str], mapped: Mapped | None) -> str | None:
    """Return the class of a value, None where it has none."""
    if mapped is not None:
        name = mapped.get(value)
        return name if name in classes else None
    if value in classes:
        return value
    if is_nothing(value):
        return None
    if value in _MEANS and all(name in _MEANS for name in classes):
        return next((name for name in classes if _MEANS[name] == _MEANS[value]), None)
    return None


def cut(value: str) -> str:
    """Return a value as it may be printed: quoted, escaped, never long."""
    return repr(short(value))


def short(value: str) -> str:
    """Return at most `SHOWN` characters of a value."""
    return value if len(value) <= SHOWN else value[:SHOWN] + "..."
