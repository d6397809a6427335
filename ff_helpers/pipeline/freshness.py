"""When a step need not run again: its key and the files that it wrote are unchanged.

The key covers the notebook's cells, its parameters, the bytes of its inputs, this package's sources and
the versions of Python and of the libraries. A finished step leaves a stamp with its key, what went into the
key, and the hash of each output, written after the outputs are in place: no stamp, or one that does not
match, means stale.
"""

import csv
import hashlib
import json
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from re import match

from pydantic import BaseModel, ConfigDict, ValidationError

from ff_helpers import paths
from ff_helpers.errors import FFError
from ff_helpers.pipeline.profile import Profile, Step


class Stamp(BaseModel):
    """The record of a finished step in `.steps/`: its key and what is in it, the sha256 of each output."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    basis: dict[str, str] = {}
    outputs: dict[str, str]


def basis(profile: Profile, step: Step, *, injected: bool = True) -> dict[str, str]:
    """Return everything that determines the step's outputs, by what it is called in `why`.

    Values are hashes, parameters as JSON, versions.

    Raises:
        FFError: one of its inputs does not exist.
    """
    notebook = json.loads((paths.notebooks() / f"{step.notebook}.ipynb").read_text(encoding="utf-8"))
    cells = [[cell["cell_type"], "".join(cell["source"])] for cell in notebook["cells"]]
    parameters = profile.parameters(step) if injected else {}
    return {
        "the notebook's cells": _hash(cells),
        **{f"parameter {name}": json.dumps(value, ensure_ascii=False) for name, value in parameters.items()},
        **{f"input {name}": sha256(path) for name, path in inputs(profile, step).items()},
        "the outputs that it declares": _hash(step.outputs),
        "the package's sources": package_sha256(),
        **{f"version of {name}": version for name, version in versions().items()},
    }


def key(basis: dict[str, str]) -> str:
    """Return the hash of what determines a step's outputs."""
    return _hash(basis)


def why(stamp: Stamp | None, now: dict[str, str], folder: Path) -> list[str]:
    """Return, one sentence each, why a step is stale; empty if it is not.

    Args:
        stamp: of its last run.
        now: its `basis`.
        folder: where its outputs are.
    """
    if stamp is None:
        return ["it has not run to its end"]
    if not stamp.basis and stamp.key != key(now):
        return ["an older version of this software ran it"]
    before = stamp.basis or now
    names = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    changed = [_change(name, before.get(name), now.get(name)) for name in names]
    return changed + [f"{name} is {how}" for name, how in _harmed(stamp, folder).items()]


def _change(name: str, before: str | None, now: str | None) -> str:
    if name.startswith(("parameter", "version")):
        return f"{name}: {_shown(before)}, now {_shown(now)}"
    if before is None or now is None:
        return f"{name} is {'new' if before is None else 'gone'}"
    return f"{name} changed"


def _shown(value: str | None) -> str:
    return "none" if value is None else value if len(value) <= 60 else f"{value[:59]}…"


def _harmed(stamp: Stamp, folder: Path) -> dict[str, str]:
    """Return the outputs of a step that are not as it left them, and how."""
    states = {
        name: "missing"
        if not (folder / name).is_file()
        else ""
        if sha256(folder / name) == digest
        else "changed"
        for name, digest in stamp.outputs.items()
    }
    return {name: state for name, state in states.items() if state}


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def inputs(profile: Profile, step: Step) -> dict[str, Path]:
    """Return the step's input files by name, globs resolved.

    Raises:
        FFError: a named file does not exist, or a glob finds none.
    """
    found: dict[str, Path] = {}
    for pattern in (*step.inputs, *step.if_there):
        folders = {prefix: folder for prefix, folder in paths.outside().items() if pattern.startswith(prefix)}
        prefix, base = next(iter(folders.items()), ("", paths.outputs() / profile.profile))
        files = sorted(path for path in base.glob(pattern.removeprefix(prefix)) if path.is_file())
        if not files and pattern in step.inputs:
            fetched = prefix == "parts/"
            mend = "fetch it: make parts" if fetched else "restore it: git checkout -- data params"
            raise FFError(f"{step.notebook} reads {pattern}, which does not exist; {mend}.")
        found |= {prefix + path.relative_to(base).as_posix(): path for path in files}
    return found


def read_stamp(path: Path) -> Stamp | None:
    """Return a finished step's stamp; None if there is none or it cannot be read."""
    try:
        return Stamp.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None


def intact(stamp: Stamp, folder: Path) -> bool:
    """Return whether every output of the step is unchanged."""
    return not _harmed(stamp, folder)


def rows_left(folder: Path) -> tuple[int, int] | None:
    """Return (rows reached, rows in all) of a grading that ended with its budget of time; None if all are."""
    path = folder / paths.LEFT
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file), None)
    return (int(row["reached"]), int(row["rows"])) if row else None


def files(folder: Path) -> dict[str, Path]:
    """Return every file below a folder by its name there, sorted."""
    there = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in there}


def sha256(path: Path) -> str:
    """Return the hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def package_sha256() -> str:
    """Return the hash of this package: every source, rubric, schema and template in it."""
    digest = hashlib.sha256()
    for path in sorted(paths.PACKAGE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(paths.PACKAGE).as_posix()}\t{sha256(path)}\n".encode())
    return digest.hexdigest()


@cache
def versions() -> dict[str, str]:
    """Return the versions of Python and of each library that this package names as a dependency."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for requirement in requires("ff-helpers") or []:
        name = match(r"[\w.-]+", requirement)
        if name is None or "extra ==" in requirement:
            continue
        found[name[0]] = installed(name[0]) or "not installed"
    return dict(sorted(found.items()))


def installed(package: str) -> str | None:
    """Return the version of an installed package; None if there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
