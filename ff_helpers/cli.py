"""The command line: `ff run`, `ff claims`, `ff doctor`, `ff notebooks`.

What the user can mend is one sentence on stderr and exit code 2; a step that failed is exit code 1; a
run that was interrupted is 130. Heavy libraries load only where a command needs them.
"""

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ff_helpers import __version__
from ff_helpers.errors import FFError

CANNOT_WRITE = {
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "ENOTDIR")
    if hasattr(errno, name)
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except FFError as error:
        print(f"ff: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "\nff: interrupted. Kernels are ended and finished steps are kept: run the same command again "
            "and it goes on from there.",
            file=sys.stderr,
        )
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.errno not in CANNOT_WRITE:
            raise
        print(
            f"ff: cannot write: {error}. Make room there or name another folder with FF_OUTPUTS=..., then "
            "run the same command again: it goes on from there.",
            file=sys.stderr,
        )
        return 2


def _run(options: argparse.Namespace) -> int:
    from ff_helpers.pipeline.finish import finish, summary
    from ff_helpers.pipeline.profile import load
    from ff_helpers.pipeline.runner import run_profile

    profiles = [load(path) for path in options.profiles]  # all are checked before any runs
    results = []
    for profile in profiles:
        ended = run_profile(profile, force=options.force, jobs=options.jobs)
        finish(profile, ended)
        results.append((profile, ended))
    print(summary(results))
    return int(any(e.state in ("failed", "skipped") for _, ended in results for e in ended))


def _claims(options: argparse.Namespace) -> int:
    from ff_helpers.pipeline.finish import claims_text

    print(claims_text(as_json=options.json))
    return 0


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ff", description="ASR figures that come with the measured accuracy of their grader."
    )
    parser.add_argument("--version", action="version", version=f"ff {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run what is stale of one or more profiles")
    run.add_argument("profiles", nargs="+", type=Path, metavar="params/NAME.yaml")
    run.add_argument("--force", action="store_true", help="run every step; default: only what changed")
    run.add_argument("--jobs", type=_count, help="notebooks at once (default: one a core)")
    run.set_defaults(command=_run)

    claims = commands.add_parser("claims", help="every published figure beside the recomputed one")
    claims.add_argument("--json", action="store_true", help="the claims file as it is, for programs")
    claims.set_defaults(command=_claims)

    doctor = commands.add_parser(
        "doctor", help="what is installed and reachable, and what to do about the rest"
    )
    doctor.set_defaults(command=_doctor)

    notebooks = commands.add_parser("notebooks", help="execute notebooks/*.ipynb in place, with outputs")
    notebooks.add_argument(
        "--profile",
        type=Path,
        default=Path("params/paper.yaml"),
        help="whose order and files (default: paper)",
    )
    notebooks.add_argument("--jobs", type=_count, help="notebooks at once (default: one a core)")
    notebooks.set_defaults(command=_notebooks)
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
