"""Does a run's folder still match its crate? Every file by hash, every input, and unlisted files."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from ff_helpers import paths
from ff_helpers.errors import FFError
from ff_helpers.pipeline import freshness
from ff_helpers.pipeline.crate import INPUT, NAME

UNBOUND = ("run.log", ".lock", ".steps", ".staging", NAME)
"""Files and folders without a hash: wall times, the lock, the runner's own notes, the crate itself."""

What = Literal["changed", "missing", "not listed", "no hash", "input changed", "input missing", "differs"]


@dataclass(frozen=True)
class Difference:
    """One file that differs: its name, what is wrong, and why."""

    name: str
    what: What
    reason: str


@dataclass(frozen=True)
class Verified:
    """What was compared, and every difference.

    Attributes:
        bound: files bound by a hash.
        pictures: PDFs, checked only for existence: their bytes may differ (`--against` looks at their pages).
        inputs: files that the run read from outside its folder.
    """

    bound: int
    pictures: int
    inputs: int
    differences: tuple[Difference, ...]


def verify(folder: Path) -> Verified:
    """Compare a run's folder with its crate.

    Inputs are compared with the project's own files if the project is available.

    Raises:
        FFError: no crate, or one that is not JSON of the form that runs write.
    """
    entities = _entities(folder)
    bound = {name: digest for name, digest in entities.items() if not name.startswith(INPUT)}
    read = {name.removeprefix(INPUT): d for name, d in entities.items() if name.startswith(INPUT)}
    found = [*_files(folder, bound), *_unlisted(folder, bound), *_inputs(folder, read)]
    hashed = sum(1 for digest in bound.values() if digest)
    pictures = sum(1 for name, digest in bound.items() if not digest and name.endswith(".pdf"))
    return Verified(hashed, pictures, len(read), tuple(found))


def _entities(folder: Path) -> dict[str, str]:
    """Return id and sha256 (empty if unbound) of every file of the crate."""
    try:
        graph = json.loads((folder / NAME).read_text(encoding="utf-8"))["@graph"]
        files = [e for e in graph if "File" in ([e["@type"]] if isinstance(e["@type"], str) else e["@type"])]
        if files:
            return {unquote(e["@id"]): str(e.get("sha256", "")) for e in files}
        problem = "it lists no file"
    except FileNotFoundError:
        problem = "no such file"
    except (ValueError, KeyError, TypeError) as error:
        problem = f"its crate cannot be read ({error})"
    raise FFError(
        f"{folder / NAME}: {problem}. Name the folder of a finished run, such as outputs/paper; "
        "`ff run params/paper.yaml` makes one."
    )


def _files(folder: Path, bound: dict[str, str]) -> Iterator[Difference]:
    for name, digest in sorted(bound.items()):
        path = folder / name
        if Path(name).is_absolute() or ".." in Path(name).parts:
            yield Difference(name, "not listed", "the crate lists it, but it is not a file of this folder")
        elif not digest and not name.endswith(".pdf"):
            yield Difference(name, "no hash", "the crate gives no sha256 for it, required except for PDFs")
        elif not path.is_file():
            yield Difference(name, "missing", "the crate lists it, but it is missing")
        elif digest and freshness.sha256(path) != digest:
            yield Difference(name, "changed", "its sha256 is not the one in the crate")


def _unlisted(folder: Path, bound: dict[str, str]) -> Iterator[Difference]:
    there = (p.relative_to(folder) for p in sorted(folder.rglob("*")) if p.is_file())
    for path in there:
        if path.as_posix() not in bound and path.parts[0] not in UNBOUND:
            yield Difference(path.as_posix(), "not listed", "the run did not write it, or wrote it elsewhere")


def _inputs(folder: Path, read: dict[str, str]) -> Iterator[Difference]:
    places = {"data/": paths.data(), "params/": paths.params(), "parts/": paths.parts()}
    for name, digest in sorted(read.items()):
        prefix = next((prefix for prefix in places if name.startswith(prefix)), "")
        path = places[prefix] / name.removeprefix(prefix) if prefix else folder / name
        if not path.is_file():
            yield Difference(name, "input missing", f"the run read it; {path} does not exist here")
        elif freshness.sha256(path) != digest:
            yield Difference(name, "input changed", "it is not the file that the run read")
