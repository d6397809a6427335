"""`ff calibrate`: measure a grader before it grades."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ff_helpers import paths
from ff_helpers.cli.labelled import add_labelled, check_options, measure_labels
from ff_helpers.cli.options import add_asking, add_cards, add_command, add_rubric, count, grader_spec, shown

if TYPE_CHECKING:
    from ff_helpers.cli.options import Commands

SHIPPED = ("proxies", "written")
"""The labelled traces of the project, in data/calibration/."""


def add_calibrating(commands: "Commands") -> None:
    """Add the command of this module to the parser."""
    parser = add_command(
        commands,
        "calibrate",
        _calibrate,
        line="measure a grader on labelled traces and write its card, or a column of labels in a CSV",
        about="Let a grader grade traces whose truth is known, and write its calibration card: accuracy with "
        "interval beside the majority baseline, kappa, recall of each class, test-retest, seconds a trace, "
        "and whether the gate lets it grade other traces. An interrupted calibration goes on where it "
        "stopped. With --labels: measure labels that are there already, on any CSV (`ff "
        "calibrate --labels labels.csv --truth human --grader gpt4`).",
        example="ff calibrate --grader ollama:qwen3:1.7b",
    )
    parser.add_argument(
        "--grader",
        type=grader_spec,
        metavar="SPEC",
        help="the grader to run: embedded:MODEL, ollama:TAG, openai:MODEL@BASE_URL, heuristic or "
        "recorded:LEDGER; with --labels the column of its labels (default: none, one of the two is needed)",
    )
    parser.add_argument(
        "--traces",
        nargs="+",
        metavar="FILE",
        help="labelled traces: JSONL files, pyrit:refusal, pyrit:objective; one card each (default: the "
        "traces that ship, data/calibration/proxies.jsonl and written.jsonl)",
    )
    parser.add_argument(
        "--repeats",
        type=count,
        metavar="N",
        help="how often each trace is graded; two or more measure test-retest (default: 2; 1 for recorded:, "
        "which says what it said; graders that are no model grade once)",
    )
    parser.add_argument(
        "--limit",
        type=count,
        metavar="N",
        help="only so many traces of each file, drawn by truth in proportion (default: all)",
    )
    parser.add_argument(
        "--attacks",
        action="store_true",
        help="grade responses that attack the grader too (data/calibration/injections.jsonl, once each): how "
        "often one turns its verdict stands on the card (default: not measured)",
    )
    add_rubric(parser)
    add_cards(parser)
    add_asking(parser)
    add_labelled(parser)
    parser.set_defaults(
        interrupted="What was graded is kept beside the cards: run the same command again and it goes on "
        "from there."
    )


def _calibrate(options: argparse.Namespace) -> int:
    check_options(options)
    return _run_grader(options) if options.labels is None else measure_labels(options)


def _run_grader(options: argparse.Namespace) -> int:
    from ff_helpers.cli.cards import ALLOWS, card_text, lowest
    from ff_helpers.grading.ledger import RETRIED
    from ff_helpers.measurement.calibration.calibrate_file import calibrate_files
    from ff_helpers.measurement.standing import default_cards

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
    print("measured on the traces that ship" if options.traces is None else "measured on", end=": ")
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
