"""`ff run`, `ff doctor`, `ff notebooks`: profiles, and what they need."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ff_helpers.cli.options import add_command, count

if TYPE_CHECKING:
    from ff_helpers.cli.options import Commands

_KEPT = "Kernels are ended and finished steps are kept: run the same command again and it goes on from there."


def add_runs(commands: "Commands") -> None:
    """Add the commands of this module to the parser."""
    run = add_command(
        commands,
        "run",
        _run,
        line="run what is stale of one or more profiles",
        about="Run the notebooks of one or more profiles, those whose cells, parameters or inputs changed "
        "since the last run, and write tables, figures and the report into outputs/PROFILE.",
        example="ff run params/paper.yaml",
    )
    run.add_argument("profiles", nargs="+", type=Path, metavar="params/NAME.yaml")
    run.add_argument("--force", action="store_true", help="run every step (default: only what changed)")
    run.add_argument("--jobs", type=count, metavar="N", help="notebooks at once (default: one a core)")

    add_command(
        commands,
        "doctor",
        _doctor,
        line="what is installed and reachable, and what to do about the rest",
        about="Look at the environment, the fetched parts and the graders, and say for each what was found "
        "and which command mends it.",
        example="ff doctor",
    )

    notebooks = add_command(
        commands,
        "notebooks",
        _notebooks,
        line="execute notebooks/*.ipynb in place, with outputs",
        about="Execute the project's notebooks in place, so that they are committed with their outputs.",
        example="ff notebooks --jobs 2",
    )
    notebooks.add_argument(
        "--profile",
        type=Path,
        default=Path("params/paper.yaml"),
        metavar="params/NAME.yaml",
        help="whose order and files (default: %(default)s)",
    )
    notebooks.add_argument("--jobs", type=count, metavar="N", help="notebooks at once (default: one a core)")
    for parser in (run, notebooks):
        parser.set_defaults(interrupted=_KEPT)


def _run(options: argparse.Namespace) -> int:
    from ff_helpers.pipeline.finish import finish, summary
    from ff_helpers.pipeline.profile import load
    from ff_helpers.pipeline.runner import run_profile

    profiles = [load(path) for path in options.profiles]  # all are checked before any runs
    results = []
    for path, profile in zip(options.profiles, profiles, strict=True):
        ended = run_profile(profile, force=options.force, jobs=options.jobs)
        finish(profile, ended, path)
        results.append((profile, ended))
    print(summary(results))
    return int(any(e.state in ("failed", "skipped") for _, ended in results for e in ended))


def _doctor(_: argparse.Namespace) -> int:
    from ff_helpers.pipeline.doctor import examine

    findings = examine()
    for finding in findings:
        mark = "ok" if finding.good else "!!" if finding.needed else "--"
        print(f"{mark} {finding.what:<22} {finding.found}")
        if finding.mend:
            print(f"{'':<26}{finding.mend}")
    return int(any(not finding.good and finding.needed for finding in findings))


def _notebooks(options: argparse.Namespace) -> int:
    from ff_helpers.pipeline.in_place import execute_in_place
    from ff_helpers.pipeline.profile import load

    return execute_in_place(load(options.profile), jobs=options.jobs)
