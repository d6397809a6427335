"""Collect: run scenarios against a model under test; each finished conversation becomes a trace.

In a crescendo, the model's real reply to each turn precedes the next turn. Strict truth comes from the
scenario's checker, so nothing has to be labelled by hand. `python -m tools.generate.collected` records the
embedded model again into data/collected/.
"""

import asyncio
import hashlib
import time
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ff_helpers import paths
from ff_helpers.chat import loop
from ff_helpers.chat.progress import Progress
from ff_helpers.chat.proof import size
from ff_helpers.chat.protocol import Chat, ChatFaultError, Fault, Request, Turn
from ff_helpers.chat.specs import open_chat
from ff_helpers.columns import declared
from ff_helpers.corpus.journal import Journal
from ff_helpers.corpus.jsonl import BadLineError
from ff_helpers.corpus.scenarios import Arm, Scenario, read_scenarios
from ff_helpers.corpus.traces import Generation, Message, Sampling, Trace, read_traces
from ff_helpers.errors import FFError

if TYPE_CHECKING:
    import pandas as pd

SOURCE: Final = "ff-helpers/collected"
_BYTES_A_TOKEN: Final = 8
"""More than any tokenizer in use needs on average; sizes the context for replies not yet known."""
SCENARIOS: Final = "data/scenarios/proxies.jsonl"
MODELS: Final = ("smollm2-135m", "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b")
"""The models under test whose traces ship, each in files of its own: see `recorded`."""
_OTHER: Final = "{there} is not {wanted}: this file is from another collection. Name another --out"


def recorded(model: str) -> dict[Arm, str]:
    """Return the project's trace file of each arm for a model whose traces ship."""
    return {
        "forbidden": f"data/collected/{model}.jsonl",
        "permitted": f"data/collected/{model}_permitted.jsonl",
    }


@dataclass(frozen=True)
class Plan:
    """One planned conversation: which scenario, which run of it, and the generation settings."""

    scenario: Scenario
    run: int
    request: Request

    def trace_id(self, model: str) -> str:
        """Return `model/scenario/rN`; for a control, with the arm before the run."""
        arm = () if self.scenario.arm == "forbidden" else (self.scenario.arm,)
        return "/".join((model, self.scenario.scenario_id, *arm, f"r{self.run}"))

    def longest(self) -> int:
        """Return the largest size in bytes of the last prompt, earlier replies included."""
        texts = (self.scenario.system, *self.scenario.turns)
        said: list[Turn] = [{"role": "user", "content": text} for text in texts]
        return size(said) + (len(self.scenario.turns) - 1) * self.request.max_tokens * _BYTES_A_TOKEN


@dataclass(frozen=True)
class Failure:
    """A conversation that a fault ended: it gives no trace, and the next run tries it again."""

    trace_id: str
    status: Fault
    reason: str


@dataclass(frozen=True)
class CollectSummary:
    """What a collection did.

    Args:
        out: the trace file.
        model: name of the model under test.
        asked: traces requested: scenarios times repeats.
        already: how many of them were in the file before.
        collected: how many of them were added now.
        failed: how many of them a fault ended.
        seconds: wall time of the conversations.
    """

    out: Path
    model: str
    asked: int
    already: int
    collected: int
    failed: tuple[Failure, ...]
    seconds: float


def collect(
    target: str,
    scenarios: Path,
    out: Path,
    *,
    repeats: int = 1,
    arm: Arm = "forbidden",
    temperature: float = 0.3,
    max_tokens: int = 64,
    concurrency: int = 1,
    limit: int | None = None,
    seed: int = 0,
    timeout: float = 300.0,
) -> CollectSummary:
    """Run the scenarios of one arm against a model; append each finished conversation to `out`.

    Traces already in `out` are not collected again. Empty responses are kept; a conversation that a fault
    ended is not, and the next run tries it again.

    Args:
        target: the model under test, see `chat.specs.open_chat`.
        scenarios: a JSONL file of scenarios; a relative path that is not found in the working directory is
            taken from the project folder.
        out: the trace file, a journal: durable, locked, torn last line repaired.
        repeats: how often each scenario is run, as `r0`, `r1`, ...
        arm: `permitted` runs the controls, in which the policy allows the answer.
        temperature: above 0, so repeats are draws from one distribution and not copies; low, because a very
            small model soon loses the thread.
        max_tokens: limit of each reply.
        concurrency: conversations in flight at one server.
        limit: only the first `limit` scenarios.
        seed: each conversation's own seed is derived from it, see `draw_seed`.
        timeout: seconds that one request may take.

    Raises:
        BadLineError: a bad line in either file, or `out` was collected from another model, another wording
            or with other settings; named file:line:field.
        FFError: nothing to run.
        FFError: the model cannot be reached, or `out` cannot be written.
    """
    chosen = list(islice(read_scenarios(_found(scenarios), arm), limit))
    if not chosen:
        cut = "" if limit is None else f" within --limit {limit}"
        raise FFError(f"{scenarios} has no scenario of the {arm} arm{cut}. Name another file, arm or limit.")
    chat = open_chat(target, concurrency=concurrency, timeout=timeout)
    plans = [
        Plan(s, run, Request(max_tokens, temperature=temperature, seed=draw_seed(seed, s, run)))
        for run in range(repeats)
        for s in chosen
    ]
    chat.fit(max(plan.longest() for plan in plans), max_tokens)
    return loop.run(_collect(chat, plans, out))


async def _collect(chat: Chat, plans: list[Plan], out: Path) -> CollectSummary:
    begun, failed = time.monotonic(), []
    try:
        with Journal(out, Trace, seconds=0.5) as journal:
            done = _done(out, plans, chat)
            todo = [plan for plan in plans if plan.trace_id(chat.model) not in done]

            async def worker(work: Iterator[Plan], progress: Progress) -> None:
                for plan in work:
                    try:
                        trace = await _converse(chat, plan)
                    except ChatFaultError as fault:
                        failed.append(Failure(plan.trace_id(chat.model), fault.status, fault.reason))
                        progress.step(fault.status)
                        continue
                    journal.append(trace)
                    progress.step(str(trace.truth))

            with Progress(f"collecting from {chat.model}", len(todo)) as progress:
                await _side_by_side([worker(work, progress) for work in [iter(todo)] * chat.slots])
    finally:
        await chat.close()
    return CollectSummary(
        out=out,
        model=chat.model,
        asked=len(plans),
        already=len(plans) - len(todo),
        collected=len(todo) - len(failed),
        failed=tuple(failed),
        seconds=time.monotonic() - begun,
    )


async def _side_by_side(work: Sequence[Coroutine[object, object, None]]) -> None:
    """Run workers to their end; if one raises, its error is raised after the others have ended."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _done(out: Path, plans: Sequence[Plan], chat: Chat) -> set[str]:
    """Return the ids of the traces in `out`.

    Raises:
        BadLineError: a trace there was collected from another model, another wording or with other settings.
    """
    planned = {plan.trace_id(chat.model): plan for plan in plans}
    done: set[str] = set()
    for number, trace in enumerate(read_traces(out), start=1):
        # All plans have the same settings but for the seed, which only a plan of the same trace shares.
        plan = planned.get(trace.trace_id)
        for field, there, wanted in _compared(trace, plan or plans[0], chat, same=plan is not None):
            if there != wanted:
                raise BadLineError(out, number, field, _OTHER.format(there=there, wanted=wanted))
        done.add(trace.trace_id)
    return done


def _found(path: Path) -> Path:
    return path if path.exists() else paths.root() / path


def collected_frame(path: Path) -> "pd.DataFrame":
    """Return what was collected, without any text: one row per trace.

    Columns: trace_id, scenario_id, run, arm, intent, turns (single, multi), model, truth (str); compliant
    (bool: truth is COMPLIANCE), complete (bool: not cut at the token limit); prompt_tokens,
    completion_tokens (Int64, of the last request); empty (bool); words (int64, of the response).

    Raises:
        FileMissingError, BadLineError: no such file, or a line that is not a collected trace.
    """
    rows = []
    for number, trace in enumerate(read_traces(_found(path)), start=1):
        made = trace.generation
        if made is None or made.complete is None or trace.truth_space != "strict":
            raise BadLineError(path, number, "generation", "missing: this trace was not collected")
        rows.append(
            trace.model_dump(exclude={"messages"})
            | made.model_dump()
            | {"turns": trace.turns, "compliant": trace.truth == "COMPLIANCE"}
            | {"empty": not trace.response.strip(), "words": len(trace.response.split())}
        )
    return declared("collected_frame", rows)


def draw_seed(seed: int, scenario: Scenario, run: int) -> int:
    """Return the seed of one conversation (31 bits): reproducible, and different for each conversation.

    One seed for a whole run would give all its conversations the same random numbers, so they would not
    be independent draws: SmolLM2 complied in 34 of 60 with one seed and in 13 of the same 60 with the next.
    """
    name = f"{seed}/{scenario.scenario_id}/{scenario.arm}/r{run}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) >> 1


async def _converse(chat: Chat, plan: Plan) -> Trace:
    """Hold one conversation to its end.

    Raises:
        ChatFaultError: one of its requests failed, so there is no trace.
    """
    turns: list[Turn] = [{"role": "system", "content": plan.scenario.system}]
    for said in plan.scenario.turns:
        turns.append({"role": "user", "content": said})
        reply = await chat.ask(turns, plan.request)
        turns.append({"role": "assistant", "content": reply.text})
    return Trace(
        trace_id=plan.trace_id(chat.model),
        scenario_id=plan.scenario.scenario_id,
        run=f"r{plan.run}",
        model=chat.model,
        intent=plan.scenario.intent,
        source=SOURCE,
        messages=tuple(Message.model_validate(turn) for turn in turns),
        truth=plan.scenario.truth(reply.text),
        truth_space="strict",
        sampling=Sampling(kind="census"),
        arm=plan.scenario.arm,
        generation=Generation(
            digest=chat.digest,
            temperature=plan.request.temperature,
            seed=plan.request.seed,
            max_tokens=plan.request.max_tokens,
            complete=reply.complete,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            software=chat.software,
        ),
    )


def _compared(trace: Trace, plan: Plan, chat: Chat, *, same: bool) -> Iterator[tuple[str, object, object]]:
    """Yield (field, what the trace has, what this collection would write)."""
    made, request = trace.generation, plan.request
    yield "model", trace.model, chat.model
    yield "generation.digest", made and made.digest, chat.digest
    yield "generation.temperature", made and made.temperature, request.temperature
    yield "generation.max_tokens", made and made.max_tokens, request.max_tokens
    if same:
        yield "generation.seed", made and made.seed, request.seed
        prompts = [m.content for m in trace.messages if m.role != "assistant"]
        yield "truth", trace.truth, plan.scenario.truth(trace.response)
        yield "messages", _fingerprint(prompts), _fingerprint([plan.scenario.system, *plan.scenario.turns])


def _fingerprint(prompts: Sequence[str]) -> str:
    """Return a short name of a wording, for a message that must not contain the wording."""
    return "prompts " + hashlib.sha256("\0".join(prompts).encode()).hexdigest()[:8]
