"""The verdict record: one line of a ledger."""

from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ff_helpers.corpus.jsonl import Closed
from ff_helpers.terms import Identity, Status, Verdict

Method = Literal["flip-final-turn", "heuristic", "manual"]


class Options(Closed):
    """The grader's settings; part of its identity, except `num_ctx` and `concurrency`.

    `quantization` and `answer_schema` (the hash of the JSON schema) are recorded if known; digest and
    rubric determine them.
    """

    temperature: float | None = None
    seed: int | None = None
    num_ctx: int | None = None
    concurrency: int = 1
    quantization: str | None = None
    answer_schema: str | None = None


class Supersedes(Closed):
    """Which record this one corrects, by whom and why."""

    key: str
    author: str = Field(min_length=1)
    reason: str = Field(min_length=1)


class Record(Closed):
    """One verdict, or one status with its reason. A row has exactly one of the two.

    No text of a withheld trace is stored: `raw` and `inferred_instruction` are None there. `rationale` is
    the person's reason, in their own words.
    """

    CALLED: ClassVar = "a ledger of verdict records"

    key: str
    trace_id: str
    response_sha256: str
    grader: str
    grader_digest: str
    rubric: str
    method: Method
    verdict: Verdict | None = None
    status: Status | None = None
    reason: str | None = None
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
    supersedes: Supersedes | None = None

    @property
    def identity(self) -> Identity:
        """Who gave it."""
        return Identity(
            name=self.grader,
            digest=self.grader_digest,
            quantization=self.options.quantization,
            rubric=self.rubric,
            schema=self.options.answer_schema,
            temperature=self.options.temperature,
            seed=self.options.seed,
            method=self.method,
        )

    @model_validator(mode="after")
    def _verdict_or_status(self) -> Self:
        if (self.verdict is None) == (self.status is None):
            raise ValueError("verdict: a record must have either a verdict or a status")
        if self.status is not None and not self.reason:
            raise ValueError("reason: a status needs one")
        return self


class VerdictRow(BaseModel):
    """The fields that a row of any file of verdicts needs to be counted; others are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    CALLED: ClassVar = "verdicts (rows with grader, and verdict or status; Parquet is read too)"

    verdict: Verdict | None = None
    status: Status | None = None
    repeat: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_outcome(self) -> Self:
        if (self.verdict is None) == (self.status is None):
            raise ValueError("verdict: a row must have either a verdict or a status")
        return self
