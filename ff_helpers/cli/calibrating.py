"""`ff calibrate`: measure a grader before it grades."""

import argparse
import sys
from pathlib import Path

from ff_helpers import paths
from ff_helpers.cli.cards import ALLOWS, card_text, lowest
from ff_helpers.cli.labelled import check_options, measure_labels
from ff_helpers.cli.text import shown
from ff_helpers.grading.ledger import RETRIED
from ff_helpers.measurement.calibration.calibrate import calibrate_files
from ff_helpers.measurement.standing import default_cards

SHIPPED = ("proxies", "written")
"""The labelled traces of the project, in data/calibration/."""


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
