"""The neutral row between a tool's file and our traces, verdicts and labels.

One row is one response of a target, with everything that judges and people said of it. What the target did
wrong is a status of the row; what a judge did wrong is a status of its judgement.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ff_helpers.corpus.traces import Message
from ff_helpers.terms import RowStatus, Space, Status


@dataclass(frozen=True)
class Edit:
    """An earlier label of a judgement that a person changed, with what the file says about the change."""

    label: str | None
    author: str
    reason: str


@dataclass(frozen=True)
class Judgement:
    """What one judge said of one response.

    Attributes:
        judge: its name in the file; a threshold on a score belongs to it (`strong_reject>=0.5`).
        space: the label space that its labels decide.
        label: one of `terms.classes(space)`; None where there is a status.
        status, reason: why the label is missing.
        model, version: what the file says of the judge; None where it does not.
        score: before a threshold made a label of it.
        rationale: the judge's own words.
        started: ISO 8601, if the file says when.
        edits: earlier labels, the oldest first.
    """

    judge: str
    space: Space
    label: str | None = None
    status: Status | None = None
    reason: str | None = None
    model: str | None = None
    version: str | None = None
    score: float | None = None
    rationale: str | None = None
    started: str | None = None
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True)
class Label:
    """What one person said of one response; `label` is one of `terms.classes(space)`, None: no opinion."""

    annotator: str
    space: Space
    label: str | None


@dataclass(frozen=True)
class Row:
    """One response of a target.

    Attributes:
        record: where in the file it is, for errors: `line 12`, `samples/3_epoch_1.json`.
        trace_id: unique in the file.
        scenario_id: what repeats (epochs, generations, completions) share.
        run: which repeat.
        model: the target, as the file names it; None where it does not.
        messages: the conversation, its last assistant turn the response; other turns keep their role.
        status, reason: what the target did wrong; `truncated` rows are gradeable.
        tags: attack, category, dataset, split and whatever else can be counted by; plain text.
        judgements, labels: of judges and of people.
        temperature, seed: how the target was sampled, where the file says it.
        refers: it holds no conversation: its labels are of the trace that has its id.
    """

    record: str
    trace_id: str
    messages: tuple[Message, ...]
    scenario_id: str | None = None
    run: str | None = None
    model: str | None = None
    status: RowStatus | None = None
    reason: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    judgements: tuple[Judgement, ...] = ()
    labels: tuple[Label, ...] = ()
    temperature: float | None = None
    seed: int | None = None
    refers: bool = False


@dataclass(frozen=True)
class Source:
    """What wrote a file: the tool, its version as the file tells it, and in which direction it is read.

    Attributes:
        tool: as in READERS.
        version: of the tool or its format; None where the file does not tell.
        direction: one sentence: which value of which field is the attack's success.
        total: how many rows there are, if that is known before reading; for progress.
        notes: what a user should know of such files, such as a fault of that version.
        run: the tool's own id of the run; a file that holds a part of it is known by that (`PartError`).
    """

    tool: str
    version: str | None
    direction: str
    total: int | None = None
    notes: tuple[str, ...] = ()
    run: str | None = None
