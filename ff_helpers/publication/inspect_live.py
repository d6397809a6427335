"""The scorer `ff_helpers/flip` of Inspect: grades with FLIP while an evaluation runs, or a log afterwards.

Inspect itself loads this module, by the entry point in pyproject.toml; nothing here imports it. A grader
without a card, or one that its card rejects, is refused before the first sample.
"""

from typing import cast

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import TaskState

from ff_helpers.corpus.results.inspect.directions import Directions
from ff_helpers.corpus.results.inspect.samples import row_of
from ff_helpers.corpus.traces import UNNAMED, Trace
from ff_helpers.publication.inspect_scores import score_row
from ff_helpers.publication.live import LiveGrader, open_live
from ff_helpers.terms import TIERS


def _flip(
    grader: str,
    *,
    rubric: str = "flip-reference",
    cards: str | None = None,
    longest: int = 32_000,
    concurrency: int = 1,
    timeout: float = 300.0,
) -> Scorer:
    """Return the scorer; arguments and errors as `live.open_live`."""
    live = open_live(
        grader, rubric=rubric, cards=cards, longest=longest, concurrency=concurrency, timeout=timeout
    )

    async def score(state: TaskState, target: Target) -> Score:  # noqa: ARG001
        return await _score(live, state)

    return score


flip = scorer(metrics={f"flip {tier}": [mean(), stderr()] for tier in TIERS}, name="flip")(_flip)


async def _score(live: LiveGrader, state: TaskState) -> Score:
    """Grade the conversation of a sample; it is the same text that `ff import` makes of the log."""
    sample: dict[str, object] = {
        "id": state.sample_id,
        "epoch": state.epoch,
        "messages": [message.model_dump() for message in state.messages],
        "output": state.output.model_dump(),
    }
    row = row_of("sample", sample, {}, {}, Directions({}, ""))
    trace = Trace(
        trace_id=row.trace_id,
        scenario_id=row.scenario_id,
        run=row.run,
        model=str(state.model) or UNNAMED,
        source="inspect",
        messages=row.messages,
        row_status=row.status,
        row_reason=row.reason,
    )
    record = await live.judge(trace)
    scored = score_row(row.trace_id, state.epoch, record, live.known)
    numbers = cast("dict[str, int] | None", scored["value"])
    value = float("nan") if numbers is None else {f"flip {tier}": number for tier, number in numbers.items()}
    return Score(value=value, **{key: scored[key] for key in ("answer", "explanation", "metadata")})
