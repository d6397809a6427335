"""The scorer `ff_helpers/flip` of Inspect: grades with FLIP while an evaluation runs, or a log afterwards.

Inspect itself loads this module, by the entry point in pyproject.toml; nothing here imports it. A grader
without a card, or one that its card rejects, is refused before the first sample.
"""

from pathlib import Path
from typing import cast

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import TaskState

from ff_helpers.corpus.results.inspect.directions import Directions
from ff_helpers.corpus.results.inspect.samples import row_of
from ff_helpers.corpus.traces import UNNAMED, Message, Trace
from ff_helpers.grading.graders import open_grader
from ff_helpers.grading.outcome import Grader, to_record, ungradeable
from ff_helpers.measurement.standing import admit
from ff_helpers.publication.inspect_scores import known_of, score_row
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
    """Return the scorer.

    Args:
        grader: the grader's spec, such as `ollama:TAG`, see `ff grade --help`.
        rubric: as `ff grade --rubric`.
        cards: folder of calibration cards; None: that of the outputs.
        longest: characters of the longest conversation, for which the model's context is sized.
        concurrency: requests in flight at the grader's server.
        timeout: seconds that one request may take.

    Raises:
        FFError: the grader cannot work here, or it is uncalibrated or rejected.
    """
    opened = open_grader(grader, rubric=rubric, concurrency=concurrency, timeout=timeout)
    found = admit(opened.setup.identity, Path(cards) if cards else None, spec=grader)
    known = known_of(opened.setup.identity, found.cards)
    opened.fit([_longest(longest)])

    async def score(state: TaskState, target: Target) -> Score:  # noqa: ARG001
        return await _score(opened, known, state)

    return score


flip = scorer(metrics={tier: [mean(), stderr()] for tier in TIERS}, name="flip")(_flip)


async def _score(grader: Grader, known: dict[str, str], state: TaskState) -> Score:
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
    outcome = ungradeable(trace) or await grader.grade(trace, 0)
    scored = score_row(row.trace_id, state.epoch, to_record(grader.setup, trace, outcome, 0), known)
    value = float("nan") if scored["value"] is None else cast("dict[str, int]", scored["value"])
    return Score(value=value, **{key: scored[key] for key in ("answer", "explanation", "metadata")})


def _longest(characters: int) -> Trace:
    """Return a conversation of that length, for sizing alone."""
    said = (Message(role="user", content="x " * (characters // 2)), Message(role="assistant", content="x"))
    return Trace(trace_id="longest", model=UNNAMED, source="inspect", messages=said)
