"""JSONL in and out, one pydantic model per line; an error names file, line and field."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from ff_helpers.corpus.kinds import kind_of
from ff_helpers.errors import FFError, is_name

M = TypeVar("M", bound=BaseModel)


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


class ForeignFileError(BadLineError):
    """A file of something else, from its first record on."""

    def __init__(self, path: Path, line: int, what: str, kind: str) -> None:
        super().__init__(
            path,
            line,
            "",
            f"this file is {kind}. Expected {what}, one JSON object per line (JSONL, UTF-8). Nothing was "
            "changed: name another file.",
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
        BadLineError: not JSON, or a field is missing, unknown or of the wrong type.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        return model.model_validate_json(text)
    except UnicodeDecodeError:
        raise BadLineError(path, line, "", "not UTF-8 text") from None
    except ValidationError as error:
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
            raise ForeignFileError(path, line, called(model), kind_of(path)) from None
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


def write_records(path: Path, records: Iterable[BaseModel]) -> None:
    """Write records as JSONL, replacing the file; fields that are None are left out."""
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
