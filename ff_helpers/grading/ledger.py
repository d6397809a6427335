"""The ledger: append-only verdict records, one JSON object a line, safe against crash and company.

Group commit: lines are written and fsynced in batches, and a record counts as done only after the
fsync that covers it. A torn last line (power cut, full disk) is repaired on open. Corrections append.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pandas as pd
from pydantic import ValidationError

from ff_helpers.corpus.jsonl import FileMissingError, parse_line
from ff_helpers.errors import FFError
from ff_helpers.grading.record import Record

RETRIED = ("timeout", "server_error")
"""Statuses that say nothing about the trace: the next run tries those rows again."""

_COLUMNS = {
    "trace_id": "str",
    "grader": "str",
    "grader_digest": "str",
    "rubric": "str",
    "method": "str",
    "verdict": "str",
    "status": "str",
    "reason": "str",
    "repeat": "int64",
    "prompt_tokens": "Int64",
    "completion_tokens": "Int64",
    "duration_s": "float64",
    "temperature": "float64",
    "seed": "Int64",
    "num_ctx": "Int64",
    "concurrency": "int64",
    "key": "str",
}


class LedgerBusyError(FFError):
    """Another process writes to the ledger."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is being written by another run. Wait for it to end, or stop it; nothing was changed."
        )


class LedgerWriteError(FFError):
    """The ledger cannot be opened or written."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path} cannot be written: {error.strerror}. Make room or make the folder writable, or "
            "point FF_OUTPUTS to another folder. What was graded before is kept, and the next run goes on."
        )


class Ledger:
    """An open ledger, locked for this process; use it as a context manager.

    Args:
        path: the file; it is made if missing, a torn last line is repaired.
        batch: how many records one fsync covers.
        seconds: how long a record waits for its fsync at most (checked on append).

    Raises:
        LedgerBusyError: another process has it open.
        LedgerWriteError: read-only folder, no space.
        BadLineError: a line in the middle is no valid record.
    """

    def __init__(self, path: Path, *, batch: int = 16, seconds: float = 2.0) -> None:
        self.path = path
        self.done: set[tuple[str, str]] = set()
        self._pending: list[Record] = []
        self._batch = batch
        self._seconds = seconds
        self._synced = time.monotonic()

    def __enter__(self) -> Self:
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise LedgerWriteError(self.path, error) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._size = _repair(self.path, self._file)
            self.done = {_pair(r) for r in read_ledger(self.path) if r.status not in RETRIED}
        except BlockingIOError:
            os.close(self._file)
            raise LedgerBusyError(self.path) from None
        except BaseException:
            os.close(self._file)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not isinstance(error, LedgerWriteError):
                self.commit()
        finally:
            os.close(self._file)

    def append(self, record: Record) -> None:
        """Add a record; it is on disk, and in `done`, after the next commit.

        Raises:
            LedgerWriteError: no space; the ledger is cut back to its last complete commit.
        """
        self._pending.append(record)
        if len(self._pending) >= self._batch or time.monotonic() - self._synced >= self._seconds:
            self.commit()

    def commit(self) -> None:
        """Write and fsync everything pending."""
        if not self._pending:
            return
        lines = "".join(r.model_dump_json(exclude_none=True) + "\n" for r in self._pending)
        data = lines.encode("utf-8")
        try:
            os.ftruncate(self._file, self._size)  # what an interrupted commit left is written anew
            written = 0
            while written < len(data):
                written += os.write(self._file, data[written:])
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, self._size)
            raise LedgerWriteError(self.path, error) from None
        self._size += len(data)
        self.done.update(_pair(r) for r in self._pending if r.status not in RETRIED)
        self._pending.clear()
        self._synced = time.monotonic()


def read_ledger(path: Path) -> Iterator[Record]:
    """Yield the records of a ledger in the order in which they were written; a torn last line is left out.

    Raises:
        FileMissingError: there is no such file.
        BadLineError: a complete line is no valid record.
    """
    if not path.is_file():
        raise FileMissingError(path, "verdict records")
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if raw.endswith(b"\n") and raw.strip():
                yield parse_line(Record, raw.decode("utf-8", "replace"), path=path, line=number)


def live_records(path: Path) -> list[Record]:
    """Return the records that stand: the later of two with one key and trace, no superseded ones."""
    standing: dict[tuple[str, str], Record] = {}
    for record in read_ledger(path):
        if record.supersedes is not None:
            standing.pop((record.supersedes.key, record.trace_id), None)
        standing.pop(_pair(record), None)
        standing[_pair(record)] = record
    return list(standing.values())


def verdict_frame(path: Path) -> pd.DataFrame:
    """Return a ledger as a frame, one row a record that stands, in ledger order.

    Columns: trace_id, grader, grader_digest, rubric, method, verdict (missing where there is a status),
    status, reason, repeat, prompt_tokens, completion_tokens, duration_s (seconds), temperature, seed,
    num_ctx, concurrency, key.

    Raises:
        FileMissingError, BadLineError: as `read_ledger`.
    """
    rows = [{**r.model_dump(), **r.options.model_dump()} for r in live_records(path)]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


def _pair(record: Record) -> tuple[str, str]:
    """Identify a record: identical conversations with two ids share a key but are two rows."""
    return record.key, record.trace_id


def _repair(path: Path, file: int) -> int:
    """Finish a last line that only lacks its newline, cut off a torn one; return the file's size."""
    size = os.fstat(file).st_size
    data = path.read_bytes() if size else b""
    if not data or data.endswith(b"\n"):
        return size
    start = data.rfind(b"\n") + 1
    try:
        Record.model_validate_json(data[start:])
    except ValidationError:
        os.ftruncate(file, start)
        return start
    os.write(file, b"\n")
    return size + 1
