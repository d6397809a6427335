"""When a step need not run again: its key and the files that it wrote are unchanged.

The key covers the notebook's cells, its parameters, the bytes of its inputs, this package's sources and
the versions of Python and of the libraries. A finished step leaves a stamp with its key and the hash of
each output, written after the outputs are in place: no stamp, or one that does not match, means stale.
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
    """The record of a finished step in `.steps/`: its key, and the sha256 of each output by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    outputs: dict[str, str]


def key(profile: Profile, step: Step, *, injected: bool = True) -> str:
    """Return the hash of everything that determines the step's outputs.

    Raises:
        FFError: one of its inputs does not exist.
    """
    notebook = json.loads((paths.notebooks() / f"{step.notebook}.ipynb").read_text(encoding="utf-8"))
    parts = {
        "cells": [[cell["cell_type"], "".join(cell["source"])] for cell in notebook["cells"]],
        "parameters": profile.parameters(step) if injected else None,
        "inputs": {name: sha256(path) for name, path in inputs(profile, step).items()},
        "outputs": step.outputs,
        "package": package_sha256(),
        "versions": versions(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


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
    return all(
        (folder / name).is_file() and sha256(folder / name) == digest
        for name, digest in stamp.outputs.items()
    )


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
