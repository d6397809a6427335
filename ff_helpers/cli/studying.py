"""`ff init`: begin a study of one's own."""

import argparse
import os
import shlex
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

    folder = options.folder
    begin_study(folder)
    # A name that starts with a dash would be an option of cd.
    entered = shlex.quote(f"./{folder}" if str(folder).startswith("-") else str(folder))
    print(f"{folder}: README.md there says what to edit; yours go into data/traces.jsonl, params/study.yaml")
    print(f"Next:  cd {entered} && ff run params/study.yaml")
    print("Table: outputs/study/tables/my_asr (.csv, .tex, .html), in that folder")
    for name in ("FF_ROOT", "FF_OUTPUTS"):
        if os.environ.get(name):
            print(f"Note:  {name} is set to {os.environ[name]}: unset it, or ff works there and not here")
    return 0
