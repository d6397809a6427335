"""The journal: an append-only JSONL file of records, safe against crashes, full disks and concurrent writers.

Group commit: lines are written and fsynced in batches, and a record counts as done only after the
fsync that covers it. A commit may run in another thread than the appends, so an event loop need not
wait for the disk.

No file is harmed. A journal is recognised by its records: an empty file is a new one, and any other file must
begin with a complete record. On open, a torn last line (power cut, full disk) is cut off only if every line
before it is a record and the torn bytes are the beginning of one, as this module writes them; they are kept
next to the file (`NAME.torn`). Anything else is refused untouched. That includes a file from a crash in
the very first record: without a complete record, nothing distinguishes it from a foreign file.
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

from pydantic import BaseModel

from ff_helpers.corpus.jsonl import (
    FileMissingError,
    ForeignFileError,
    called,
    parse_first,
    parse_line,
)
from ff_helpers.corpus.kinds import kind_of
from ff_helpers.corpus.torn import TornError, is_closed, is_torn, is_whole, last_line, set_aside, sync_folder
from ff_helpers.errors import FFError

M = TypeVar("M", bound=BaseModel)


class JournalBusyError(FFError):
    """Another process writes to the file."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is in use by another run. Wait for it to end, or stop it; nothing was changed."
        )


class JournalWriteError(FFError):
    """The file cannot be opened or written."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path} cannot be written: {error.strerror}. Make room or make the folder writable, or name "
            "another place (FF_OUTPUTS moves all outputs). What was committed before is kept, and the next "
            "run continues from there."
        )


class JournalChangedError(FFError):
    """Something else wrote to the file while the journal was open."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} was changed by another program while this run was writing to it. None of it was cut "
            "off, and what this run had not written yet is not in it. Look at its last lines, then run the "
            "same command again."
        )


class Journal(Generic[M]):
    """An open journal, locked for this process; use it as a context manager.

    Args:
        path: the file; it and its folder are made if missing. A torn last line is set aside, see above.
        model: the type of one line.
        batch: the most records that one fsync covers when `append` commits.
        seconds: the longest time a record waits for its fsync (checked on each append).

    Raises:
        JournalBusyError: another process has it open.
        JournalWriteError: read-only folder, no space.
        JournalChangedError: another program wrote to it meanwhile.
        BadLineError: the file holds something else; nothing was changed.
    """

    def __init__(self, path: Path, model: type[M], *, batch: int = 16, seconds: float = 2.0) -> None:
        self.path = path
        self.batch = batch
        self.broken = False
        """True after a failed write: nothing more can be committed, and closing does not try."""
        self.torn: Path | None = None
        """Where the bytes of a torn last line were saved when the journal was opened."""
        self._model = model
        self._seconds = seconds
        self._pending: list[tuple[M, bytes]] = []
        self._adding, self._writing = threading.Lock(), threading.Lock()
        self._unfinished = b""
        self._synced = time.monotonic()

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._new = not os.path.lexists(self.path)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise JournalWriteError(self.path, error) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sync_folder(self.path.parent)
            self._size, self.torn = _repair(self.path, self._file, self._model)
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
            if error is not None and self._new and not os.fstat(self._file).st_size:
                self.path.unlink(missing_ok=True)  # nothing was written: leave no empty file
            os.close(self._file)

    def records(self) -> Iterator[M]:
        """Yield what is on disk, in the order in which it was written.

        Raises:
            BadLineError: a complete line is not a valid record.
        """
        return read_journal(self.path, self._model)

    def add(self, record: M) -> int:
        """Add a record that the next `commit` makes durable; return how many wait for it."""
        line = record.model_dump_json(exclude_none=True).encode("utf-8") + b"\n"
        with self._adding:
            self._pending.append((record, line))
            return len(self._pending)

    def append(self, record: M) -> None:
        """Add a record, and commit if the batch is full or its time is up.

        Raises:
            JournalWriteError: no space; the file is cut back to its last complete commit.
        """
        if self.add(record) >= self.batch or time.monotonic() - self._synced >= self._seconds:
            self.commit()

    def commit(self) -> list[M]:
        """Write and fsync everything added; return the records that are now durable.

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
            self._cut_back()  # what an interrupted commit left is written again
            self._unfinished = data
            written = 0
            while written < len(data):
                written += os.write(self._file, data[written:])
            os.fsync(self._file)
        except JournalChangedError:
            self.broken = True
            raise
        except OSError as error:
            self.broken = True
            with suppress(OSError, JournalChangedError):
                self._cut_back()
            raise JournalWriteError(self.path, error) from None
        self._size += len(data)
        self._unfinished = b""

    def _cut_back(self) -> None:
        """Cut the file to its last complete commit, if what follows is part of the unfinished one.

        Raises:
            JournalChangedError: the file is shorter, or something else was written after it.
        """
        more = os.fstat(self._file).st_size - self._size
        ours = 0 <= more <= len(self._unfinished)
        if not ours or os.pread(self._file, more, self._size) != self._unfinished[:more]:
            raise JournalChangedError(self.path)
        if more:
            os.ftruncate(self._file, self._size)


def read_journal(path: Path, model: type[M]) -> Iterator[M]:
    """Yield the records of a journal, one at a time; a torn last line is left out.

    A last line that is a whole record and lacks only its newline is one of them.

    Raises:
        FileMissingError: there is no such file.
        ForeignFileError: the file is something else.
        TornError: a last line that is neither a record nor the beginning of one, or that follows no record.
        BadLineError: a complete line is not a valid record.
    """
    if not path.is_file():
        raise FileMissingError(path, called(model))
    found, number = False, 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if not raw.strip():
                continue
            if raw.endswith(b"\n") or is_whole(raw, model):
                yield (parse_line if found else parse_first)(model, raw, path=path, line=number)
            elif not found and not (is_closed(model) and is_torn(raw, model)):
                raise ForeignFileError(path, number, called(model), kind_of(path))
            elif not found or not is_torn(raw, model):
                raise TornError(path, number if found else 1, len(raw), called(model))
            found = True
    if number and not found:
        raise ForeignFileError(path, 1, called(model), kind_of(path))


def _repair(path: Path, file: int, model: type[BaseModel]) -> tuple[int, Path | None]:
    """Finish a last line that only lacks its newline; set a torn one aside.

    Returns:
        The file's size, and where the torn bytes are now.

    Raises:
        BadLineError: not every byte of the file is ours; nothing was changed.
    """
    size, tail = os.fstat(file).st_size, last_line(file)
    if not size:
        return 0, None
    records = read_journal(path, model)
    if not tail.strip():
        next(records, None)  # nothing to repair: whoever continues reads the rest
        return size, None
    for _ in records:  # every line must be ours before a byte is cut
        pass
    if is_whole(tail, model):
        os.write(file, b"\n")
        return size + 1, None
    aside = set_aside(path, tail)
    os.ftruncate(file, size - len(tail))
    return size - len(tail), aside
