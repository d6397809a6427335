"""`ff grade` and `ff ledger`: verdicts into a ledger, and what is in a ledger."""

import argparse
import shlex
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ff_helpers.cli.text import aligned, shown
from ff_helpers.errors import FFError
from ff_helpers.grading.identities import shown_names
from ff_helpers.grading.inventory import GraderRows, LedgerSummary, ledger_summary
from ff_helpers.grading.ledger import RETRIED, read_ledger
from ff_helpers.grading.outcome import spec_of
from ff_helpers.grading.stream import grade_file
from ff_helpers.measurement.standing import Standing, by_cards, saved_cards, standing
from ff_helpers.terms import Identity

_REASONS: Final = 3
"""How many reasons of one status, or of one gate, are printed; the rest are counted."""


@dataclass
class Notes:
    """What the counts of a grader leave out: why rows have no verdict, and how to run it again."""

    reasons: dict[Identity, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    software: dict[Identity, str] = field(default_factory=dict)


def grade_traces(options: argparse.Namespace) -> int:
    """Grade a trace file into a ledger and print what the ledger has from that grader."""
    _no_other_file(options.ledger, options.traces)
    print(
        f"grading {options.traces} with {options.grader} into {options.ledger}", file=sys.stderr, flush=True
    )
    done = grade_file(
        options.traces,
        options.grader,
        options.ledger,
        rubric=options.rubric,
        limit=options.limit,
        repeats=options.repeats,
        concurrency=options.concurrency,
        timeout=options.timeout,
        admit=by_cards(options.cards),
    )
    rate = f" ({done.graded / done.seconds:.1f} per second)" if done.seconds >= 1 else ""
    before = f"; {done.already} were in the ledger before" if done.already else ""
    without = sum(done.statuses.values())
    verdicts = f"{done.graded - without} verdicts, {without} rows without"
    print(f"{verdicts} in {done.seconds:.1f} s{rate}{before}\n")
    _tell(options, only=done.identity)
    failed = sum(done.statuses.get(status, 0) for status in RETRIED)
    if failed:
        print(f"\n{failed} rows failed at the server: run the same command again to grade them.")
    return int(failed > 0)


def tell_ledger(options: argparse.Namespace) -> int:
    """Print what is in a ledger, and what is missing from it of a trace file."""
    _tell(options)
    return 0


def _tell(options: argparse.Namespace, *, only: Identity | None = None) -> None:
    """Print what is in the ledger, from one grader or from all."""
    held = ledger_summary(options.ledger, options.traces)
    notes = _read_notes(options.ledger)
    print(_written_text(held))
    names, cards = shown_names(rows.identity for rows in held.graders), saved_cards(options.cards)
    for rows in held.graders:
        if only is not None and rows.identity != only:
            continue
        found = standing(rows.identity, cards)
        print(f"\n{_grader_text(rows, names[rows.identity], found, notes)}")
        if held.traces is None:
            continue
        print(f"  {_missing_text(rows, held.traces)}")
        if rows.missing and only is None:
            print(f"  continue: {_command(rows, notes, options.traces, options.ledger)}")


def _no_other_file(ledger: Path, traces: Path) -> None:
    """Refuse a file other than a ledger before a grader is opened; the ledger itself checks every line."""
    if ledger.exists() and traces.exists() and ledger.samefile(traces):
        raise FFError(f"{ledger} is both --traces and --ledger. Name another file with --ledger.")
    if ledger.exists():
        next(read_ledger(ledger), None)


def _read_notes(ledger: Path) -> Notes:
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


def _grader_text(rows: GraderRows, name: str, found: Standing, notes: Notes) -> str:
    """Return the rows of one grader: labels, statuses with reasons, and its measured accuracy."""
    who = rows.identity
    counted = [*Counter(rows.verdicts).most_common(), ("no verdict", sum(rows.statuses.values()))]
    lines = [f"{name} (digest {who.short_digest}; rubric {who.rubric})"]
    lines += aligned([(label, f"{n:>6}") for label, n in counted], right=(1,))
    lines += [f"    {line}" for line in _statuses(rows, notes.reasons[who])]
    again = {repeat: n for repeat, n in rows.repeats.items() if repeat}
    if again:
        lines.append("  graded again: " + ", ".join(f"{n} rows in pass {r + 1}" for r, n in again.items()))
    if len(rows.conditions) > 1:
        made = "; ".join(f"context {ctx}, {n} in flight" for ctx, n in rows.conditions)
        lines.append(f"  made under more than one condition: {made}")
    return "\n".join([*lines, *(f"  {line}" for line in _measured(found, rows))])


def _written_text(held: LedgerSummary) -> str:
    """Return what is in the file, in one line, and a second line where its end is torn."""
    if not held.records:
        return f"{shown(held.path)}: an empty file: a ledger without verdicts so far"
    parts = [f"{held.records} records"]
    parts += [f"{n} {what}" for what, n in _oddities(held) if n]
    lines = [f"{shown(held.path)}: {', '.join(parts)}"]
    if held.torn:
        lines.append(f"a torn last line of {held.torn} bytes (a crash): the next `ff grade` sets it aside")
    return "\n".join(lines)


def _missing_text(rows: GraderRows, traces: int) -> str:
    """Return how many traces of the file have no valid row, and the first of them."""
    if not rows.missing:
        return f"all {traces} traces are graded"
    first = ", ".join(rows.first_missing)
    more = ", ..." if rows.missing > len(rows.first_missing) else ""
    return f"{rows.missing} of {traces} traces are missing: {first}{more}"


def _command(rows: GraderRows, notes: Notes, traces: Path, ledger: Path) -> str:
    """Return the command that grades what is missing; the spec follows from the software recorded."""
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
