"""Is a run's folder as its crate says, and as another build? Every file by hash, PDFs by their look.

`verify` compares with the crate: every file, every input, and unlisted files. `compare_folders` and
`compare_sums` compare two builds of one profile: bytes, and for PDFs the look of their pages.
"""

import hashlib
import json
import platform
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from ff_helpers import paths
from ff_helpers.errors import FFError
from ff_helpers.pipeline import freshness
from ff_helpers.pipeline.crate import INPUT, NAME
from ff_helpers.publication.figures.drawn import FONTS

UNBOUND = ("run.log", ".lock", ".steps", ".staging", NAME)
"""Files and folders without a hash: wall times, the lock, the runner's own notes, the crate itself."""

NOT_COMPARED = {
    "run.log": "wall times",
    ".lock": "says that a run writes",
    ".steps": "hashes of the outputs, PDFs among them, which are compared as pictures",
}
"""Names of files and folders that no comparison reads, each with its reason."""
NO_SUM = ("manifest.json", "ro-crate-metadata.json")
"""Files that record the sources and versions behind them: compared between builds, not with a reference."""
PDF_DPI = 150

What = Literal["changed", "missing", "not listed", "no hash", "input changed", "input missing", "differs"]


@dataclass(frozen=True)
class Difference:
    """One file that differs: its name, what is wrong, and why."""

    name: str
    what: What
    reason: str


@dataclass(frozen=True)
class Verified:
    """What was compared, and every difference.

    Attributes:
        bound: files bound by a hash.
        pictures: PDFs, checked only for existence: their bytes may differ (`--against` looks at their pages).
        inputs: files that the run read from outside its folder.
    """

    bound: int
    pictures: int
    inputs: int
    differences: tuple[Difference, ...]


def verify(folder: Path) -> Verified:
    """Compare a run's folder with its crate.

    Inputs are compared with the project's own files if the project is available.

    Raises:
        FFError: no crate, or one that is not JSON of the form that runs write.
    """
    entities = _entities(folder)
    bound = {name: digest for name, digest in entities.items() if not name.startswith(INPUT)}
    read = {name.removeprefix(INPUT): d for name, d in entities.items() if name.startswith(INPUT)}
    found = [*_files(folder, bound), *_unlisted(folder, bound), *_inputs(folder, read)]
    hashed = sum(1 for digest in bound.values() if digest)
    pictures = sum(1 for name, digest in bound.items() if not digest and name.endswith(".pdf"))
    return Verified(hashed, pictures, len(read), tuple(found))


def _entities(folder: Path) -> dict[str, str]:
    """Return id and sha256 (empty if unbound) of every file of the crate."""
    try:
        graph = json.loads((folder / NAME).read_text(encoding="utf-8"))["@graph"]
        files = [e for e in graph if "File" in ([e["@type"]] if isinstance(e["@type"], str) else e["@type"])]
        if files:
            return {unquote(e["@id"]): str(e.get("sha256", "")) for e in files}
        problem = "it lists no file"
    except FileNotFoundError:
        problem = "no such file"
    except (ValueError, KeyError, TypeError) as error:
        problem = f"its crate cannot be read ({error})"
    raise FFError(
        f"{folder / NAME}: {problem}. Name the folder of a finished run, such as outputs/paper; "
        "`ff run params/paper.yaml` makes one."
    )


def _files(folder: Path, bound: dict[str, str]) -> Iterator[Difference]:
    for name, digest in sorted(bound.items()):
        path = folder / name
        if Path(name).is_absolute() or ".." in Path(name).parts:
            yield Difference(name, "not listed", "the crate lists it, but it is not a file of this folder")
        elif not digest and not name.endswith(".pdf"):
            yield Difference(name, "no hash", "the crate gives no sha256 for it, required except for PDFs")
        elif not path.is_file():
            yield Difference(name, "missing", "the crate lists it, but it is missing")
        elif digest and freshness.sha256(path) != digest:
            yield Difference(name, "changed", "its sha256 is not the one in the crate")


def _unlisted(folder: Path, bound: dict[str, str]) -> Iterator[Difference]:
    for name in freshness.files(folder):
        if name not in bound and name.split("/")[0] not in UNBOUND:
            yield Difference(name, "not listed", "the run did not write it, or wrote it elsewhere")


def _inputs(folder: Path, read: dict[str, str]) -> Iterator[Difference]:
    places = paths.outside()
    for name, digest in sorted(read.items()):
        prefix = next((prefix for prefix in places if name.startswith(prefix)), "")
        path = places[prefix] / name.removeprefix(prefix) if prefix else folder / name
        if not path.is_file():
            yield Difference(name, "input missing", f"the run read it; {path} does not exist here")
        elif freshness.sha256(path) != digest:
            yield Difference(name, "input changed", "it is not the file that the run read")


def compare_folders(one: Path, other: Path) -> list[Difference]:
    """Return every file of a run that is not the same in another folder, with the reason.

    Two PDFs are the same if their pages look the same at 150 dpi, even if their bytes differ.

    Raises:
        FFError: one of the two is not a folder.
    """
    for folder in (one, other):
        if not folder.is_dir():
            raise FFError(
                f"{folder} is not a folder. Name the folder of another finished run of the same profile."
            )
    first, second = _compared(one), _compared(other)
    found = [Difference(name, "missing", f"only in {one}") for name in first.keys() - second.keys()]
    found += [Difference(name, "missing", f"only in {other}") for name in second.keys() - first.keys()]
    for name in first.keys() & second.keys():
        if first[name].read_bytes() == second[name].read_bytes():
            continue
        compare = _pdf if name.endswith(".pdf") else _bytes
        if reason := compare(first[name], second[name]):
            found.append(Difference(name, "differs", reason))
    return sorted(found, key=lambda difference: difference.name)


def sums(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file of a run that is compared by its bytes."""
    files = {name: path for name, path in _compared(folder).items() if name not in NO_SUM}
    return {name: freshness.sha256(path) for name, path in files.items() if not name.endswith(".pdf")}


def write_sums(folder: Path, path: Path) -> None:
    """Write the checksums of a run's files, under a line that says where they were made."""
    lines = [
        f"# made with {made_with()}",
        *(f"{digest}  {name}" for name, digest in sorted(sums(folder).items())),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def compare_sums(folder: Path, path: Path) -> tuple[str, list[Difference]]:
    """Return where a checksum file was made, and every file of a run that differs from it.

    Raises:
        FFError: a line that is neither a comment nor a checksum.
        FFError: no such file.
    """
    if not path.is_file():
        raise FFError(f"{path} does not exist. `make reference` writes outputs/reference/sums.txt.")
    made, wanted = "", dict[str, str]()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        digest, _, name = line.partition("  ")
        if line.startswith("#"):
            made = line.removeprefix("# made with ")
        elif len(digest) == 64 and name:
            wanted[name] = digest
        else:
            raise FFError(
                f"{path}:{number}: `<sha256>  <file>` is expected. `make reference` rewrites the file."
            )
    return made, list(_against(sums(folder), wanted))


def made_with() -> str:
    """Return what can change bytes: Python, the platform, zlib, the fonts of figures.

    The packages are those of the lock. One of them brings the font of the figures, but a machine that has
    a font of the same name draws with that.
    """
    machine = f"{platform.system()} {platform.machine()}"
    found = sorted(one for folder in FONTS for one in Path(folder).expanduser().rglob("LiberationSans-Reg*"))
    font = hashlib.sha256(found[0].read_bytes()).hexdigest()[:8] if found else "of vl-convert"
    said = f"Python {platform.python_version()}, {machine}, zlib {zlib.ZLIB_RUNTIME_VERSION}"
    return f"{said}, Liberation Sans {font}"


def _against(there: Mapping[str, str], wanted: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted(there.keys() | wanted.keys()):
        if name not in there:
            yield Difference(name, "missing", "the reference has it")
        elif name not in wanted:
            yield Difference(name, "not listed", "the reference does not have it")
        elif there[name] != wanted[name]:
            yield Difference(name, "differs", "its sha256 is not the reference's")


def _compared(folder: Path) -> dict[str, Path]:
    there = freshness.files(folder)
    return {name: path for name, path in there.items() if name.split("/")[0] not in NOT_COMPARED}


def _bytes(one: Path, other: Path) -> str:
    first, second = one.read_bytes(), other.read_bytes()
    pairs = zip(first, second, strict=False)
    place = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))
    try:
        before = first[:place].decode("utf-8")
    except UnicodeDecodeError:
        return f"byte {place} differs"
    line = before.count("\n") + 1
    return f"line {line} differs"


def _pdf(one: Path, other: Path) -> str:
    """Return how the pages of two PDFs differ visibly; empty if they do not."""
    from pypdfium2 import PdfiumError

    try:
        first, second = _pages(one), _pages(other)
    except PdfiumError as error:
        return f"one of the two cannot be read as a PDF: {error}"
    if len(first) != len(second):
        return f"{len(first)} pages against {len(second)}"
    for number, (a, b) in enumerate(zip(first, second, strict=True), start=1):
        if a != b:
            return f"page {number} looks different"
    return ""


def _pages(path: Path) -> list[str]:
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    try:
        return [
            hashlib.sha256(document[i].render(scale=PDF_DPI / 72).to_numpy().tobytes()).hexdigest()
            for i in range(len(document))
        ]
    finally:
        document.close()
