"""What does the harness add to the embedded model, and how much of each prompt does its cache save?

Bare llama.cpp calls with the same prompts and options first, then a grading of the same traces: both with
freshly loaded weights, without the loading time.
"""

import os
import tempfile
import time
from pathlib import Path

from benchmarks.table import Row
from ff_helpers import paths
from ff_helpers.chat.embedded import MODELS
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.readers import CALIBRATION
from ff_helpers.corpus.traces import Trace, read_traces
from ff_helpers.grading.flip import read_answer, render
from ff_helpers.grading.rubric import ANSWER_TOKENS, REPAIR, SCHEMA, load_rubric
from ff_helpers.grading.stream import grade_file
from ff_helpers.parts import checked_part

TRACES = 20
MODEL = "smollm2-135m"


def embedded() -> list[Row]:
    """Grade 20 proxy traces, compared with the model calls alone."""
    traces = list(read_traces(paths.root() / CALIBRATION["proxies"]))[:TRACES]
    bare, prompt, cached = _bare(traces)
    with tempfile.TemporaryDirectory() as folder:
        write_records(Path(folder) / "traces.jsonl", traces)
        done = grade_file(Path(folder) / "traces.jsonl", f"embedded:{MODEL}", Path(folder) / "v.jsonl")
    ours = f"{done.seconds:.1f} s, {done.graded / done.seconds:.2f}/s"
    reused = f"{cached} of {prompt}"
    return [
        Row(f"bare llama.cpp, {TRACES} traces", f"{bare:.1f} s, {TRACES / bare:.2f}/s"),
        Row(f"ours, `embedded:{MODEL}`, durable", ours, done.seconds / bare, "the bare calls", most=1.05),
        Row("prompt tokens that the cache saves", reused, cached / prompt, "all prompt tokens"),
    ]


def _bare(traces: list[Trace]) -> tuple[float, int, int]:
    """Ask llama.cpp directly; return seconds, prompt tokens, and how many its cache saved.

    An answer without a verdict gets one repair request, as in grading.
    """
    import xllamacpp as llama

    params = llama.CommonParams()
    params.model.path = str(checked_part(MODELS[MODEL].file).path)
    params.n_ctx, params.n_parallel, params.n_gpu_layers, params.verbosity = MODELS[MODEL].context, 1, 0, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = len(os.sched_getaffinity(0))
    params.warmup = False
    server = llama.Server(params)
    schema = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
    options = {"temperature": 0.0, "seed": 0, "max_tokens": ANSWER_TOKENS, "cache_prompt": True}
    rubric, prompt, cached = load_rubric("flip-reference"), 0, 0
    begun = time.perf_counter()
    for trace in traces:
        turns = render(trace, rubric)
        for _ in range(2):
            answer = server.handle_chat_completions(options | {"messages": turns, "response_format": schema})
            prompt += answer["usage"]["prompt_tokens"]
            cached += answer["usage"].get("prompt_tokens_details", {}).get("cached_tokens", 0)
            said = answer["choices"][0]["message"]["content"]
            if read_answer(said, complete=answer["choices"][0]["finish_reason"] == "stop") is not None:
                break
            turns = [*turns, {"role": "assistant", "content": said}, {"role": "user", "content": REPAIR}]
    return time.perf_counter() - begun, prompt, cached
