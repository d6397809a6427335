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
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import chain, count
from pathlib import Path
from types import TracebackType
from typing import Final, Generic, NamedTuple, Self, TypeVar

from pydantic import BaseModel

from ff_helpers.corpus import jsonl
from ff_helpers.corpus.jsonl import BadLineError, FileMissingError, ForeignFileError, called
from ff_helpers.corpus.torn import is_closed, is_torn, is_whole
from ff_helpers.errors import FFError

M = TypeVar("M", bound=BaseModel)
_BLOCK: Final = 1 << 16


class Place(NamedTuple):
    """A place between two lines of a file.

    Attributes:
        size: bytes before it.
        lines: lines before it, blank ones too.
    """

    size: int = 0
    lines: int = 0


BEGIN: Final[Place] = Place()


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
        with ExitStack() as unused:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._new = not os.path.lexists(self.path)
                self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
                unused.callback(os.close, self._file)
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                sync_folder(self.path.parent)
                self._size, self.torn = _repair(self.path, self._file, self._model, self._proven())
            except BlockingIOError:
                raise JournalBusyError(self.path) from None
            except OSError as error:
                raise JournalWriteError(self.path, error) from None
            unused.pop_all()  # from here on `__exit__` closes the file
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

    def _proven(self) -> Place:
        """Return up to where every line is known to be a record; asked once, when the file is locked."""
        return BEGIN

    def records(self) -> Iterator[M]:
        """Yield what is on disk, in the order in which it was written.

        Raises:
            BadLineError: a complete line is not a valid record.
        """
        return read_journal(self.path, self._model)

    def add(self, record: M) -> int:
        """Add a record that the next `commit` makes durable; return how many wait for it."""
        line = jsonl.line_of(record)
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
        BadLineError: a complete line that is not a valid record; a last line that is neither a record nor the
            beginning of one, or that follows no record.
    """
    return (record for _, record in read_lines(path, model) if record is not None)


def read_lines(path: Path, model: type[M], start: Place = BEGIN) -> Iterator[tuple[bytes, M | None]]:
    """Yield the lines of a journal as they are in the file, with their records; a blank line has none.

    Args:
        path, model: as `read_journal`.
        start: where to begin; a record must end there.

    Raises:
        FileMissingError, ForeignFileError, BadLineError: as `read_journal`.
    """
    if not path.is_file():
        raise FileMissingError(path, called(model))
    found, number = start.size > 0, 0
    with path.open("rb") as file:
        file.seek(start.size)
        for number, raw in enumerate(file, start=start.lines + 1):
            record = None
            if raw.strip():
                if raw.endswith(b"\n") or is_whole(raw, model):
                    parse = jsonl.parse_line if found else jsonl.parse_first
                    record = parse(model, raw, path=path, line=number)
                elif not found and not (is_closed(model) and is_torn(raw, model)):
                    raise ForeignFileError(path, number, called(model))
                elif not found or not is_torn(raw, model):
                    problem = _torn(len(raw), called(model), alone=not found)
                    raise BadLineError(path, number if found else 1, "", problem)
                else:
                    return
                found = True
            yield raw, record
    if number and not found:
        raise ForeignFileError(path, 1, called(model))


def _repair(path: Path, file: int, model: type[BaseModel], proven: Place) -> tuple[int, Path | None]:
    """Finish a last line that only lacks its newline; set a torn one aside.

    Args:
        path, file, model: the file, its handle, and the type of a line.
        proven: up to where every line is known to be a record.

    Returns:
        The file's size, and where the torn bytes are now.

    Raises:
        BadLineError: not every byte of the file is ours; nothing was changed.
    """
    size, tail = os.fstat(file).st_size, last_line(file)
    if not size:
        return 0, None
    lines = read_lines(path, model, proven)
    if not tail.strip():
        next((record for _, record in lines if record is not None), None)  # whoever continues reads the rest
        return size, None
    for _ in lines:  # every line must be ours before a byte is cut
        pass
    if is_whole(tail, model):
        os.write(file, b"\n")
        return size + 1, None
    aside = set_aside(path, tail)
    os.ftruncate(file, size - len(tail))
    return size - len(tail), aside


def _torn(tail: int, what: str, *, alone: bool) -> str:
    """Return what is wrong with an unfinished last line that cannot be shown to be ours."""
    if alone:
        return (
            f"the file has only the beginning of one record ({tail:,} bytes), so nothing proves that it "
            f"contains {what}. Nothing was changed: if a crash left it, delete it, then run the same command "
            "again."
        )
    return (
        f"the last {tail:,} bytes have no end of line and do not begin one of {what} as this suite writes "
        f"them. Nothing was changed: look at them (`tail -c {tail} FILE`), and remove them if they do not "
        "belong there, then run the same command again."
    )


def torn_tail(path: Path, model: type[BaseModel]) -> int:
    """Return the bytes of an unfinished last line: what a crash left of it."""
    with path.open("rb") as file:
        if isinstance(path, Path):
            tail = last_line(file.fileno())
        else:  # an object in a store has no file number
            tail = next(iter(deque(file, maxlen=1)), b"")
            tail = b"" if tail.endswith(b"\n") else tail
    return 0 if not tail.strip() or is_whole(tail, model) else len(tail)


def set_aside(path: Path, tail: bytes) -> Path:
    """Write bytes to a new file next to another one; existing files are not touched."""
    endings = chain([""], (f"-{number}" for number in count(2)))
    places = (path.with_name(f"{path.name}.torn{ending}") for ending in endings)
    aside = next(place for place in places if not os.path.lexists(place))
    with aside.open("xb") as kept:
        try:
            kept.write(tail)
            kept.flush()
            os.fsync(kept.fileno())
        except OSError:  # no space: half a copy is useless
            aside.unlink(missing_ok=True)
            raise
    sync_folder(path.parent)
    return aside


def last_line(file: int) -> bytes:
    """Return what follows the last newline, without reading the rest."""
    start, tail = os.fstat(file).st_size, b""
    while start and b"\n" not in tail:
        length = min(_BLOCK, start)
        start -= length
        tail = os.pread(file, length, start) + tail
    return tail[tail.rfind(b"\n") + 1 :]


def sync_folder(folder: Path) -> None:
    """Make a new file's name durable too; some file systems cannot, and then do not need to."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)
