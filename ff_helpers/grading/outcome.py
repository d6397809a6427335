"""How a grader is set up and what it says: setup, outcome, and the key of a record."""

import hashlib
import json
import time
from collections.abc import Awaitable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from ff_helpers.corpus.traces import Trace
from ff_helpers.grading.record import Options, Record
from ff_helpers.terms import Identity, Status, Verdict


@dataclass(frozen=True)
class GraderSetup:
    """A grader as a campaign runs it: its identity, and what else is recorded.

    Context size, concurrency and software belong neither to the identity nor to a record's key.
    """

    identity: Identity
    num_ctx: int | None
    concurrency: int
    software: str

    @property
    def options(self) -> Options:
        """What each record says about how the grader was run."""
        return Options(
            temperature=self.identity.temperature,
            seed=self.identity.seed,
            num_ctx=self.num_ctx,
            concurrency=self.concurrency,
            quantization=self.identity.quantization,
            answer_schema=self.identity.schema,
        )


def record_key(identity: Identity, trace: Trace, repeat: int) -> str:
    """Return the key of a record: hash of identity, rendered messages and repeat.

    Rubric id and messages together determine what is rendered, so these two are hashed.
    """
    parts = [identity.name, identity.digest, identity.rubric, identity.temperature, identity.seed]
    return hashlib.sha256(json.dumps([*parts, trace.sha256, repeat]).encode()).hexdigest()


def spec_of(grader: str, software: str) -> str:
    """Return the spec of a grader, from the software in its records; BASE_URL is not recorded."""
    if "xllamacpp" in software:
        return f"embedded:{grader}"
    if "openai" in software:
        return f"openai:{grader}@BASE_URL"
    return f"ollama:{grader}" if "ollama" in software else grader


@dataclass(frozen=True)
class Outcome:
    """One verdict, or one status with its reason."""

    verdict: Verdict | None = None
    status: Status | None = None
    reason: str | None = None
    inferred_instruction: str | None = None
    backward_f1: float | None = None
    raw: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    started: str | None = None
    duration_s: float | None = None


NOT_GRADEABLE: Final = Outcome(status="not_gradeable", reason="the response is empty or missing")


class Grader(Protocol):
    """Anything that turns a trace into a verdict; `is_model` graders get a second pass."""

    @property
    def setup(self) -> GraderSetup:
        """What the grader is and how it runs; final after `fit`."""

    @property
    def is_model(self) -> bool:
        """Whether a repeated grading may differ."""

    @property
    def slots(self) -> int:
        """How many traces it grades at once."""

    def fit(self, traces: Iterable[Trace]) -> None:
        """Look at all traces before the first one, to size the context for the whole campaign."""

    async def grade(self, trace: Trace, repeat: int) -> Outcome:
        """Return the verdict or status of one trace.

        Raises:
            FFError: no request can succeed: no server, no model.
        """

    async def close(self) -> None:
        """Release the model or the connection."""


def to_record(setup: GraderSetup, trace: Trace, outcome: Outcome, repeat: int) -> Record:
    """Return the ledger line of an outcome; no text of a withheld trace is kept."""
    who, kept = setup.identity, asdict(outcome)
    for text in ("raw", "inferred_instruction"):
        kept[text] = None if trace.withheld else _storable(kept[text])
    return Record(
        key=record_key(who, trace, repeat),
        trace_id=trace.trace_id,
        response_sha256=trace.response_sha256,
        grader=who.name,
        grader_digest=who.digest,
        rubric=who.rubric,
        method=who.method,
        repeat=repeat,
        options=setup.options,
        software=setup.software,
        **kept,
    )


def _storable(text: str | None) -> str | None:
    """Return a text that UTF-8 can encode: half characters (cut at a token limit) are escaped."""
    return text and text.encode("utf-8", "backslashreplace").decode("utf-8")


async def timed(grade: Awaitable[Outcome]) -> Outcome:
    """Return the outcome of a live grader with its start (UTC) and duration in seconds."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    clock = time.perf_counter()
    outcome = await grade
    return replace(outcome, started=started, duration_s=round(time.perf_counter() - clock, 3))
