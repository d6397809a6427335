"""What a user must say before two columns of labels can be compared: each question comes with the answer.

Nothing is guessed: a spelling, a threshold, an error or a direction is shown, and taken with one option.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd
import yaml

from ff_helpers.errors import FFError, is_name, named, quoted
from ff_helpers.measurement.labels.card import (
    MOST_CLASSES,
    Coded,
    class_of,
    classes_of,
    no_truth,
    texts,
    true_labels,
)
from ff_helpers.measurement.labels.cells import (
    SPELLINGS,
    by_threshold,
    error_in,
    is_nothing,
    look_like_scores,
    matches,
    spelled_alike,
)
from ff_helpers.measurement.labels.file import Mapped, column_of

SUGGESTED: Final = "suggested"
"""What stands for the suggested map in place of a file."""
ASKED_FROM: Final = 0.2
"""Share of the rows from which a map of other spellings must be taken or refused; below it is a note."""
REPEATS: Final = frozenset({"epoch", "repeat", "generation", "run"})
"""Names of columns that number the repeats of one item."""
_SHOWN: Final = 20


@dataclass(frozen=True)
class Answers:
    """What the user has said about the columns.

    Attributes:
        mapping: of a file, under `truth` and `grader`.
        suggested: take the suggested map.
        threshold: scores at or above it are the positive class.
        positive: the positive class.
        errors: cells that are errors.
    """

    mapping: Mapping[str, Mapped]
    suggested: bool = False
    threshold: float | None = None
    positive: str | None = None
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """How the two columns are read.

    Attributes:
        mapping: under `truth` and `grader`, what raw values mean; a side without one is its own classes.
        grader: what the grader is called: a threshold is part of its name.
        notes: what the user should know, in sentences.
    """

    mapping: dict[str, Mapped]
    grader: str
    notes: tuple[str, ...]


def reading_of(
    frame: pd.DataFrame, truth: str, grader: str, answers: Answers, *, every: bool = False
) -> Reading:
    """Return how two columns are read.

    Args:
        frame: columns of text.
        truth, grader: the two columns.
        answers: what the user has said about them.
        every: the graded label of every row counts, with a true label or without, so a single one in another
            spelling is asked about; else from `ASKED_FROM` of the rows with a true label on.

    Raises:
        FFError: a cell looks like an error, a column like scores, or labels match only in another spelling or
            not at all, and no answer says what they mean; or an answer does not fit.
    """
    counts: dict[str, dict[str, int]] = {}
    for side, column in (("truth", truth), ("grader", grader)):
        coded = Coded.of(texts(column_of(frame, column)))
        counts[side] = dict(zip(coded.values, coded.counts, strict=True))
    _ask_errors(counts, answers)
    for side, found in counts.items():
        counts[side] = {
            value: n
            for value, n in found.items()
            if not matches(answers.errors, value)
            and (value in answers.mapping.get(side, {}) or not is_nothing(value))
        }
    if not counts["truth"]:
        raise no_truth(frame, truth)
    if answers.threshold is not None:
        return _by_threshold(counts, grader, answers.threshold, answers)
    for side, column in (("grader", grader), ("truth", truth)):
        if side not in answers.mapping and look_like_scores(counts[side]):
            raise FFError(
                f"column {quoted(column)} looks like scores: {len(counts[side])} different numbers. Say from "
                "which score on a response counts as the positive class (--threshold SCORE; it becomes part "
                "of the grader's name), or map each number to a class (--map)."
            )
    return _spelled(frame, truth, grader, counts, answers, every=every)


def _ask_errors(counts: Mapping[str, Mapping[str, int]], answers: Answers) -> None:
    seen = [value for found in counts.values() for value in found]
    if unused := [one for one in answers.errors if not any(matches([one], value) for value in seen)]:
        raise FFError(f"--errors {quoted(unused[0])}: no cell of the two columns says so.")
    found: dict[str, int] = {}
    for side, values in counts.items():
        for value, n in values.items():
            words = error_in(value)
            if words and value not in answers.mapping.get(side, {}) and not matches(answers.errors, value):
                pattern = words.strip() if value.strip() == words.strip() else f"{words.strip()}*"
                found[pattern] = found.get(pattern, 0) + n
    if found:
        listed = ", ".join(f"{pattern!r} in {n}" for pattern, n in list(found.items())[:_SHOWN])
        option = " ".join(_shell(pattern) for pattern in found)
        raise FFError(
            f"{sum(found.values())} cells look like errors of a program, not like labels: {listed} rows. If "
            f"they are, leave their rows out of the accuracy, counted: --errors {option}. If they are labels "
            "or wrong answers, say so in a map (--map): `value: class`, or `value: null` for a wrong answer."
        )


def _shell(pattern: str) -> str:
    return "'" + pattern.replace("'", "'\\''") + "'"


def _by_threshold(
    counts: Mapping[str, Mapping[str, int]], grader: str, threshold: float, answers: Answers
) -> Reading:
    """Return the reading of columns of scores: classes above and below, called as the other column does."""
    scores = [side for side in ("truth", "grader") if look_like_scores(counts[side])]
    scores = scores or [side for side in ("grader",) if all(map(_is_number, counts[side]))]
    if not scores:
        raise FFError("--threshold is for scores, and neither column holds numbers alone.")
    above, below = f">={threshold:g}", f"<{threshold:g}"
    labels = next((side for side in ("truth", "grader") if side not in scores), None)
    mapping = dict(answers.mapping)
    if labels is not None:
        given = answers.mapping.get(labels)
        names = [name for name in dict.fromkeys(given.values()) if name] if given else sorted(counts[labels])
        above, below = _two_classes(names, answers.positive)
    for side in scores:
        mapping[side] = by_threshold(counts[side], threshold, above, below)
    if labels is not None and labels not in mapping:
        mapping[labels] = {name: name for name in (above, below)}
    said = f"a score of {threshold:g} or more counts as {above if labels is None else named(above)}"
    name = f"{grader}>={threshold:g}" if "grader" in scores else grader
    both = f"; the truth has the same threshold of {threshold:g}" if len(scores) == 2 else ""
    return Reading(mapping, name, (f"{said}{both}.",))


def _is_number(value: str) -> bool:
    return bool(by_threshold([value], 0, "a", "b"))


def _two_classes(names: Sequence[str], positive: str | None) -> tuple[str, str]:
    """Return which of two classes a score at or above the threshold means."""
    if len(names) == 1 and positive not in (None, names[0]):
        names = [*names, str(positive)]
    if positive is None:
        yes = [name for name in names if name.strip().casefold() in SPELLINGS[0]]
        no = [name for name in names if name.strip().casefold() in SPELLINGS[1]]
        if len(yes) == len(no) == 1 and len(names) == 2:
            return yes[0], no[0]
    if len(names) != 2 or (positive is not None and positive not in names):
        raise FFError(
            f"--threshold makes two classes of a score, and the labels beside it have {len(names)}. Map them "
            "to two (--map), and name the one that a high score means (--positive)."
        )
    if positive is None:
        raise FFError(
            "which label does a score at or above the threshold mean? Name it: --positive "
            f"{' or --positive '.join(map(named, names))}."
        )
    return positive, next(name for name in names if name != positive)


def _spelled(
    frame: pd.DataFrame,
    truth: str,
    grader: str,
    counts: Mapping[str, Mapping[str, int]],
    answers: Answers,
    *,
    every: bool,
) -> Reading:
    """Return the reading of labels; ask where they match only in another spelling, or not at all."""
    mapping = dict(answers.mapping)
    if "grader" in mapping:
        return Reading(mapping, grader, ())
    graded = column_of(frame, grader)
    true = true_labels(without_errors(column_of(frame, truth), answers.errors), mapping.get("truth"))
    true = true.reindex(frame.index)
    classes = classes_of(true, mapping.get("truth"))
    found = Coded.of(true[true.notna()])
    truths = dict(zip(found.values, found.counts, strict=True))
    if len(truths) > MOST_CLASSES:
        return Reading(mapping, grader, ())
    alike = spelled_alike(truths, counts["grader"])
    asked = pd.Series(True, index=true.index) if every else true.notna()
    moved, rows = _moved(alike, true[asked], graded[asked], classes), int(asked.sum())
    if answers.suggested:
        if not moved:
            raise FFError(
                "--map suggested: the labels match as they are spelled, so there is no map to take."
            )
        taken: dict[str, Mapped] = {side: alike[side] for side in alike if side not in mapping}
        return Reading(mapping | taken, grader, ())
    if moved >= ASKED_FROM * rows or (every and moved):
        raise FFError(_question(moved, rows, alike, counts["grader"], whole="truth" not in mapping))
    known = {value for value in counts["grader"] if class_of(value, classes, None)}
    if counts["grader"] and not known:
        raise FFError(
            f"no label of column {quoted(grader)} is one of the {len(classes)} classes of {quoted(truth)} in "
            "any spelling, so nothing can be compared. Say what each value means in a map (--map "
            "FILE.yaml):\n\n" + template({name: name for name in classes}, counts["grader"])
        )
    note = f"{moved} rows hold another spelling of a class: --map {SUGGESTED} would match them."
    return Reading(mapping, grader, (note,) if moved else ())


def without_errors(column: "pd.Series[str]", errors: Sequence[str]) -> "pd.Series[str]":
    """Return the cells of a column that are not one of these errors."""
    if not errors:
        return column
    coded = Coded.of(texts(column))
    kept = coded.placed([int(not matches(errors, value)) for value in coded.values])
    return column[pd.Series(kept == 1, index=column.index)]


def _moved(
    alike: Mapping[str, Mapping[str, str]],
    true: "pd.Series[str]",
    graded: "pd.Series[str]",
    classes: Sequence[str],
) -> int:
    """Return in how many rows the suggested map changes the class of a cell."""
    one, other = Coded.of(true.fillna("")), Coded.of(texts(graded))
    before = [class_of(value, classes, None) for value in one.values]
    changed = one.placed(
        [value != "" and alike["truth"][value] != b for value, b in zip(one.values, before, strict=True)]
    ) | other.placed(
        [
            value in alike["grader"] and alike["grader"][value] != class_of(value, classes, None)
            for value in other.values
        ]
    )
    return int(changed.sum())


def _question(
    moved: int, rows: int, alike: dict[str, dict[str, str]], graded: Mapping[str, int], *, whole: bool
) -> str:
    others = [value for value in graded if value not in alike["grader"]]
    parts = {side: alike[side] for side in (("truth", "grader") if whole else ("grader",))}
    left = f"\n\n{len(others)} other graded values have no class, and count as wrong." if others else ""
    return (
        f"in {moved} of {rows} rows the labels differ in spelling: blanks, case, numbers, or words for yes "
        f"and no. This map would match them; take it with --map {SUGGESTED}, or write another one into a "
        f"file (--map FILE.yaml):\n\n{_yaml(parts)}{left}"
    )


def _yaml(parts: Mapping[str, Mapping[str, str]]) -> str:
    """Return a map as text; values that do not read like labels are described by their length."""
    lines = []
    for side, found in parts.items():
        lines.append(f"{side}:")
        lines += [f"  {_scalar(value)}: {_scalar(name)}" for value, name in list(found.items())[:_SHOWN]]
        lines += [f"  # and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return "\n".join(lines)


def template(truth: Mapped, unknown: Mapping[str, int], known: Mapping[str, str] | None = None) -> str:
    """Return a map to fill in: what is known, and `CLASS` after every graded value that is not.

    Args:
        truth: what true labels mean.
        unknown: graded values, with their counts.
        known: graded values whose class is known.
    """
    often = sorted(unknown, key=lambda value: -unknown[value])[:_SHOWN]
    lines = []
    for side, found in (("truth", truth), ("grader", known or {})):
        pairs = [(_scalar(value), _scalar(name)) for value, name in found.items() if name is not None]
        lines += [f"{side}:", *(f"  {value}: {name}" for value, name in pairs[:_SHOWN])]
    return "\n".join([*lines, *(f"  {_scalar(value)}: CLASS" for value in often)])


def _scalar(value: str) -> str:
    """Return a value as YAML shows it, blanks around it included."""
    if not is_name(value.strip()):
        return f"# {named(value.strip())}"
    return yaml.safe_dump(value, allow_unicode=True, width=1000).removesuffix("...\n").strip()


def _is_id(name: str) -> bool:
    """Return whether a column is called id, sample_id, BehaviorID or the like."""
    return name.casefold() == "id" or name.endswith(("_id", "-id", " id", "ID", "Id"))


def repeats_of(frame: pd.DataFrame) -> tuple[str | None, str]:
    """Return the column that repeats of one item share, where one is found beside an id; and a hint, or "".

    A column called epoch, repeat, generation or run numbers them; the id is a column that ends in `id`. An id
    that repeats without such a column is a hint alone.
    """
    names = [str(name) for name in frame.columns]
    ids = [n for n in names if names.count(n) == 1 and _is_id(n)]
    again = [name for name in ids if frame[name].duplicated().any() and frame[name].nunique() > 1]
    if not again:
        return None, ""
    first, size = again[0], frame[again[0]].nunique()
    number = next((name for name in names if name.casefold() in REPEATS and names.count(name) == 1), None)
    if number is not None:
        return first, (
            f"{len(frame)} rows are repeats ({quoted(number)}) of {size} items ({quoted(first)}): n, "
            "intervals and gate count items. Another column: --item COLUMN; one that is different in each "
            "row counts rows."
        )
    return None, (
        f"column {quoted(first)} has {size} values in {len(frame)} rows: if rows with one value are repeats "
        f"of one item, count items (--item {named(first)})."
    )
