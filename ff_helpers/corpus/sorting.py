"""Sort more rows than memory holds: in pieces, on disk."""

import tempfile
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice
from pathlib import Path
from struct import Struct
from typing import Final

_RUNS: Final = 200
"""Pieces that are open at once; more are merged first."""

_HEAD: Final = Struct("<IIqq")
"""Of a row in a piece: the lengths of its text and its bytes, then its two numbers."""

Row = tuple[str, bytes, int, int]


def sort_rows(rows: Iterator[Row], folder: Path, *, in_memory: int) -> Iterator[Row]:
    """Return rows in order; pieces of `in_memory` rows are files of the folder until they have been read.

    Raises:
        OSError: the folder cannot be written, or its disk is full.
    """
    runs: list[Path] = []
    while piece := sorted(islice(rows, in_memory)):
        if not runs and len(piece) < in_memory:
            return iter(piece)
        if len(runs) == _RUNS:
            runs = [_run(merge(*map(_rows_of, runs)), folder)]
        runs.append(_run(piece, folder))
    return merge(*map(_rows_of, runs))


def _run(rows: Iterable[Row], folder: Path) -> Path:
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        for text, content, first, second in rows:
            words = text.encode("utf-8", "surrogatepass")
            file.write(_HEAD.pack(len(words), len(content), first, second) + words + content)
    return Path(file.name)


def _rows_of(run: Path) -> Iterator[Row]:
    """Yield the rows of a sorted piece, and remove it."""
    with run.open("rb") as file:
        run.unlink()
        while head := file.read(_HEAD.size):
            words, content, first, second = _HEAD.unpack(head)
            yield file.read(words).decode("utf-8", "surrogatepass"), file.read(content), first, second
