"""The cells of any table, row after row: CSV, JSON lines, a JSON array of flat objects, Parquet.

A cell is text as it is written; None is an empty cell, null, or a missing key. Only the columns that are
asked for are looked at.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from ff_helpers.corpus.jsonl import is_parquet
from ff_helpers.corpus.tables import Layout, layout_of, rows_of
from ff_helpers.errors import FFError, named, quoted

SHOWN: Final = 12
"""How many column names an error lists; the rest are counted."""
_CHUNK: Final = 1 << 18
_MANY: Final = 2048
_DECODER: Final = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
Cells = tuple[str | None, ...]


class NoColumnError(FFError):
    """A column that was named is not there, or is there twice."""

    def __init__(self, path: Path, name: str, columns: Sequence[str]) -> None:
        times = columns.count(name)
        more = f" and {len(columns) - SHOWN} more" if len(columns) > SHOWN else ""
        found = f"Columns: {', '.join(map(quoted, columns[:SHOWN]))}{more}." if columns else ""
        problem = f"{times} columns are called" if times else "there is no column"
        super().__init__(f"{path}: {problem} {quoted(name)}. {found}".rstrip())


@dataclass(frozen=True)
class Table:
    """A table that can be read more than once.

    Attributes:
        path: the file.
        layout: how it is written; None: Parquet.
        columns: their names, in order; of JSON those of the first rows.
    """

    path: Path
    layout: Layout | None
    columns: tuple[str, ...]

    def rows(self, names: Sequence[str]) -> Iterator[tuple[str, Cells]]:
        """Yield every row: where it is (`line 12`, `row 7`), and its cells in the columns named.

        Raises:
            NoColumnError: a column is not there, or is there twice.
            FFError: a row that cannot be read, or a cell that is a list or an object.
        """
        if self.layout is None:
            yield from _parquet(self, names)
        elif self.layout.delimiter is None:
            yield from _json(self, names)
        else:
            yield from _csv(self, self.layout, names)


def open_table(path: Path) -> Table:
    """Return a table and its columns.

    Raises:
        FFError: not a table.
    """
    if is_parquet(path):
        return Table(path, None, tuple(name for name, _ in _types(path)))
    layout = layout_of(path)
    if layout.delimiter is not None:
        return Table(path, layout, tuple(next(rows_of(path, layout))[1]))
    names: dict[str, None] = {}
    for number, (_, row) in enumerate(_objects(path, layout)):
        names |= dict.fromkeys(row)
        if number == SHOWN:
            break
    return Table(path, layout, tuple(names))


def _csv(table: Table, layout: Layout, names: Sequence[str]) -> Iterator[tuple[str, Cells]]:
    rows = rows_of(table.path, layout)
    header = next(rows)[1]
    for name in names:
        if header.count(name) != 1:
            raise NoColumnError(table.path, name, header)
    places = [header.index(name) for name in names]
    for line, row in rows:
        yield f"line {line}", tuple([row[place] or None for place in places])


def _json(table: Table, names: Sequence[str]) -> Iterator[tuple[str, Cells]]:
    missing, layout = set(names), table.layout
    for record, row in _objects(table.path, layout) if layout else ():
        missing -= row.keys()
        yield record, tuple(_text(row.get(name), table.path, record, name) for name in names)
    if missing:
        raise NoColumnError(table.path, min(missing), table.columns)


def _text(value: object, path: Path, record: str, name: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    raise FFError(f"{path}: {record}: {named(name)}: must be a text, a number, true, false or null.")


def _objects(path: Path, layout: Layout) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the objects of JSON lines or of a JSON array, each with its place."""
    try:
        with path.open(encoding=layout.encoding, newline="\n") as file:
            first = file.read(1)
            while first and first.isspace():
                first = file.read(1)
            if first == "[":
                yield from _array(path, file)
                return
            file.seek(0)
            for line, text in enumerate(file, start=1):
                if text.strip():
                    yield f"line {line}", _object(path, f"line {line}", text)
    except UnicodeDecodeError:
        raise FFError(f"{path}: it is not {layout.encoding.upper()} to its end.") from None


def _object(path: Path, record: str, text: str) -> dict[str, object]:
    try:
        row = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise FFError(f"{path}: {record}: not JSON, one object per line.") from None
    return _checked(path, record, row)


def _checked(path: Path, record: str, row: object) -> dict[str, object]:
    if not isinstance(row, dict):
        raise FFError(f"{path}: {record}: must be an object whose keys are the columns.")
    return row


def _array(path: Path, file: TextIO) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the objects of an array whose bracket has been read; no more than one is in memory."""
    text, place, number = "", 0, 0
    while True:
        record = f"row {number + 1}"
        size = _CHUNK
        while True:  # read on until a whole value is there
            begin = _skip(text, place, ", \t\r\n" if number else " \t\r\n")
            if text[begin : begin + 1] == "]":
                return
            try:
                row, end = _DECODER.raw_decode(text, begin)
                if end < len(text):  # a number could go on in the next chunk
                    break
            except RecursionError:
                raise FFError(f"{path}: {record}: nested too deeply.") from None
            except ValueError:
                pass
            more = file.read(size)
            if not more:
                raise FFError(f"{path}: {record}: not JSON, or the file is cut off there.")
            text, place, size = text[place:] + more, 0, size * 2
        number, place = number + 1, end
        yield record, _checked(path, record, row)


def _skip(text: str, place: int, blanks: str) -> int:
    while place < len(text) and text[place] in blanks:
        place += 1
    return place


def _types(path: Path) -> list[tuple[str, str]]:
    """Return the columns of a Parquet file with their types."""
    import duckdb

    try:
        with duckdb.connect() as database:
            found = database.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    except duckdb.Error:
        raise FFError(
            f"{path}: it begins like Parquet and cannot be read: it is cut off or damaged."
        ) from None
    return [(str(row[0]), str(row[1])) for row in found]


def _parquet(table: Table, names: Sequence[str]) -> Iterator[tuple[str, Cells]]:
    import duckdb

    types = dict(_types(table.path))
    for name in names:
        if name not in types:
            raise NoColumnError(table.path, name, table.columns)
        if any(mark in types[name] for mark in ("[", "STRUCT", "MAP", "UNION", "BLOB")):
            raise FFError(f"{table.path}: {named(name)}: its cells are no text, numbers or booleans.")
    wanted = ", ".join(f'CAST("{name.replace(chr(34), chr(34) * 2)}" AS VARCHAR)' for name in names)
    number = 0
    try:
        with duckdb.connect(config={"threads": 1, "memory_limit": "256MB"}) as database:
            database.execute(f"SELECT {wanted} FROM read_parquet(?)", [str(table.path)])
            while rows := database.fetchmany(_MANY):
                for row in rows:
                    number += 1
                    yield f"row {number}", tuple(row)
    except duckdb.Error:
        raise FFError(f"{table.path}: cannot be read after row {number}: it is damaged.") from None
