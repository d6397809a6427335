"""The command line, `ff`: grade and calibrate, run profiles, read what came of them.

What the user can mend is one sentence on stderr and exit code 2; what did not work out (a step that
failed, rows to try again) is exit code 1; a command that was interrupted is 130. Heavy libraries load only
where a command needs them.
"""

import argparse
import errno
import os
import sys
from collections.abc import Sequence

from ff_helpers import __version__
from ff_helpers.cli.atlas import add_atlas
from ff_helpers.cli.calibrating import add_calibrating
from ff_helpers.cli.claiming import add_claims
from ff_helpers.cli.collecting import add_collecting
from ff_helpers.cli.consistent import add_consistent
from ff_helpers.cli.grading import add_grading
from ff_helpers.cli.rates import add_rates
from ff_helpers.cli.regrading import add_regrading
from ff_helpers.cli.resolving import add_resolving
from ff_helpers.cli.runs import add_runs
from ff_helpers.cli.stopping import stoppable
from ff_helpers.cli.studying import add_studying
from ff_helpers.cli.verifying import add_verifying
from ff_helpers.errors import FFError

NOTHING_CHANGED = "Nothing was changed."
CANNOT_WRITE = {
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "ENOTDIR", "EISDIR")
    if hasattr(errno, name)
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        with stoppable(lasting=options.interrupted != NOTHING_CHANGED):
            return int(options.command(options))
    except FFError as error:
        print(f"ff: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nff: interrupted. {options.interrupted}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.errno not in CANNOT_WRITE:
            raise
        print(f"ff: cannot write: {error}. {options.elsewhere}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ff",
        description="ASR figures that come with the measured accuracy of their grader.",
        epilog="`ff COMMAND --help` says more, with an example.",
    )
    parser.add_argument("--version", action="version", version=f"ff {__version__}")
    parser.set_defaults(
        interrupted=NOTHING_CHANGED,
        elsewhere=(
            "Make room there or name another folder with FF_OUTPUTS=..., then run the same command again: it "
            "goes on from there."
        ),
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add_collecting(commands)
    add_calibrating(commands)
    add_grading(commands)
    add_rates(commands)
    add_regrading(commands)
    add_consistent(commands)
    add_atlas(commands)
    add_resolving(commands)
    add_runs(commands)
    add_claims(commands)
    add_verifying(commands)
    add_studying(commands)
    return parser
