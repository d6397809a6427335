"""`ff grade` and `ff ledger`: verdicts into a ledger, and what a ledger holds."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ff_helpers.cli.options import add_asking, add_cards, add_command, add_rubric, count, grader_spec

if TYPE_CHECKING:
    from ff_helpers.cli.options import Commands


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


def _grade(options: argparse.Namespace) -> int:
    raise NotImplementedError


def _ledger(options: argparse.Namespace) -> int:
    raise NotImplementedError
