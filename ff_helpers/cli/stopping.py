"""How a command is stopped: by Ctrl-C, or by SIGTERM in the same way."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


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
        print(
            "ff: Ctrl-C is ignored here, set by what started this command (nohup, a background job). "
            f"`kill {os.getpid()}` stops it just as cleanly.",
            file=sys.stderr,
            flush=True,
        )
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
