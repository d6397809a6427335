"""The command line, `ff`: grade and calibrate, run profiles, read the results.

An error that the user can fix is one sentence on stderr and exit code 2; work that failed (a step,
rows to try again) is exit code 1; an interrupted command is 130. Commands and their options
are described in `commands.yaml`; the module of a command loads when the command is run.
"""

import errno
import os
import sys
from collections.abc import Sequence

from ff_helpers.cli.parser import parser, run
from ff_helpers.cli.stopping import stoppable
from ff_helpers.errors import FFError

CANNOT_WRITE = {
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "ENOTDIR", "EISDIR")
    if hasattr(errno, name)
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments)
    try:
        with stoppable(lasting=options.lasting):
            return run(options)
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
