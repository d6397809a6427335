"""Exports of Label Studio (JSON, JSON-MIN, CSV, TSV): one row for each task, one label for each annotation.

Which field is the response, and what a choice means, the user says: `--response FIELD`, and the map that
`ff import` prints where the meaning of a choice was not said.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import RootModel
from pydantic_core import from_json

from ff_helpers.corpus.results.meaning import Column, Meaning, meanings, read_given
from ff_helpers.corpus.results.reading import Foreign, answered, begins, document, header, table, tags, turns
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


class _Tasks(RootModel[tuple[_Task, ...]]):
    pass


class _Lines(RootModel[tuple[dict[str, object], ...]]):
    pass


@dataclass
class _Found:
    """One task: its fields, and what each annotation chose, by the name of the choice."""

    place: str
    data: Mapping[str, object]
    said: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)


class Reader:
    """Reads an export by its shape."""

    def recognise(self, path: Path, head: bytes) -> Source | None:
        """Return that Label Studio wrote the file, and how many predictions of models are left out."""
        if _delimiter(head) is not None:
            return Source("label-studio", None, DIRECTION)
        if not begins(head, r"\[\s*\{"):
            return None
        if b'"annotations"' in head and b'"data"' in head:
            tasks = document(path, _Tasks).root
            left = sum(len(task.predictions) for task in tasks)
            note = f"{left} predictions of models are left out: only people's annotations are read"
            return Source("label-studio", None, DIRECTION, len(tasks), (note,) if left else ())
        is_min = all(f'"{name}"'.encode() in head for name in _OWN)
        return Source("label-studio", None, DIRECTION) if is_min else None

    def read(self, path: Path, options: Mapping[str, str]) -> Iterator[Row]:
        """Yield one row for each task, with every annotator's label.

        Raises:
            MapNeededError: what a choice means was not said.
            FFError: the field of the response, or one choice of several, was not named.
        """
        tasks = _tasks(path)
        fields = {name for found in tasks.values() for name in found.data}
        choice, response = _choice(tasks, options, path), options.get("response", "")
        counted = list(filter(None, options.get("tag", "").split("\n")))
        for name in filter(None, (response or "?", options.get("prompt"), *counted)):
            if name not in fields:
                listed = ", ".join(sorted(named(one) for one in fields - {choice}))
                raise FFError(f"{path}: which field is the response? --response FIELD, of: {listed}.")
        meaning = _meaning(tasks, choice, options, path)
        for key, found in tasks.items():
            text = _text(found.data.get(response))
            status, reason = answered(text or None)
            said = {annotator: meaning.of(values.get(choice)) for annotator, values in found.said}
            wrong = next((one.row for one in said.values() if one.row is not None), None)
            yield Row(
                record=found.place,
                trace_id=key,
                messages=turns(
                    ("user", _text(found.data.get(options.get("prompt", "")))), ("assistant", text or None)
                ),
                scenario_id=key,
                model=options.get("model"),
                status=status or wrong,
                reason=reason or ("the map reads a choice so" if wrong else None),
                tags=tags(
                    **{name: found.data.get(name) for name in options.get("tag", "").split("\n") if name}
                ),
                labels=tuple(Label(annotator, meaning.space, one.label) for annotator, one in said.items()),
            )


def _choice(tasks: Mapping[str, _Found], options: Mapping[str, str], path: Path) -> str:
    """Return the name of the choice that holds the labels: the option `human`, or the only one."""
    names = {name for found in tasks.values() for _, values in found.said for name in values}
    names -= {options.get("response"), options.get("prompt"), *options.get("tag", "").split("\n")}
    given = options.get("human")
    if given in names:
        return str(given)
    if given is None and len(names) == 1:
        return names.pop()
    listed = ", ".join(sorted(map(named, names))) or "there is none"
    raise FFError(f"{path}: which choice is the label? --human NAME, of: {listed}.")


def _meaning(tasks: Mapping[str, _Found], choice: str, options: Mapping[str, str], path: Path) -> Meaning:
    column = Column(choice, person=True)
    for found in tasks.values():
        for _, values in found.said:
            column.count(values.get(choice))
    space: Space | None = next((one for one in SPACES if one == options.get("space")), None)
    given = read_given(Path(options["map"])) if "map" in options else {}
    return meanings([column], path=path, given=given, space=space)[choice]


def _tasks(path: Path) -> dict[str, _Found]:
    """Return the tasks of an export by id."""
    with path.open("rb") as file:
        head = file.read(1 << 16)
    if (delimiter := _delimiter(head)) is not None:
        return _joined((place, {**line}) for place, line in table(path, delimiter=delimiter))
    if b'"annotations"' in head and b'"data"' in head:
        return {str(task.id): _annotated(task) for task in document(path, _Tasks).root}
    lines = document(path, _Lines).root
    return _joined((f"task {number}", line) for number, line in enumerate(lines, start=1))


def _delimiter(head: bytes) -> str | None:
    """Return what separates the columns of an export as CSV or TSV; None if it is JSON or another tool's."""
    return next((sign for sign in (",", "\t") if set(_OWN) <= set(header(head, sign))), None)


def _annotated(task: _Task) -> _Found:
    found = _Found(f"task {task.id}", task.data)
    for annotation in task.annotations:
        by = annotation.completed_by
        name = (by.id or by.email) if isinstance(by, _Person) else by
        chosen: defaultdict[str, list[str]] = defaultdict(list)
        for result in annotation.result:
            if result.type == "choices":
                chosen[result.from_name] += result.value.choices
        values = {} if annotation.was_cancelled else {k: _JOINED.join(v) for k, v in chosen.items()}
        found.said.append((str(name), values))
    return _apart(found)


def _joined(lines: Iterator[tuple[str, Mapping[str, object]]]) -> dict[str, _Found]:
    """Return the tasks of a table, which has a line for each annotation."""
    tasks: dict[str, _Found] = {}
    for place, line in lines:
        found = tasks.setdefault(str(line.get("id")), _Found(place, line))
        values = {name: _text(value) or "" for name, value in line.items() if name not in _MORE}
        found.said.append((str(line.get("annotator")), values))
    return {key: _apart(found) for key, found in tasks.items()}


def _apart(found: _Found) -> _Found:
    """Number a person's further annotations of one task: they are repeats, and no correction."""
    times: Counter[str] = Counter()
    for place, (name, values) in enumerate(found.said):
        times[name] += 1
        found.said[place] = (name if times[name] == 1 else f"{name}#{times[name]}", values)
    return found


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
