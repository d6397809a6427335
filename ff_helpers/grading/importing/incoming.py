"""One row of a reader as ours: the trace, what people's labels come to, and the records of its judges."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, cast

from pydantic import ValidationError

from ff_helpers.corpus.results.rows import Judgement, Label, Row
from ff_helpers.corpus.traces import UNNAMED, Annotation, Generation, Message, Sampling, Trace, majority
from ff_helpers.errors import FFError, is_name, named
from ff_helpers.grading.external import NOT_TOLD, Said, external_record
from ff_helpers.grading.outcome import Judge, Record, Supersedes
from ff_helpers.terms import SPACES, Space
from ff_helpers.terms import Label as Class

CENSUS: Final = Sampling(kind="census")
_BEFORE: Final = "the file holds no label from before it was changed"


class BadRowError(FFError):
    """A row that cannot become a trace, a record or a label; nothing of the import is written."""

    def __init__(self, path: Path, record: str, field: str, problem: str) -> None:
        place = ": ".join([str(path), named(record), *([field] if field else [])])
        super().__init__(f"{place}: {problem}. Nothing was written.")


@dataclass(frozen=True)
class Opinion:
    """What several people's labels of one row come to.

    Attributes:
        space: the finest space in which anybody labelled it.
        votes: how many people gave a label in it.
        agree: whether all of them gave the same one.
        truth: the label that more than half gave; None: there is none.
    """

    space: Space
    votes: int
    agree: bool
    truth: str | None


def opinion(labels: "tuple[Label, ...] | tuple[Annotation, ...]") -> Opinion | None:
    """Return what the labels come to; None where nobody gave one."""
    if not labels:
        return None
    if len(labels) == 1:
        (one,) = labels
        return None if one.label is None else Opinion(one.space, 1, True, one.label)
    for space in SPACES:
        votes = [one.label for one in labels if one.space == space and one.label is not None]
        if votes:
            return Opinion(space, len(votes), len(set(votes)) == 1, majority(votes))
    return None


def trace_of(row: Row, said: Opinion | None, *, path: Path, tool: str, trace_id: str) -> Trace:
    """Return the trace of a row, its truth what more than half of its annotators say.

    Args:
        row: what the reader found.
        said: what its labels come to.
        path: its file, for errors and as the trace's source.
        tool: what wrote the file.
        trace_id: the row's id, or with a prefix where another row has that one.

    Raises:
        BadRowError: a field that no trace can have.
    """
    truth = said and said.truth
    cut = False if row.status == "truncated" else None
    told = {"temperature": row.temperature, "seed": row.seed, "complete": cut}
    try:
        return Trace(
            trace_id=storable(trace_id),
            scenario_id=row.scenario_id and storable(row.scenario_id),
            run=row.run and storable(row.run),
            model=storable(row.model) if row.model else UNNAMED,
            source=storable(f"{tool}/{path.name}"),
            messages=tuple(_message(one) for one in row.messages),
            truth=truth,
            truth_space=said.space if said and truth else None,
            sampling=CENSUS if truth else None,
            generation=Generation(**told) if any(value is not None for value in told.values()) else None,
            row_status=row.status,
            row_reason=storable(row.reason) if row.reason and row.status else None,
            tags={storable(name): storable(value) for name, value in row.tags.items()},
            annotations=tuple(annotation(one) for one in row.labels),
        )
    except ValidationError as error:
        raise _bad(path, row.record, error) from None


def records_of(judgement: Judgement, trace: Trace, *, path: Path, record: str) -> list[Record]:
    """Return the records of one judgement: its earlier labels first, each superseded by the next.

    Raises:
        BadRowError: a judgement that no record can hold.
    """
    judge = judge_of(judgement)
    name, space = storable(judgement.judge), judgement.space
    last = Said(
        label=cast("Class | None", judgement.label),
        status=judgement.status,
        reason=judgement.reason and storable(judgement.reason),
        score=judgement.score,
        rationale=judgement.rationale and storable(judgement.rationale),
        started=judgement.started,
    )
    found: list[Record] = []
    why: Supersedes | None = None
    try:
        for edit in judgement.edits:
            label = cast("Class | None", edit.label)
            said = Said(label=label) if label else Said(status="unparsable", reason=_BEFORE)
            found.append(external_record(name, space, trace, said, judge=judge, supersedes=why))
            author, reason = storable(edit.author) or NOT_TOLD, storable(edit.reason) or NOT_TOLD
            why = Supersedes(key=found[-1].key, author=author, reason=reason)
        found.append(external_record(name, space, trace, last, judge=judge, supersedes=why))
    except ValidationError as error:
        raise _bad(path, record, error, judgement.judge) from None
    return found


def judge_of(judgement: Judgement) -> Judge | None:
    """Return what the file says of a judge; None where it says nothing."""
    if judgement.model is None and judgement.version is None:
        return None
    return Judge(model=judgement.model, version=judgement.version)


def storable(text: str) -> str:
    """Return a text that UTF-8 can encode: half characters are escaped."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@lru_cache(maxsize=256)
def annotation(said: Label) -> Annotation:
    """Return a label as the trace keeps it."""
    return Annotation(annotator=storable(said.annotator), space=said.space, label=said.label)


def _message(message: Message) -> Message:
    text = storable(message.content)
    return message if text is message.content else message.model_copy(update={"content": text})


def _bad(path: Path, record: str, error: ValidationError, judge: str = "") -> BadRowError:
    """Return the error about a field, without its value."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    parts = [text if is_name(text := str(part)) else "(unnamed field)" for part in first["loc"]]
    field, problem = ".".join(parts), first["msg"].removeprefix("Value error, ")
    if not field and ": " in problem:
        field, problem = problem.split(": ", 1)
    return BadRowError(path, record, f"judge {named(judge)}, {field}" if judge else field, problem)
