"""Any table as results: its columns are named by options, its values by a map that a person has reviewed.

Options: `response`, `prompt`, `id`, `model`, `item` are columns; `judge`, `human`, `tag` one column per line;
`space`, `map`, `threshold`, `high` say what labels mean.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, cast

from ff_helpers.corpus.results.cells import Table, open_table
from ff_helpers.corpus.results.meaning import (
    Column,
    Cut,
    Given,
    MapNeededError,
    Meaning,
    Said,
    meanings,
    read_given,
    too_many,
)
from ff_helpers.corpus.results.reading import EMPTY
from ff_helpers.corpus.results.recognise import AS_TABLE
from ff_helpers.corpus.results.rows import Judgement, Label, Row, Source
from ff_helpers.corpus.traces import Message
from ff_helpers.errors import FFError, named
from ff_helpers.terms import SPACES, RowStatus, Space, Status

ONE: Final = ("response", "prompt", "id", "model", "item")
SEVERAL: Final = ("judge", "human", "tag")
HIGH: Final = ("success", "refusal")
_NOT_ANSWERED: Final = "the cell of the response is empty"


@dataclass(frozen=True)
class _Asked:
    """The options of a table, checked."""

    one: Mapping[str, str]
    judges: tuple[str, ...]
    humans: tuple[str, ...]
    tags: tuple[str, ...]
    given: Given
    space: Space | None
    cut: Cut | None

    @property
    def refers(self) -> bool:
        """Whether its rows are people's labels of traces that their ids name, without a word of their own."""
        return bool(self.humans) and not self.judges and set(self.one) == {"id"}

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read, each once."""
        return tuple(dict.fromkeys((*self.one.values(), *self.judges, *self.humans, *self.tags)))


class Reader:
    """Reads any table."""

    def recognise(self, path: Path, head: bytes) -> Source | None:
        """Return what the file is if it is a table of two columns or more, else None."""
        try:
            table = open_table(path)
        except FFError:
            return None
        if len(table.columns) < 2 or not head:
            return None
        said = table.layout.said if table.layout else ""
        direction = "as the map, the threshold or the labels themselves say; nothing is guessed"
        return Source("table", None, direction, notes=(said,) if said else ())

    def read(self, path: Path, options: Mapping[str, str]) -> Iterator[Row]:
        """Yield every row.

        Raises:
            MapNeededError: what values mean was not said.
            FFError: an option is wrong, a column is not there, or a row cannot be read.
        """
        asked, table = _asked(options, path), open_table(path)
        labels = _Labels(table, asked)
        runs: Counter[str] = Counter()
        columns = asked.columns
        for number, (record, cells) in enumerate(table.rows(columns), start=1):
            of = dict(zip(columns, cells, strict=True))
            said = labels.of(of)
            place = (number, record)
            try:
                yield _row(of, said, asked, found=labels.meanings, runs=runs, place=place)
            except FFError as error:
                raise FFError(f"{path}: {error}") from None
        labels.check()


class _Labels:
    """The columns of labels, counted while they are read: a table is read once where that is enough.

    A score needs all scores first, as its threshold must be among them; a value that nobody explained needs
    the map of all values.
    """

    def __init__(self, table: Table, asked: _Asked) -> None:
        self._table, self._asked = table, asked
        self._columns = _columns(asked)
        self.meanings: Mapping[str, Meaning] = {}
        self._is_counted = asked.cut is not None
        if self._is_counted:
            self._count()

    def of(self, cells: Mapping[str, str | None]) -> dict[str, Said]:
        """Return what the labels of a row mean, by column.

        Raises:
            MapNeededError: what a value means was not said.
            FFError: a column has too many values.
        """
        if not self._is_counted:
            for column in self._columns:
                column.count(cells[column.name])
        try:
            return {
                column.name: self.meanings[column.name].of(cells[column.name]) for column in self._columns
            }
        except KeyError:
            self._learn()
        for column in self._columns:
            if not self.meanings[column.name].knows(cells[column.name]):
                raise too_many(column, self._table.path)
        return {column.name: self.meanings[column.name].of(cells[column.name]) for column in self._columns}

    def check(self) -> None:
        """Check what only the whole table can show."""
        if not self._is_counted:
            self._meanings(whole=True)

    def _learn(self) -> None:
        """Find the meaning of the values so far, or ask for that of all values of the table."""
        try:
            self._meanings(whole=False)
        except MapNeededError:
            self._count()

    def _count(self) -> None:
        self._columns = _columns(self._asked)
        for _, cells in self._table.rows([column.name for column in self._columns]) if self._columns else ():
            for column, cell in zip(self._columns, cells, strict=True):
                column.count(cell)
        self._is_counted = True
        self._meanings(whole=True)

    def _meanings(self, *, whole: bool) -> None:
        asked, path = self._asked, self._table.path
        self.meanings = meanings(
            self._columns, path=path, given=asked.given, space=asked.space, cut=asked.cut, whole=whole
        )


def _columns(asked: _Asked) -> list[Column]:
    return [Column(name, person=name in asked.humans) for name in (*asked.judges, *asked.humans)]


def _asked(options: Mapping[str, str], path: Path) -> _Asked:
    several = {name: tuple(filter(None, options.get(name, "").split("\n"))) for name in SEVERAL}
    one = {name: options[name] for name in ONE if options.get(name)}
    labels = (*several["judge"], *several["human"])
    if not labels and "response" not in one:
        raise FFError(f"{path}: neither a response nor labels are named. {AS_TABLE}")
    twice = [name for name, times in Counter(labels).items() if times > 1]
    if twice:
        raise FFError(
            f"column {named(twice[0])} is named twice among judges and people: it would agree with itself."
        )
    space = options.get("space")
    if space is not None and space not in SPACES:
        raise FFError(f"--space: must be one of {', '.join(SPACES)}.")
    return _Asked(
        one=one,
        judges=several["judge"],
        humans=several["human"],
        tags=several["tag"],
        given=read_given(Path(options["map"])) if "map" in options else {},
        space=cast("Space | None", space),
        cut=_cut(options.get("threshold"), options.get("high")),
    )


def _cut(threshold: str | None, high: str | None) -> Cut | None:
    if threshold is None and high is None:
        return None
    if threshold is None or high not in HIGH:
        raise FFError("--threshold NUMBER and --high success (or --high refusal) go together.")
    try:
        value = float(threshold)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FFError("--threshold: must be a number.")
    return Cut(value, cast("Literal['success', 'refusal']", high))


def _row(
    of: Mapping[str, str | None],
    said: dict[str, Said],
    asked: _Asked,
    *,
    found: Mapping[str, Meaning],
    runs: Counter[str],
    place: tuple[int, str],
) -> Row:
    """Return the row of some cells and labels, by column; `runs` counts how often each item occurred."""
    one = {what: of[name] for what, name in asked.one.items()}
    number, record = place
    item = one.get("item")
    run: str | None = None
    if "item" in asked.one:
        if item is None:
            raise FFError(f"{record}: column {named(asked.one['item'])}: empty. Every row needs its item.")
        runs[item] += 1
        run = str(runs[item])
    trace_id = f"row-{number}" if run is None else f"{item}#{run}"
    if "id" in asked.one:
        if not one["id"]:
            raise FFError(f"{record}: column {named(asked.one['id'])}: empty. Every row needs its id.")
        trace_id = one["id"]
    if "response" in asked.one and one["response"] is not None and not one["response"].strip():
        said |= {name: replace(said[name], label=None, status="not_gradeable") for name in asked.judges}
    status, reason = _status(one, asked, said)
    tags = {name: of[name] for name in asked.tags}
    return Row(
        record=record,
        trace_id=trace_id,
        messages=_messages(one),
        scenario_id=item,
        run=run,
        model=one.get("model"),
        status=status,
        reason=reason,
        tags={name: text for name, text in tags.items() if text},
        judgements=tuple(
            Judgement(
                judge=found[name].judge,
                space=found[name].space,
                label=said[name].label,
                status=said[name].status,
                reason=_why(said[name].status),
                score=said[name].score,
            )
            for name in asked.judges
            if said[name].label or said[name].status
        ),
        labels=tuple(
            Label(found[name].judge, found[name].space, said[name].label)
            for name in asked.humans
            if said[name].label
        ),
        refers=asked.refers,
    )


def _why(status: Status | None) -> str | None:
    if status == "not_gradeable":
        return EMPTY
    return f"the map reads its label as {status}" if status else None


def _messages(one: Mapping[str, str | None]) -> tuple[Message, ...]:
    prompt, response = one.get("prompt"), one.get("response")
    said = () if prompt is None else (Message(role="user", content=prompt),)
    return said if response is None else (*said, Message(role="assistant", content=response))


def _status(
    one: Mapping[str, str | None], asked: _Asked, said: Mapping[str, Said]
) -> tuple[RowStatus | None, str | None]:
    """Return what went wrong with a row: as the map reads one of its labels, or it has no response."""
    for name, meaning in said.items():
        if meaning.row is not None:
            return meaning.row, f"the map reads the label in column {named(name)} so"
    if "response" in asked.one and one["response"] is None:
        return "not_submitted", _NOT_ANSWERED
    return None, None
