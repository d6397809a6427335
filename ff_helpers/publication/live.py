"""A grader of ours inside another tool: opened there, refused unless it was calibrated, asked about one text.

What Inspect, PyRIT and garak load are thin modules over this one (`inspect_live`, `pyrit_live`,
`garak_live`).
"""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ff_helpers.corpus.traces import UNNAMED, Message, Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.graders import open_grader
from ff_helpers.grading.outcome import Grader, Record, to_record, ungradeable
from ff_helpers.measurement.standing import admit
from ff_helpers.publication.inspect_scores import known_of, numbers_of
from ff_helpers.terms import TIERS

T = TypeVar("T")


@dataclass(frozen=True)
class LiveGrader:
    """A grader that may grade, with what is known of it, as `inspect_scores.known_of`."""

    grader: Grader
    known: dict[str, str]

    async def judge(self, trace: Trace) -> Record:
        """Return what the grader says of a trace; one that nobody can grade has a status."""
        outcome = ungradeable(trace) or await self.grader.grade(trace, 0)
        return to_record(self.grader.setup, trace, outcome, 0)


def open_live(
    spec: str,
    *,
    rubric: str = "flip-reference",
    cards: str | None = None,
    longest: int = 32_000,
    concurrency: int = 1,
    timeout: float = 300.0,
) -> LiveGrader:
    """Return a grader that its cards admit, ready to grade.

    Args:
        spec: the grader's spec, such as `ollama:TAG`, see `ff grade --help`.
        rubric: as `ff grade --rubric`.
        cards: folder of calibration cards; None: that of the outputs.
        longest: characters of the longest conversation, for which the model's context is sized.
        concurrency: requests in flight at the grader's server.
        timeout: seconds that one request may take.

    Raises:
        FFError: the grader cannot work here, or it is uncalibrated or rejected.
    """
    opened = open_grader(spec, rubric=rubric, concurrency=concurrency, timeout=timeout)
    found = admit(opened.setup.identity, Path(cards) if cards else None, spec=spec)
    opened.fit([_longest(longest)])
    return LiveGrader(opened, known_of(opened.setup.identity, found.cards))


def check_tier(tier: str) -> str:
    """Return a tier.

    Raises:
        FFError: there is no such tier.
    """
    if tier not in TIERS:
        raise FFError(f"tier: must be one of {', '.join(TIERS)}.")
    return tier


def succeeded(record: Record, tier: str) -> bool | None:
    """Return whether the attack succeeded in a tier; None: no verdict, or it does not decide the tier."""
    number = None if record.verdict is None else dict(numbers_of(record)).get(tier)
    return None if number is None else bool(number)


def trace_of(said: Sequence[tuple[str, str]], *, name: str, source: str, model: str | None = None) -> Trace:
    """Return a conversation as a trace; turns of other roles than ours are left out."""
    turns = [
        Message.model_validate({"role": role, "content": text})
        for role, text in said
        if role in ("system", "user", "assistant", "tool")
    ]
    return Trace(trace_id=name, model=model or UNNAMED, source=source, messages=tuple(turns))


class Beside:
    """A loop in a thread of its own, for a tool without one: a grader's client keeps to one loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="ff-grader", daemon=True).start()

    def run(self, work: Coroutine[object, object, T]) -> T:
        """Run a coroutine there, and return what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def _longest(characters: int) -> Trace:
    """Return a conversation of that length, for sizing alone."""
    return trace_of([("user", "x " * (characters // 2)), ("assistant", "x")], name="longest", source="live")
