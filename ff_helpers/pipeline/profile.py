"""A profile: which notebooks run with which parameters, from which files to which files.

One YAML per profile in params/. File names in it are relative to `outputs/<profile>/` unless they begin
with `data/` or `params/` (shipped with the project) or `parts/` (fetched). Globs are allowed. Edges
follow from files: a step runs after the steps that write what it reads.
"""

import ast
import json
import re
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from ff_helpers import paths
from ff_helpers.errors import FFError, named, place_in, quoted
from ff_helpers.formats import refuse_newer
from ff_helpers.keys import holds_secret

OUTSIDE = ("data/", "params/", "parts/")
"""Prefixes of files that no step writes."""


def _refusal(path: Path, field: str, problem: str) -> FFError:
    """Return the error about a profile file that cannot be run, named file:field."""
    return FFError(f"{path}:{field}: {problem}" if field else f"{path}: {problem}")


class Step(BaseModel):
    """One notebook of a profile.

    Attributes:
        notebook: its name in notebooks/, without `.ipynb`; also the name of the step.
        parameters: values for its `parameters` cell, in addition to `profile` and `as_of`.
        inputs: files that it reads; a step is stale if their bytes change.
        if_there: inputs that may be missing, such as weights that nobody has to fetch.
        outputs: files that it writes: all of these and no others.
        keeps: the outputs that remain when a later run writes under another name (dated exports).
        timeout_s: seconds one cell may take before the step fails.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    notebook: str = Field(pattern=r"^[a-z0-9_]+$")
    parameters: dict[str, JsonValue] = {}
    inputs: tuple[str, ...] = ()
    if_there: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    timeout_s: int = Field(default=14_400, gt=0)


class Profile(BaseModel):
    """One params/*.yaml. `as_of` drives every date in the outputs; the clock does not."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format_version: Literal[1] = 1
    profile: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    as_of: date
    steps: tuple[Step, ...] = Field(min_length=1)

    def parameters(self, step: Step) -> dict[str, JsonValue]:
        """Return all values for the step's `parameters` cell."""
        return {"profile": self.profile, "as_of": self.as_of.isoformat(), **step.parameters}

    def within(self, minutes: float) -> "Profile":
        """Return the profile with another budget for its steps that have one."""
        steps = [
            step.model_copy(update={"parameters": step.parameters | {"minutes": minutes}})
            if "minutes" in step.parameters
            else step
            for step in self.steps
        ]
        return self.model_copy(update={"steps": tuple(steps)})

    def needs(self, step: Step) -> tuple[str, ...]:
        """Return the names of the steps that write what this one reads, in the profile's order."""
        return tuple(
            other.notebook
            for other in self.steps
            if other is not step
            and any(_meet(read, written) for read in step.inputs for written in other.outputs)
        )


def load(path: Path) -> Profile:
    """Read a profile and check it against its notebooks, before anything runs.

    Raises:
        FFError: no such file, not YAML, a field or parameter unknown or of the wrong type, a
            notebook missing, an input that nothing writes, an output written twice, a cycle.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(f"params/{p.name}" for p in sorted(paths.params().glob("*.yaml")) if _is_profile(p))
        raise _refusal(path, "", f"no such profile. There are: {known or 'none'}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _refusal(path, "", f"not YAML: {place_in(error)}.") from None
    _refuse_secrets(path, content)
    try:
        profile = Profile.model_validate(content)
    except ValidationError as error:
        refuse_newer(path, content)
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(named(str(part)) for part in first["loc"])
        raise _refusal(path, field, f"{first['msg'].removesuffix('.')}.") from None
    _check_files(path, profile)
    for number, step in enumerate(profile.steps):
        _check_parameters(path, f"steps.{number}", step, profile)
    return profile


def _refuse_secrets(path: Path, content: object, *place: str) -> None:
    """Refuse a profile with a key or a password: executed notebooks and the record of a run repeat it.

    Raises:
        FFError: it holds one; it is not shown.
    """
    if isinstance(content, dict):
        for name, inner in content.items():
            _refuse_secrets(path, inner, *place, named(str(name)))
    if isinstance(content, list):
        for number, inner in enumerate(content):
            _refuse_secrets(path, inner, *place, str(number))
    if isinstance(content, str) and holds_secret(content):
        problem = (
            "contains an address with a user or a password, or the key itself. Outputs would repeat it: set "
            "OPENAI_API_KEY (or OLLAMA_HOST) in the environment, and name the address without it."
        )
        raise _refusal(path, ".".join(place), problem)


def declared(notebook: Path) -> dict[str, JsonValue]:
    """Return the literals of a notebook's one `parameters` cell, by name, in order.

    Raises:
        FFError: no such cell, two of them, or one with anything but `name = literal`.
    """
    cells = [
        cell
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        if "parameters" in cell["metadata"].get("tags", [])
    ]
    if len(cells) != 1:
        raise _refusal(notebook, "", f"has {len(cells)} cells tagged `parameters`; one is needed.")
    found: dict[str, JsonValue] = {}
    for node in ast.parse("".join(cells[0]["source"])).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                raise _refusal(notebook, "parameters", "this cell may contain only `name = literal`.")
        try:
            found[name] = ast.literal_eval(value)
        except ValueError:
            raise _refusal(notebook, f"parameters.{name}", "must be a literal.") from None
    return found


def _check_parameters(path: Path, field: str, step: Step, profile: Profile) -> None:
    notebook = paths.notebooks() / f"{step.notebook}.ipynb"
    if not notebook.is_file():
        raise _refusal(path, f"{field}.notebook", f"{notebook} does not exist.")
    known = declared(notebook)
    for name, value in profile.parameters(step).items():
        if name not in known:
            allowed = ", ".join(known)
            problem = f"{step.notebook} has no such parameter. It has: {allowed}."
            raise _refusal(path, f"{field}.parameters.{name}", problem)
        if not _fits(value, known[name]):
            wanted = type(known[name]).__name__
            problem = f"{_shown(value)} is not of the type {wanted}, which {step.notebook} expects."
            raise _refusal(path, f"{field}.parameters.{name}", problem)


def _shown(value: JsonValue) -> str:
    """Return a number or a name as it is; for a text or a list only its type."""
    if isinstance(value, str):
        return quoted(value)
    return repr(value) if isinstance(value, (int, float)) else f"this {type(value).__name__}"


def _fits(value: JsonValue, default: JsonValue) -> bool:
    """None fits any type; an int fits a float, but a bool does not fit an int."""
    if value is None or default is None:
        return True
    if isinstance(value, int) and not isinstance(value, bool) and isinstance(default, float):
        return True
    return type(value) is type(default)


def _check_files(path: Path, profile: Profile) -> None:
    for number, step in enumerate(profile.steps):
        others = [other for other in profile.steps if other is not step]
        if any(other.notebook == step.notebook for other in others):
            raise _refusal(path, f"steps.{number}.notebook", f"{step.notebook} is listed twice.")
        for read in step.inputs:
            if not read.startswith(OUTSIDE) and not any(_meet(read, w) for o in others for w in o.outputs):
                raise _refusal(path, f"steps.{number}.inputs", f"no step writes {read!r}.")
        for written in step.outputs:
            if written.startswith(OUTSIDE) or Path(written).is_absolute() or ".." in Path(written).parts:
                raise _refusal(path, f"steps.{number}.outputs", f"{written!r} is not in the run's folder.")
            if any(_meet(written, w) for o in others for w in o.outputs):
                raise _refusal(path, f"steps.{number}.outputs", f"two steps write {written!r}.")
    left = {step.notebook: set(profile.needs(step)) for step in profile.steps}
    while ready := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in ready:
            del left[name]
    if left:
        raise _refusal(path, "steps", f"these steps wait for each other: {', '.join(left)}.")


def _meet(one: str, other: str) -> bool:
    return fnmatchcase(one, other) or fnmatchcase(other, one)


def _is_profile(path: Path) -> bool:
    return re.search(r"^steps:|\"steps\":", path.read_text(encoding="utf-8"), re.MULTILINE) is not None
