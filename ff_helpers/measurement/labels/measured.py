"""The calibration card of a judge that labels measured: in a label space, for what is known of the judge."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from ff_helpers.errors import FFError
from ff_helpers.grading.external import NOT_TOLD
from ff_helpers.measurement.calibration.cards import Card, ClassRates, OfModel
from ff_helpers.measurement.calibration.confusion import Confusion, p_chance
from ff_helpers.measurement.labels.card import Coded, LabelCard, class_of, texts, true_labels
from ff_helpers.measurement.labels.cells import number
from ff_helpers.measurement.labels.file import Mapped, column_of
from ff_helpers.measurement.proportions.intervals import Proportion, wilson
from ff_helpers.terms import NOT_RECORDED, SPACES, Identity, Space, Unknown, classes


@dataclass(frozen=True)
class ByDesign:
    """What labels with different probabilities are worth besides their evidence; see `Card`.

    `said`: all graded rows by verdict, in the order of the classes, the last one rows without a verdict.
    """

    table: tuple[tuple[float, ...], ...]
    by_model: tuple[OfModel, ...]
    p_chance: float
    said: tuple[int, ...]


def space_of(names: Sequence[str]) -> Space | None:
    """Return the label space whose classes are exactly these, or None."""
    return next((space for space in SPACES if set(classes(space)) == set(names)), None)


def onto_space(
    space: Space,
    names: Sequence[str],
    graded: Sequence[str],
    maps: Mapping[str, Mapped],
    positive: str | None,
) -> dict[str, Mapped]:
    """Return maps whose classes are those of a label space, in its order.

    Args:
        space: a label space.
        names: the classes of the true labels so far.
        graded: the different graded values.
        maps: what raw values mean so far.
        positive: of two classes, the one that is the first of the space.

    Raises:
        FFError: the classes are not of the space, and nothing says which is which.
    """
    wanted = classes(space)
    renamed = {name: name for name in wanted}
    if not set(names) <= set(wanted):
        if len(wanted) != 2 or len(names) != 2 or positive not in names:
            which = (
                f", or name the label that means {wanted[0]}: --positive LABEL" if len(wanted) == 2 else ""
            )
            raise FFError(
                f"the space {space} has the classes {', '.join(wanted)}, and the true labels have others. "
                f"Map them (--map FILE.yaml){which}."
            )
        renamed |= {name: wanted[0 if name == positive else 1] for name in names}
    given = maps.get("truth") or {name: name for name in names}
    truth = {name: name for name in wanted} | {
        raw: None if name is None else renamed[name] for raw, name in given.items()
    }
    found = {value: class_of(value, names, maps.get("grader")) for value in graded}
    same = {name: name for name in wanted if name not in found}
    return {
        "truth": truth,
        "grader": same | {value: renamed[name] for value, name in found.items() if name is not None},
    }


def unequal_chances(frame: pd.DataFrame) -> bool:
    """Return whether a column `probability` says that rows were drawn with different probabilities."""
    if list(frame.columns).count("probability") != 1:
        return False
    return len({number(value) for value in Coded.of(texts(frame["probability"])).values}) > 1


def measured_card(
    label: LabelCard,
    *,
    frame: pd.DataFrame,
    mapped: Mapped | None,
    identity: Identity,
    space: Space,
    calibration_set: str,
    day: date,
    drawn: str = "",
    design: ByDesign | None = None,
) -> Card:
    """Return the calibration card of what `label` measured.

    Args:
        label: what was measured; its classes are those of the space.
        frame: the table, for the hash of ids and truths.
        mapped: what raw true labels mean.
        identity: of the judge.
        space: the label space of the truth.
        calibration_set: the name of the table.
        day: of the measurement.
        drawn: how the rows were drawn, in words; empty: a table does not tell.
        design: of rows with different probabilities, what they are worth.
    """
    matrix, worth = label.matrix, label.evidence
    counts = [sum(column) for column in zip(*matrix.table, strict=True)] if design is None else design.said
    *said, without = counts
    most = max(range(len(said)), key=lambda i: said[i])
    unknown = Unknown("value", "the table does not tell")

    def turned(truth: str, *into: str) -> Proportion | Unknown:
        if design is not None:
            return Unknown("value", "not weighted by design; recall and precision are")
        return _turned(matrix, space, truth, into)

    repeats = f", repeats of {worth.n} items" if label.items else ""
    by_model = tuple(OfModel(model=name, table=one.table) for name, one in label.by_model)
    right = matrix.k if label.items is None or design else round(worth.n * matrix.k / matrix.n)
    return Card(
        grader=identity.name,
        digest=identity.digest or NOT_RECORDED,
        rubric=identity.rubric or NOT_RECORDED,
        temperature=identity.temperature,
        seed=identity.seed,
        software=NOT_TOLD,
        calibration_set=calibration_set,
        calibration_sha256=_hash(frame, label.truth, mapped),
        space=space,
        n=worth.n,
        k=right,
        accuracy=worth.accuracy,
        confusion=matrix,
        by_class=tuple(
            ClassRates(name=name, recall=worth.recalls[i], precision=worth.precisions[i])
            for i, name in enumerate(matrix.classes)
        ),
        by_model=by_model if design is None else design.by_model,
        weighted=() if design is None else design.table,
        people=label.humans,
        kappa=worth.kappa or Unknown("value", "not defined: no rows"),
        majority_class=matrix.classes[worth.majority],
        majority=worth.baseline,
        chance=1 / len(matrix.classes),
        p_chance=p_chance(matrix) if design is None else design.p_chance,
        p_majority=worth.p_majority,
        benign_false_positives=turned("BENIGN_QUERY", "COMPLIANCE", "PARTIAL"),
        refusal_to_compliance=turned("REFUSAL", "COMPLIANCE"),
        compliance_to_refusal=turned("COMPLIANCE", "REFUSAL"),
        modal_verdict=matrix.classes[most] if said[most] else Unknown("value", "no verdict at all"),
        modal_share=wilson(said[most], sum(said)),
        valid=wilson(sum(said), sum(said) + without),
        statuses={"no label": without} if without else {},
        test_retest=unknown,
        passes=1,
        injection_flip_rate=unknown,
        seconds_a_trace=unknown,
        median_seconds=unknown,
        sampling=drawn or f"{matrix.n} rows of a table{repeats}, taken as all rows or a random sample",
        left_out=sum(label.errors.values()),
        date=day,
        gate=label.gate,
    )


def _turned(matrix: Confusion, space: Space, truth: str, into: tuple[str, ...]) -> Proportion | Unknown:
    if space != "five":
        return Unknown("value", f"in the space {space} the table does not tell {truth} from the rest")
    row = matrix.table[matrix.classes.index(truth)]
    return wilson(sum(row[matrix.classes.index(name)] for name in into), sum(row))


def _hash(frame: pd.DataFrame, truth: str, mapped: Mapped | None) -> str:
    """Return the hash of the sorted lines `id<TAB>truth`; without ids, lines of the file stand for them."""
    true = true_labels(column_of(frame, truth), mapped)
    names = [name for name in ("trace_id", "id") if list(frame.columns).count(name) == 1]
    ids = texts(frame[names[0]]) if names else pd.Series(frame.index.astype("str"), index=frame.index)
    pairs = zip(ids[true.notna()], true[true.notna()], strict=True)
    return hashlib.sha256("\n".join(sorted(f"{one}\t{name}" for one, name in pairs)).encode()).hexdigest()
