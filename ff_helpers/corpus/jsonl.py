"""JSONL in and out, one pydantic model per line; an error names file, line and field.

Of a file of something else it says what the file is (`kind_of`, `kinds.csv`), without showing its text.
"""

import codecs
import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticSerializationError, from_json

from ff_helpers.columns import packaged
from ff_helpers.errors import FFError, is_name
from ff_helpers.formats import FIELD, newer, update

HEAD: Final = 1 << 16
"""Bytes of a file that are read to see what it is; a file is never read whole for this."""
_DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
M = TypeVar("M", bound=BaseModel)


class Closed(BaseModel):
    """A record whose unknown fields are refused, and whose values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Versioned(Closed):
    """A record of a file that outlives a run; its `format_version` is not written while it is 1."""

    format_version: Literal[1] = Field(default=1, exclude_if=lambda version: version == 1)


class FileMissingError(FFError):
    """A file that the user named does not exist."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path}: no such file. Expected {what}, one JSON object per line (JSONL, UTF-8).")


class BadLineError(FFError):
    """A line that is not a valid record."""

    def __init__(self, path: Path, line: int, field: str, problem: str) -> None:
        place = f"{path}:{line}:{field}" if field else f"{path}:{line}"
        super().__init__(f"{place}: {problem}")
        self.line = line


class NewerFormatError(BadLineError):
    """A line that a newer version of this package wrote."""

    def __init__(self, path: Path, line: int, found: int) -> None:
        super().__init__(path, line, FIELD, update(found, 1))


class ForeignFileError(BadLineError):
    """A file of something else, from its first record on."""

    def __init__(self, path: Path, line: int, what: str) -> None:
        asked = f"Expected {what}, one JSON object per line (JSONL, UTF-8)"
        super().__init__(
            path, line, "", f"this file is {kind_of(path)}. {asked}. Nothing was changed: name another file."
        )


def called(model: type[BaseModel]) -> str:
    """Return the name of a model's records in errors: its `CALLED`, else its class name."""
    return str(getattr(model, "CALLED", f"{model.__name__.lower()} records"))


def parse_line(model: type[M], text: str | bytes, *, path: Path, line: int) -> M:
    """Return the record in one line.

    The message of an error has the field's name and what is allowed, never the field's value: a trace
    file may contain text that must not be shown. A key that does not read like a name is not shown
    either: it may be such a text.

    Raises:
        NewerFormatError: a newer version wrote it.
        BadLineError: not JSON, or a field is missing, unknown or of the wrong type.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        return model.model_validate_json(text)
    except UnicodeDecodeError:
        raise BadLineError(path, line, "", "not UTF-8 text") from None
    except ValidationError as error:
        version = newer(text) if FIELD in model.model_fields else None
        if version is not None:
            raise NewerFormatError(path, line, version) from None
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        parts = [str(part) for part in first["loc"]]
        field = ".".join(part if is_name(part) else "(unnamed field)" for part in parts)
        problem = first["msg"].removeprefix("Value error, ")
        if first["type"] == "value_error" and not field and ": " in problem:
            # Our own checks across fields say `field: problem`.
            field, problem = problem.split(": ", 1)
        raise BadLineError(path, line, field, problem) from None


def parse_first(model: type[M], raw: bytes, *, path: Path, line: int) -> M:
    """Return the first record of a file, as `parse_line`; if the file is something else, say what it is.

    Raises:
        ForeignFileError: no JSON object, or one with less than half of the required fields.
        BadLineError: a record with a mistake.
    """
    try:
        return parse_line(model, raw, path=path, line=line)
    except BadLineError:
        if not _like(model, raw):
            raise ForeignFileError(path, line, called(model)) from None
        raise


def read_records(path: Path, model: type[M]) -> Iterator[M]:
    """Yield the records of a JSONL file, one at a time; blank lines are skipped.

    Raises:
        FileMissingError: there is no such file.
        ForeignFileError: the file is something else.
        BadLineError: a line is not a valid record, or not UTF-8.
    """
    if not path.is_file():
        raise FileMissingError(path, called(model))
    found = False
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if raw.strip():
                yield (parse_line if found else parse_first)(model, raw, path=path, line=number)
                found = True


def line_of(record: BaseModel) -> bytes:
    """Return a record as one line; fields set to None are omitted."""
    try:
        return record.model_dump_json(exclude_none=True).encode("utf-8") + b"\n"
    except PydanticSerializationError as error:
        if "JSON: KeyboardInterrupt" in str(error):  # Ctrl-C while a field was asked whether it is omitted
            raise KeyboardInterrupt from None
        raise


def write_records(path: Path, records: Iterable[BaseModel]) -> None:
    """Write records as JSONL, replacing the file; fields set to None are omitted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            file.write(record.model_dump_json(exclude_none=True) + "\n")


def _like(model: type[BaseModel], raw: bytes) -> bool:
    """Return whether a line is an object with half of the required fields, or any if none is required."""
    try:
        content = from_json(raw)
    except ValueError:
        return False
    required = {name for name, field in model.model_fields.items() if field.is_required()}
    asked = required or set(model.model_fields)
    found = asked & set(content) if isinstance(content, dict) else set()
    return len(found) * 2 >= len(required) and bool(found)


def is_parquet(path: Path) -> bool:
    """Return whether a file is Parquet by its first bytes, under any name."""
    return _head(path)[:4] == b"PAR1"


def kind_of(path: Path) -> str:
    """Return what a file is, with its article: `a JSON document`, `a CSV table (commas)`, `binary data`."""
    head = _head(path)
    if not head:
        return "an empty file"
    for start in packaged("corpus/kinds.csv"):  # how they begin: from which byte, with which bytes
        if head[int(start["place"]) :].startswith(bytes.fromhex(start["hex"])):
            return start["kind"]
    text = _text(head)
    if text is None:
        return _no_utf8(head)
    if not text.strip():
        return "a file of blank lines"
    kind = _kind_of_text(text.lstrip("\ufeff").lstrip() or "-")
    return f"{kind} with a byte-order mark (save it without)" if text[0] == "\ufeff" else kind


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _text(head: bytes) -> str | None:
    """Return UTF-8 text, whose last character may be cut; None for other bytes."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _no_utf8(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "UTF-32 text (save it as UTF-8)"
    even, odd = head[::2], head[1::2]
    few, many = sorted((even.count(0), odd.count(0)))
    wide = len(head) > 3 and many > len(odd) // 2 > few
    if wide or head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16 text (save it as UTF-8)"
    control = sum(byte < 9 or 13 < byte < 32 for byte in head)
    return "binary data" if control else "text in another encoding than UTF-8 (save it as UTF-8)"


def _kind_of_text(text: str) -> str:
    first, newline, rest = text.partition("\n")
    if text[0] in "{[":
        if newline and rest.strip() and _is_json(first):
            return "JSON lines of something else"
        if _is_json(text, cut=True):
            return "a Jupyter notebook" if '"nbformat"' in text else "a JSON document"
        return "text that begins like JSON and is not"
    if text[0] == "<":
        return "HTML or XML"
    found = _delimiter(text)
    return f"a CSV table ({_DELIMITERS[found]} between the columns)" if found else "plain text"


def _is_json(text: str, *, cut: bool = False) -> bool:
    """Return whether a text is JSON; `cut`: or the beginning of JSON."""
    try:
        from_json(text, allow_partial=cut)
    except ValueError:
        return False
    return True


def _delimiter(text: str) -> str | None:
    """Return the delimiter that splits two or more lines into equally many cells, at least two; or None."""
    lines = text.splitlines()[:20]
    lines = lines[:-1] if len(text) >= HEAD // 4 and len(lines) > 1 else lines
    for delimiter in _DELIMITERS:
        try:
            rows = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        if len(rows) > 1 and len(set(rows)) == 1 and rows[0] > 1:
            return delimiter
    return None
