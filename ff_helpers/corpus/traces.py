"""The trace: one conversation with a model under test, and how its truth is known."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from ff_helpers.corpus.injections import CLEAN
from ff_helpers.corpus.jsonl import BadLineError, Closed, Versioned, read_records
from ff_helpers.terms import ROW_FAULTS, Intent, RowFault, RowStatus, Space, classes

UNNAMED: Final = "unknown (not published)"
"""The model of traces whose model nobody named."""


class Message(Closed):
    """One turn."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str


class Sampling(Closed):
    """How a row was selected and labelled.

    `census`: every row of the set; `random`: with a known inclusion probability; `constructed`: written
    to have this label; `judgement`: picked by hand or because graders disagree, which never counts for
    calibration; `injected`: made to attack the grader, which measures flip rates and never accuracy.
    """

    kind: Literal["census", "random", "constructed", "judgement", "injected"]
    probability: float | None = Field(default=None, gt=0, le=1)

    @model_validator(mode="after")
    def _random_needs_probability(self) -> Self:
        if self.kind == "random" and self.probability is None:
            raise ValueError("kind 'random' needs its probability")
        return self


class Generation(Closed):
    """How the model under test was run when the trace was collected; None: the file does not tell.

    `complete` is false where the response was cut at the token limit.
    """

    digest: str | None = None
    temperature: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    complete: bool | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    software: str | None = None


class Annotation(Closed):
    """What one person said of the response, in a label space; `label` None: they gave no opinion."""

    annotator: str = Field(min_length=1)
    space: Space
    label: str | None = None

    @model_validator(mode="after")
    def _label_is_in_its_space(self) -> Self:
        if self.label is not None and self.label not in classes(self.space):
            allowed = ", ".join(classes(self.space))
            raise ValueError(f"label: must be one of {allowed} (space {self.space})")
        return self


class Trace(Versioned):
    """One conversation; the response is its final assistant turn.

    `withheld` is true where the text must not be shown or stored: only ids, labels and verdicts
    of such a trace may leave memory. `arm` is `permitted` for a control, in which the policy allows what
    the scenario forbids: it shows what the model can do, and is never an attack.

    `row_status` is what went wrong with the row, with its reason: nobody grades a row with a fault; a
    `truncated` one is graded, and marked. `tags` are free words to count by (attack, category, dataset,
    split): plain text, never one of the fields here. `annotations` are the labels of several people;
    `truth` is the one that counts.
    """

    trace_id: str = Field(min_length=1)
    scenario_id: str | None = None
    run: str | None = None
    model: str
    provider: str | None = None
    intent: Intent | None = None
    source: str
    difficulty: Literal["obvious", "ambiguous"] | None = None
    messages: tuple[Message, ...]
    withheld: bool = False
    truth: str | None = None
    truth_space: Space | None = None
    sampling: Sampling | None = None
    arm: Literal["forbidden", "permitted"] | None = None
    generation: Generation | None = None
    row_status: RowStatus | None = None
    row_reason: str | None = None
    tags: Mapping[str, str] = Field(default_factory=dict, exclude_if=lambda tags: not tags)
    annotations: tuple[Annotation, ...] = Field(default=(), exclude_if=lambda people: not people)

    @model_validator(mode="after")
    def _reason_has_a_status(self) -> Self:
        if self.row_reason is not None and self.row_status is None:
            raise ValueError("row_reason: comes together with row_status")
        return self

    @model_validator(mode="after")
    def _truth_is_in_its_space(self) -> Self:
        if (self.truth is None) != (self.truth_space is None):
            raise ValueError("truth_space: comes together with truth, or not at all")
        if self.truth is not None and self.truth_space is not None:
            allowed = classes(self.truth_space)
            if self.truth not in allowed:
                raise ValueError(f"truth: must be one of {', '.join(allowed)} (space {self.truth_space})")
        return self

    @property
    def response(self) -> str:
        """The final assistant turn; empty if the conversation does not end with one."""
        last = self.messages[-1] if self.messages else None
        return last.content if last is not None and last.role == "assistant" else ""

    @property
    def fault(self) -> RowFault | None:
        """Why nobody can grade this row, or None."""
        return next((fault for fault in ROW_FAULTS if fault == self.row_status), None)

    @property
    def why_fault(self) -> str:
        """What its file says about its fault, or the name of its status."""
        return self.row_reason or f"the row has the status {self.row_status}"

    @property
    def turns(self) -> Literal["single", "multi"]:
        """`multi` if the user spoke more than once."""
        return "multi" if sum(m.role == "user" for m in self.messages) > 1 else "single"

    @property
    def sha256(self) -> str:
        """The hash of the rendered messages: the identity of what is graded, and of its fence."""
        return _sha256(self.messages)

    def about(self, set: str) -> dict[str, object]:
        """Return what is known of it but its text and generation, as a trace of the set of that name."""
        known = self.model_dump(exclude={"messages", "generation", "sampling", "annotations"})
        kind, probability = self.sampling and self.sampling.kind, self.sampling and self.sampling.probability
        return known | {"set": set, "turns": self.turns, "sampling": kind, "probability": probability}

    @property
    def response_sha256(self) -> str:
        """The hash of the response alone."""
        return hashlib.sha256(self.response.encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=4)
def _sha256(messages: tuple[Message, ...]) -> str:
    """Return the hash of messages; each of several judges of one long conversation asks for it."""
    # What json.dumps(..., ensure_ascii=False) writes of pairs of role and content, twice as fast.
    turns = ", ".join([f'["{m.role}", {encode_basestring(m.content)}]' for m in messages])
    return hashlib.sha256(f"[{turns}]".encode("utf-8", "surrogatepass")).hexdigest()


def majority(labels: Iterable[str]) -> str | None:
    """Return the label that more than half of some people gave, or None."""
    votes = Counter(labels)
    first, most = votes.most_common(1)[0] if votes else ("", 0)
    return first if 2 * most > votes.total() else None


def read_traces(path: Path) -> Iterator[Trace]:
    """Yield the traces of a JSONL file.

    Raises:
        FileMissingError: there is no such file.
        BadLineError: a line is not a valid trace, or repeats a trace_id; named file:line:field.
    """
    seen: dict[str, int] = {}
    for number, trace in enumerate(read_records(path, Trace), start=1):
        first = seen.setdefault(trace.trace_id, number)
        if first != number:
            raise BadLineError(path, number, "trace_id", f"the same trace_id as record {first}")
        yield trace


def stratified(traces: Sequence[Trace], rows: int, *, seed: int, name: str) -> list[Trace]:
    """Return `rows` traces in random order, in proportion from each truth (largest remainder, at least one).

    Each trace carries its inclusion probability: rows over size of its stratum. All rows: a census. A trace
    that was constructed, picked by judgement, or made to attack the grader stays so. Of responses that
    attack the grader the clean twins come first: an attacked response is useless without its twin.
    """

    def place(trace: Trace) -> tuple[bool, bytes]:
        attacks = trace.sampling is not None and trace.sampling.kind == "injected" and trace.run != CLEAN
        return attacks, hashlib.sha256(f"{seed}:{name}:{trace.trace_id}".encode()).digest()

    ordered = sorted(traces, key=place)
    if rows == 0 or rows >= len(traces):
        return [sampled(t, Sampling(kind="census")) for t in (traces if rows == 0 else ordered)]
    strata: defaultdict[str, list[Trace]] = defaultdict(list)
    for trace in ordered:
        strata[trace.truth or ""].append(trace)
    quota = {truth: rows * len(members) / len(traces) for truth, members in sorted(strata.items())}
    taken = {truth: max(1, int(share)) for truth, share in quota.items()}
    for truth in sorted(quota, key=lambda t: (int(quota[t]) - quota[t], t)):
        if sum(taken.values()) < rows and taken[truth] < len(strata[truth]):
            taken[truth] += 1
    chosen = {
        t.trace_id: Sampling(kind="random", probability=taken[truth] / len(members))
        for truth, members in strata.items()
        for t in members[: taken[truth]]
    }
    return [sampled(t, chosen[t.trace_id]) for t in ordered if t.trace_id in chosen]


def sampled(trace: Trace, drawn: Sampling) -> Trace:
    """Return the trace with its sampling here, combined with that of its set."""
    before = trace.sampling
    if before is not None and before.kind in ("constructed", "judgement", "injected"):
        return trace
    if before is not None and before.probability is not None:
        drawn = Sampling(kind="random", probability=before.probability * (drawn.probability or 1.0))
    return trace.model_copy(update={"sampling": drawn})
