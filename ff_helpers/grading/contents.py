"""What the records of a ledger come to, one after the other: which rows are graded, how, and by whom.

Each row is known by a hash, and by the number of the cell that it is in: all rows with one grader, pass, and
verdict (or status, with its reason) share a cell. Ten million rows take about 300 MB.
"""

import hashlib
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from struct import unpack
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from ff_helpers.corpus.journal import BEGIN, Place, read_lines
from ff_helpers.grading.outcome import Conditions, Record
from ff_helpers.terms import Identity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Columns: TypeAlias = tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint32]]

RETRIED: Final = ("timeout", "server_error")
"""Statuses that say nothing about the trace: the next run retries those rows."""

DONE: Final = 1 << 31
"""Set in the number of a row that is never graded again by itself, whatever a correction made of it."""
_NEW: Final = 1 << 18
"""How many rows are held in a dict, before they join the sorted columns."""


def short(key: str, trace_id: str) -> bytes:
    """Return 16 bytes that identify a record: identical conversations with two ids share a key."""
    return hashlib.blake2b(f"{key}\n{trace_id}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Cell(NamedTuple):
    """What rows have in common.

    Attributes:
        grader: the place of their grader in `Contents.graders`.
        repeat: the pass.
        label: their verdict, or the name of their status.
        reason: why they have a status; None of rows with a verdict.
    """

    grader: int
    repeat: int
    label: str
    reason: str | None


@dataclass
class Spent:
    """What all records of a grader took, those that count no more too; 0 where a server does not tell.

    Attributes:
        prompt_tokens, completion_tokens: as the server counted them.
        seconds: of the requests, one after the other.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


@dataclass
class GraderNotes:
    """What the records of one grader say, beside their verdicts.

    Attributes:
        identity: who graded.
        software: of its latest record.
        spent: tokens and time of all its records.
        conditions: those under which they were made, each once.
        shards: those that they name, each once.
    """

    identity: Identity
    software: str = ""
    spent: Spent = field(default_factory=Spent)
    conditions: dict[Conditions, None] = field(default_factory=dict)
    shards: dict[str, None] = field(default_factory=dict)


class Rows:
    """A number of 32 bits for each hash of 16 bytes: sorted columns, and a dict of what came since.

    One thread may read while another one writes.
    """

    def __init__(self, columns: "Columns | None" = None) -> None:
        self._new: dict[bytes, int] = {}
        self._sorted = None if columns is None else _Sorted(columns)

    def __len__(self) -> int:
        return len(self._new) + (0 if self._sorted is None else len(self._sorted.high))

    def get(self, name: bytes) -> int:
        """Return the number of a hash; 0 if it is not there."""
        found = self._new.get(name)
        if found is not None:
            return found
        known = self._sorted
        place = -1 if known is None else known.find(name)
        return 0 if known is None or place < 0 else known.numbers[place]

    def put(self, name: bytes, number: int) -> None:
        """Give a hash a number."""
        known = self._sorted
        place = -1 if known is None or name in self._new else known.find(name)
        if known is not None and place >= 0:
            known.numbers[place] = number
            return
        self._new[name] = number
        if len(self._new) >= _NEW:
            self.columns()

    def columns(self) -> "Columns":
        """Return all rows as columns, sorted: first and second half of the hash (uint64), number (uint32)."""
        import numpy as np

        before = (np.empty(0, "u8"), np.empty(0, "u8"), np.empty(0, "u4"))
        known = before if self._sorted is None else self._sorted.columns
        if self._new:
            halves = np.frombuffer(b"".join(self._new), ">u8").reshape(-1, 2).astype("u8")
            numbers = np.fromiter(self._new.values(), "u4", len(self._new))
            order = np.argsort(halves[:, 0], kind="stable")
            new = (halves[order, 0], halves[order, 1], numbers[order])
            at = np.searchsorted(known[0], new[0])
            known = (
                np.insert(known[0], at, new[0]),
                np.insert(known[1], at, new[1]),
                np.insert(known[2], at, new[2]),
            )
            self._sorted = _Sorted(known)  # before the dict goes: who misses it there finds it here
            self._new = {}
        return known


class _Sorted:
    """Columns as `Rows.columns`, and where in them each value of the first 16 bits begins."""

    def __init__(self, columns: "Columns") -> None:
        import numpy as np

        self.columns = columns
        self.high, self.low, self.numbers = (column.data for column in columns)
        starts = np.searchsorted(columns[0], np.arange(1 << 16, dtype="u8") << np.uint64(48))
        self._starts = [*starts.tolist(), len(columns[0])]

    def find(self, name: bytes) -> int:
        """Return the place of a hash; -1 if it is not there."""
        high, low = unpack(">QQ", name)
        first, last = self._starts[high >> 48], self._starts[(high >> 48) + 1]
        place = bisect_left(self.high, high, first, last)
        while place < last and self.high[place] == high:
            if self.low[place] == low:
                return place
            place += 1
        return -1


@dataclass
class Contents:
    """What the complete lines of a ledger come to, up to a place in it.

    Attributes:
        place: up to where it was read.
        graders: in ledger order.
        cells: what occurred, each once, in ledger order.
        standing: valid rows in each cell.
        counts: `records`, `duplicates`, `conflicting`, `retried`, `superseded` as in `LedgerSummary`; `done`:
            rows that are never graded again by themselves.
        rows: for each row the place of its cell plus 1 (0: it has no valid record), and `DONE`.
        parts: (size, sha256) of each part of the ledger that an index covers: where it ends, and its hash.
        part: the hash of what came since, so far.
    """

    place: Place = BEGIN
    graders: list[GraderNotes] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    standing: list[int] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    rows: Rows = field(default_factory=Rows)
    parts: tuple[tuple[int, str], ...] = ()
    part: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def __post_init__(self) -> None:
        self._graders = {notes.identity: number for number, notes in enumerate(self.graders)}
        self._cells = {cell: number for number, cell in enumerate(self.cells)}

    def follow(self, path: Path) -> Record | None:
        """Read the complete lines from its place on; return a last record that lacks only its newline.

        Raises:
            FileMissingError, BadLineError: as `journal.read_journal`.
        """
        last = None
        for raw, record in read_lines(path, Record, self.place):
            if not raw.endswith(b"\n"):
                last = record
                continue  # to the end of the file, where one of blank lines only is refused
            self.passed(raw)
            if record is not None:
                self.note(record)
        return last

    def passed(self, lines: bytes) -> None:
        """Go on to the end of these lines."""
        self.part.update(lines)
        self.place = Place(self.place.size + len(lines), self.place.lines + lines.count(b"\n"))

    def note(self, record: Record) -> None:
        """Take in the next record."""
        grader = self._note_grader(record)
        self.counts["records"] += 1
        if record.supersedes is not None:
            name = short(record.supersedes.key, record.trace_id)
            gone = self.rows.get(name)
            if gone & ~DONE:
                self.counts["superseded"] += 1
                self.standing[(gone & ~DONE) - 1] -= 1
                self.rows.put(name, gone & DONE)
        name = short(record.key, record.trace_id)
        before = self.rows.get(name)
        if before & ~DONE:
            was = (before & ~DONE) - 1
            self.standing[was] -= 1
            how = "duplicates" if self.cells[was].label == record.label else "conflicting"
            self.counts["retried" if self.cells[was].label in RETRIED else how] += 1
        done = DONE if record.status not in RETRIED else before & DONE
        self.counts["done"] += (before & DONE) != done
        cell = self._cell(Cell(grader, record.repeat, record.label, record.reason if record.status else None))
        self.standing[cell] += 1
        self.rows.put(name, (cell + 1) | done)

    def is_done(self, key: str, trace_id: str) -> bool:
        """Return whether a row has a verdict, or a status that is not tried again."""
        return bool(self.rows.get(short(key, trace_id)) & DONE)

    def cell_of(self, key: str, trace_id: str) -> Cell | None:
        """Return the cell of a row; None if it has no valid record."""
        number = self.rows.get(short(key, trace_id)) & ~DONE
        return self.cells[number - 1] if number else None

    def of(self, identity: Identity) -> GraderNotes | None:
        """Return what is known of a grader; None if it graded nothing here."""
        number = self._graders.get(identity)
        return None if number is None else self.graders[number]

    def _note_grader(self, record: Record) -> int:
        identity = record.identity
        number = self._graders.setdefault(identity, len(self.graders))
        if number == len(self.graders):
            self.graders.append(GraderNotes(identity))
        notes = self.graders[number]
        notes.software = record.software
        notes.spent.prompt_tokens += record.prompt_tokens or 0
        notes.spent.completion_tokens += record.completion_tokens or 0
        notes.spent.seconds += record.duration_s or 0.0
        notes.conditions[record.options.conditions] = None
        if record.shard is not None:
            notes.shards[record.shard] = None
        return number

    def _cell(self, cell: Cell) -> int:
        number = self._cells.setdefault(cell, len(self.cells))
        if number == len(self.cells):
            self.cells.append(cell)
            self.standing.append(0)
        return number
