"""How many threads, and how much polling, on an idle machine and beside busy processes?

llama.cpp's threads wait for each other after every layer: if one of them is not running, all stand still.
Each setting grades the same traces with freshly loaded weights, without the loading time.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.table import Row
from ff_helpers import paths
from ff_helpers.chat.embedded import MODELS
from ff_helpers.corpus.readers import CALIBRATION
from ff_helpers.corpus.traces import read_traces
from ff_helpers.grading.flip import render
from ff_helpers.grading.rubric import ANSWER_TOKENS, SCHEMA, load_rubric
from ff_helpers.parts import checked_part

TRACES = 4
BUSY = (0, 1, 2, 4)
MODEL = "smollm2-135m"


def threads() -> list[Row]:
    """Grade with all cores and with one less, polling and not, beside 0 to 4 busy processes."""
    cores = len(os.sched_getaffinity(0))
    rows, base = [], 0.0
    for busy in BUSY:
        with _busy(busy):
            for count in dict.fromkeys((cores, max(1, cores - 1))):
                for poll in (50, 0):
                    took = _seconds(count, poll)
                    base = base or took
                    beside = f"beside {busy} busy processes" if busy else "idle"
                    name = f"{count} threads, polling {poll}, {beside}"
                    rows.append(
                        Row(name, f"{took:.2f} s per trace", took / base, "all cores, polling 50, idle")
                    )
    return rows


@contextmanager
def _busy(count: int) -> Iterator[None]:
    """Run processes that never wait."""
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def _seconds(count: int, poll: int) -> float:
    """Return the seconds per trace of a setting; the first trace, which fills the cache, does not count."""
    import xllamacpp as llama

    params = llama.CommonParams()
    params.model.path = str(checked_part(MODELS[MODEL].file).path)
    params.n_ctx, params.n_parallel, params.n_gpu_layers, params.verbosity = 8192, 1, 0, -1
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads, cpu.poll = count, poll
    params.warmup, params.cache_ram_mib = False, 0
    server = llama.Server(params)
    schema = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
    options = {"temperature": 0.0, "seed": 0, "max_tokens": ANSWER_TOKENS, "response_format": schema}
    rubric = load_rubric("flip-reference")
    begun = 0.0
    for number, trace in enumerate(read_traces(paths.root() / CALIBRATION["proxies"])):
        if number == 1:
            begun = time.perf_counter()
        if number > TRACES:
            break
        server.handle_chat_completions(options | {"messages": render(trace, rubric)})
    return (time.perf_counter() - begun) / TRACES
