"""`ff init`: begin a study of one's own."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ff_helpers.cli.options import add_command

if TYPE_CHECKING:
    from ff_helpers.cli.options import Commands


def add_studying(commands: "Commands") -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "init",
        _init,
        line="make a folder for a study of your own, with an example that runs at once",
        about="Make a folder with parameters, an example of 60 harmless labelled traces, and a notebook that "
        "grades, calibrates and counts. `ff` called in that folder works on it.",
        example="ff init my-study",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder that does not exist yet")


def _init(options: argparse.Namespace) -> int:
    from ff_helpers.pipeline.studies import begin_study

    names = begin_study(options.folder)
    print(f"{options.folder}: {', '.join(names)}")
    print(f"Next: cd {options.folder} && ff run params/study.yaml")
    return 0
