"""Two builds of one profile, file by file: bytes, and for PDFs the look of their pages."""

import hashlib
import platform
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from ff_helpers.errors import FFError
from ff_helpers.pipeline.freshness import sha256
from ff_helpers.pipeline.verify import Difference

NOT_COMPARED = {
    "run.log": "wall times",
    ".lock": "says that a run writes",
    ".steps": "hashes of the outputs, PDFs among them, which are compared as pictures",
}
"""Names of files and folders that no comparison reads, each with its reason."""
NO_SUM = ("manifest.json", "ro-crate-metadata.json")
"""Files that record the sources and versions behind them: compared between builds, not with a reference."""
PDF_DPI = 150


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
    first, second = _files(one), _files(other)
    found = [Difference(name, "missing", f"only in {one}") for name in first.keys() - second.keys()]
    found += [Difference(name, "missing", f"only in {other}") for name in second.keys() - first.keys()]
    for name in first.keys() & second.keys():
        if first[name].read_bytes() == second[name].read_bytes():
            continue
        reason = (
            _pdf(first[name], second[name]) if name.endswith(".pdf") else _bytes(first[name], second[name])
        )
        if reason:
            found.append(Difference(name, "differs", reason))
    return sorted(found, key=lambda difference: difference.name)


def sums(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file of a run that is compared by its bytes."""
    files = {name: path for name, path in _files(folder).items() if name not in NO_SUM}
    return {name: sha256(path) for name, path in files.items() if not name.endswith(".pdf")}


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
    """Return what can change bytes: Python, the platform and zlib; the packages are those of the lock."""
    machine = f"{platform.system()} {platform.machine()}"
    return f"Python {platform.python_version()}, {machine}, zlib {zlib.ZLIB_RUNTIME_VERSION}"


def _against(there: Mapping[str, str], wanted: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted(there.keys() | wanted.keys()):
        if name not in there:
            yield Difference(name, "missing", "the reference has it")
        elif name not in wanted:
            yield Difference(name, "not listed", "the reference does not have it")
        elif there[name] != wanted[name]:
            yield Difference(name, "differs", "its sha256 is not the reference's")


def _files(folder: Path) -> dict[str, Path]:
    there = {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file()}
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
