"""The files of one step while it runs, and how they are moved into place when it succeeds."""

import fcntl
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import JsonValue

from ff_helpers.errors import FFError
from ff_helpers.paths import LEFT
from ff_helpers.pipeline import freshness
from ff_helpers.pipeline.freshness import Stamp
from ff_helpers.pipeline.profile import Profile, Step

LOCK_WAIT_S = 10.0


class OutputsError(FFError):
    """A step wrote different files than its profile declares."""

    def __init__(self, step: str, missing: list[str], extra: list[str]) -> None:
        said = [f"did not write {', '.join(missing)}"] if missing else []
        said += [f"wrote {', '.join(extra)} without declaring it"] if extra else []
        super().__init__(
            f"{step} {' and '.join(said)}. Fix the step's `outputs` in params/, or the notebook."
        )


class Workspace:
    """Where one step writes until it has succeeded.

    Attributes:
        staging: what the notebook writes, by the names it will have in the run's folder.
        executed: the executed notebook.
        progress: the progress that the notebook reports.
        log: what the kernel and its libraries wrote to stderr.
        reads: what the notebook may read.
        notebook, stamp: the places in the run's folder of the executed notebook and of the stamp.
    """

    def __init__(self, folder: Path, step: Step) -> None:
        name = step.notebook
        self._folder, self._step = folder, step
        self.staging = folder / ".staging" / name
        self.executed = folder / ".staging" / f"{name}.ipynb"
        self.progress = folder / ".staging" / f"{name}.progress"
        self.log = folder / ".staging" / f"{name}.log"
        self.reads = folder / ".staging" / f"{name}.reads.json"
        self.notebook = folder / "notebooks" / f"{name}.ipynb"
        self.stamp = folder / ".steps" / f"{name}.json"

    def stale(self, basis: dict[str, str]) -> list[str]:
        """Return why the step has to run, one sentence each; empty if all is as its last run left it."""
        reasons = freshness.why(freshness.read_stamp(self.stamp), basis, self._folder)
        if not reasons and LEFT in self._step.outputs and (left := freshness.rows_left(self._folder)):
            return [f"{left[0]} of {left[1]} rows are graded, and it goes on"]
        return reasons

    def keep_notebook(self) -> bool:
        """Move the executed notebook into place; False if it does not exist."""
        if not self.executed.exists():
            return False
        self.notebook.parent.mkdir(exist_ok=True)
        self.executed.replace(self.notebook)
        return True

    def publish(self, basis: dict[str, str]) -> None:
        """Rename what the step wrote into place, remove what it no longer writes, then leave the stamp.

        Raises:
            OutputsError: a declared file is missing, or an undeclared one exists.
        """
        written = sorted(freshness.files(self.staging))
        declared = self._step.outputs
        in_place = [name for name in declared if is_ledger(name) and (self._folder / name).is_file()]
        missing = [p for p in declared if not any(fnmatchcase(n, p) for n in [*written, *in_place])]
        # A figure's metadata (`about`) comes with the figure and need not be declared.
        named = {name: re.sub(r"^(figures/.*)\.json$", r"\1.svg", name) for name in written}
        extra = [
            n
            for n, drawn in named.items()
            if not any(fnmatchcase(x, p) for x in (n, drawn) for p in declared)
        ]
        if missing or extra:
            raise OutputsError(self._step.notebook, missing, extra)
        earlier = freshness.read_stamp(self.stamp)
        for name in written:
            (self._folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.staging / name).replace(self._folder / name)
        self.keep_notebook()
        names = {*written, *in_place, self.notebook.relative_to(self._folder).as_posix()}
        for name in set(earlier.outputs if earlier else {}) - names:
            if not any(fnmatchcase(name, kept) for kept in self._step.keeps):
                (self._folder / name).unlink(missing_ok=True)
        outputs = {name: freshness.sha256(self._folder / name) for name in sorted(names)}
        write_json(self.stamp, Stamp(key=freshness.key(basis), basis=basis, outputs=outputs).model_dump())


def reasons(profile: Profile, folder: Path) -> dict[str, list[str]]:
    """Return why each step of a profile would run now, by step; an empty list: it would not.

    A step that reads what a stale one writes is named with it: if that one writes the same bytes again, it
    need not run.

    Raises:
        FFError: a step reads a file that does not exist and that no step writes.
    """
    found: dict[str, list[str]] = {}
    for step in profile.steps:
        ahead = [name for name in profile.needs(step) if found.get(name)]
        try:
            found[step.notebook] = Workspace(folder, step).stale(freshness.basis(profile, step))
        except FFError:
            if not ahead:
                raise
            found[step.notebook] = []
        if ahead:
            found[step.notebook].append(f"it reads what {', '.join(ahead)} may change")
    return found


def write_json(path: Path, content: JsonValue) -> None:
    """Write JSON with sorted keys, replacing the file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    temporary.replace(path)


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Hold the folder's lock, and make SIGTERM end the run the way Ctrl-C does.

    Raises:
        FFError: another run held the lock for ten seconds.
    """
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    until = time.monotonic() + LOCK_WAIT_S
    try:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise FFError(
                        f"Another run is writing to {folder}. Wait until it has ended, then run this again."
                    ) from None
                time.sleep(0.2)
        yield lock
    finally:
        os.close(lock)
        signal.signal(signal.SIGTERM, before)


def is_ledger(name: str) -> bool:
    """Return whether an output is append-only and written in place."""
    return name.startswith("ledger/") and name.endswith(".jsonl")
