"""What readers share: records with fields that we do not know, errors that name them, labels from scores."""

import csv
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from ff_helpers.corpus.results.rows import Judgement
from ff_helpers.corpus.traces import Message
from ff_helpers.errors import FFError, is_name, named
from ff_helpers.terms import RowStatus, Space, classes

M = TypeVar("M", bound=BaseModel)
Role = Literal["system", "user", "assistant", "tool"]
ROLES: Final[tuple[str, ...]] = get_args(Role)
EMPTY: Final = "the response is empty"


class Foreign(BaseModel):
    """A record of another tool: the fields that we need; others are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class RecordError(FFError):
    """A record of a result file that cannot be read: file, record, field, and what is allowed."""

    def __init__(self, path: Path, record: str, field: str, problem: str) -> None:
        super().__init__(": ".join([str(path), *(named(part) for part in (record, field) if part), problem]))


class ThresholdError(FFError):
    """A threshold that is missing, or that cannot be; which file it is for, the import adds."""


class VersionError(FFError):
    """A file of a version that nobody has read here."""

    def __init__(self, path: Path, tool: str, version: str, known: str) -> None:
        super().__init__(
            f"{path}: written by {tool} {named(version)}, which is not known. Known: {known}. Nothing was "
            f"read: export it from a known version, or bring it as a table (CSV)."
        )


class PartError(FFError):
    """A file with a part of a run's rows, without what a rate needs; `run`: the tool's id of that run."""

    def __init__(self, path: Path, what: str, instead: str, run: str | None) -> None:
        super().__init__(f"{path}: {what}. {instead}")
        self.what, self.run = what, run


def record(model: type[M], value: object, path: Path, place: str) -> M:
    """Return a record checked against its model; `place` is where it is in the file, for the error.

    Raises:
        RecordError: a field is missing or of the wrong type; no value is shown.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _unread(path, place, error) from None


def _unread(path: Path, place: str, error: ValidationError) -> RecordError:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    parts = [str(part) for part in first["loc"]]
    field = ".".join(part if is_name(part) else "(unnamed field)" for part in parts)
    return RecordError(path, place, field, first["msg"])


def table(path: Path, *, skip: int = 0, delimiter: str = ",") -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the rows of a CSV file, each with its place: `row 12` (the first row is 1).

    Args:
        skip: lines of comments above the header.

    Raises:
        RecordError: a row with more or fewer cells than the header, or another encoding.
    """
    csv.field_size_limit(1 << 30)
    with path.open(encoding="utf-8-sig", newline="") as file:
        number = 0
        try:
            for _ in range(skip):
                file.readline()
            rows = csv.DictReader(file, restkey="\0", restval="\0", delimiter=delimiter, strict=True)
            for number, row in enumerate(rows, start=1):
                if "\0" in row or "\0" in row.values():
                    raise RecordError(path, f"row {number}", "", "not as many cells as the header has")
                yield f"row {number}", row
        except UnicodeDecodeError:
            raise RecordError(path, f"row {number + 1}", "", "not UTF-8: save it as UTF-8") from None
        except csv.Error:
            raise RecordError(path, f"row {number + 1}", "", "no CSV: a quote is not closed") from None


def header(head: bytes, delimiter: str = ",") -> tuple[str, ...]:
    """Return the names of the columns of a CSV file from its first bytes; empty if it is none."""
    try:
        line = head.decode("utf-8-sig", "replace").splitlines()[:1]
        return tuple(next(csv.reader(line, delimiter=delimiter), ()))
    except csv.Error:
        return ()


def threshold(
    options: Mapping[str, str], otherwise: float | None, what: str, scale: tuple[float, float] = (0, 1)
) -> float:
    """Return the threshold on a score: the option `threshold`, else the tool's own.

    Args:
        what: the score, for the error: `score of StrongREJECT`.
        scale: its lowest and its highest value.

    Raises:
        ThresholdError: no threshold was given and the tool has none, or it puts all scores on one side: it
            was meant for another file.
    """
    low, high = scale
    named_scale = f"{what} ({low:g} to {high:g})"
    given = options.get("threshold")
    if given is None:
        if otherwise is None:
            raise ThresholdError(
                f"the {named_scale} is a number, and a rate needs a threshold: say from which value on an "
                f"attack has succeeded, such as --option threshold={(low + high) / 2:g}. It becomes part of "
                "the judge's name."
            )
        return otherwise
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not low < value <= high:
        raise ThresholdError(
            f"threshold: must be a number above {low:g} and at most {high:g} for the {named_scale}. Import "
            "files with other scales by a command of their own."
        )
    return value


def label(space: Space, success: bool) -> str:
    """Return the label of a success of the attack in a space of two classes, or of its failure."""
    return classes(space)[0 if success else 1]


def ungradeable(said: Judgement, reason: str) -> Judgement:
    """Return a judgement, whatever it says, as that of a response that is empty or has no score."""
    return replace(said, label=None, score=None, status="not_gradeable", reason=reason)


def turns(*said: tuple[str, str | None]) -> tuple[Message, ...]:
    """Return the turns that have a text, each a role of ROLES and a content."""
    return tuple(Message(role=cast("Role", role), content=text) for role, text in said if text is not None)


class _Turn(Foreign):
    role: Role
    content: str


def chat(said: object) -> tuple[Message, ...]:
    """Return the turns of a list of roles and contents, or of such a list as JSON; none if it is neither."""
    try:
        found = from_json(said) if isinstance(said, str) and said.lstrip().startswith("[") else said
        read = [_Turn.model_validate(turn) for turn in found] if isinstance(found, list) else []
    except ValueError:
        return ()
    return turns(*((turn.role, turn.content) for turn in read))


def answered(response: str | None) -> tuple[RowStatus | None, str | None]:
    """Return the status of what stands where a response should, and why: nothing, or an error as text."""
    if response is None:
        return "not_submitted", "the file has no response"
    if response.lstrip().startswith("[ERROR]"):
        return "target_error", "the response is an error message"
    return None, None


def tags(**values: object) -> dict[str, str]:
    """Return what can be counted by: scalars that are there, as text."""
    scalars = {k: v for k, v in values.items() if isinstance(v, str | int | float) and v != ""}
    return {k: str(v) for k, v in scalars.items()}


def begins(head: bytes, pattern: str) -> bool:
    """Return whether a file begins with a regular expression, after a byte-order mark and space."""
    return re.match(rb"(\xef\xbb\xbf)?\s*" + pattern.encode(), head) is not None
