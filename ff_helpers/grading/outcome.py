"""The verdict record, one line of a ledger: how a grader is set up, what it says, and the record's key."""

import hashlib
import json
import time
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, ClassVar, Final, Literal, NamedTuple, Protocol, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ff_helpers.chat.embedded import MODELS
from ff_helpers.corpus.jsonl import Closed, Versioned
from ff_helpers.corpus.traces import Trace
from ff_helpers.formats import FIELD, newer
from ff_helpers.grading.rubric import spec_of_rubric
from ff_helpers.grading.shards import Shard, read_shard
from ff_helpers.terms import Identity, Label, Space, Verdict, WithoutVerdict, classes

Method = Literal["flip-final-turn", "heuristic", "manual", "external"]
"""How a verdict was given; `external`: by a judge that somebody else ran, so nobody can run it again."""


class Conditions(NamedTuple):
    """What may change verdicts beside a grader's identity; None: not known.

    Attributes:
        num_ctx: context in tokens.
        concurrency: requests in flight at one server.
        threads: threads of a model in this process; their number changes the order of its sums.
    """

    num_ctx: int | None
    concurrency: int
    threads: int | None

    def __str__(self) -> str:
        threads = "" if self.threads is None else f", threads {self.threads}"
        return f"num_ctx {self.num_ctx}, concurrency {self.concurrency}{threads}"


class Options(Closed):
    """The grader's settings; part of its identity, except the conditions.

    `quantization` and `answer_schema` (the hash of the JSON schema) are recorded if known; digest and
    rubric determine them. `threads` is recorded of a model in this process only; older records lack it.
    """

    temperature: float | None = None
    seed: int | None = None
    num_ctx: int | None = None
    concurrency: int = 1
    threads: int | None = Field(default=None, exclude_if=lambda threads: threads is None)
    quantization: str | None = None
    answer_schema: str | None = None

    @property
    def conditions(self) -> Conditions:
        """What may change verdicts beside the identity."""
        return Conditions(self.num_ctx, self.concurrency, self.threads)


class Supersedes(Closed):
    """Which record this one corrects, by whom and why."""

    key: str
    author: str = Field(min_length=1)
    reason: str = Field(min_length=1)


class Judge(Closed):
    """What a file says of a judge that somebody else ran; None: not told by the file."""

    model: str | None = None
    version: str | None = None
    template: str | None = None


class Record(Versioned):
    """One verdict, or one status with its reason. A row has exactly one of the two.

    `space` is the label space of its grader: the verdict is one of `terms.classes(space)`, and what the
    space does not decide is not determinable. `score` is what a threshold made a verdict of. A status is
    the grader's, or that of a row which nobody can grade.

    No text of a withheld trace is stored: `raw` and `inferred_instruction` are None there. `rationale` is
    the person's reason, in their own words. `probabilities` says how sure a model was of each label, where
    its server tells. `shard` names the part of the traces (`3/16`) that was graded by one machine of several.
    """

    CALLED: ClassVar = "a ledger of verdict records"

    key: str
    trace_id: str
    response_sha256: str
    grader: str
    grader_digest: str
    rubric: str
    method: Method
    space: Space = Field(default="five", exclude_if=lambda space: space == "five")
    verdict: Label | None = None
    status: WithoutVerdict | None = None
    reason: str | None = None
    score: float | None = Field(default=None, allow_inf_nan=False)
    judge: Judge | None = None
    probabilities: dict[Verdict, Annotated[float, Field(ge=0, le=1)]] | None = None
    inferred_instruction: str | None = None
    backward_f1: float | None = Field(default=None, ge=0, le=1)
    raw: str | None = None
    rationale: str | None = None
    repeat: int = Field(default=0, ge=0)
    prompt_tokens: int | None = Field(default=None, ge=0)
    completion_tokens: int | None = Field(default=None, ge=0)
    options: Options = Options()
    started: str | None = None
    duration_s: float | None = Field(default=None, ge=0)
    software: str
    shard: Annotated[str, AfterValidator(lambda text: str(read_shard(text)))] | None = None
    supersedes: Supersedes | None = None

    @property
    def identity(self) -> Identity:
        """Who gave it."""
        how = self.options
        sampled = (how.quantization, how.answer_schema, how.temperature, how.seed)
        return _identity(self.grader, self.grader_digest, self.rubric, self.method, sampled)

    @property
    def label(self) -> str:
        """Its verdict, or else the name of its status."""
        return str(self.verdict or self.status)

    @model_validator(mode="after")
    def _verdict_or_status(self) -> Self:
        if (self.verdict is None) == (self.status is None):
            raise ValueError("verdict: a record must have either a verdict or a status")
        if self.verdict is not None and self.verdict not in classes(self.space):
            raise ValueError(f"verdict: must be one of {', '.join(classes(self.space))} (space {self.space})")
        if self.status is not None and not self.reason:
            raise ValueError("reason: a status needs one")
        return self


@lru_cache(maxsize=256)
def _identity(
    name: str,
    digest: str,
    rubric: str,
    method: Method,
    sampled: tuple[str | None, str | None, float | None, int | None],
) -> Identity:
    """Return an identity; the records of one grader share it."""
    quantization, schema, temperature, seed = sampled
    return Identity(name, digest, quantization, rubric, schema, temperature, seed, method)


class VerdictRow(BaseModel):
    """The fields that a row of any file of verdicts needs to be counted; others are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    CALLED: ClassVar = "verdicts (rows with grader, and verdict or status; Parquet is read too)"

    space: Space | None = None
    verdict: Label | None = None
    status: WithoutVerdict | None = None
    repeat: int | None = Field(default=None, ge=0)
    format_version: object = None

    @model_validator(mode="after")
    def _known_format(self) -> Self:
        if newer({FIELD: self.format_version}) is not None:
            raise ValueError(f"{FIELD}: of a newer version")
        return self

    @model_validator(mode="after")
    def _one_outcome(self) -> Self:
        if (self.verdict is None) == (self.status is None):
            raise ValueError("verdict: a row must have either a verdict or a status")
        allowed = classes(self.space or "five")
        if self.verdict is not None and self.verdict not in allowed:
            raise ValueError(f"verdict: must be one of {', '.join(allowed)} (space {self.space or 'five'})")
        return self


@dataclass(frozen=True)
class GraderSetup:
    """A grader as a campaign runs it: its identity, and what else is recorded.

    Context size, concurrency, threads and software belong neither to the identity nor to a record's key. Only
    a judge that somebody else ran answers in another label space than `five`.
    """

    identity: Identity
    num_ctx: int | None
    concurrency: int
    software: str
    space: Space = "five"
    threads: int | None = None

    @property
    def is_local(self) -> bool:
        """Whether the model runs in this process, where other work slows it down."""
        return "xllamacpp" in self.software

    @property
    def options(self) -> Options:
        """What each record says about how the grader was run."""
        return Options(
            temperature=self.identity.temperature,
            seed=self.identity.seed,
            num_ctx=self.num_ctx,
            concurrency=self.concurrency,
            threads=self.threads,
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
    """Return the spec of a grader, from the software in its records; PATH and BASE_URL are not recorded."""
    if "xllamacpp" in software:
        return f"embedded:{grader}" if grader in MODELS else "gguf:PATH"
    if "openai" in software:
        return f"openai:{grader}@BASE_URL"
    return f"ollama:{grader}" if "ollama" in software else grader


def grade_command(spec: str, rubric: str | None, *, traces: str, ledger: str) -> list[str]:
    """Return the words of the command by which a grader of this spec and rubric id grades traces."""
    words = ["ff", "grade", "--traces", traces, "--grader", spec, "--ledger", ledger]
    asked = spec_of_rubric(rubric or "")
    return words + (["--rubric", asked] if asked not in ("", "flip-reference") else [])


@dataclass(frozen=True)
class Outcome:
    """One verdict, or one status with its reason; `setup` says how it was given, where workers differ."""

    verdict: Label | None = None
    status: WithoutVerdict | None = None
    reason: str | None = None
    score: float | None = None
    judge: Judge | None = None
    rationale: str | None = None
    probabilities: dict[Verdict, float] | None = None
    inferred_instruction: str | None = None
    backward_f1: float | None = None
    raw: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    started: str | None = None
    duration_s: float | None = None
    setup: GraderSetup | None = None


NOT_GRADEABLE: Final = Outcome(status="not_gradeable", reason="the response is empty or missing")


def ungradeable(trace: Trace) -> Outcome | None:
    """Return the outcome of a row that nobody can grade, so that no grader is asked; None for others."""
    return None if trace.fault is None else Outcome(status=trace.fault, reason=trace.why_fault)


class Grader(Protocol):
    """Anything that turns a trace into a verdict; `is_model` graders get a second pass."""

    setup: GraderSetup
    """What the grader is and how it runs; final after `fit`."""
    is_model: bool
    """Whether a repeated grading may differ."""
    slots: int
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


def to_record(
    setup: GraderSetup, trace: Trace, outcome: Outcome, repeat: int, *, shard: Shard | None = None
) -> Record:
    """Return the ledger line of an outcome; no text of a withheld trace is kept."""
    kept = {field.name: getattr(outcome, field.name) for field in fields(outcome)}
    setup = kept.pop("setup") or setup
    who = setup.identity
    for text in ("raw", "inferred_instruction", "rationale"):
        kept[text] = None if trace.withheld else _storable(kept[text])
    return Record(
        key=record_key(who, trace, repeat),
        trace_id=trace.trace_id,
        response_sha256=trace.response_sha256,
        grader=who.name,
        grader_digest=who.digest,
        rubric=who.rubric,
        method=who.method,
        space=setup.space,
        repeat=repeat,
        options=setup.options,
        software=setup.software,
        shard=None if shard is None else str(shard),
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
