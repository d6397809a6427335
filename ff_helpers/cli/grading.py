"""`ff grade` and `ff ledger`: verdicts into a ledger, and what a ledger holds."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ff_helpers.cli.options import add_asking, add_cards, add_command, add_rubric, count, grader_spec
from ff_helpers.errors import FFError

if TYPE_CHECKING:
    from ff_helpers.cli.options import Commands
    from ff_helpers.terms import Identity


class SameFileError(FFError):
    """The ledger is to be written over the traces."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is both --traces and --ledger. Name another file with --ledger.")


def add_grading(commands: "Commands") -> None:
    """Add the commands of this module to the parser."""
    grade = add_command(
        commands,
        "grade",
        _grade,
        line="grade a trace file with a calibrated grader into a ledger",
        about="Grade the traces of a file, one verdict or status each, into an append-only ledger. What the "
        "ledger holds already is not graded again, so an interrupted grading goes on where it stopped. A "
        "grader that is uncalibrated or rejected may grade only traces that carry truth. Exit code 0: done; "
        "1: some rows failed at the server, run the same command again; 2: something to mend first.",
        example="ff grade --traces traces.jsonl --grader ollama:qwen3:1.7b --ledger verdicts.jsonl",
    )
    grade.add_argument("--traces", required=True, type=Path, metavar="FILE", help="the traces, JSONL")
    grade.add_argument(
        "--grader",
        required=True,
        type=grader_spec,
        metavar="SPEC",
        help="embedded:MODEL, ollama:TAG, openai:MODEL@BASE_URL, heuristic or recorded:LEDGER",
    )
    grade.add_argument(
        "--ledger", required=True, type=Path, metavar="FILE", help="where verdicts go; made if missing"
    )
    grade.add_argument(
        "--limit", type=count, metavar="N", help="only the first N traces of the file (default: all)"
    )
    grade.add_argument(
        "--repeats",
        type=count,
        default=1,
        metavar="N",
        help="how often a model grades each trace (default: %(default)s)",
    )
    add_rubric(grade)
    add_cards(grade)
    add_asking(grade)
    grade.set_defaults(
        interrupted="What was graded is in the ledger: run the same command again and it goes on from there.",
        elsewhere="Make room there or name another place with --ledger, then run the command again.",
    )

    ledger = add_command(
        commands,
        "ledger",
        _ledger,
        line="what is in a ledger, what is missing, duplicates",
        about="Print what a ledger holds: verdicts and statuses with their reasons by grader, repeats, "
        "duplicates and corrections; and, beside a trace file, what is still missing.",
        example="ff ledger verdicts.jsonl --traces traces.jsonl",
    )
    ledger.add_argument("ledger", type=Path, metavar="FILE", help="a ledger")
    ledger.add_argument(
        "--traces", type=Path, metavar="FILE", help="the traces that it should hold (default: not compared)"
    )
    add_cards(ledger)


def _grade(options: argparse.Namespace) -> int:
    from ff_helpers.grading.ledger import RETRIED
    from ff_helpers.grading.stream import grade_file
    from ff_helpers.measurement.admission import by_cards

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
    rate = f" ({done.graded / done.seconds:.1f} a second)" if done.seconds >= 1 else ""
    before = f"; {done.already} were in the ledger before" if done.already else ""
    without = sum(done.statuses.values())
    verdicts = f"{done.graded - without} verdicts, {without} rows without"
    print(f"{verdicts} in {done.seconds:.1f} s{rate}{before}\n")
    _tell(options, only=done.identity)
    failed = sum(done.statuses.get(status, 0) for status in RETRIED)
    if failed:
        print(f"\n{failed} rows failed at the server: run the same command again to grade them.")
    return int(failed > 0)


def _ledger(options: argparse.Namespace) -> int:
    _tell(options)
    return 0


def _tell(options: argparse.Namespace, *, only: "Identity | None" = None) -> None:
    """Print what the ledger holds, of one grader or of all."""
    from ff_helpers.cli import ledgers
    from ff_helpers.grading.identities import shown_names
    from ff_helpers.grading.inventory import ledger_summary
    from ff_helpers.measurement.standing import saved_cards, standing

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
            print(f"  go on: {ledgers.command(rows, notes, options.traces, options.ledger)}")


def _no_other_file(ledger: Path, traces: Path) -> None:
    """Refuse a file that is no ledger before anything could be written to it."""
    from ff_helpers.grading.ledger import read_ledger

    if ledger.exists() and traces.exists() and ledger.samefile(traces):
        raise SameFileError(ledger)
    if ledger.exists():
        next(read_ledger(ledger), None)
