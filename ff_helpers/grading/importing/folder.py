"""The folder that an import writes: everything appears at once, or nothing.

New files are written below `.importing`. When all are complete that folder becomes `.imported`, in one step,
and its files move to their places; an import that ends between the two is finished by the next one. What is
there already is known by hashes: about 250 bytes of memory for each row.
"""

import csv
import fcntl
import io
import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, NamedTuple, Self

from ff_helpers.corpus.jsonl import read_records
from ff_helpers.corpus.traces import UNNAMED, Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.identities import identity_hash
from ff_helpers.grading.importing.account import ACCOUNT, Account, read_account
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.terms import Identity

TRACES: Final = "traces.jsonl"
LABELS: Final = "labels.csv"
LEDGERS: Final = "verdicts"
_BUFFER: Final = 1 << 20
_UNFINISHED: Final = ".importing"
_FINISHED: Final = ".imported"


def hashed(*parts: str) -> int:
    """Return 64 bits that stand for some texts."""
    text = "\n".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


class Content(NamedTuple):
    """What a row is, whatever its id; model and run are "" where its file does not tell."""

    text: int
    model: str
    run: str

    def is_of(self, other: "Content") -> bool:
        """Return whether everything that is told here is true of the other."""
        return self.text == other.text and self.model in ("", other.model) and self.run in ("", other.run)


def content(trace: Trace) -> Content:
    """Return what a row is, its conversation as 64 bits."""
    model = "" if trace.model == UNNAMED else trace.model
    return Content(hashed(trace.sha256), sys.intern(model), sys.intern(trace.run or ""))


class LastSaid(NamedTuple):
    """What stands of a judge on a row."""

    key: str
    label: str
    is_verdict: bool


class Folder:
    """An open folder, locked for this process; use it as a context manager and end with `commit`.

    Raises:
        FFError: another import writes there, it cannot be written, or it holds files that no import wrote.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[int, Content] | None = None
        self._open = ExitStack()
        self._files: dict[str, BinaryIO] = {}
        self._ledgers: dict[Identity, str] = {}
        self._labels: dict[int, str] | None = None

    def __enter__(self) -> Self:
        with ExitStack() as unused:
            self._made = not self.path.exists()
            try:
                self.path.mkdir(parents=True, exist_ok=True)
                here = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
                unused.callback(os.close, here)
                fcntl.flock(here, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise FFError(f"another import writes to {self.path}. Wait for it to end.") from None
            except NotADirectoryError:
                raise FFError(f"{self.path} is a file. Name a folder with --out.") from None
            except FileExistsError:
                raise FFError(f"{self.path} is a file. Name a folder with --out.") from None
            self._move()
            shutil.rmtree(self.path / _UNFINISHED, ignore_errors=True)
            self.account: Account | None = read_account(self.path)
            self._find_ledgers()
            (self.path / _UNFINISHED / LEDGERS).mkdir(parents=True)
            self._open = unused.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            file.close()
        shutil.rmtree(self.path / _UNFINISHED, ignore_errors=True)
        if self._made and not any(self.path.iterdir()):
            self.path.rmdir()  # nothing was imported: leave no empty folder
        self._open.close()

    @property
    def known(self) -> dict[int, Content]:
        """Hash of each trace_id -> what the row is; read from the traces when first asked for."""
        if self._known is None:
            path = self.path / TRACES
            there = read_records(path, Trace) if path.exists() else ()
            self._known = {hashed(trace.trace_id): content(trace) for trace in there}
        return self._known

    def _find_ledgers(self) -> None:
        """Take note of the ledgers that are there."""
        for path in sorted((self.path / LEDGERS).glob("*.jsonl")):
            first = next(read_ledger(path), None)
            if first is not None:
                self._ledgers[first.identity] = f"{LEDGERS}/{path.name}"

    @property
    def ledgers(self) -> dict[str, Identity]:
        """Who is in which ledger that is there."""
        return {name: who for who, name in self._ledgers.items()}

    def appended(self, name: str) -> BinaryIO:
        """Return a file of the folder as it will be, open at its end: what is there now comes first."""
        if name not in self._files:
            new = self.path / _UNFINISHED / name
            if (self.path / name).exists():
                shutil.copyfile(self.path / name, new)
            self._files[name] = new.open("ab", buffering=_BUFFER)
        return self._files[name]

    @contextmanager
    def rewritten(self, name: str) -> Iterator[tuple[Path, BinaryIO]]:
        """Yield where a file is as this import has it so far, and the one that takes its place afterwards."""
        new = self.path / _UNFINISHED / f"{name}.new"
        with new.open("wb") as file:
            yield self._now(name), file
        if name in self._files:
            self._files.pop(name).close()
        place = self.path / _UNFINISHED / name
        new.replace(place)
        self._files[name] = place.open("ab")

    @contextmanager
    def spool(self) -> Iterator[tuple[Path, BinaryIO]]:
        """Yield a file to write to, with its place; it is gone afterwards, or was appended."""
        path = self.path / _UNFINISHED / "spool.jsonl"
        with path.open("wb", buffering=_BUFFER) as file:
            yield path, file
        path.unlink(missing_ok=True)

    def append(self, spool: Path, name: str) -> None:
        """Add a closed spool to a file of the folder; where there is none yet, it becomes that file."""
        if name in self._files or (self.path / name).exists():
            with spool.open("rb") as file:
                shutil.copyfileobj(file, self.appended(name), _BUFFER)
        else:
            spool.rename(self.path / _UNFINISHED / name)
            self._files[name] = (self.path / _UNFINISHED / name).open("ab", buffering=_BUFFER)

    def ledger(self, who: Identity) -> str:
        """Return the name of a judge's ledger below the folder; two judges of one name have one each."""
        if who not in self._ledgers:
            plain = re.sub(r"[^A-Za-z0-9_.=<>-]+", "-", who.name).strip("-.")[:60] or "judge"
            plain = plain.replace(">=", "-from-").replace("<", "-below-").replace(">", "-above-")
            taken = {name.lower() for name in self._ledgers.values()}
            name = f"{LEDGERS}/{plain}.jsonl"
            if name.lower() in taken:
                name = f"{LEDGERS}/{plain}-{identity_hash(who)}.jsonl"
            self._ledgers[who] = name
        return self._ledgers[who]

    def standing(self, who: Identity) -> "dict[int, LastSaid]":
        """Return what a judge's records say now, by the hash of the trace_id."""
        path = self._now(self.ledger(who))
        found: dict[int, LastSaid] = {}
        for record in read_ledger(path) if path.exists() and path.stat().st_size else ():
            found[hashed(record.trace_id)] = LastSaid(record.key, record.label, record.verdict is not None)
        return found

    def labels(self) -> dict[int, str]:
        """Return people's labels by the hash of trace_id, annotator and space; "" is no opinion."""
        if self._labels is None:
            self._labels = {}
            path = self._now(LABELS)
            if path.exists():
                with path.open(encoding="utf-8", newline="") as file:
                    for row in csv.DictReader(file):
                        self._labels[hashed(row["trace_id"], row["annotator"], row["space"])] = row["label"]
        return self._labels

    def add_label(self, trace_id: str, annotator: str, label: str | None, space: str) -> None:
        """Add what a person said of a row."""
        file = self.appended(LABELS)
        if not file.tell():
            file.write(_csv(("trace_id", "annotator", "label", "space")))
        file.write(_csv((trace_id, annotator, label or "", space)))
        if self._labels is not None:
            self._labels[hashed(trace_id, annotator, space)] = label or ""

    def _now(self, name: str) -> Path:
        """Return where a file is as this import has it so far."""
        if name not in self._files:
            return self.path / name
        self._files[name].flush()
        return self.path / _UNFINISHED / name

    def commit(self, account: Account) -> None:
        """Put everything in its place.

        Raises:
            OSError: no room; nothing was changed.
        """
        unfinished = self.path / _UNFINISHED
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
            file.close()
        (unfinished / ACCOUNT).write_text(account.text(), encoding="utf-8")
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            unfinished.rename(self.path / _FINISHED)
            self._move()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _move(self) -> None:
        """Move the files of a complete import to their places."""
        done = self.path / _FINISHED
        if not done.exists():
            return
        (self.path / LEDGERS).mkdir(exist_ok=True)
        # The account comes last: it is there only when all that it tells of is.
        for path in sorted(done.rglob("*"), key=lambda path: path.name == ACCOUNT):
            if path.is_file():
                path.replace(self.path / path.relative_to(done))
        shutil.rmtree(done)


def _csv(cells: tuple[str, ...]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()
