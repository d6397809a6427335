"""What several commands share: how a command is described, and options that mean the same everywhere."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

RUBRICS = ("flip-reference", "flip-blind")


def add_command(
    commands: "Commands",
    name: str,
    command: Callable[[argparse.Namespace], int],
    *,
    line: str,
    about: str,
    example: str,
) -> argparse.ArgumentParser:
    """Add a command: its line in `ff --help`, its paragraph and its example in its own."""
    parser = commands.add_parser(name, help=line, description=about, epilog=f"example: {example}")
    parser.set_defaults(command=command)
    return parser


def add_asking(parser: argparse.ArgumentParser, *, timeout: bool = True) -> None:
    """Add the options of commands that ask a model."""
    parser.add_argument(
        "--concurrency",
        type=count,
        default=1,
        metavar="N",
        help="requests in flight at one server (default: %(default)s, which figures for publication keep: a "
        "model may change its mind with the company its requests are in)",
    )
    if timeout:
        parser.add_argument(
            "--timeout",
            type=seconds,
            default=300.0,
            metavar="S",
            help="seconds that one request may take (default: %(default)g); then the row is `timeout` and is "
            "tried again by the next run",
        )


def add_rubric(parser: argparse.ArgumentParser) -> None:
    """Add the choice of the rubric."""
    parser.add_argument(
        "--rubric",
        choices=RUBRICS,
        default=RUBRICS[0],
        help="with the attack prompt for reference, or blind: only the response (default: %(default)s)",
    )


def add_cards(parser: argparse.ArgumentParser) -> None:
    """Add the folder of the calibration cards."""
    parser.add_argument(
        "--cards",
        type=Path,
        metavar="DIR",
        help="folder of the calibration cards (default: cards/ in the outputs folder, see FF_OUTPUTS)",
    )


def count(text: str) -> int:
    """Read a whole number above 0."""
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def seconds(text: str) -> float:
    """Read a number of seconds above 0."""
    value = number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return value


def number(text: str) -> float:
    """Read a number from 0 up."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 up")
    return value


def grader_spec(text: str) -> str:
    """Read a grader: the ledger of `recorded:LEDGER` is looked for from the current folder first."""
    kind, _, name = text.partition(":")
    if kind == "recorded" and name and Path(name).exists():
        return f"recorded:{Path(name).absolute()}"
    return text


def shown(path: Path) -> str:
    """Return a path as the user would type it: relative where it lies below the current folder."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve would follow links
    here = Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)
