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
from ff_helpers.chat.completions import reply_of
from ff_helpers.chat.embedded import MODELS
from ff_helpers.corpus.readers import CALIBRATION
from ff_helpers.corpus.traces import read_traces
from ff_helpers.grading.flip import read_answer, render
from ff_helpers.grading.rubric import ANSWER_TOKENS, SCHEMA, load_rubric
from ff_helpers.parts import checked_part

TRACES = 4
ALIKE = 8
"""Answers that are compared between two numbers of threads."""
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


def answers() -> list[Row]:
    """Grade the same traces with one thread and with one per core: are the answers the same?"""
    cores = len(os.sched_getaffinity(0))
    (_, one), (_, all_) = (_graded(count, 50, ALIKE) for count in (1, cores))
    pairs = list(zip(one, all_, strict=True))
    same = {"answers": sum(a == b for a, b in pairs)}
    same |= {"verdicts": sum(_verdict(a) == _verdict(b) for a, b in pairs)}
    return [
        Row(f"the same {what} with 1 and {cores} threads", f"{k} of {ALIKE}", k / ALIKE, "all of them")
        for what, k in same.items()
    ]


def _verdict(text: str) -> str | None:
    answer = read_answer(text)
    return None if answer is None else answer[0]


def _seconds(count: int, poll: int) -> float:
    """Return the seconds per trace of a setting."""
    return _graded(count, poll, TRACES)[0]


def _graded(count: int, poll: int, traces: int) -> tuple[float, list[str]]:
    """Return the seconds per trace, without the first one, which fills the cache; and the answers."""
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
    begun, said = 0.0, []
    for number, trace in enumerate(read_traces(paths.root() / CALIBRATION["proxies"])):
        if number == 1:
            begun = time.perf_counter()
        if number > traces:
            break
        reply = reply_of(server.handle_chat_completions(options | {"messages": render(trace, rubric)}))
        said.append(reply.text)
    return (time.perf_counter() - begun) / traces, said[:traces]
