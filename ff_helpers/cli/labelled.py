"""`ff calibrate --labels`: how right one column of labels is, on any CSV."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ff_helpers.cli.options import RUBRICS, shown
from ff_helpers.errors import FFError

if TYPE_CHECKING:
    from ff_helpers.terms import Space

SPACE_NAMES = ("five", "strict", "broad", "refused")
_OF_LABELS = ("truth", "positive", "map", "where", "annotators", "ledger", "space", "json")
_OF_TRACES = {
    "traces": None,
    "repeats": None,
    "limit": None,
    "attacks": False,
    "rubric": RUBRICS[0],
    "cards": None,
    "concurrency": 1,
    "timeout": 300.0,
}


class WrongOptionsError(FFError):
    """Options of `ff calibrate` that do not go together."""


def add_labelled(parser: argparse.ArgumentParser) -> None:
    """Add the options that measure a file of labels instead of running a grader."""
    group = parser.add_argument_group(
        "labels that are there already",
        "Measure a column of labels against a column of true ones: nothing is graded and no card is "
        "written. Cells are compared as text; NA and None are labels, an empty cell is none. Where every "
        "true label is true/false (True, TRUE) or 1/0, these spellings count as the same. A graded value "
        "that the truth never has counts as wrong and is shown as invalid; a row without a true label is "
        "left out and counted.",
    )
    group.add_argument(
        "--labels",
        type=Path,
        metavar="FILE.csv",
        help="the file; --grader names its column (default: a grader is run)",
    )
    group.add_argument(
        "--truth", metavar="COLUMN", help="the column of the true labels (default: none, --labels needs it)"
    )
    group.add_argument(
        "--positive",
        metavar="VALUE",
        help="the class for precision, recall, F1, sensitivity, specificity (default: none of these)",
    )
    group.add_argument(
        "--map",
        type=Path,
        metavar="FILE.yaml",
        help="a line `raw value: class` for each value of both columns, or two such maps under `truth:` and "
        "`grader:`; null: no class, so a true one leaves its row out and a graded one is invalid "
        "(default: the values are the classes)",
    )
    group.add_argument(
        "--where",
        metavar="QUERY",
        help="only these rows, as a pandas query: \"model == 'm1' and turns > 1\" (default: all)",
    )
    group.add_argument(
        "--annotators",
        nargs=2,
        metavar="COLUMN",
        help="two columns of people's labels: how far they agree (default: none)",
    )
    group.add_argument(
        "--ledger",
        type=Path,
        metavar="LEDGER.jsonl",
        help="take the graded labels from its verdicts, by the column trace_id of FILE.csv, in the label "
        "space --space; --grader then names one of its graders, if it holds several (default: "
        "none, they are a column of FILE.csv)",
    )
    group.add_argument(
        "--space",
        choices=SPACE_NAMES,
        help="what the true labels tell apart. five: all verdicts; strict: COMPLIANCE, NOT_COMPLIANCE; "
        "broad: BROAD, NOT_BROAD; refused: REFUSAL, NOT_REFUSAL (default: none, --ledger needs it)",
    )
    group.add_argument("--json", action="store_true", help="everything as JSON, shares in [0, 1]")


def check_options(options: argparse.Namespace) -> None:
    """Refuse options that do not go together, with what to do.

    Raises:
        WrongOptionsError: an option of labels without --labels or the other way, or one that is missing.
    """
    if options.labels is None:
        if given := [name for name in _OF_LABELS if getattr(options, name) not in (None, False)]:
            raise WrongOptionsError(
                f"--{given[0]} is for labels that are there already: add --labels FILE.csv."
            )
        if options.grader is None:
            raise WrongOptionsError(
                "which grader? --grader SPEC runs one on labelled traces; --labels FILE.csv --truth COLUMN "
                "--grader COLUMN measures labels that are there already."
            )
        return
    if given := [name for name, default in _OF_TRACES.items() if getattr(options, name) != default]:
        raise WrongOptionsError(f"--{given[0]} is for running a grader on traces: leave it out, or --labels.")
    if options.truth is None:
        raise WrongOptionsError("--labels needs --truth COLUMN, the column of the true labels.")
    if options.ledger is None and options.grader is None:
        raise WrongOptionsError("--labels needs --grader COLUMN, the column of the graded labels.")
    if (options.ledger is None) != (options.space is None):
        raise WrongOptionsError("--ledger LEDGER.jsonl and --space SPACE go together: give both or neither.")


def measure_labels(options: argparse.Namespace) -> int:
    """Print the card of two columns, as text or JSON."""
    from ff_helpers.cli.label_text import label_content, label_text
    from ff_helpers.measurement.labels.card import card_of_labels
    from ff_helpers.measurement.labels.file import read_labels, read_map, with_verdicts
    from ff_helpers.measurement.labels.query import where
    from ff_helpers.terms import classes

    frame = read_labels(options.labels)
    if options.where is not None:
        frame = where(frame, options.where)
    mapping = read_map(options.map) if options.map else {}
    grader, chosen = options.grader, len(frame)
    if options.ledger is not None:
        space: Space = options.space
        frame, grader = with_verdicts(frame, options.ledger, space, options.grader)
        mapping = {"truth": {name: name for name in classes(space)} | dict(mapping.get("truth", {}))}
    card = card_of_labels(
        frame,
        truth=options.truth,
        grader=grader,
        positive=options.positive,
        mapping=mapping,
        annotators=tuple(options.annotators) if options.annotators else None,
    )
    left = {"no_truth": card.no_truth, "not_in_ledger": chosen - len(frame)}
    if options.json:
        print(json.dumps(label_content(card) | left, indent=1, ensure_ascii=False))
        return 0
    rows = f"{card.matrix.n} rows" + (f" where {options.where}" if options.where else "")
    print(f"{card.grader} against {card.truth} in {shown(options.labels)} ({rows})")
    print(label_text(card, left))
    return 0
