"""Run asynchronous work from anywhere: a script, or a notebook that already runs an event loop."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


def run(work: Coroutine[object, object, T]) -> T:
    """Run a coroutine to its end and return what it returns; an interrupt cancels it first."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    return _beside(work)


def _beside(work: Coroutine[object, object, T]) -> T:
    """Run a coroutine on a new loop in another thread, because this thread's loop is in use."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(work)
    ended = threading.Event()

    def turn() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(asyncio.wait([task]))
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            loop.close()
            ended.set()

    threading.Thread(target=turn, name="ff-loop").start()
    try:
        ended.wait()  # no join: one that is interrupted takes the thread for ended
    except KeyboardInterrupt:
        with suppress(RuntimeError):  # it ended this moment
            loop.call_soon_threadsafe(task.cancel)
        ended.wait()
        raise
    return task.result()
