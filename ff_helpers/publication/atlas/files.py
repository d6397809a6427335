"""The files of a signal: dated, validated as they are written and read, and a pointer to the current one.

Old files stay. A file is never overwritten with different content unless asked, and
the pointer is replaced in one step, so a reader finds the old file or the new one.
"""

import os
import re
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from ff_helpers.corpus.jsonl import BadLineError, kind_of, read_records
from ff_helpers.errors import FFError, quoted
from ff_helpers.formats import update
from ff_helpers.paths import MissingInputError, Run
from ff_helpers.publication.atlas.old_signals import read_old
from ff_helpers.publication.atlas.signal import SCHEMA_FILE, VERSION, Signal
from ff_helpers.publication.pages import write_page

POINTER: Final = "current"
SCHEMA_NAME: Final = "asr_signal.schema.json"
PAGE: Final = "index.html"
_PAGE_MARK: Final = b"ff_helpers atlas"
"""In every page that we write, so it is recognised before it is replaced."""
_VERSIONED: Final = b'"signal_version"'
"""A key in every JSON file that an export writes, and in no one else's."""
_DATED = re.compile(r"asr_signal_(\d{4}-\d{2}-\d{2})\.jsonl")


def write_signal(folder: Path, signals: Sequence[Signal], as_of: date, *, replace: bool = False) -> Path:
    """Write asr_signal_<as_of>.jsonl and its schema, then the pointer; return the file's path.

    The same content on the same day changes nothing. Each record is validated once more as it is written.

    Args:
        folder: where the files are.
        signals: the records; those that no export has dated yet get its date.
        as_of: the date of the export.
        replace: whether a file of the same day may be replaced by different content.

    Raises:
        FFError: such a file exists with different content, and `replace` is false; or there is a later
            export.
        BadLineError: an invalid record, or a model that occurs twice.
    """
    check_clock(folder, as_of)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"asr_signal_{as_of.isoformat()}.jsonl"
    # Of this process alone: two exports at once must not write into each other's file.
    partial = folder / f".{path.name}.{os.getpid()}.partial"
    dated = (s if s.as_of else s.model_copy(update={"as_of": as_of}) for s in signals)
    write_page(partial, "".join(signal.model_dump_json() + "\n" for signal in dated))
    try:
        _unique(partial, read_records(partial, Signal))
        _place(partial, path, replace=replace)
    finally:
        partial.unlink(missing_ok=True)
    _replace(folder / SCHEMA_NAME, SCHEMA_FILE.read_text(encoding="utf-8"))
    _replace(folder / POINTER, path.name + "\n")
    return path


def check_clock(folder: Path, as_of: date) -> None:
    """Raise FFError where the folder holds an export of a later day."""
    there = dates(folder)
    if there and as_of < there[-1]:
        raise FFError(
            f"as of {as_of}: {folder} holds an export of {there[-1]}, which is later; nothing was written. "
            f"Is the clock right? Give the date with --as-of, from {there[-1]} on, or export into another "
            "folder."
        )


def check_places(folder: Path, compat: Path | None = None) -> None:
    """Refuse, before anything is written, to replace a file that no export wrote.

    Raises:
        FFError: the folder holds a foreign file named like one of an export, or `compat` is one.
    """
    marks = {PAGE: _PAGE_MARK, POINTER: b"asr_signal_", SCHEMA_NAME: _VERSIONED}
    places = [(folder / name, mark, "--dir") for name, mark in marks.items()]
    for path, mark, option in places + ([(compat, _VERSIONED, "--compat")] if compat else []):
        if path.exists() and (not path.is_file() or mark not in path.read_bytes()):
            raise FFError(
                f"{path} exists already, is {kind_of(path)}, and was not written by an export; nothing was "
                f"changed. Name another place with {option}, or move it away."
            )


def read_file(path: Path) -> list[Signal]:
    """Return the records of one signal file.

    Raises:
        FileMissingError: there is no such file.
        FFError: the file is of another version.
        BadLineError: an invalid or duplicate record; file:line:field.
    """
    first = next(read_records(path, _Version), None)
    if first is not None and _number(first.signal_version) > _number(VERSION):
        raise FFError(f"{path}:1:signal_version: {update(first.signal_version, VERSION)}")
    if first is not None and first.signal_version != VERSION:
        raise FFError(
            f"{path}:1:signal_version: {quoted(str(first.signal_version))}, and this suite reads "
            f"{VERSION!r}. Read the file with the version that wrote it, or export again."
        )
    old = first is not None and first.origin is None and first.signal_version == VERSION
    return _unique(path, read_old(path, _day(path.name)) if old else read_records(path, Signal))


def current(folder: Path) -> Path | None:
    """Return the file that the pointer names, or None if nothing was exported yet.

    Raises:
        FFError: the pointer does not name a signal file.
    """
    pointer = folder / POINTER
    if not pointer.exists():
        return None
    name = pointer.read_text(encoding="utf-8", errors="replace").strip()
    if not _day(name) or not (folder / name).is_file():
        there = dates(folder)
        newest = f"printf 'asr_signal_{there[-1]}.jsonl\\n' > {pointer}" if there else "export again"
        raise FFError(
            f"{pointer} names {quoted(name)}, which is not a signal file in that folder. Allowed: the "
            f"name of a file asr_signal_YYYY-MM-DD.jsonl. To repair it: {newest}."
        )
    return folder / name


def path_of(folder: Path, day: date) -> Path:
    """Return the signal file of a day.

    Raises:
        FFError: there is no export of that day.
    """
    path = folder / f"asr_signal_{day.isoformat()}.jsonl"
    if not path.is_file():
        raise FFError(
            f"{folder}: no export of {day}. There are: {', '.join(map(str, dates(folder))) or 'none'}."
        )
    return path


def dates(folder: Path) -> list[date]:
    """Return the dates of the exports in a folder, oldest first."""
    found = (_day(path.name) for path in folder.glob("asr_signal_*.jsonl"))
    return sorted(day for day in found if day)


def save_signal(run: Run, signals: Sequence[Signal]) -> str:
    """Write the signal of a run, as `write_signal`, and return the file's name in the run's folder.

    A run rebuilds what it built on its date, so a file of that date is replaced.
    """
    folder = run.write(f"atlas/{POINTER}").parent
    return f"atlas/{write_signal(folder, signals, run.as_of, replace=True).name}"


def read_signal(run: Run, *, as_of: str | None = None) -> list[Signal]:
    """Return the signal of the run: the file that `atlas/current` names, or that of a date.

    Raises:
        MissingInputError: no step has written it yet.
        FFError: the pointer does not name a signal file.
        FFError, BadLineError: as `read_file`.
    """
    if as_of is not None:
        return read_file(run.read(f"atlas/asr_signal_{date.fromisoformat(as_of).isoformat()}.jsonl"))
    found = current(run.read(f"atlas/{POINTER}").parent)
    if found is None:
        raise MissingInputError(run.folder / "atlas", f"Run `ff run params/{run.profile}.yaml`.")
    return read_file(found)


def _day(name: str) -> date | None:
    match = _DATED.fullmatch(name)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


class _Version(BaseModel):
    signal_version: object = None
    origin: object = None


def _number(version: object) -> tuple[int, ...]:
    """Return the numbers of a version such as 0.1; empty for anything else."""
    text = str(version)
    return tuple(map(int, text.split("."))) if re.fullmatch(r"\d{1,4}(\.\d{1,4}){0,3}", text) else ()


def _unique(path: Path, records: Iterable[Signal]) -> list[Signal]:
    """Return the records; one model may occur twice, as exported and as graded here, but no more often."""
    signals = list(records)
    seen: dict[tuple[str, str], int] = {}
    for line, signal in enumerate(signals, start=1):
        for key in {signal.label, *signal.aliases}:
            first = seen.setdefault((signal.origin, key), line)
            if first != line:
                raise BadLineError(path, line, "aliases", f"the same model or alias as record {first}")
    return signals


def _place(partial: Path, path: Path, *, replace: bool) -> None:
    if replace:
        partial.replace(path)
        return
    try:
        os.link(partial, path)  # fails if the file exists; checking first would leave a race
    except FileExistsError:
        if path.read_bytes() != partial.read_bytes():
            raise FFError(
                f"{path} exists already with different content; nothing was written. Keep it and export "
                "under the next date (--as-of), or give --replace to replace it."
            ) from None


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    write_page(partial, text)
    partial.replace(path)
