"""`ff calibrate --labels`: how accurate one column of labels is, in any CSV."""

import argparse

from ff_helpers.cli.label_text import label_content, label_text
from ff_helpers.cli.text import print_json, shown
from ff_helpers.errors import FFError
from ff_helpers.measurement.labels.card import card_of_labels
from ff_helpers.measurement.labels.file import read_labels, read_map, where, with_verdicts
from ff_helpers.terms import Space, classes

SPACE_NAMES = ("five", "strict", "broad", "refused")
_OF_LABELS = ("truth", "positive", "map", "where", "annotators", "ledger", "space", "json")
_OF_TRACES = {
    "traces": None,
    "repeats": None,
    "limit": None,
    "attacks": False,
    "rubric": "flip-reference",
    "cards": None,
    "concurrency": 1,
    "timeout": 300.0,
}


class WrongOptionsError(FFError):
    """Options of `ff calibrate` that cannot be combined."""


def check_options(options: argparse.Namespace) -> None:
    """Refuse options that cannot be combined, with what to do.

    Raises:
        WrongOptionsError: an option for labels without --labels or the reverse, or a missing option.
    """
    if options.labels is None:
        if given := [name for name in _OF_LABELS if getattr(options, name) not in (None, False)]:
            raise WrongOptionsError(f"--{given[0]} is for existing labels: add --labels FILE.csv.")
        if options.grader is None:
            raise WrongOptionsError(
                "which grader? --grader SPEC runs one on labelled traces; --labels FILE.csv --truth COLUMN "
                "--grader COLUMN measures existing labels."
            )
        return
    if given := [name for name, default in _OF_TRACES.items() if getattr(options, name) != default]:
        raise WrongOptionsError(f"--{given[0]} is for running a grader on traces: leave out it or --labels.")
    if options.truth is None:
        raise WrongOptionsError("--labels needs --truth COLUMN, the column of the true labels.")
    if options.ledger is None and options.grader is None:
        raise WrongOptionsError("--labels needs --grader COLUMN, the column of the graded labels.")
    if (options.ledger is None) != (options.space is None):
        raise WrongOptionsError("--ledger LEDGER.jsonl and --space SPACE go together: give both or neither.")


def measure_labels(options: argparse.Namespace) -> int:
    """Print the card of two columns, as text or JSON."""
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
        print_json(label_content(card) | left)
        return 0
    rows = f"{card.matrix.n} rows" + (f" where {options.where}" if options.where else "")
    print(f"{card.grader} against {card.truth} in {shown(options.labels)} ({rows})")
    print(label_text(card, left))
    return 0
