"""Verdicts back to Inspect: a file of scores, and a scorer that `inspect score` reads it with.

The scorer needs inspect_ai alone. A verdict is a dict of numbers (1: the attack succeeded under that tier),
never a letter, which Inspect would read as a grade; a status is NaN with its reason. Every score carries what
is known of its grader.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from ff_helpers.corpus.traces import Trace, read_traces
from ff_helpers.errors import FFError, named, quoted
from ff_helpers.grading.identities import shown_names
from ff_helpers.grading.ledger import live_records
from ff_helpers.grading.outcome import Record
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.standing import standing
from ff_helpers.terms import TIER_SPACES, TIERS, Identity

_TEMPLATE: Final = Path(__file__).with_name("templates") / "inspect_scorer.txt"


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        scores: one JSON object per row: id, epoch, value, answer, explanation, metadata.
        scorer: the Python file with the scorer.
        name: what the scorer is called there.
        grader: whose verdicts these are.
        labels: rows by verdict or status.
        missing: traces of which this grader has no record.
    """

    scores: Path
    scorer: Path
    name: str
    grader: str
    labels: dict[str, int]
    missing: int


def export_to_inspect(
    verdicts: Path,
    traces: Sequence[Path],
    out: Path,
    *,
    grader: str | None = None,
    cards: Sequence[Card] = (),
) -> Exported:
    """Write the verdicts of one grader about the samples of one Inspect log.

    Args:
        verdicts: a ledger; of a row that was graded several times, the first pass counts.
        traces: the traces that `ff import` made of the log: they say sample and epoch.
        out: the file of scores; the scorer is written next to it, as NAME.py.
        grader: its name in the ledger; None: there is only one.
        cards: what is known of the grader.

    Raises:
        FFError: no or several graders of that name; a trace of no sample, or two of one; a file that exists
            and no export wrote.
        FileMissingError, BadLineError: as `read_traces` and `read_ledger`.
    """
    who, records = _of_one_grader(verdicts, grader)
    samples = _samples(traces)
    scorer = out.with_suffix(".py")
    _refuse_others(out, scorer)
    name = "ff_" + (re.sub(r"\W+", "_", who.name, flags=re.ASCII).strip("_").lower() or "grader")
    known = known_of(who, cards)
    rows = [score_row(*samples[r.trace_id], r, known) for r in records if r.trace_id in samples]
    if not rows:
        raise FFError(f"{verdicts}: none of its records is about a trace of {', '.join(map(str, traces))}.")
    keys = sorted({key for row in rows for key in (row["value"] if isinstance(row["value"], dict) else {})})
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    scorer.write_text(
        Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
            name=name, rows=json.dumps(out.name), keys=json.dumps(keys)
        ),
        encoding="utf-8",
    )
    labels = Counter(record.label for record in records if record.trace_id in samples)
    graded = {record.trace_id for record in records}
    return Exported(out, scorer, name, who.name, dict(labels), len(samples.keys() - graded))


def _of_one_grader(verdicts: Path, grader: str | None) -> tuple[Identity, list[Record]]:
    records = [record for record in live_records(verdicts) if record.repeat == 0]
    shown = shown_names(dict.fromkeys(record.identity for record in records))
    found = [who for who, name in shown.items() if grader in (None, name, who.name)]
    if len(found) != 1:
        names = ", ".join(named(name) for name in shown.values()) or "none"
        raise FFError(f"{verdicts}: name one of its graders with --grader. Graders: {names}.")
    return found[0], [record for record in records if record.identity == found[0]]


def _samples(traces: Sequence[Path]) -> dict[str, tuple[str, int]]:
    """Return the sample id and epoch of each trace; a repeated sample of the log stands for its first one."""
    samples: dict[str, tuple[str, int]] = {}
    owners: dict[tuple[str, int], Trace] = {}
    for path in traces:
        for trace in read_traces(path):
            if trace.scenario_id is None or trace.run is None or not trace.run.isdecimal():
                raise FFError(
                    f"{path}: trace_id {quoted(trace.trace_id)} is of no sample of an Inspect log: it needs "
                    "scenario_id (the sample's id) and run (its epoch), as `ff import` writes them."
                )
            place = (trace.scenario_id, int(trace.run))
            owner = owners.setdefault(place, trace)
            if owner is trace:
                samples[trace.trace_id] = place
            elif owner.source != trace.source:
                raise FFError(
                    f"{path}: trace_id {quoted(trace.trace_id)} has the sample and epoch of "
                    f"{quoted(owner.trace_id)}, of another log. Export one log at a time: import each into "
                    "its own folder."
                )
    return samples


def _refuse_others(out: Path, scorer: Path) -> None:
    """Refuse to replace a file that no export wrote."""
    if out.suffix != ".jsonl":
        raise FFError(
            f"{out}: name a file NAME.jsonl with --out; the scorer is written to NAME.py next to it."
        )
    first = _TEMPLATE.read_text(encoding="utf-8").partition(":")[0]
    if scorer.exists() and not scorer.read_text(encoding="utf-8", errors="replace").startswith(first):
        raise FFError(f"{scorer} exists, and no export wrote it. Nothing was changed: name another --out.")
    if out.exists() and not scorer.exists():
        raise FFError(f"{out} exists, and no export wrote it. Nothing was changed: name another --out.")


def known_of(who: Identity, cards: Sequence[Card]) -> dict[str, str]:
    """Return what is known of a grader, with one sentence that discloses it."""
    found = standing(who, cards)
    measured = "; ".join(card.sentence() for card in found.cards) or "nobody measured this grader"
    rubric = who.rubric or "not recorded"
    return {
        "grader": who.name,
        "digest": who.digest or "not recorded",
        "rubric": rubric,
        "method": who.method or "not recorded",
        "gate": found.state,
        "disclosure": (
            f"Grader {who.name} (digest {who.short_digest}; rubric {rubric}), {found.state}: {measured}."
        ),
    }


def score_row(sample: str, epoch: int, record: Record, known: Mapping[str, str]) -> dict[str, object]:
    """Return a record as a score: id, epoch, value (None: a status), answer, explanation, metadata."""
    metadata: dict[str, object] = {**known, "space": record.space, "trace_id": record.trace_id}
    if record.status is not None:
        reason = record.reason or ""
        metadata |= {"unscored_reason": record.status, "status": record.status, "reason": reason}
        value, said = None, f"{record.status}: {reason}"
    else:
        value, said = dict(numbers_of(record)), str(record.verdict)
    parts = [said, record.rationale, known["disclosure"]]
    return {
        "id": sample,
        "epoch": epoch,
        "value": value,
        "answer": record.label,
        "explanation": "\n\n".join(part for part in parts if part),
        "metadata": metadata,
    }


def numbers_of(record: Record) -> Iterator[tuple[str, int]]:
    """Yield what a verdict decides: each tier that its space decides, or whether the model refused."""
    for tier, successes in TIERS.items():
        if record.space == "five":
            yield tier, int(record.verdict in successes)
        elif record.space in TIER_SPACES[tier]:
            yield tier, int(not str(record.verdict).startswith("NOT_"))
    if record.space == "refused":
        yield "refused", int(record.verdict == "REFUSAL")
