"""What is in a ledger, as terminal text: each grader's rows, and what its cards say."""

import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ff_helpers.cli.text import shown
from ff_helpers.grading.inventory import GraderRows, LedgerSummary
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.measurement.standing import Standing
from ff_helpers.terms import Identity

_REASONS: Final = 3
"""How many reasons of one status, or of one gate, are printed; the rest are counted."""


@dataclass
class Notes:
    """What the counts of a grader leave out: why rows have no verdict, and how to run it again."""

    reasons: dict[Identity, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    software: dict[Identity, str] = field(default_factory=dict)


def read_notes(ledger: Path) -> Notes:
    """Return the reasons of the rows of the first pass that have a status now, and the graders' software."""
    notes = Notes()
    failing: dict[tuple[str, str], tuple[Identity, str, str]] = {}
    for record in read_ledger(ledger):
        notes.software[record.identity] = record.software
        failing.pop((record.key, record.trace_id), None)
        if record.supersedes is not None:
            failing.pop((record.supersedes.key, record.trace_id), None)
        if record.status is not None and record.repeat == 0:
            found = (record.identity, record.status, record.reason or "")
            failing[record.key, record.trace_id] = found
    for grader, status, reason in failing.values():
        notes.reasons[grader][status, reason] += 1
    return notes


def grader_text(rows: GraderRows, name: str, found: Standing, notes: Notes) -> str:
    """Return the rows of one grader: labels, statuses with reasons, and its measured accuracy."""
    who = rows.identity
    counted = {**rows.verdicts, "no verdict": sum(rows.statuses.values())}
    width = max(map(len, counted))
    lines = [f"{name} (digest {who.short_digest}; rubric {who.rubric})"]
    for label, n in sorted(rows.verdicts.items(), key=lambda item: -item[1]):
        lines.append(f"  {label:<{width}} {n:>7}")
    lines.append(f"  {'no verdict':<{width}} {counted['no verdict']:>7}")
    lines += [f"    {line}" for line in _statuses(rows, notes.reasons[who])]
    again = {repeat: n for repeat, n in rows.repeats.items() if repeat}
    if again:
        lines.append("  graded again: " + ", ".join(f"{n} rows in pass {r + 1}" for r, n in again.items()))
    if len(rows.conditions) > 1:
        made = "; ".join(f"context {ctx}, {n} in flight" for ctx, n in rows.conditions)
        lines.append(f"  made under more than one condition: {made}")
    return "\n".join([*lines, *(f"  {line}" for line in _measured(found, rows))])


def written_text(held: LedgerSummary) -> str:
    """Return what is in the file, in one line, and a second line where its end is torn."""
    if not held.records:
        return f"{shown(held.path)}: an empty file: a ledger without verdicts so far"
    parts = [f"{held.records} records"]
    parts += [f"{n} {what}" for what, n in _oddities(held) if n]
    lines = [f"{shown(held.path)}: {', '.join(parts)}"]
    if held.torn:
        lines.append(f"a torn last line of {held.torn} bytes (a crash): the next `ff grade` sets it aside")
    return "\n".join(lines)


def missing_text(rows: GraderRows, traces: int) -> str:
    """Return how many traces of the file have no valid row, and the first of them."""
    if not rows.missing:
        return f"all {traces} traces are graded"
    first = ", ".join(rows.first_missing)
    more = ", ..." if rows.missing > len(rows.first_missing) else ""
    return f"{rows.missing} of {traces} traces are missing: {first}{more}"


def command(rows: GraderRows, notes: Notes, traces: Path, ledger: Path) -> str:
    """Return the command that grades what is missing; the spec follows from the software recorded."""
    from ff_helpers.grading.outcome import spec_of

    spec = spec_of(rows.identity.name, notes.software[rows.identity])
    words = ["ff", "grade", "--traces", shown(traces), "--grader", spec, "--ledger", shown(ledger)]
    name = (rows.identity.rubric or "").partition("@")[0]
    return shlex.join(words + (["--rubric", name] if name == "flip-blind" else []))


def _statuses(rows: GraderRows, reasons: "Counter[tuple[str, str]]") -> Iterable[str]:
    for status, n in sorted(rows.statuses.items(), key=lambda item: -item[1]):
        why = Counter({reason: k for (name, reason), k in reasons.items() if name == status})
        yield f"{status} {n}"
        top = why.most_common(_REASONS)
        yield from (f"  {k} x {reason}" for reason, k in top)
        rest = why.total() - sum(k for _, k in top)
        if rest:
            yield f"  {rest} for other reasons"


def _measured(found: Standing, rows: GraderRows) -> Iterable[str]:
    """Say how often the grader is right; every count of verdicts is printed with it."""
    if rows.identity.method == "manual":
        yield "graded by a person: see the agreement of graders"
        return
    for card in found.expired:
        yield f"expired after {card.last_day}, no longer counts: {card.sentence()}"
    if not found.cards:
        yield f"accuracy: {'no card that counts' if found.expired else 'never measured'}; uncalibrated"
    for card in found.cards:
        yield f"{card.sentence()}; {card.gate.state}"
        yield from (f"  - {reason}" for reason in card.gate.reasons[:_REASONS])
        if len(card.gate.reasons) > _REASONS:
            yield f"  - and {len(card.gate.reasons) - _REASONS} more reasons, on the card"


def _oddities(held: LedgerSummary) -> list[tuple[str, int]]:
    return [
        ("duplicates (same trace, grader and repeat; same answer)", held.duplicates),
        ("conflicting duplicates (another answer; the later one counts)", held.conflicting),
        ("failed requests that a later record replaced", held.retried),
        ("superseded by corrections", held.superseded),
        ("of traces not in the file", held.elsewhere or 0),
    ]
