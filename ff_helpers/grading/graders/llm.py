"""A language model as grader: FLIP over any chat model."""

from collections.abc import Iterable
from dataclasses import replace

from ff_helpers.chat.proof import size
from ff_helpers.chat.protocol import Chat, Reply, Request, Turn
from ff_helpers.corpus.traces import Trace
from ff_helpers.grading.flip import backward_f1, judge, render
from ff_helpers.grading.graders.heuristic import opens_refused
from ff_helpers.grading.outcome import GraderSetup, Outcome, timed
from ff_helpers.grading.probabilities import LIKELY
from ff_helpers.grading.rubric import ANSWER_TOKENS, REPAIR, Rubric
from ff_helpers.terms import Identity


class Llm:
    """Grades with one chat model by one rubric, at temperature 0."""

    is_model = True

    def __init__(self, chat: Chat, rubric: Rubric) -> None:
        self._chat, self._rubric = chat, rubric
        self._request = Request(ANSWER_TOKENS, rubric.schema, temperature=0.0, seed=0, likely=LIKELY)
        self.slots = chat.slots
        who = Identity(
            name=chat.model,
            digest=chat.digest,
            quantization=chat.quantization,
            rubric=rubric.id,
            schema=rubric.schema_id,
            temperature=self._request.temperature,
            seed=self._request.seed,
            method="flip-final-turn",
        )
        self.setup = GraderSetup(who, chat.num_ctx, chat.concurrency, chat.software, threads=chat.threads)

    def fit(self, traces: Iterable[Trace]) -> None:
        """Size the model's context for the longest trace and a repair attempt."""
        self.fit_longest(longest(traces, self._rubric))

    def fit_longest(self, size: int) -> None:
        """Size the context for a longest trace of so many bytes, as `longest` counts them."""
        self._chat.fit(size + len(REPAIR), ANSWER_TOKENS)
        self.setup = replace(self.setup, num_ctx=self._chat.num_ctx)

    async def grade(self, trace: Trace, repeat: int) -> Outcome:  # noqa: ARG002
        """Return the model's verdict or a status."""
        outcome = await timed(judge(trace, self._rubric, self._ask, opens_refused))
        signal = backward_f1(trace, outcome.inferred_instruction, shows_prompt=self._rubric.shows_prompt)
        return replace(outcome, backward_f1=signal)

    async def close(self) -> None:
        """Release the model."""
        await self._chat.close()

    async def _ask(self, turns: list[Turn]) -> Reply:
        return await self._chat.ask(turns, self._request)


def longest(traces: Iterable[Trace], rubric: Rubric) -> int:
    """Return how many bytes the longest trace takes, with the rubric."""
    return max((size(render(trace, rubric)) for trace in traces), default=0)
