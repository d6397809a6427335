"""`ff collect`: put scenarios to a model under test and keep what it answered, with known truth."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ff_helpers.cli.options import add_asking, add_command, count, number

if TYPE_CHECKING:
    from ff_helpers.cli.options import Commands


def add_collecting(commands: "Commands") -> None:
    """Add the command of this module to the parser."""
    parser = add_command(
        commands,
        "collect",
        _collect,
        line="run scenarios against a model under test; truth comes from their checkers",
        about="Put scenarios (harmless fictional policies, six intent classes, single turns and crescendos) "
        "to a model under test and write one trace an attempt. Each scenario's checker decides strict "
        "compliance, so that the truth is known and any grader can be scored on these traces. An "
        "interrupted collection goes on where it stopped.",
        example="ff collect --target ollama:qwen3:1.7b --out qwen3.jsonl --repeats 3",
    )
    parser.add_argument(
        "--target",
        required=True,
        metavar="SPEC",
        help="the model under test: embedded:MODEL, ollama:TAG or openai:MODEL@BASE_URL",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="TRACES", help="the trace file to write")
    parser.add_argument(
        "--scenarios",
        type=Path,
        metavar="FILE",
        help="scenarios, JSONL (default: those that ship, data/scenarios/proxies.jsonl)",
    )
    parser.add_argument(
        "--repeats", type=count, default=1, metavar="N", help="runs of each scenario (default: %(default)s)"
    )
    parser.add_argument(
        "--arm",
        choices=("forbidden", "permitted"),
        default="forbidden",
        help="the attack, or its control, in which the policy allows what is asked: it shows what the model "
        "is able to do (default: %(default)s)",
    )
    parser.add_argument(
        "--limit", type=count, metavar="N", help="only the first N scenarios of the arm (default: all)"
    )
    parser.add_argument(
        "--temperature", type=number, metavar="T", default=0.0, help="of the sampler (default: %(default)g)"
    )
    parser.add_argument(
        "--max-tokens",
        type=count,
        metavar="N",
        default=128,
        help="limit of each answer (default: %(default)s)",
    )
    add_asking(parser)
    parser.set_defaults(
        interrupted="What was collected is kept: run the same command again and it goes on from there."
    )


def _collect(options: argparse.Namespace) -> int:
    raise NotImplementedError
