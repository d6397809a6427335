"""Exports of Label Studio (JSON, JSON-MIN, CSV, TSV): one row for each task, one label for each annotation.

Which field is the response, and what a choice means, the user says: `--response FIELD`, and the map that
`ff import` prints where the meaning of a choice was not said.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import RootModel
from pydantic_core import from_json

from ff_helpers.corpus.results import HEAD
from ff_helpers.corpus.results.documents import Document
from ff_helpers.corpus.results.meaning import Column, Meaning, meanings, read_given
from ff_helpers.corpus.results.reading import Foreign, answered, begins, header, record, table, tags, turns
from ff_helpers.corpus.results.rows import Label, Row, Source
from ff_helpers.errors import FFError, named
from ff_helpers.terms import SPACES, Space

DIRECTION: Final = "as the map says of each choice; nothing is guessed"
_OWN: Final = ("annotation_id", "annotator", "id", "lead_time")
_MORE: Final = {*_OWN, "created_at", "updated_at", "agreement", "file_upload", "sentiment_id"}
_JOINED: Final = " + "


class _Value(Foreign):
    choices: tuple[str, ...] = ()


class _Result(Foreign):
    from_name: str = ""
    type: str = ""
    value: _Value = _Value()


class _Person(Foreign):
    id: int | None = None
    email: str | None = None


class _Annotation(Foreign):
    completed_by: int | str | _Person | None = None
    was_cancelled: bool = False
    result: tuple[_Result, ...] = ()


class _Task(Foreign):
    id: int | str
    data: dict[str, object]
    annotations: tuple[_Annotation, ...] = ()
    predictions: tuple[object, ...] = ()


class _Line(RootModel[dict[str, object]]):
    pass


@dataclass(frozen=True)
class _Found:
    """One task, or one line of it.

    Attributes:
        key: the id that lines of one task share.
        place: where it is in the file.
        data: its fields.
        said: who chose what, by the name of the choice.
    """

    key: str
    place: str
    data: Mapping[str, object]
    said: tuple[tuple[str, Mapping[str, str]], ...]


class Reader:
    """Reads an export by its shape; what is kept in memory are the labels, never the texts."""

    def recognise(self, path: Path, head: bytes) -> Source | None:
        """Return that Label Studio wrote the file, and how many predictions of models are left out."""
        if _delimiter(head) is not None:
            return Source("label-studio", None, DIRECTION)
        if not begins(head, r"\[\s*\{"):
            return None
        if _is_annotated(head):
            total = left = 0
            for _, value in _items(path):
                total += 1
                left += len(record(_Task, value, path, f"task {total}").predictions)
            note = f"{left} predictions of models are left out: only people's annotations are read"
            return Source("label-studio", None, DIRECTION, total, (note,) if left else ())
        is_min = all(f'"{name}"'.encode() in head for name in _OWN)
        return Source("label-studio", None, DIRECTION) if is_min else None

    def read(self, path: Path, options: Mapping[str, str]) -> Iterator[Row]:
        """Yield one row for each task, with every annotator's label.

        The option `id` names the field with the id of the trace; where neither response nor prompt is named,
        the labels are of traces that were imported before.

        Raises:
            MapNeededError: what a choice means was not said.
            FFError: the field of the response, or one choice of several, was not named.
        """
        own, response, prompt = options.get("id"), options.get("response"), options.get("prompt")
        counted = list(filter(None, options.get("tag", "").split("\n")))
        choice = _choice(path, options, [own, response, prompt, *counted])
        said = _labels(path, own, choice)
        meaning = _meaning(said, choice, options, path)
        for found in _tasks(path, own):
            people = said.pop(found.key, None)
            if people is None:
                continue  # a further line of a task
            text = _text(found.data.get(response)) if response else None
            status, reason = answered(text or None) if response else (None, None)
            labels = {annotator: meaning.of(value) for annotator, value in people}
            wrong = next((one.row for one in labels.values() if one.row is not None), None)
            yield Row(
                record=found.place,
                trace_id=found.key,
                messages=turns(
                    ("user", _text(found.data.get(prompt)) if prompt else None), ("assistant", text or None)
                ),
                scenario_id=found.key,
                model=options.get("model"),
                status=status or wrong,
                reason=reason or ("the map reads a choice so" if wrong else None),
                tags=tags(**{name: found.data.get(name) for name in counted}),
                labels=tuple(Label(annotator, meaning.space, one.label) for annotator, one in labels.items()),
                refers=not (response or prompt),
            )


def _choice(path: Path, options: Mapping[str, str], named_ones: Sequence[str | None]) -> str:
    """Return the name of the choice that holds the labels: the option `human`, or the only one.

    Raises:
        FFError: it is not one of several, or a field that is named is not there.
    """
    fields: set[str] = set()
    choices: set[str] = set()
    for found in _tasks(path, None):
        fields |= found.data.keys()
        choices |= {name for _, values in found.said for name in values}
    choices -= set(named_ones)
    given = options.get("human")
    if not choices:
        raise FFError(f"{path}: nobody has chosen a label: it has no annotation with a choice.")
    if given not in choices and (given is not None or len(choices) != 1):
        listed = ", ".join(sorted(map(named, choices)))
        raise FFError(f"{path}: which choice is the label? --human NAME, of: {listed}.")
    choice = given if given is not None else choices.pop()
    asked = [name for name in named_ones if name]
    if not set(asked) <= fields or not ({"id", "response"} & options.keys()):
        listed = ", ".join(sorted(named(one) for one in fields - {choice}))
        raise FFError(
            f"{path}: which field is the response? --response FIELD, of: {listed}. For labels of traces that "
            "were imported before, name the field with their ids: --id FIELD."
        )
    return choice


def _labels(path: Path, own: str | None, choice: str) -> dict[str, list[tuple[str, str | None]]]:
    """Return who said what of each task; a person's further labels of one task are numbered, as repeats."""
    said: dict[str, list[tuple[str, str | None]]] = {}
    for found in _tasks(path, own):
        people = said.setdefault(found.key, [])
        for name, values in found.said:
            times = 1 + sum(who == name or who.startswith(f"{name}#") for who, _ in people)
            people.append((name if times == 1 else f"{name}#{times}", values.get(choice)))
    return said


def _meaning(
    said: Mapping[str, Sequence[tuple[str, str | None]]],
    choice: str,
    options: Mapping[str, str],
    path: Path,
) -> Meaning:
    column = Column(choice, person=True)
    for people in said.values():
        for _, value in people:
            column.count(value)
    space: Space | None = next((one for one in SPACES if one == options.get("space")), None)
    given = read_given(Path(options["map"])) if "map" in options else {}
    return meanings([column], path=path, given=given, space=space)[choice]


def _tasks(path: Path, own: str | None) -> Iterator[_Found]:
    """Yield the tasks of an export, or its lines, of which a table has one for each annotation.

    `own` is the field with the id of the trace; None: Label Studio's number of the task.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if (delimiter := _delimiter(head)) is None and _is_annotated(head):
        for place, value in _items(path):
            task = record(_Task, value, path, place)
            key = str(task.id if own is None else task.data.get(own))
            yield _Found(key, f"task {task.id}", task.data, tuple(map(_chosen, task.annotations)))
        return
    lines = _items(path) if delimiter is None else table(path, delimiter=delimiter)
    for place, value in lines:
        line = record(_Line, value, path, place).root
        said = {name: _text(cell) or "" for name, cell in line.items() if name not in _MORE}
        yield _Found(str(line.get(own or "id")), place, line, ((str(line.get("annotator")), said),))


def _items(path: Path) -> Iterator[tuple[str, object]]:
    """Yield what is in a JSON array, each with its place; one in memory at a time."""
    with path.open("rb") as file:
        for number, value in enumerate(Document(path, file).items(), start=1):
            yield f"task {number}", value


def _is_annotated(head: bytes) -> bool:
    """Return whether an export is JSON with all annotations of a task in one place (not JSON-MIN)."""
    return b'"annotations"' in head and b'"data"' in head


def _delimiter(head: bytes) -> str | None:
    """Return what separates the columns of an export as CSV or TSV; None if it is JSON or another tool's."""
    return next((sign for sign in (",", "\t") if set(_OWN) <= set(header(head, sign))), None)


def _chosen(annotation: _Annotation) -> tuple[str, Mapping[str, str]]:
    """Return who annotated, and what they chose; a task that they skipped has no choice."""
    by = annotation.completed_by
    chosen: defaultdict[str, list[str]] = defaultdict(list)
    for result in annotation.result:
        if result.type == "choices":
            chosen[result.from_name] += result.value.choices
    values = {} if annotation.was_cancelled else {name: _JOINED.join(all_) for name, all_ in chosen.items()}
    return str((by.id or by.email) if isinstance(by, _Person) else by), values


def _text(value: object) -> str | None:
    """Return a field as text: of several choices, all of them."""
    choices = value
    if isinstance(value, str) and value.startswith('{"choices"'):
        try:
            choices = from_json(value)
        except ValueError:
            choices = None
    if isinstance(choices, dict) and isinstance(choices.get("choices"), list):
        return _JOINED.join(map(str, choices["choices"]))
    return value if isinstance(value, str | None) else json.dumps(value, ensure_ascii=False)
