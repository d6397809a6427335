"""One ledger from several: of shards, of machines, of graders.

The result has every record of the inputs once, sorted by trace, and depends on nothing but these records:
so merging is associative, commutative and idempotent to the byte, and a merge can be merged again. Within a
trace the same records are valid as before (see `histories`). Many records are sorted on disk, and the result
takes the place of an older one only when it is complete.
"""

import fcntl
import os
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, combinations, groupby, repeat
from operator import itemgetter
from pathlib import Path
from typing import Final, Literal

from ff_helpers.corpus.journal import JournalBusyError, sync_folder, torn_tail
from ff_helpers.corpus.jsonl import line_of
from ff_helpers.corpus.sorting import Row, sort_rows
from ff_helpers.errors import FFError, named
from ff_helpers.grading.histories import Written, disagree, forks, in_order, rivals, tells
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.grading.outcome import Record

Choice = Literal["first", "later"]
"""Which of two verdicts on one row is valid in the result: the one given first, or the later one."""

_SHOWN: Final = 10

_OUT: Final = -1
"""In place of the number of an input: the result of an earlier merge."""


@dataclass(frozen=True)
class Merged:
    """What a merge did.

    Attributes:
        out: the ledger that was written.
        records: how many it has.
        inputs: input -> its records, in the order of the call.
        copied: two inputs (with shard, where the record names one) -> records that both have; kept once.
        twice: the same, for rows that both graded, with the same verdict; both records are kept.
        chosen: rows with different verdicts, of which `conflicts` made one valid.
        forked: corrections of a record that another correction had replaced already; all of them are valid.
        torn: input -> bytes of a torn last line, which is left out.
        busy: inputs that another run is still writing to.
    """

    out: Path
    records: int
    inputs: dict[Path, int]
    copied: dict[tuple[str, str], int]
    twice: dict[tuple[str, str], int]
    chosen: int
    forked: int
    torn: dict[Path, int]
    busy: tuple[Path, ...]


class ConflictingVerdictsError(FFError):
    """Ledgers differ in what one grader said of one trace in one pass."""

    def __init__(self, count: int, clashes: Sequence[str]) -> None:
        more = [f"and {count - len(clashes)} more"] if count > len(clashes) else []
        super().__init__(
            f"{count} row{' has' if count == 1 else 's have'} different verdicts of the same grader, so "
            "nothing was written:\n"
            + "".join(f"  {clash}\n" for clash in (*clashes, *more))
            + "Look at how they were graded (`ff ledger FILE`) and leave out the wrong ledger. Or choose: "
            "`--conflicts first` makes the verdict that was given first the valid one, `--conflicts later` "
            "the later one, where the records tell when; the others stay in the ledger."
        )


class LostRecordsError(FFError):
    """The result of an earlier merge has records that the inputs lack."""

    def __init__(self, out: Path, count: int, first: str) -> None:
        super().__init__(
            f"{out} exists, and {count} of its records are not in the inputs (the first is of trace "
            f"{named(first)}). It was not changed. Name another file for the result, and {out} among the "
            "inputs to keep them."
        )


def merge_ledgers(
    out: Path, inputs: Sequence[Path], *, conflicts: Choice | None = None, in_memory: int = 100_000
) -> Merged:
    """Write one ledger with all records of several, atomically.

    Args:
        out: the result. An existing ledger is replaced if the inputs have all of its records.
        inputs: the ledgers; a torn last line is left out.
        conflicts: which verdict is valid where one grader gave two on one row; None: refuse.
        in_memory: how many records are sorted at a time.

    Raises:
        ConflictingVerdictsError: two different verdicts with one key, and no choice, or their records do not
            tell which came first.
        LostRecordsError: `out` has records that the inputs lack.
        FileMissingError, BadLineError: an input is missing or not a ledger, or `out` is something else.
        JournalBusyError: a run is writing to `out`.
        FFError: no inputs, `out` is among them, a file cannot be read, or the result cannot be written.
    """
    files = _distinct(out, inputs)
    place = out.resolve()
    found = _Found(files, out, conflicts)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        # Beside the result: what is complete there only has to be renamed.
        with (
            _held(out) as replaces,
            tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as folder,
        ):
            ready = Path(folder, place.name)
            with ready.open("wb") as file:
                ordered = sort_rows(found.rows(), Path(folder), in_memory=in_memory)
                for trace_id, rows in groupby(ordered, itemgetter(0)):
                    file.writelines(found.settle(trace_id, list(rows)))
                file.flush()
                os.fsync(file.fileno())
            found.refuse()
            if replaces:
                shutil.copymode(place, ready)
            elif place.exists():  # another run began it meanwhile
                raise JournalBusyError(out)
            ready.replace(place)
            sync_folder(place.parent)
    except OSError as error:
        raise FFError(
            f"{out} cannot be written: {error.strerror}. Make room or make the folder writable, or name "
            "another file for the result. Nothing was changed."
        ) from None
    return Merged(
        out=out,
        records=found.written,
        inputs=dict(zip(files, found.read, strict=True)),
        copied=dict(found.copied),
        twice=dict(found.twice),
        chosen=found.chosen,
        forked=found.forked,
        torn={path: torn for path in files if (torn := torn_tail(path, Record))},
        busy=tuple(found.busy),
    )


class _Found:
    """What is read, and what is found on the way."""

    def __init__(self, files: Sequence[Path], out: Path, conflicts: Choice | None) -> None:
        self.files, self.out, self.conflicts = files, out, conflicts
        self.read = [0] * len(files)
        self.written = self.chosen = self.forked = self.clashed = 0
        self.clashes: list[str] = []
        self.lost: list[str] = []
        self.copied: Counter[tuple[str, str]] = Counter()
        self.twice: Counter[tuple[str, str]] = Counter()
        self.busy: list[Path] = []

    def rows(self) -> Iterator[Row]:
        """Yield the records of every file."""
        for place, path in enumerate(self.files):
            if _is_busy(path):
                self.busy.append(path)
            for number, record in enumerate(_records(path), start=1):
                self.read[place] = number
                yield record.trace_id, line_of(record), place, number
        if self.out.exists():
            for number, record in enumerate(_records(self.out), start=1):
                yield record.trace_id, line_of(record), _OUT, number

    def settle(self, trace_id: str, rows: Sequence[Row]) -> Iterable[bytes]:
        """Return the lines of one trace in order, and note what its records have in common."""
        if len(rows) == 1 and rows[0][2] != _OUT:
            self.written += 1
            return [rows[0][1]]
        places: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
        for _, line, place, number in rows:
            places[line].append((place, number))
        history = list(chain.from_iterable(self._kept(line, where) for line, where in places.items()))
        ordered = in_order(history, first=self._first(trace_id, history))
        self.written += len(ordered)
        self.forked += forks(history)
        return [row.line for row in ordered]

    def refuse(self) -> None:
        """Raise if there is nothing to be written."""
        if self.clashed:
            raise ConflictingVerdictsError(self.clashed, self.clashes)
        if self.lost:
            raise LostRecordsError(self.out, len(self.lost), self.lost[0])

    def _kept(self, line: bytes, places: Sequence[tuple[int, int]]) -> Iterable[Written]:
        """Return a record once; a correction that one input has several times, as often."""
        row = Written(Record.model_validate_json(line), line, tuple(p for p in places if p[0] != _OUT))
        counts = Counter(place for place, _ in places)
        before, times = counts.pop(_OUT, 0), max(counts.values(), default=0)
        if row.record.supersedes is None:
            before, times = min(before, 1), min(times, 1)
        if before > times:
            self.lost.append(row.record.trace_id)
        self.copied.update(combinations([self._source(row, place) for place in sorted(counts)], 2))
        return repeat(row, times)

    def _first(self, trace_id: str, history: Sequence[Written]) -> set[str]:
        """Note what was graded more than once; return the keys of which the first record is to be valid."""
        found = set()
        for key, graded in rivals(history).items():
            first = self.conflicts == "first"
            if not disagree(graded):
                where = dict.fromkeys(self._source(row, row.places[0][0]) for row in graded)
                self.twice.update(combinations(where, 2))
            elif self.conflicts and tells(graded, first=first):
                self.chosen += 1
                found |= {key} if first else set()
            else:
                self.clashed += 1
                if len(self.clashes) < _SHOWN:
                    self.clashes.append(self._clash(trace_id, graded))
        return found

    def _clash(self, trace_id: str, graded: Sequence[Written]) -> str:
        said: dict[str, str] = {}
        for row in graded:
            place, number = row.places[0]
            said.setdefault(row.record.label, f"{self.files[place]} (record {number})")
        verdicts = ", ".join(f"{label} in {where}" for label, where in said.items())
        return f"{named(trace_id)} by {named(graded[0].record.grader)}: {verdicts}"

    def _source(self, row: Written, place: int) -> str:
        shard = row.record.shard
        return f"{self.files[place]}" if shard is None else f"shard {shard} in {self.files[place]}"


def _distinct(out: Path, inputs: Sequence[Path]) -> list[Path]:
    """Return the inputs, each once."""
    files = {path.resolve(): path for path in reversed(inputs)}
    if not files:
        raise FFError("no ledger to merge: name at least one.")
    if out.resolve() in files:
        raise FFError(
            f"{out} is the result and among the inputs. Name another file for the result; the inputs stay as "
            "they are."
        )
    return list(reversed(files.values()))


@contextmanager
def _held(out: Path) -> Iterator[bool]:
    """Keep other runs from writing to a ledger that will be replaced; yield whether there is one."""
    if not out.exists():
        yield False
        return
    with out.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalBusyError(out) from None
        yield True


def _is_busy(path: Path) -> bool:
    """Return whether a run is writing to a ledger."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # said when it is read
        return False
    return False


def _records(path: Path) -> Iterator[Record]:
    try:
        if path.is_dir():
            raise FFError(f"{path} is a folder. Name the ledgers in it: {path}/*.jsonl. Nothing was changed.")
        yield from read_ledger(path)
    except OSError as error:
        raise FFError(f"{path} cannot be read: {error.strerror}. Nothing was changed.") from None
