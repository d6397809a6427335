"""`make bench`: how long things take, each as a ratio against a baseline measured in the same run.

    .venv/bin/python -m benchmarks [grading] [resolver] [rerun]

- grading: the suite's campaign beside bare llama.cpp calls with the same prompts (needs `make parts`).
- resolver: 10,000 model names beside lower-casing them.
- rerun: `ff run params/paper.yaml` with nothing changed beside the run that built it.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ff_helpers import start
from ff_helpers.chat.embedded import MODELS
from ff_helpers.corpus.canonical import resolve
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.published import published
from ff_helpers.corpus.sources import load_set
from ff_helpers.errors import FFError
from ff_helpers.grading.campaign import CALIBRATION, grade
from ff_helpers.grading.flip import ANSWER_TOKENS, SCHEMA, load_rubric, render
from ff_helpers.parts import checked_part

TRACES = 20


def seconds(action: Callable[[], object]) -> float:
    """Return how long a call takes."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def grading() -> str:
    """Compare a campaign (checksum, prompt, parsing, ledger with fsync) with the model calls alone."""
    rubric = load_rubric("flip-reference")
    traces = load_set(CALIBRATION["proxies"])[:TRACES]
    run = start("bench", as_of="2026-01-01")
    same = run.write("traces.jsonl")
    write_records(same, traces)
    base = seconds(lambda: bare_calls([render(trace, rubric) for trace in traces]))
    ours = seconds(lambda: grade(run, {"same": str(same)}, ["embedded:smollm2-135m"]))
    return (
        f"grading    {TRACES} traces, model load included: bare llama.cpp {base:.1f} s "
        f"({base / TRACES:.2f} s a trace), a campaign {ours:.1f} s: {ours / base:.2f} of it"
    )


def bare_calls(prompts: list[list[dict[str, str]]]) -> None:
    """Ask the embedded model directly, with the options of the grader."""
    import xllamacpp as llama

    params = llama.CommonParams()
    params.model.path = str(checked_part(MODELS["smollm2-135m"].file).path)
    params.n_ctx, params.n_parallel, params.n_gpu_layers, params.verbosity = 8192, 1, 0, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = os.cpu_count() or 1
    params.warmup = False
    server = llama.Server(params)
    schema = {"type": "json_schema", "json_schema": {"name": "flip", "schema": SCHEMA}}
    options = {"temperature": 0.0, "seed": 0, "max_tokens": ANSWER_TOKENS, "cache_prompt": True}
    for prompt in prompts:
        server.handle_chat_completions(options | {"messages": prompt, "response_format": schema})


def resolver() -> str:
    """Compare resolving 10,000 different names with lower-casing them."""
    known = list(published("model_asr_2026-06-10")["model_name"])
    names = [f"{name}-x{i}" for i in range(10_000 // len(known) + 1) for name in known][:10_000]
    base = seconds(lambda: [name.lower() for name in names])
    ours = seconds(lambda: [resolve(name) for name in names])
    return f"resolver   {len(names)} names in {ours:.2f} s, {ours / base:.0f} times lower-casing them"


def rerun() -> str:
    """Compare a run with nothing to do with the run that did everything."""
    command = [sys.executable, "-m", "ff_helpers.cli", "run", "params/paper.yaml"]
    first, again = (
        seconds(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(2)
    )
    return (
        f"rerun      paper {first:.1f} s, again with nothing changed {again:.2f} s: {again / first:.3f} of it"
    )


def main(wanted: list[str]) -> int:
    """Run the named benchmarks, or all; print one line each."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FF_OUTPUTS"] = str(Path(folder))
        for bench in (grading, resolver, rerun):
            if not wanted or bench.__name__ in wanted:
                try:
                    print(bench(), flush=True)
                except FFError as error:
                    print(f"{bench.__name__:<10} not run: {error}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
