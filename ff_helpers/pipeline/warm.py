"""How the processes of a run are started: as forks of one that has imported what every notebook needs.

Imports take longer than most cells. On Linux a fork server of the standard library (`multiprocessing`) makes
them once per run, before any notebook's code; it has run none of it, and no thread. Elsewhere forking is not
safe beside the system's own libraries, and each process imports for itself.
"""

import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVarTuple

if TYPE_CHECKING:
    Pipe = Connection[object, object]

_FORKS: Final = sys.platform == "linux"
_CONTEXT: Final = get_context("forkserver") if _FORKS else get_context("spawn")
_COPIES: Final = get_context("fork") if _FORKS else get_context("spawn")

Given = TypeVarTuple("Given")


@dataclass(frozen=True)
class _Place:
    env: dict[str, str]
    cwd: Path
    log: Path


def start(
    target: "Callable[[Pipe, *Given], None]",
    *arguments: *Given,
    env: Mapping[str, str],
    cwd: Path,
    log: Path,
) -> tuple[BaseProcess, "Pipe"]:
    """Start `target(pipe, *arguments)` in a process and session of its own, and return it and our pipe to it.

    When our end of the pipe closes, for any reason, the process can know it: see `when_closed`.

    Args:
        target: a function of a module.
        arguments: anything that can be pickled, connections included.
        env: its environment.
        cwd: its working folder.
        log: where its stdout and stderr go, those of C libraries included.
    """
    if _FORKS:
        _CONTEXT.set_forkserver_preload(["ff_helpers.pipeline.preload"])
    log.touch()
    ours, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_begin, args=(target, theirs, arguments, _Place(dict(env), cwd, log)))
    process.start()
    theirs.close()
    return process, ours


def when_closed(pipe: "Pipe", end: Callable[[], object]) -> None:
    """Call `end` in a thread as soon as the other end of the pipe is closed."""

    def wait() -> None:
        try:
            pipe.recv_bytes()
        except (EOFError, OSError):
            end()

    threading.Thread(target=wait, daemon=True).start()


def twin(target: "Callable[[Pipe], None]", *ours: "Pipe") -> tuple[BaseProcess, "Pipe"]:
    """Start `target(pipe)` in a copy of this process, and return it and our pipe to it.

    Call it before this process has a thread. The copy has a session of its own, and the same log.

    Args:
        target: a function of a module.
        ours: connections that the copy shall not hold open.
    """
    here, there = _COPIES.Pipe()
    process = _COPIES.Process(target=_begin_twin, args=(target, there, (here, *ours)))
    process.start()
    there.close()
    return process, here


def held(descriptor: int) -> "Pipe":
    """Return a duplicate of an open file that a new process can be given to hold."""
    return Connection(os.dup(descriptor), writable=False)


def _begin(
    target: "Callable[[Pipe, *Given], None]", pipe: "Pipe", arguments: tuple[*Given], at: _Place
) -> None:
    os.setsid()  # Ctrl-C reaches only the runner, which then ends its processes in order
    os.environ.clear()
    os.environ.update(at.env)
    os.chdir(at.cwd)
    said = os.open(at.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.close(said)
    target(pipe, *arguments)


def _begin_twin(target: "Callable[[Pipe], None]", pipe: "Pipe", others: tuple["Pipe", ...]) -> None:
    os.setsid()
    for other in others:
        other.close()
    target(pipe)
