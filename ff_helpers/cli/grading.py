"""`ff grade` and `ff ledger`: verdicts into a ledger, and what is in a ledger."""

import argparse
import sys
from pathlib import Path

from ff_helpers.cli import ledgers
from ff_helpers.errors import FFError
from ff_helpers.grading.identities import shown_names
from ff_helpers.grading.inventory import ledger_summary
from ff_helpers.grading.ledger import RETRIED, read_ledger
from ff_helpers.grading.stream import grade_file
from ff_helpers.measurement.standing import by_cards, saved_cards, standing
from ff_helpers.terms import Identity


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
    notes = ledgers.read_notes(options.ledger)
    print(ledgers.written_text(held))
    names, cards = shown_names(rows.identity for rows in held.graders), saved_cards(options.cards)
    for rows in held.graders:
        if only is not None and rows.identity != only:
            continue
        found = standing(rows.identity, cards)
        print(f"\n{ledgers.grader_text(rows, names[rows.identity], found, notes)}")
        if held.traces is None:
            continue
        print(f"  {ledgers.missing_text(rows, held.traces)}")
        if rows.missing and only is None:
            print(f"  continue: {ledgers.command(rows, notes, options.traces, options.ledger)}")


def _no_other_file(ledger: Path, traces: Path) -> None:
    """Refuse a file other than a ledger before a grader is opened; the ledger itself checks every line."""
    if ledger.exists() and traces.exists() and ledger.samefile(traces):
        raise FFError(f"{ledger} is both --traces and --ledger. Name another file with --ledger.")
    if ledger.exists():
        next(read_ledger(ledger), None)
