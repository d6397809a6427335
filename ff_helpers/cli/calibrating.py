"""`ff calibrate`: measure a grader before it grades, or how accurate one column of labels is, in any CSV."""

import argparse
import sys
from pathlib import Path

from ff_helpers import paths
from ff_helpers.cli.cards import ALLOWS, card_text, label_content, label_text, lowest
from ff_helpers.cli.text import print_json, shown
from ff_helpers.errors import FFError
from ff_helpers.grading.ledger import RETRIED
from ff_helpers.measurement.calibration.calibrate import calibrate_files
from ff_helpers.measurement.labels.card import card_of_labels
from ff_helpers.measurement.labels.file import read_labels, read_map, where, with_verdicts
from ff_helpers.measurement.standing import default_cards
from ff_helpers.terms import Space, classes

SHIPPED = ("proxies", "written")
"""The labelled traces of the project, in data/calibration/."""


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


def calibrate(options: argparse.Namespace) -> int:
    """Run a grader on labelled traces, or measure an existing column of labels."""
    check_options(options)
    return _run_grader(options) if options.labels is None else measure_labels(options)


def _run_grader(options: argparse.Namespace) -> int:
    sets = _sets(options.traces)
    print(f"calibrating {options.grader} on {', '.join(sets)}", file=sys.stderr, flush=True)
    recorded = options.grader.startswith("recorded:")
    done = calibrate_files(
        options.grader,
        sets,
        options.cards or default_cards(),
        rubric=options.rubric,
        limit=options.limit or 0,
        repeats=options.repeats or (1 if recorded else 2),
        attacks=str(paths.data() / "calibration" / "injections.jsonl") if options.attacks else None,
        concurrency=options.concurrency,
        timeout=options.timeout,
    )
    first = done.cards[0][1]
    print(
        f"grader {first.grader} (digest {first.digest.removeprefix('sha256:')[:12]}; rubric {first.rubric})"
    )
    print("measured on the shipped traces" if options.traces is None else "measured on", end=": ")
    print(*sets, sep=", ")
    for path, card in done.cards:
        print(f"\n{card_text(card)}\n  card: {shown(path)}")
    state = lowest([card.gate.state for _, card in done.cards])
    print(f"\n{first.grader} is {state}. {ALLOWS[state]}")
    failed = sum(n for _, card in done.cards for status, n in card.statuses.items() if status in RETRIED)
    if failed:
        print(f"{failed} rows failed at the server and count as wrong; run the same command again to retry.")
    return int(failed > 0)


def _sets(traces: list[str] | None) -> dict[str, str]:
    """Name the trace sets by their file; files are taken from the current folder."""
    if traces is None:
        return {name: str(paths.data() / "calibration" / f"{name}.jsonl") for name in SHIPPED}
    sets: dict[str, str] = {}
    for spec in traces:
        if spec.startswith("pyrit:"):
            sets[spec.removeprefix("pyrit:")] = spec
            continue
        path = Path(spec).absolute()
        sets[path.stem if path.stem not in sets else str(path)] = str(path)
    return sets


def check_options(options: argparse.Namespace) -> None:
    """Refuse options that cannot be combined, with what to do.

    Raises:
        FFError: an option for labels without --labels or the reverse, or a missing option.
    """
    if options.labels is None:
        if given := [name for name in _OF_LABELS if getattr(options, name) not in (None, False)]:
            raise FFError(f"--{given[0]} is for existing labels: add --labels FILE.csv.")
        if options.grader is None:
            raise FFError(
                "which grader? --grader SPEC runs one on labelled traces; --labels FILE.csv --truth COLUMN "
                "--grader COLUMN measures existing labels."
            )
        return
    if given := [name for name, default in _OF_TRACES.items() if getattr(options, name) != default]:
        raise FFError(f"--{given[0]} is for running a grader on traces: leave out it or --labels.")
    if options.truth is None:
        raise FFError("--labels needs --truth COLUMN, the column of the true labels.")
    if options.ledger is None and options.grader is None:
        raise FFError("--labels needs --grader COLUMN, the column of the graded labels.")
    if (options.ledger is None) != (options.space is None):
        raise FFError("--ledger LEDGER.jsonl and --space SPACE go together: give both or neither.")


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
