"""Tables of text as people have them: encoding, delimiter and header row, found and said.

Cells stay as they are written; "" is an empty one. If a file is something else, the error says what it is.
Where a spreadsheet wrote a title or `sep=;` above the header, these lines are skipped, and so are lines that
begin with "# ".
"""

import codecs
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path
from typing import Final

import pandas as pd

from ff_helpers.corpus.jsonl import kind_of
from ff_helpers.errors import FFError, place_in

DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
"""What may stand between two cells, and what it is called."""
HEAD: Final = 1 << 20
"""Bytes from which delimiter and header are found."""
ROWS: Final = 50
"""Rows of them that are looked at."""
_BATCH: Final = 20_000
_BREAK: Final = re.compile(r"\r\n|\r|\n")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Layout:
    """How a table is written.

    Attributes:
        encoding: the name of its codec; `cp1252` is assumed of a file that is not Unicode.
        delimiter: one of DELIMITERS; None: JSON lines, one object per row.
        header: the line on which the header begins; of JSON lines the first row.
    """

    encoding: str
    delimiter: str | None
    header: int = 1

    @property
    def said(self) -> str:
        """What differs from commas, UTF-8 and a header in the first line, in words; "" if nothing does."""
        parts = []
        if self.delimiter not in (None, ","):
            parts.append(f"{DELIMITERS[self.delimiter]} between the columns")
        if self.encoding == "cp1252":
            parts.append("in Windows-1252, as it is not UTF-8 (if letters are wrong, save it as UTF-8)")
        elif not self.encoding.startswith("utf-8"):
            parts.append(f"in {self.encoding.upper()}")
        if self.header > 1:
            parts.append(f"the header in line {self.header}")
        return ", ".join(parts)


def layout_of(path: Path) -> Layout:
    """Return how a table is written.

    Raises:
        FFError: no such file, or not a table.
    """
    try:
        kind = kind_of(path)
    except FileNotFoundError:
        raise bad_table(path, "no such file") from None
    except IsADirectoryError:
        raise bad_table(path, "it is a folder") from None
    if not kind.startswith(("a CSV", "plain text", "JSON", "a JSON", "UTF-", "text in another")):
        raise bad_table(path, f"it is {kind}")
    encoding = _encoding(path)
    with path.open("rb") as file:
        raw = file.read(HEAD)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(raw)
    if text.lstrip()[:1] in ("{", "["):
        lines = text.split("\n")
        first = next(number for number, line in enumerate(lines, start=1) if line.strip())
        return Layout(encoding, None, first)
    if text.lstrip()[:1] == "<":
        raise bad_table(path, "it is HTML or XML")
    return _layout(text, encoding, cut=len(raw) == HEAD)


def rows_of(path: Path, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Yield the header and every row below it with the line on which it ends; blank lines are skipped.

    Raises:
        FFError: no header, a row of another length, a quote that is not closed, or bytes of another encoding.
    """
    for lines, rows in _batches(path, layout):
        yield from zip(lines, rows, strict=True)


def read_table(path: Path) -> tuple[pd.DataFrame, Layout]:
    """Return a table as columns of its text, the line of each row as index; and how it is written.

    A name may occur twice. Of JSON lines each object is a row, its keys are the columns; numbers stay as they
    are written, true and false are these words, null and a missing key are an empty cell, lists and objects
    too.

    Raises:
        FFError: as `layout_of` and `rows_of`; a line that is not a JSON object.
    """
    layout = layout_of(path)
    if layout.delimiter is None:
        return _read_json_lines(path, layout), layout
    batches = _batches(path, layout)
    header = next(batches)[1][0]
    columns: list[list[str]] = [[] for _ in header]
    lines: list[int] = []
    for places, rows in batches:
        lines.extend(places)
        for column, more in zip(columns, zip(*rows, strict=True), strict=False):
            column.extend(more)
    parts = {place: pd.array(column, dtype="str") for place, column in enumerate(columns)}
    frame = pd.DataFrame(parts, index=lines)
    frame.columns = pd.Index(header, dtype="str")
    return frame, layout


def _batches(path: Path, layout: Layout) -> Iterator[tuple[Sequence[int], list[list[str]]]]:
    """Yield the header, then rows in batches, each with the lines on which its rows end; see `rows_of`."""
    csv.field_size_limit(2**31 - 1)  # a response can be longer than the 131,072 characters of the default
    before = layout.header - 1
    try:
        with path.open(encoding=layout.encoding, newline="") as file:
            reader = csv.reader(islice(file, before, None), delimiter=layout.delimiter or ",", strict=True)
            header = next((row for row in reader if row and not row[0].startswith("# ")), [])
            if not header:
                raise bad_table(path, "it has no header")
            line = before + reader.line_num
            yield [line], [header]
            while batch := list(islice(reader, _BATCH)):
                last = before + reader.line_num
                lines: Sequence[int] = range(line + 1, last + 1)
                if len(lines) != len(batch):  # a cell holds a line break
                    lines = [end + line for end in accumulate(map(_height, batch))]
                line = last
                if set(map(len, batch)) != {len(header)}:
                    pairs = [(place, row) for place, row in zip(lines, batch, strict=True) if row]
                    wrong = next(((place, row) for place, row in pairs if len(row) != len(header)), None)
                    if wrong is not None:
                        problem = f"line {wrong[0]} has {len(wrong[1])} cells, the header {len(header)}"
                        raise bad_table(path, problem)
                    lines, batch = [place for place, _ in pairs], [row for _, row in pairs]
                yield lines, batch
    except UnicodeDecodeError as error:
        raise bad_table(path, _undecoded(layout.encoding, error)) from None
    except csv.Error:
        place = f"after line {reader.line_num + before}"
        problem = f"cannot be read: {place} a quote is not closed, or closes within a cell"
        raise bad_table(path, problem) from None


def _height(row: list[str]) -> int:
    """Return how many lines of the file a row takes."""
    return 1 + sum(len(_BREAK.findall(cell)) for cell in row if "\n" in cell or "\r" in cell)


def bad_table(path: Path, problem: str) -> FFError:
    """Return the error about an invalid table."""
    between = ", ".join(DELIMITERS.values())
    return FFError(
        f"{path}: {problem}. Expected a table: CSV ({between} between the columns; one header row, every row "
        "as long as it; in UTF-8, UTF-16 or Windows-1252), or JSON lines, one object per row."
    )


def _encoding(path: Path) -> str:
    """Return the codec of a text, from its first bytes and from whether all of it is UTF-8.

    Raises:
        FFError: UTF-8 with a broken character in it.
    """
    with path.open("rb") as file:
        head = file.read(1 << 16)
        for mark, name in _BOMS:
            if head.startswith(mark):
                return name
        even, odd = head[::2].count(0), head[1::2].count(0)
        if max(even, odd) > len(head) // 4 > 2 * min(even, odd):
            return "utf-16-be" if even > odd else "utf-16-le"
        decoder, letters, read, chunk = codecs.getincrementaldecoder("utf-8")(), False, 0, head
        while True:
            read += len(chunk)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                if letters or not error.object[: error.start].isascii():
                    place = read - len(error.object) + error.start
                    problem = f"cannot be read: byte {place} is not UTF-8, and the text before it is"
                    raise bad_table(path, problem) from None
                return "cp1252"
            if not chunk:
                return "utf-8"
            letters = letters or not text.isascii()
            chunk = file.read(HEAD)


def _undecoded(encoding: str, error: UnicodeDecodeError) -> str:
    if encoding == "cp1252":
        return "it is text in another encoding than UTF-8 (save it as UTF-8)"
    if encoding.startswith("utf-8"):
        return f"cannot be read: {place_in(error)}"
    return f"cannot be read: it is not {encoding.upper()} to its end"


def _layout(text: str, encoding: str, *, cut: bool) -> Layout:
    """Return the layout in which the first rows are alike, need no title above them, and are widest.

    Commas where no other one is better.
    """
    first = re.match(r"\ufeff?sep=(.)\r?\n", text)
    if first and first[1] in DELIMITERS:
        found = _header(text[first.end() :], first[1], cut=cut)
        return Layout(encoding, first[1], 1 + (found[1] if found else 1))
    best, most = Layout(encoding, ","), (False, False, 0)
    for delimiter in DELIMITERS:
        found = _header(text, delimiter, cut=cut)
        # One column is what any other delimiter finds where a quote is broken: commas then say so.
        if found is not None and found[0] > most and (delimiter == "," or found[0][2] > 1):
            most, best = found[0], Layout(encoding, delimiter, found[1])
    return best


def _header(text: str, delimiter: str, *, cut: bool) -> tuple[tuple[bool, bool, int], int] | None:
    """Return how well this delimiter fits, and the header's line; None if the text cannot be read so.

    It fits by whether the rows are alike, whether the header is the first of them, and how wide it is.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for row in islice(reader, ROWS + 1):
            rows.append((begins, row))
            begins = reader.line_num + 1
    except csv.Error:
        if not (cut and rows):
            return None
    if cut and len(rows) <= ROWS:
        rows = rows[: max(1, len(rows) - 1)]
    rows = [(line, row) for line, row in rows if row and not row[0].startswith("# ")]
    if not rows:
        return None
    width = Counter(len(row) for _, row in rows).most_common(1)[0][0]
    first = rows[0][0]
    while len(rows) > 1 and _is_title(rows[0][1], width):
        rows = rows[1:]
    line, header = rows[0]
    alike = len(header) > 1 and {len(row) for _, row in rows} == {len(header)}
    return (alike, alike and line == first, len(header)), line


def _is_title(row: list[str], width: int) -> bool:
    """Return whether a row above others of this width is a title: at most one of its cells is filled."""
    filled = sum(bool(cell.strip()) for cell in row)
    return filled <= 1 and width > 1 and (len(row) < width or width > 2)


def _read_json_lines(path: Path, layout: Layout) -> pd.DataFrame:
    rows: dict[int, dict[str, object]] = {}
    try:
        with path.open(encoding=layout.encoding, newline="\n") as file:
            for line, text in enumerate(file, start=1):
                if not text.strip():
                    continue
                rows[line] = _json_object(path, line, text, first=not rows)
    except UnicodeDecodeError as error:
        raise bad_table(path, _undecoded(layout.encoding, error)) from None
    names = dict.fromkeys(name for row in rows.values() for name in row)
    cells = [[_cell(row.get(name)) for name in names] for row in rows.values()]
    return pd.DataFrame(cells, columns=list(names), index=list(rows), dtype="str")


def _json_object(path: Path, line: int, text: str, *, first: bool) -> dict[str, object]:
    try:
        row = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        # The parser's own words hold no text, its place in a line does.
        problem = f"it is {kind_of(path)}" if first else f"line {line} is not a JSON object"
        raise bad_table(path, problem) from None
    if not isinstance(row, dict):
        raise bad_table(path, f"line {line} is not a JSON object")
    return row


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else ""
