"""The journal: an append-only JSONL file of records, safe against crash, full disk and company.

Group commit: lines are written and fsynced in batches, and a record counts as done only after the
fsync that covers it. A torn last line (power cut, full disk) is repaired on open. A commit may run in
another thread than the appends, so that an event loop need not wait for the disk.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from pydantic import BaseModel, ValidationError

from ff_helpers.corpus.jsonl import BadLineError, FileMissingError, parse_line
from ff_helpers.errors import FFError

M = TypeVar("M", bound=BaseModel)

_BLOCK = 1 << 16


class JournalBusyError(FFError):
    """Another process writes to the file."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is being written by another run. Wait for it to end, or stop it; nothing was changed."
        )


class JournalWriteError(FFError):
    """The file cannot be opened or written."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path} cannot be written: {error.strerror}. Make room or make the folder writable, or name "
            "another place (FF_OUTPUTS moves all outputs). What was committed before is kept, and the next "
            "run goes on from there."
        )


class Journal(Generic[M]):
    """An open journal, locked for this process; use it as a context manager.

    Args:
        path: the file; it and its folder are made if missing, a torn last line is repaired.
        model: what one line is.
        batch: how many records one fsync covers at most when `append` commits.
        seconds: how long a record waits for its fsync at most (looked at on each append).

    Raises:
        JournalBusyError: another process has it open.
        JournalWriteError: read-only folder, no space.
        BadLineError: the file holds something else; nothing was changed.
    """

    def __init__(self, path: Path, model: type[M], *, batch: int = 16, seconds: float = 2.0) -> None:
        self.path = path
        self.batch = batch
        self.broken = False
        """True after a failed write: nothing more can be committed, and closing does not try."""
        self._model = model
        self._seconds = seconds
        self._pending: list[tuple[M, bytes]] = []
        self._adding, self._writing = threading.Lock(), threading.Lock()
        self._synced = time.monotonic()

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._new = not self.path.exists()
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise JournalWriteError(self.path, error) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _sync_folder(self.path.parent)
            _check_head(self.path, self._file, self._model)
            self._size = _repair(self._file, self._model)
        except BlockingIOError:
            os.close(self._file)
            raise JournalBusyError(self.path) from None
        except OSError as error:
            os.close(self._file)
            raise JournalWriteError(self.path, error) from None
        except FFError:
            os.close(self._file)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not self.broken:
                self.commit()
        finally:
            if error is not None and self._new and not self._size:
                self.path.unlink(missing_ok=True)  # nothing came of it: no empty file is left
            os.close(self._file)

    def records(self) -> Iterator[M]:
        """Yield what is on disk, in the order in which it was written.

        Raises:
            BadLineError: a complete line is no valid record.
        """
        return read_journal(self.path, self._model)

    def add(self, record: M) -> int:
        """Add a record that the next `commit` makes durable; return how many wait for it."""
        line = record.model_dump_json(exclude_none=True).encode("utf-8") + b"\n"
        with self._adding:
            self._pending.append((record, line))
            return len(self._pending)

    def append(self, record: M) -> None:
        """Add a record, and commit where the batch is full or its time is over.

        Raises:
            JournalWriteError: no space; the file is cut back to its last complete commit.
        """
        if self.add(record) >= self.batch or time.monotonic() - self._synced >= self._seconds:
            self.commit()

    def commit(self) -> list[M]:
        """Write and fsync everything added; return the records that are durable now.

        Raises:
            JournalWriteError: no space; the file is cut back to its last complete commit.
        """
        with self._writing:
            with self._adding:
                batch, self._pending = self._pending, []
            if batch:
                self._write(b"".join(line for _, line in batch))
            self._synced = time.monotonic()
        return [record for record, _ in batch]

    def _write(self, data: bytes) -> None:
        try:
            os.ftruncate(self._file, self._size)  # what an interrupted commit left is written anew
            written = 0
            while written < len(data):
                written += os.write(self._file, data[written:])
            os.fsync(self._file)
        except OSError as error:
            self.broken = True
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise JournalWriteError(self.path, error) from None
        self._size += len(data)


def read_journal(path: Path, model: type[M]) -> Iterator[M]:
    """Yield the records of a journal, one at a time; a torn last line is left out.

    Raises:
        FileMissingError: there is no such file.
        BadLineError: a complete line is no valid record.
    """
    if not path.is_file():
        raise FileMissingError(path, f"{model.__name__.lower()} records")
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if raw.endswith(b"\n") and raw.strip():
                yield parse_line(model, raw.decode("utf-8", "replace"), path=path, line=number)


def torn_tail(path: Path) -> int:
    """Return the bytes after the last newline: what a crash left of a line that never was whole."""
    with path.open("rb") as file:
        return len(_tail(file.fileno()))


def _check_head(path: Path, file: int, model: type[BaseModel]) -> None:
    """Raise unless the first line is a record, or the torn beginning of one: only a journal is repaired."""
    head = os.pread(file, _BLOCK, 0)
    while head and b"\n" not in head and (more := os.pread(file, _BLOCK, len(head))):
        head += more
    line, newline, _ = head.partition(b"\n")
    if newline:
        parse_line(model, line.decode("utf-8", "replace"), path=path, line=1)
    elif line[:2] != b'{"'[: len(line)]:
        raise BadLineError(path, 1, "", f"no {model.__name__.lower()}; nothing was changed")


def _repair(file: int, model: type[BaseModel]) -> int:
    """Finish a last line that only lacks its newline, cut off a torn one; return the file's size."""
    size, torn = os.fstat(file).st_size, _tail(file)
    if not torn:
        return size
    try:
        model.model_validate_json(torn)
    except ValidationError:
        os.ftruncate(file, size - len(torn))
        return size - len(torn)
    os.write(file, b"\n")
    return size + 1


def _tail(file: int) -> bytes:
    """Return what follows the last newline, without reading the rest."""
    start, tail = os.fstat(file).st_size, b""
    while start and b"\n" not in tail:
        length = min(_BLOCK, start)
        start -= length
        tail = os.pread(file, length, start) + tail
    return tail[tail.rfind(b"\n") + 1 :]


def _sync_folder(folder: Path) -> None:
    """Make a new file's name durable too; some file systems cannot, and then do not need to."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)
