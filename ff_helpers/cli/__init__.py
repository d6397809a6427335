"""The command line, `ff`: grade and calibrate, run profiles, read the results.

An error that the user can fix is one sentence on stderr and exit code 2; work that failed (a step,
rows to try again) is exit code 1; an interrupted command is 130. Commands and their options
are described in `commands.yaml`; the module of a command loads when the command is run.
"""

import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ff_helpers.cli.parser import read, run
from ff_helpers.cli.text import announce
from ff_helpers.corpus.stores import said_of_store
from ff_helpers.errors import FFError

CANNOT_WRITE = {
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "ENOTDIR", "EISDIR")
    if hasattr(errno, name)
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = read(arguments)
    try:
        with stoppable(lasting=options.lasting):
            return run(options)
    except FFError as error:
        print(f"ff: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nff: interrupted. {options.interrupted}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.errno not in CANNOT_WRITE:
            raise
        print(f"ff: cannot write: {error}. {options.elsewhere}", file=sys.stderr)
        return 2
    except Exception as error:
        said = said_of_store(error)
        if said is None:
            raise
        print(f"ff: {said}", file=sys.stderr)
        return 2


@contextmanager
def stoppable(*, lasting: bool) -> Iterator[None]:
    """Let SIGTERM raise KeyboardInterrupt as Ctrl-C does, and say where Ctrl-C is ignored.

    A process that was started with SIGINT ignored keeps it ignored, as a shell intends: Ctrl-C in the
    terminal is for the foreground command, not for background jobs.

    Args:
        lasting: whether the command can take long enough that a user may want to stop it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set signal handlers
        return
    if lasting and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        announce(
            "ff: Ctrl-C is ignored here, set by what started this command (nohup, a background job). "
            f"`kill {os.getpid()}` stops it just as cleanly."
        )
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
