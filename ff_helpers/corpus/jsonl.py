"""JSONL in and out, one pydantic model a line; an error names file, line and field."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from ff_helpers.errors import FFError

M = TypeVar("M", bound=BaseModel)


class FileMissingError(FFError):
    """A file that the user named does not exist."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path}: no such file. Expected {what}, one JSON object a line (JSONL, UTF-8).")


class BadLineError(FFError):
    """A line that is no valid record."""

    def __init__(self, path: Path, line: int, field: str, problem: str) -> None:
        place = f"{path}:{line}:{field}" if field else f"{path}:{line}"
        super().__init__(f"{place}: {problem}")
        self.line = line


def parse_line(model: type[M], text: str, *, path: Path, line: int) -> M:
    """Return the record on one line.

    The message of an error holds the field's name and what is allowed, never the field's value: a
    trace file may hold text that must not be shown.

    Raises:
        BadLineError: not JSON, or a field is missing, unknown or of the wrong type.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        problem = first["msg"].removeprefix("Value error, ")
        if first["type"] == "value_error" and not field and ": " in problem:
            # Our own checks across fields say `field: problem`.
            field, problem = problem.split(": ", 1)
        raise BadLineError(path, line, field, problem) from None


def read_records(path: Path, model: type[M]) -> Iterator[M]:
    """Yield the records of a JSONL file, one at a time; blank lines are skipped.

    Raises:
        FileMissingError: there is no such file.
        BadLineError: a line is no valid record, or not UTF-8.
    """
    if not path.is_file():
        raise FileMissingError(path, f"{model.__name__.lower()} records")
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError:
                raise BadLineError(path, number, "", "not UTF-8 text") from None
            if text.strip():
                yield parse_line(model, text, path=path, line=number)


def write_records(path: Path, records: Iterable[BaseModel]) -> None:
    """Write records as JSONL, replacing the file; fields that are None are left out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            file.write(record.model_dump_json(exclude_none=True) + "\n")
