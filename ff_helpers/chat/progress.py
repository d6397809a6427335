"""Progress of long work (grading, collecting), for people and for the runner's console."""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from ff_helpers.terms import WITHOUT_VERDICT

_MUCH: Final = 0.5
"""Cores used by others from which a local model is starved: its threads wait for each other."""


def kept_busy() -> float:
    """Return how many cores other processes keep busy throughout a second; a spike does not count."""
    least = float("inf")
    for _ in range(5):
        wall0, busy0, own0 = Others.now()
        time.sleep(0.2)
        wall, busy, own = Others.now()
        least = min(least, (busy - busy0 - (own - own0)) / (wall - wall0))
    return max(0.0, least)


def note(text: str) -> None:
    """Print a notice to standard error, beside a line of progress."""
    from tqdm import tqdm

    tqdm.write(text, file=sys.stderr)


class Others:
    """How many cores other processes use; a machine that does not tell is taken as idle."""

    def __init__(self) -> None:
        self._before, self._cores = self.now(), 0.0

    def cores(self) -> float:
        """Return the cores used by others, over at least two seconds."""
        (wall, busy, own), (wall0, busy0, own0) = self.now(), self._before
        if wall - wall0 >= 2.0:
            self._cores = max(0.0, (busy - busy0 - (own - own0)) / (wall - wall0))
            self._before = wall, busy, own
        return self._cores

    @staticmethod
    def now() -> tuple[float, float, float]:
        """Return seconds: of the clock, of all cores at work, of this process at work."""
        import psutil

        times = psutil.cpu_times()
        busy = sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)
        return time.monotonic(), busy, time.process_time()


class Progress:
    """Reports how far a step is: a line on an interactive terminal, a JSON file if FF_PROGRESS names one.

    The line shows rows done, rate, time left and the statuses so far (rows without a verdict).
    The file contains one object {step, done, total, rate (rows per second), left_s (seconds), counts,
    starved (empty, or how many cores others use, for a model in this process), workers (of a cluster)} and
    is replaced atomically at most twice per second; none of it enters an artifact.
    """

    def __init__(
        self,
        task: str,
        total: int,
        *,
        until: float | None = None,
        local: bool = False,
        workers: Callable[[], int] | None = None,
    ) -> None:
        self.task, self.total, self.done = task, total, 0
        self._others = Others() if local else None
        self._workers = workers  # of a cluster, how many are there now
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
        note(text)

    def step(self, *ended: str) -> None:
        """Report rows as done (on disk), one verdict, truth or status each."""
        if not ended:
            return
        self.counts.update(ended)
        self.done += len(ended)
        statuses = [f"{name} {self.counts[name]}" for name in WITHOUT_VERDICT if self.counts[name]]
        statuses += [self._starved()] if self._starved() else []
        statuses += [f"workers {self._workers()}"] if self._workers else []
        self._bar.set_postfix_str(", ".join(statuses), refresh=False)
        self._bar.update(len(ended))
        self._tell(self.done)

    def _starved(self) -> str:
        """Return how much of the processor other processes take, if it slows a local model; else nothing."""
        cores = self._others.cores() if self._others else 0.0
        return f"slow: other processes use {cores:.1f} of {os.cpu_count()} cores" if cores >= _MUCH else ""

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
            "starved": self._starved(),
        } | ({"workers": self._workers()} if self._workers else {})
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with suppress(OSError):  # a failure to report progress must not end the work
            beside.write_text(json.dumps(state) + "\n", encoding="utf-8")
            beside.replace(self._file)
