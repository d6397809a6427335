"""Progress of a run: one line per step, and how far the running ones are.

On a terminal the running steps share one live line; elsewhere (CI, a pipe) a plain line appears every
15 seconds. Colour appears only on a terminal.
"""

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Literal

State = Literal["done", "unchanged", "failed", "skipped"]

EVERY_S = 15.0
COLOURS = {"done": "32", "unchanged": "2", "failed": "31", "skipped": "33"}


class Console:
    """Prints the steps of one profile."""

    def __init__(self, profile: str, width: int) -> None:
        self._profile, self._width = profile, width
        self._live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._colour = self._live and "NO_COLOR" not in os.environ
        self._told = time.monotonic()

    def step(self, name: str, state: State, seconds: float | None = None, note: str = "") -> None:
        """Print the end of a step; `note` explains it on the lines below."""
        shown = f"\033[{COLOURS[state]}m{state:<9}\033[0m" if self._colour else f"{state:<9}"
        took = f"{seconds:7.1f} s" if seconds is not None else ""
        if self._live:
            print("\r\033[K", end="")
        print(f"{self._profile:<6} {name:<{self._width}}  {shown} {took}".rstrip(), flush=True)
        for line in note.splitlines():
            print(f"       {line}", flush=True)

    def running(self, steps: dict[str, tuple[float, Path]]) -> None:
        """Show how far the running steps are; {name: (seconds so far, progress file)}."""
        now = time.monotonic()
        if not steps or now - self._told < (0.5 if self._live else EVERY_S):
            return
        self._told = now
        shown = [
            f"{name} {_how_far(progress) or f'{took:.0f} s'}" for name, (took, progress) in steps.items()
        ]
        if self._live:
            line = f"{self._profile:<6} " + "   ".join(shown)
            print("\r\033[K" + line[: shutil.get_terminal_size().columns - 1], end="", flush=True)
        else:
            for line in shown:
                print(f"{self._profile:<6} ... {line}", flush=True)


def _how_far(progress: Path) -> str:
    try:
        state = json.loads(progress.read_text(encoding="utf-8"))
        counts = ", ".join(f"{count} {name}" for name, count in state["counts"].items())
        seconds = state["left_s"]
        left = f"{seconds / 60:.1f} min" if seconds >= 90 else f"{seconds:.0f} s"
        said = f"{state['step']} {state['done']}/{state['total']}, {left} left"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return f"{said} ({counts})" if counts else said
