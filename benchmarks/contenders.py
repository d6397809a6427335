"""One contender in its own process: asks a model server about every trace of a file, and times it.

    python -m benchmarks.contenders NAME TRACES ADDRESS[,ADDRESS...] IN_FLIGHT LEDGER

The bare ones are a client library with prompts made beforehand and one worker per request in flight;
they keep nothing. Ours make each prompt, read each answer, and commit each record to a ledger on disk.
Prints wall and CPU seconds of the requests, without the start of Python and of the client.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from ff_helpers.chat.protocol import Turn
from ff_helpers.corpus.traces import read_traces
from ff_helpers.grading.flip import render
from ff_helpers.grading.rubric import ANSWER_TOKENS, SCHEMA, load_rubric

Ask = Callable[[list[Turn]], Awaitable[object]]
MODEL = "good:1"
_FORMAT = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}


async def bare_ollama(prompts: list[list[Turn]], address: str, in_flight: int) -> None:
    """Ollama's official client."""
    from ollama import AsyncClient

    client = AsyncClient(host=address)
    options = {"temperature": 0.0, "seed": 0, "num_ctx": 4096, "num_predict": ANSWER_TOKENS}
    await _all(
        prompts,
        in_flight,
        lambda turns: client.chat(MODEL, messages=turns, format=SCHEMA, options=options),
    )


async def bare_openai(prompts: list[list[Turn]], address: str, in_flight: int) -> None:
    """OpenAI's official client with its defaults."""
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=f"http://{address}/v1", api_key="none") as client:
        await _all(
            prompts,
            in_flight,
            lambda turns: client.chat.completions.create(  # type: ignore[call-overload]
                model=MODEL,
                messages=turns,
                temperature=0.0,
                seed=0,
                max_tokens=ANSWER_TOKENS,
                response_format=_FORMAT,
            ),
        )


async def bare_aiohttp(prompts: list[list[Turn]], address: str, in_flight: int) -> None:
    """OpenAI's protocol over aiohttp, the answer parsed and thrown away."""
    import aiohttp

    body = {"model": MODEL, "temperature": 0.0, "seed": 0, "max_tokens": ANSWER_TOKENS}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask(turns: list[Turn]) -> object:
            asked = body | {"messages": turns, "response_format": _FORMAT}
            async with session.post(f"http://{address}/v1/chat/completions", json=asked) as answer:
                return await answer.json()

        await _all(prompts, in_flight, ask)


async def _all(prompts: list[list[Turn]], in_flight: int, ask: Ask) -> None:
    left = iter(prompts)

    async def worker() -> None:
        for turns in left:
            await ask(turns)

    await asyncio.gather(*(worker() for _ in range(in_flight)))


BARE = {"bare-ollama": bare_ollama, "bare-openai": bare_openai, "bare-aiohttp": bare_aiohttp}
OURS = ("ollama", "openai", "heuristic")


def main(name: str, traces: Path, address: str, in_flight: int, ledger: Path) -> dict[str, float]:
    """Run one contender; return rows, wall and CPU seconds, and the peak of its memory in MB."""
    if name in BARE:
        rubric = load_rubric("flip-reference")
        prompts = [render(trace, rubric) for trace in read_traces(traces)]
        begun, cpu = time.perf_counter(), time.process_time()
        asyncio.run(BARE[name](prompts, address, in_flight))
        rows, wall = len(prompts), time.perf_counter() - begun
    else:
        from ff_helpers.grading.stream import grade_file

        urls = ",".join(f"http://{one}/v1" for one in address.split(","))
        at = {"ollama": f"ollama:{MODEL}@{address}", "openai": f"openai:{MODEL}@{urls}"}
        cpu = time.process_time()
        done = grade_file(traces, at.get(name, name), ledger, concurrency=in_flight)
        rows, wall = sum(done.verdicts.values()), done.seconds
    return {"rows": rows, "wall": wall, "cpu": time.process_time() - cpu, "mb": peak_mb()}


def peak_mb() -> float:
    """Return this process's peak memory in MB.

    On Linux `ru_maxrss` is inherited from the parent process, so it is read from /proc there.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    os.environ.pop("FF_PROGRESS", None)
    said = main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), Path(sys.argv[5]))
    print(json.dumps(said))
