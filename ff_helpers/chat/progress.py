"""Progress of long work (grading, collecting), for people and for the runner's console."""

import json
import os
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Self

from ff_helpers.terms import STATUSES


class Progress:
    """Reports how far a step is: a line on an interactive terminal, a JSON file if FF_PROGRESS names one.

    The line shows rows done, rate, time left and the statuses so far (rows without a verdict).
    The file contains one object {step, done, total, rate (rows per second), left_s (seconds), counts} and
    is replaced atomically at most twice per second; none of it enters an artifact.
    """

    def __init__(self, task: str, total: int, *, until: float | None = None) -> None:
        self.task, self.total, self.done = task, total, 0
        self._until = until  # a time of the monotonic clock: the work ends then, finished or not
        self.counts: Counter[str] = Counter()
        self._file = Path(os.environ["FF_PROGRESS"]) if os.environ.get("FF_PROGRESS") else None
        self._begun = time.monotonic()
        self._told = 0.0

    def __enter__(self) -> Self:
        from tqdm import tqdm

        # The bar is for an interactive terminal without a runner that draws its own progress.
        watched = sys.stderr.isatty() and self._file is None
        self._bar = tqdm(
            total=self.total, desc=self.task, delay=2, leave=False, file=sys.stderr, disable=not watched
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def note(self, text: str) -> None:
        """Print a notice to standard error before a long wait."""
        from tqdm import tqdm

        tqdm.write(text, file=sys.stderr)

    def step(self, *ended: str) -> None:
        """Report rows as done (on disk), one verdict, truth or status each."""
        if not ended:
            return
        self.counts.update(ended)
        self.done += len(ended)
        statuses = [f"{name} {self.counts[name]}" for name in STATUSES if self.counts[name]]
        self._bar.set_postfix_str(", ".join(statuses), refresh=False)
        self._bar.update(len(ended))
        self._tell(self.done)

    def _tell(self, done: int) -> None:
        now = time.monotonic()
        if self._file is None or (done < self.total and now - self._told < 0.5):
            return
        self._told = now
        rate = done / max(now - self._begun, 1e-9)
        left = (self.total - done) / rate
        left = left if self._until is None else min(left, max(self._until - now, 0.0))
        state = {
            "step": self.task,
            "done": done,
            "total": self.total,
            "rate": round(rate, 3),
            "left_s": round(left, 1),
            "counts": dict(sorted(self.counts.items())),
        }
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with suppress(OSError):  # a failure to report progress must not end the work
            beside.write_text(json.dumps(state) + "\n", encoding="utf-8")
            beside.replace(self._file)
