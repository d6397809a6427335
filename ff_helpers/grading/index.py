"""The index of a large ledger: a file beside it, so that what is in it is known without reading it all.

It says how much of the ledger it covers, with hashes. A ledger that only grew is read from there on; one that
changed otherwise is read anew, and so is one whose index is broken. It can be deleted at any time.
"""

import hashlib
import os
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import Field

from ff_helpers.corpus.journal import Place
from ff_helpers.corpus.jsonl import Closed
from ff_helpers.grading.contents import DONE, Cell, Contents, GraderNotes, Rows, Spent
from ff_helpers.grading.outcome import Conditions, Record
from ff_helpers.terms import Identity

if TYPE_CHECKING:
    from ff_helpers.grading.contents import Columns

LARGE: Final = 16_000_000
"""Bytes of a ledger from which on it has an index: smaller ones are read in half a second."""
_FORMAT: Final = f"1 {sys.byteorder}"
_WIDTH: Final = 20
"""Bytes per row: a hash of 16, and a number of 4."""
_BLOCK: Final = 1 << 22


class _Grader(Closed):
    identity: Identity
    software: str
    spent: Spent
    conditions: tuple[Conditions, ...]
    shards: tuple[str, ...]


class _Head(Closed):
    """The first line of an index; after it the columns of `Rows.columns`, one after the other.

    Attributes:
        format: of the file.
        seen: size and time (ns) of the ledger when it was read.
        place, parts, graders, cells, standing, counts: as in `Contents`.
        rows: how many.
        sha256: of all this, with nothing here, and the columns.
    """

    format: str
    seen: tuple[int, int]
    place: Place
    parts: tuple[tuple[int, str], ...] = Field(min_length=1)
    graders: tuple[_Grader, ...]
    cells: tuple[Cell, ...]
    standing: tuple[int, ...]
    counts: dict[str, int]
    rows: int = Field(ge=0)
    sha256: str


def index_of(ledger: Path) -> Path:
    """Return where the index of a ledger is, if it has one."""
    return ledger.with_name(f".{ledger.name}.index")


def read_contents(ledger: Path, *, large: int = LARGE) -> Contents:
    """Return what a ledger comes to, and keep its index up to date if it is large.

    A last record that lacks only its newline is in `counts`, and not in `place`.

    Args:
        ledger: the ledger.
        large: bytes from which on it has an index.

    Raises:
        FileMissingError, BadLineError: as `ledger.read_ledger`.
    """
    found, last = opened(ledger, large=large)
    if last is not None:
        found.note(last)
    return found


def opened(ledger: Path, *, large: int = LARGE) -> tuple[Contents, Record | None]:
    """Return what the complete lines of a ledger come to, and a last record that lacks only its newline."""
    seen = _seen(ledger) if ledger.is_file() else (0, 0)
    found, current = _load(ledger, seen) if seen[0] >= large else (None, False)
    contents = found or Contents()
    last = contents.follow(ledger)
    if not current:
        save(contents, ledger, seen, large=large)
    return contents, last


def save(
    contents: Contents, ledger: Path, seen: tuple[int, int] | None = None, *, large: int = LARGE
) -> None:
    """Write the index of a large ledger, in one step; where that cannot be done, it works without.

    Args:
        contents: what its complete lines come to.
        ledger: the ledger.
        seen: its size and time before they were read; None: nobody else writes to it.
        large: as `read_contents`.
    """
    if contents.place.size < large:
        return
    target = index_of(ledger)
    part = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        _write(contents, part, seen or _seen(ledger))
        part.replace(target)
    except OSError:  # a read-only folder, a full disk
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _write(contents: Contents, part: Path, seen: tuple[int, int]) -> None:
    columns = contents.rows.columns()
    parts = contents.parts
    if not parts or parts[-1][0] < contents.place.size:
        parts = (*parts, (contents.place.size, contents.part.hexdigest()))
    head = _Head(
        format=_FORMAT,
        seen=seen,
        place=contents.place,
        parts=parts,
        graders=tuple(
            _Grader(
                identity=notes.identity,
                software=notes.software,
                spent=notes.spent,
                conditions=tuple(notes.conditions),
                shards=tuple(notes.shards),
            )
            for notes in contents.graders
        ),
        cells=tuple(contents.cells),
        standing=tuple(contents.standing),
        counts=dict(contents.counts),
        rows=len(columns[0]),
        sha256="",
    )
    head = head.model_copy(update={"sha256": _hash(head, columns)})
    with part.open("wb") as file:
        file.write(head.model_dump_json().encode() + b"\n")
        for column in columns:
            file.write(column.data)


def _load(ledger: Path, seen: tuple[int, int]) -> tuple[Contents | None, bool]:
    """Return what the index of a ledger says, and whether it need not be written again.

    None where it has no index, a broken one, or one of another ledger.
    """
    try:
        head, columns = _read(index_of(ledger), most=seen[0])
    except (OSError, ValueError):  # pydantic's errors are ValueErrors
        return None, False
    if head.place.size > seen[0] or (head.seen != seen and not _covers(head, ledger)):
        return None, False
    contents = Contents(
        place=head.place,
        graders=[
            GraderNotes(
                one.identity,
                one.software,
                one.spent,
                dict.fromkeys(one.conditions),
                dict.fromkeys(one.shards),
            )
            for one in head.graders
        ],
        cells=list(head.cells),
        standing=list(head.standing),
        counts=Counter(head.counts),
        rows=Rows(columns),
        parts=head.parts,
    )
    return contents, head.seen == seen


def _read(index: Path, *, most: int) -> tuple[_Head, "Columns"]:
    """Return the two parts of an index.

    Raises:
        ValueError: it is broken, of another format, or larger than its ledger.
    """
    import numpy as np

    with index.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise ValueError("larger than the ledger")
        head = _Head.model_validate_json(file.readline())
        if head.format != _FORMAT or size - file.tell() != head.rows * _WIDTH:
            raise ValueError("another format, or cut")
        high, low = np.fromfile(file, "u8", head.rows), np.fromfile(file, "u8", head.rows)
        columns = (high, low, np.fromfile(file, "u4", head.rows))
    whole = _hash(head, columns) == head.sha256 and len(head.cells) == len(head.standing)
    inside = not head.rows or int((columns[2] & ~np.uint32(DONE)).max()) <= len(head.cells)
    if not (whole and inside and all(0 <= cell.grader < len(head.graders) for cell in head.cells)):
        raise ValueError("not as it was written")
    return head, columns


def _covers(head: _Head, ledger: Path) -> bool:
    """Return whether the part of a ledger that its index covers is the same as when it was read."""
    with ledger.open("rb") as file:
        for end, wanted in head.parts:
            found = hashlib.sha256()
            while block := file.read(max(0, min(_BLOCK, end - file.tell()))):
                found.update(block)
            if file.tell() != end or found.hexdigest() != wanted:
                return False
    return head.parts[-1][0] == head.place.size


def _hash(head: _Head, columns: "Columns") -> str:
    found = hashlib.sha256(head.model_copy(update={"sha256": ""}).model_dump_json().encode())
    for column in columns:
        found.update(column.data)
    return found.hexdigest()


def _seen(ledger: Path) -> tuple[int, int]:
    about = ledger.stat()
    return about.st_size, about.st_mtime_ns
