"""Progress of a long grading, for people and for the runner's console."""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class Progress:
    """Tells how far a step is: a bar where somebody watches, a JSON file where FF_PROGRESS names one.

    The file holds one object {step, done, total, rate (rows a second), left_s (seconds), counts} and
    is replaced atomically at most twice a second; nothing of it enters an artifact.
    """

    def __init__(self, step: str, total: int) -> None:
        self.step, self.total = step, total
        self.counts: Counter[str] = Counter()
        self._file = Path(os.environ["FF_PROGRESS"]) if os.environ.get("FF_PROGRESS") else None
        self._begun = time.monotonic()
        self._told = 0.0

    def over(self, rows: Sequence[T]) -> Iterator[T]:
        """Yield the rows, telling after each how far it is."""
        from tqdm import tqdm

        bar = tqdm(rows, desc=self.step, delay=2, leave=False, file=sys.stderr, disable=not _watched())
        with bar:
            for done, row in enumerate(bar, start=1):
                yield row
                self._tell(done)

    def _tell(self, done: int) -> None:
        now = time.monotonic()
        if self._file is None or (done < self.total and now - self._told < 0.5):
            return
        self._told = now
        rate = done / max(now - self._begun, 1e-9)
        state = {
            "step": self.step,
            "done": done,
            "total": self.total,
            "rate": round(rate, 3),
            "left_s": round((self.total - done) / rate, 1),
            "counts": dict(sorted(self.counts.items())),
        }
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with suppress(OSError):  # progress that nobody can read must not end the grading
            beside.write_text(json.dumps(state) + "\n", encoding="utf-8")
            beside.replace(self._file)


def _watched() -> bool:
    """Return whether a bar has somebody to watch it: a terminal, and no runner that draws its own."""
    return sys.stderr.isatty() and not os.environ.get("FF_PROGRESS")
