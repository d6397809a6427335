"""Is a run's folder still what its crate says? Every file by hash, every input, and what nobody listed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ff_helpers import paths
from ff_helpers.errors import FFError
from ff_helpers.pipeline import freshness
from ff_helpers.pipeline.crate import INPUT, NAME

UNBOUND = ("run.log", ".lock", NAME)
"""Files that no hash binds: wall times, the lock, and the crate itself."""

What = Literal["changed", "missing", "not listed", "input changed", "input missing", "differs"]


class NoCrateError(FFError):
    """A folder without a crate, or with one that cannot be read."""

    def __init__(self, folder: Path, problem: str) -> None:
        super().__init__(
            f"{folder / NAME}: {problem}. Name the folder of a finished run, such as outputs/paper; "
            "`ff run params/paper.yaml` makes one."
        )


@dataclass(frozen=True)
class Difference:
    """One file that is not what it should be: its name, what is wrong, and why."""

    name: str
    what: What
    reason: str


@dataclass(frozen=True)
class Verified:
    """What was compared, and every difference."""

    bound: int
    inputs: int
    differences: tuple[Difference, ...]


def verify(folder: Path) -> Verified:
    """Compare a run's folder with its crate.

    Inputs are compared with the project's own files where the project is there.

    Raises:
        NoCrateError: no crate, or one that is no JSON of the form that runs write.
    """
    entities = _entities(folder)
    bound = {name: digest for name, digest in entities.items() if not name.startswith(INPUT)}
    read = {name.removeprefix(INPUT): d for name, d in entities.items() if name.startswith(INPUT)}
    found = [*_files(folder, bound), *_unlisted(folder, bound), *_inputs(read)]
    return Verified(len(bound), len(read), tuple(found))


def _entities(folder: Path) -> dict[str, str]:
    """Return id and sha256 (empty: none is bound) of every file of the crate."""
    try:
        graph = json.loads((folder / NAME).read_text(encoding="utf-8"))["@graph"]
        files = [e for e in graph if "File" in ([e["@type"]] if isinstance(e["@type"], str) else e["@type"])]
        return {str(e["@id"]): str(e.get("sha256", "")) for e in files}
    except FileNotFoundError:
        raise NoCrateError(folder, "no such file") from None
    except (ValueError, KeyError, TypeError) as error:
        raise NoCrateError(folder, f"no crate that can be read ({error})") from None


def _files(folder: Path, bound: dict[str, str]) -> Iterator[Difference]:
    for name, digest in sorted(bound.items()):
        path = folder / name
        if not path.is_file():
            yield Difference(name, "missing", "the crate lists it, and it is not there")
        elif digest and freshness.sha256(path) != digest:
            yield Difference(name, "changed", "its sha256 is not the one in the crate")


def _unlisted(folder: Path, bound: dict[str, str]) -> Iterator[Difference]:
    there = (p.relative_to(folder) for p in sorted(folder.rglob("*")) if p.is_file())
    for path in there:
        hidden = any(part.startswith(".") for part in path.parts)
        if not hidden and path.as_posix() not in bound and path.as_posix() not in UNBOUND:
            yield Difference(path.as_posix(), "not listed", "the run did not write it, or wrote it elsewhere")


def _inputs(read: dict[str, str]) -> Iterator[Difference]:
    places = {"data/": paths.data(), "params/": paths.params(), "parts/": paths.parts()}
    for name, digest in sorted(read.items()):
        prefix = next((prefix for prefix in places if name.startswith(prefix)), "")
        path = places[prefix] / name.removeprefix(prefix) if prefix else Path(name)
        if not path.is_file():
            yield Difference(name, "input missing", f"the run read it; {path} does not exist here")
        elif freshness.sha256(path) != digest:
            yield Difference(name, "input changed", "it is not the file that the run read")
