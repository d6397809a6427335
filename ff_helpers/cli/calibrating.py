"""`ff calibrate`: measure a grader before it grades, or how accurate one column of labels is, in any CSV."""

import argparse
from pathlib import Path
from typing import Final

from ff_helpers import paths
from ff_helpers.cli.labels import is_sample, measure_labels
from ff_helpers.cli.text import announce, said
from ff_helpers.corpus.readers import CALIBRATION, READERS
from ff_helpers.corpus.results.labels import is_by_person
from ff_helpers.errors import FFError
from ff_helpers.grading.contents import RETRIED
from ff_helpers.grading.external import NOT_TOLD
from ff_helpers.keys import without_secrets
from ff_helpers.measurement.calibration.calibrate import calibrate_files
from ff_helpers.measurement.standing import default_cards
from ff_helpers.registry import chosen
from ff_helpers.terms import GATE_STATES

_OF_SAMPLES: Final = ("labels", "ledger", "space", "truth", "no_card", "json")
"""Options for labels that a sample file can have too."""


def calibrate(options: argparse.Namespace) -> int:
    """Run a grader on labelled traces, or measure an existing column of labels."""
    check_options(options)
    return _run_grader(options) if options.labels is None else measure_labels(options)


def _run_grader(options: argparse.Namespace) -> int:
    sets = _sets(options.traces)
    announce(f"calibrating {without_secrets(options.grader)} on {', '.join(sets)}")
    recorded = options.grader.startswith("recorded:")
    done = calibrate_files(
        options.grader,
        sets,
        options.cards or default_cards(),
        rubric=options.rubric,
        limit=options.limit or 0,
        repeats=options.repeats or (1 if recorded else 2),
        split=options.split,
        attacks=str(paths.data() / "calibration" / "injections.jsonl") if options.attacks else None,
        concurrency=options.concurrency,
        timeout=options.timeout,
    )
    cards = [card for _, card in done.cards]
    failed = sum(n for card in cards for status, n in card.statuses.items() if status in RETRIED)
    # Several cards together allow what the lowest of them allows.
    state = min((card.gate.state for card in cards), key=GATE_STATES.index)
    first, shipped = cards[0], options.traces is None
    values = {"first": first, "shipped": shipped, "sets": sets, "state": state, "failed": failed}
    values["external"] = first.digest.startswith(NOT_TOLD)
    print(said("calibrated", cards=done.cards, **values))
    return int(failed > 0)


def _sets(traces: list[str] | None) -> dict[str, str]:
    """Name the trace sets by their file; files are taken from the current folder."""
    if traces is None:
        return {name: str(paths.root() / where) for name, where in CALIBRATION.items()}
    sets: dict[str, str] = {}
    for spec in traces:
        known = chosen(spec, READERS)
        if known is not None:
            sets[Path(known[1]).stem] = spec
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
        if given := _given(options, "labels"):
            raise FFError(f"--{given[0]} is for existing labels: add --labels FILE.csv.")
        if options.grader is None:
            raise FFError(
                "which grader? --grader SPEC runs one on labelled traces; --labels FILE.csv --truth COLUMN "
                "--grader COLUMN measures existing labels."
            )
        return
    sample = is_sample(options)
    if given := [name for name in _given(options, None) if not (sample and name == "traces")]:
        raise FFError(f"--{given[0]} is for running a grader on traces: leave out it or --labels.")
    if sample:
        if given := [name for name in _given(options, "labels") if name not in _OF_SAMPLES]:
            raise FFError(
                f"--{given[0]}: {options.labels} is a sample that `ff sample` drew, and says that itself."
            )
        return
    by_person = options.ledger is not None and options.labels.is_file() and is_by_person(options.labels)
    if by_person:
        options.truth = options.truth or "label"
    if options.truth is None:
        raise FFError("--labels needs --truth COLUMN, the column of the true labels.")
    if options.ledger is None and options.grader is None:
        raise FFError("--labels needs --grader COLUMN, the column of the graded labels.")
    if options.ledger is not None and options.space is None and not by_person:
        raise FFError("--ledger LEDGER.jsonl needs --space SPACE, the label space of the true labels.")
    if options.ledger is not None and (options.threshold is not None or options.name is not None):
        raise FFError(
            "--threshold and --name are for a column of labels: a ledger says who graded, and what."
        )


def _given(options: argparse.Namespace, group: str | None) -> list[str]:
    """Return the options of a group that do not have their default; --grader and --cards are of both."""
    both = ("grader", "cards")
    named = ((name, default) for name, default in options.defaults[group].items() if name not in both)
    return [name for name, default in named if getattr(options, name) != default]
