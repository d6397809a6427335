"""Every path of the suite, named once. No other module builds a path.

Hand-made and machine-made files never share a folder: `data/` and `params/` are hand-made,
`outputs/<profile>/` is machine-made. The environment can move three of them:

- `FF_ROOT`: the project folder (default: the study that the working directory is in, else the folder
  above this package),
- `FF_OUTPUTS`: where runs write (default: `outputs/` in the project folder),
- `FF_PARTS`: fetched parts: the embedded model's weights, labelled traces (default: `.parts/`).
"""

import os
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ff_helpers.errors import FFError

PACKAGE = Path(__file__).resolve().parent
"""This package; its files (rubrics, rule tables, templates) ship with it."""


LEFT = "ledger/left.csv"
"""What a grading with a budget of time has not reached; a step that wrote it with a row goes on next time."""
STUDY = ".ff-study"
"""The file that makes a folder a study (`ff init`)."""


def root() -> Path:
    """The project folder: notebooks/, params/, data/; in a study, the study's folder."""
    given = os.environ.get("FF_ROOT")
    if given:
        return Path(given).resolve()
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / STUDY).is_file()), PACKAGE.parent)


def data() -> Path:
    """Shipped inputs, immutable: published/, calibration/, recorded/."""
    return root() / "data"


def params() -> Path:
    """One YAML per profile, and the other files of settings and expectations."""
    return root() / "params"


def notebooks() -> Path:
    """The notebooks, committed with outputs."""
    return root() / "notebooks"


def outputs() -> Path:
    """What runs write, one folder per profile."""
    return Path(os.environ.get("FF_OUTPUTS", root() / "outputs")).resolve()


def drawn() -> Path:
    """Drawings of figures that runs keep for later ones; gone with the outputs (`make clean`)."""
    return outputs() / ".drawn"


def parts() -> Path:
    """Fetched parts, each checked against a sha256 in the repository; never committed."""
    # A study has its own parts only if the user put them there.
    own = root() / ".parts"
    return Path(os.environ.get("FF_PARTS", own if own.is_dir() else PACKAGE.parent / ".parts")).resolve()


def outside() -> dict[str, Path]:
    """The folders of files that no step writes, by the prefix of their names in a profile."""
    return {"data/": data(), "params/": params(), "parts/": parts()}


class MissingInputError(FFError):
    """A file that an earlier step writes is missing."""

    def __init__(self, path: Path, mend: str) -> None:
        super().__init__(f"{path} does not exist. {mend}")


class UnwritableError(FFError):
    """A folder of the run cannot be created."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path} cannot be written: {error.strerror}. Make room or make the folder writable, or point "
            "FF_OUTPUTS to another folder."
        )


@dataclass(frozen=True)
class Run:
    """Where one run of one profile reads and writes, and its date.

    Attributes:
        profile: the name of the profile; its outputs live in `outputs/<profile>/`.
        as_of: the date that drives all dates, ages and file names of this run.
        part: a folder within it with a campaign of its own (traces, ledger, cards), which one step writes.
    """

    profile: str
    as_of: date
    part: str = ""

    @property
    def folder(self) -> Path:
        """`outputs/<profile>/`, with the part below it: what finished steps wrote."""
        return outputs() / self.profile / self.part

    def read(self, name: str) -> Path:
        """Return the path of a finished file of this run, such as `tables/agreement.csv`.

        A file that this step itself has already written is found too.

        Raises:
            MissingInputError: no step has written it yet.
            FFError: the step does not declare it (in a run, whose kernels are guarded).
        """
        written = self._staging() / name
        if written.exists():
            return written
        path = self.folder / name
        announce_read(path)
        if not path.exists():
            mend = f"An earlier step writes it: run `ff run params/{self.profile}.yaml`."
            raise MissingInputError(path, mend)
        return path

    def write(self, name: str) -> Path:
        """Return the path to write `name` to, creating its folder; the runner moves it into place at the end.

        Raises:
            UnwritableError: the folder cannot be created.
        """
        return _with_folder(self._staging() / name)

    def ledger(self, name: str) -> Path:
        """Return the path of a ledger: append-only, so it is written in place and survives a failed step.

        That of a part is written anew by its step, like its other files.
        """
        return _with_folder((self._staging() if self.part else self.folder) / "ledger" / f"{name}.jsonl")

    def _staging(self) -> Path:
        return Path(os.environ.get("FF_STAGING", outputs() / self.profile)) / self.part


def announce_read(path: Path) -> None:
    """Tell this process's audit hooks that a file will be read, as `open` does.

    For files that a library opens in C++: in a run, this tells the step's guard (`pipeline.reads`).
    """
    sys.audit("open", str(path), "r", os.O_RDONLY)


def _with_folder(path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableError(path.parent, error) from None
    return path


def start(profile: str, *, as_of: str) -> Run:
    """Open the run of `profile` as of a date (YYYY-MM-DD): the first call of every notebook.

    Raises:
        FFError: `as_of` is not a date.
    """
    try:
        day = date.fromisoformat(as_of)
    except ValueError:
        raise FFError(
            f"as_of = {as_of!r} is not a date. Write it as YYYY-MM-DD, for example 2026-11-22."
        ) from None
    return Run(profile=profile, as_of=day)
