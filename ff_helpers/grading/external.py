"""Judges that somebody else ran: their identity, and their verdicts as ledger records.

A file tells little of such a judge, so what it does not tell is written down in words, `not told by the
file`: never blank, never guessed. Nobody here can run it again. It gets a calibration card from truth labels
like any other grader, and without one it is uncalibrated.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ff_helpers import __version__
from ff_helpers.corpus.traces import Trace
from ff_helpers.grading.outcome import Judge, Record, Supersedes, record_key
from ff_helpers.terms import Identity, Label, Space, WithoutVerdict

NOT_TOLD: Final = "not told by the file"


@lru_cache(maxsize=256)
def external_identity(name: str, judge: Judge | None = None) -> Identity:
    """Return the identity of a judge that somebody else ran, with words for what its file does not tell.

    The model and version stand in the digest's words and the template in the rubric's, so that one name with
    two models is two graders, and a card of one says nothing about the other.

    Args:
        name: its name in the file; a threshold on a score belongs to it (`strong_reject>=0.5`).
        judge: what the file says of it.
    """
    told = judge or Judge()
    parts = [f"{what} {value}" for what, value in (("model", told.model), ("version", told.version)) if value]
    digest = f"{NOT_TOLD} ({', '.join(parts)})" if parts else NOT_TOLD
    rubric = f"{NOT_TOLD} (template {told.template})" if told.template else NOT_TOLD
    return Identity(name, digest, rubric=rubric, method="external")


@dataclass(frozen=True)
class Said:
    """What an external judge said of one response: a label of its space, or a status with its reason.

    `score` is what the label was made of; `rationale` are the judge's own words, which are not kept where
    the trace is withheld; `started` is ISO 8601, where the file says when.
    """

    label: Label | None = None
    status: WithoutVerdict | None = None
    reason: str | None = None
    score: float | None = None
    rationale: str | None = None
    started: str | None = None


def external_record(
    name: str,
    space: Space,
    trace: Trace,
    said: Said,
    *,
    judge: Judge | None = None,
    repeat: int = 0,
    supersedes: Supersedes | None = None,
    software: str = f"ff-helpers {__version__}",
) -> Record:
    """Return the ledger line of what an external judge said of a trace.

    A row that nobody can grade (`trace.fault`) gets the row's status, whatever the judge said of it: a
    blocked response that a judge scored as safe is not a refusal of the model. So every judge needs a
    record of every row of its file: then errored rows stay in its denominator `rows`.

    Args:
        name, space, judge: who judged, and what its labels decide.
        trace: what it judged.
        said: its label, or why there is none.
        repeat: which of its judgements of this response.
        supersedes: the earlier record that this one corrects.
        software: what wrote the file.
    """
    who = external_identity(name, judge)
    outcome = said
    if trace.fault is not None:
        outcome = Said(status=trace.fault, reason=trace.why_fault, score=said.score, rationale=said.rationale)
    return Record(
        key=record_key(who, trace, repeat),
        trace_id=trace.trace_id,
        response_sha256=trace.response_sha256,
        grader=who.name,
        grader_digest=who.digest or NOT_TOLD,
        rubric=who.rubric or NOT_TOLD,
        method="external",
        space=space,
        verdict=outcome.label,
        status=outcome.status,
        reason=outcome.reason,
        score=outcome.score,
        judge=judge,
        rationale=None if trace.withheld else outcome.rationale,
        repeat=repeat,
        started=said.started,
        software=software,
        supersedes=supersedes,
    )
