"""One conversation with a model under test: a scenario in, a trace with its strict truth out."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ff_helpers.chat.proof import size
from ff_helpers.chat.protocol import Chat, Reply, Request, Turn
from ff_helpers.corpus.scenarios import Scenario
from ff_helpers.corpus.traces import Generation, Message, Sampling, Trace

SOURCE: Final = "ff-helpers/collected"
_BYTES_A_TOKEN: Final = 8
"""More than any tokenizer in use needs on average; sizes the context for replies not yet known."""


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


def draw_seed(seed: int, scenario: Scenario, run: int) -> int:
    """Return the seed of one conversation (31 bits): reproducible, and different for each conversation.

    One seed for a whole run would give all its conversations the same random numbers, so they would not
    be independent draws: SmolLM2 complied in 34 of 60 with one seed and in 13 of the same 60 with the next.
    """
    name = f"{seed}/{scenario.scenario_id}/{scenario.arm}/r{run}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) >> 1


async def converse(chat: Chat, plan: Plan) -> Trace:
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
        generation=_generation(chat, plan.request, reply),
    )


def _generation(chat: Chat, request: Request, reply: Reply) -> Generation:
    return Generation(
        digest=chat.digest,
        temperature=request.temperature,
        seed=request.seed,
        max_tokens=request.max_tokens,
        complete=reply.complete,
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
        software=chat.software,
    )


def compared(trace: Trace, plan: Plan, chat: Chat, *, same: bool) -> Iterator[tuple[str, object, object]]:
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
