"""A step reads only what it declares: checked in its kernel, each time a file is opened.

The runner writes down what a step may read (`allow`) and starts the step's kernel through this module,
which installs an audit hook (PEP 578) before the first cell: Python announces every `open` to it. A library
that opens files in C++ (DuckDB, pyarrow) does not announce them, so `Run.read` and our DuckDB reader do it
in its place. The guarded folders are those whose files a profile can declare: data/, params/, parts/ and
the outputs of runs. Libraries may read elsewhere (fonts, their own modules), and a process that a notebook
starts is not watched.
"""

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from ff_helpers import paths
from ff_helpers.errors import FFError

if TYPE_CHECKING:
    from ff_helpers.pipeline.profile import Profile, Step
    from ff_helpers.pipeline.warm import Pipe

VARIABLE: Final = "FF_READS"
"""Names the file that says what the step in this kernel may read."""
OTHER_RUNS: Final = "*"


@dataclass(frozen=True)
class Allowed:
    """The files that one step may read.

    Attributes:
        step, profile: their names.
        folders: the guarded folders, by the prefix of their files' names in a profile: empty for
            the run's own folder; `OTHER_RUNS` for the folder of all runs, whose files have no such name.
        files: the step's inputs.
        own: patterns of further paths that it may read: its staging folder and its ledgers, which it writes;
            the drawings that runs keep, each found only by what determines it;
            and, for a step that grades, the cards that admit a grader. They decide whether it may grade,
            not its verdicts, and a step that was refused runs again anyway.
    """

    step: str
    profile: str
    folders: dict[str, str]
    files: tuple[str, ...]
    own: tuple[str, ...]

    def check(self, path: str) -> None:
        """Accept a path that the step may read, or that is outside the guarded folders.

        Raises:
            FFError: any other path.
        """
        # By its own name, and by that of a link's target.
        names = (os.path.abspath(path), os.path.realpath(path))  # noqa: PTH100 - only text is needed
        for name in names:
            if name in self.files or any(fnmatchcase(name, pattern) for pattern in self.own):
                return
        if os.path.isdir(path):  # noqa: PTH112 - a folder is opened to fsync it
            return
        for prefix, folder in self.folders.items():
            for name in names:
                if name.startswith(folder + os.sep):
                    inside = name[len(folder) + 1 :].replace(os.sep, "/")
                    shown = "" if prefix == OTHER_RUNS else prefix + inside
                    mend = f"Add the line `- {shown}` to its `inputs` in params/{self.profile}.yaml."
                    if not shown:
                        mend = (
                            "It belongs to another run: copy it into data/ and add it to the step's `inputs`."
                        )
                    raise FFError(f"{self.step} reads {shown or name}, which it does not declare. {mend}")


def allow(
    profile: "Profile", step: "Step", inputs: Iterable[Path], ledgers: Iterable[str], staging: Path
) -> Allowed:
    """Return what a step may read: the files `inputs`, which it declares, and what it writes itself.

    Args:
        profile, step: their names.
        inputs: the files that the step's `inputs` name.
        ledgers: the outputs that are written in place.
        staging: where it writes everything else.
    """
    run = paths.outputs() / profile.profile
    folders = paths.outside() | {"": run}
    # With FF_OUTPUTS=/tmp every temporary file would look like another run's. (`tempfile` would write one to
    # find out where they go, and the disk may be full.)
    temporary = {Path("/tmp"), Path(os.environ.get("TMPDIR", "/tmp"))}
    if not any(place.resolve().is_relative_to(paths.outputs()) for place in temporary):
        folders[OTHER_RUNS] = paths.outputs()
    written = [(run, name) for name in ledgers]
    cards = [(folder, "cards/*.json") for folder in (paths.outputs(), run)] if written else []
    own = [(staging, "*"), (paths.drawn(), "*"), *written, *cards]
    return Allowed(
        step=step.notebook,
        profile=profile.profile,
        folders={prefix: str(folder) for prefix, folder in folders.items()},
        files=tuple(str(path.absolute()) for path in inputs),
        own=tuple(f"{escape(str(folder))}/{name}" for folder, name in own),
    )


def guard(allowed: Allowed) -> None:
    """Refuse, in this process and permanently, every read of a file that is not allowed."""

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event != "open":
            return
        path, _, flags = arguments
        only_writes = isinstance(flags, int) and flags & os.O_ACCMODE == os.O_WRONLY
        if isinstance(path, str | bytes) and not only_writes:
            allowed.check(os.fsdecode(path))

    sys.addaudithook(hook)


def kernel(pipe: "Pipe") -> None:
    """Become an ipykernel; one that the runner starts can read only what its step declares.

    Args:
        pipe: gives the command line, the environment and the working folder of the kernel, once; this
            process ends when its other end is closed.
    """
    from ipykernel.kernelapp import launch_new_instance

    from ff_helpers.pipeline.warm import when_closed

    try:
        command, env, folder = cast(tuple[list[str], dict[str, str], str], pipe.recv())
    except EOFError:
        return
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    when_closed(pipe, lambda: os._exit(1))
    said = os.environ.get(VARIABLE)
    if said:
        guard(Allowed(**json.loads(Path(said).read_text(encoding="utf-8"))))
    sys.argv = command
    launch_new_instance()
