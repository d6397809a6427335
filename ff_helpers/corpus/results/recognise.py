"""Which tool wrote a file: every reader is asked, in the order of READERS, the table last."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ff_helpers.corpus.jsonl import kind_of
from ff_helpers.corpus.results import HEAD, READERS, reader
from ff_helpers.corpus.results.cells import open_table
from ff_helpers.corpus.results.reading import PartError
from ff_helpers.corpus.results.rows import Source
from ff_helpers.errors import FFError, quoted

TABLE: Final = "table"
"""The reader of any table, asked only where columns are named: everything looks like a table."""
LABELS: Final = "labels"
"""The reader of people's labels of traces that are there."""
AS_TABLE: Final = (
    "A table (CSV, TSV, JSON lines, a JSON array of flat objects, Parquet) needs its columns named: "
    "`ff import FILE --out DIR --id COLUMN --prompt COLUMN --response COLUMN --judge COLUMN --human COLUMN`; "
    "what their values mean is then asked for (`--map`)."
)


class NoRowsError(FFError):
    """A tool's file without a row."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: it holds 0 rows. Was it written before anything ran, or filtered?")


class UnknownFileError(FFError):
    """No reader knows the file; `why`: what is wrong with it as a table, if it was named as one."""

    def __init__(self, path: Path, why: str = "") -> None:
        if why:
            super().__init__(why)
            return
        tried = ", ".join(tool for tool in READERS if tool != TABLE)
        super().__init__(f"{path} is {kind_of(path)}, and none of these tools wrote it: {tried}. {AS_TABLE}")


@dataclass(frozen=True)
class Found:
    """A file and what wrote it."""

    path: Path
    source: Source


@dataclass(frozen=True)
class Left:
    """A file of a folder that is not read, and why; `refused`: a tool's file that cannot be read."""

    path: Path
    why: str
    refused: bool


def recognised(path: Path, *, tool: str | None = None, columns: bool = False) -> Found:
    """Return what wrote a file.

    Args:
        path: the file.
        tool: the only reader to ask; None: all.
        columns: whether the columns of a table are named, so that any table can be read.

    Raises:
        FFError: no such file, an unknown tool, or a file of a tool that its reader refuses.
        NoRowsError: it is a tool's file without a row.
        UnknownFileError: no reader knows it.
    """
    if tool is not None and tool not in READERS:
        raise FFError(f"there is no reader {quoted(tool)}. Readers: {', '.join(READERS)}.")
    if path.exists() and not path.is_file():
        raise FFError(f"{path} is not a file that can be read twice: write what it yields into one.")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise FFError(f"{path} cannot be read: {error.strerror}.") from None
    asked = [tool] if tool else [name for name in READERS if name != TABLE] + [TABLE] * columns
    for name in asked:
        source = reader(name).recognise(path, head)
        if source is not None and source.total == 0:
            raise NoRowsError(path)
        if source is not None:
            return Found(path, source)
    if tool is not None:
        raise FFError(f"{path} is {kind_of(path)}, which is not what {tool} writes. Leave out --as.")
    raise UnknownFileError(path, _no_table(path) if columns else "")


def _no_table(path: Path) -> str:
    """Return why a file cannot be read as a table; "" if it can."""
    try:
        open_table(path)
    except FFError as error:
        return str(error)
    return ""


def all_recognised(
    given: Iterable[Path], *, out: Path, tool: str | None = None, columns: bool = False
) -> tuple[list[Found], list[Left]]:
    """Return what wrote each file, in the order given; a folder stands for its files, sorted by name.

    Files of people's labels come last: the traces that they name must be there.

    A named file that cannot be read is an error; one of a folder is left and reported, as other files lie
    there too. A file that holds a part of a run whose whole is read (a hitlog beside its report) is left too.

    Args:
        given: files and folders.
        out: where results go: its files are not read.
        tool, columns: as for `recognised`.

    Raises:
        FFError: as `recognised`; or not one file to read.
    """
    found: list[Found] = []
    left: list[Left] = []
    parts: list[tuple[Path, bool, PartError]] = []
    for place in given:
        named_one = not place.is_dir()
        for path in [place] if named_one else _files(place, out):
            try:
                found.append(recognised(path, tool=tool, columns=columns))
            except PartError as error:
                parts.append((path, named_one, error))
            except FFError as error:
                if named_one:
                    raise
                known = not isinstance(error, UnknownFileError)
                why = str(error).removeprefix(f"{path}: ") if known else f"{kind_of(path)} of no known tool"
                left.append(Left(path, why, refused=known))
    whole = {one.source.run: one.path for one in found if one.source.run is not None}
    for path, named_one, part in parts:
        if part.run in whole:
            why = f"{part.what}; {whole[part.run].name} of the same run is read"
            left.append(Left(path, why, refused=False))
        elif named_one:
            raise part
        else:
            left.append(Left(path, str(part).removeprefix(f"{path}: "), refused=True))
    once = list({one.path.resolve(): one for one in found}.values())
    once.sort(key=lambda one: one.source.tool == LABELS)
    if not once:
        why = (
            f" {left[0].why}"
            if len(left) == 1
            else f" {len(left)} files: their tool is unknown."
            if left
            else ""
        )
        raise FFError(f"nothing to import.{why} {AS_TABLE}")
    return once, left


def _files(folder: Path, out: Path) -> list[Path]:
    """Return the files below a folder, without hidden ones and without what an import wrote."""
    own = out.resolve()
    below = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [
        path
        for path in below
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and own not in path.resolve().parents
    ]
