"""What a run wrote, as a reader looks for it: tables by subject, files by kind."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from markupsafe import Markup

from ff_helpers.publication.pages import read_words

_CSVW = ".csv-metadata.json"
_KINDS: Final = read_words("report/folders", dict[str, str])
"""What each folder of a run holds."""
SUBJECTS: Final = read_words("report/subjects", dict[str, tuple[str, ...]])
"""Subjects of tables by how a name begins, first match; anything else is `Other`."""


@dataclass(frozen=True)
class Table:
    """One table: its caption's title, its rows, itself, its files."""

    name: str
    title: str
    rows: int
    markup: Markup
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Item:
    """Files that belong together: one name, and its files as (kind, address, size in words or empty)."""

    name: str
    files: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Kind:
    """Files of one folder."""

    title: str
    count: int
    items: tuple[Item, ...]


def label(path: Path) -> str:
    """Return what a file is in a word or two: its suffix, or `csv metadata`."""
    return "csv metadata" if path.name.endswith(_CSVW) else path.suffix.lstrip(".") or path.name


def stem(path: Path) -> str:
    """Return a file's name without what `label` says."""
    return path.name.removesuffix(_CSVW) if path.name.endswith(_CSVW) else path.stem


def tables(folder: Path, subjects: Mapping[str, tuple[str, ...]] = SUBJECTS) -> dict[str, list[Table]]:
    """Return the run's tables by subject, subjects without a table left out.

    Args:
        folder: the run's.
        subjects: how the names of each subject's tables begin; the first that matches has the table.
    """
    place = folder / "tables"
    files: dict[str, list[Path]] = {}
    for path in sorted(place.glob("*")):
        files.setdefault(stem(path), []).append(path)
    found = [_table(path, files[path.stem]) for path in sorted(place.glob("*.html"))]
    shelf: dict[str, list[Table]] = {title: [] for title in (*subjects, "Other")}
    for table in found:
        shelf[_subject(table.name, subjects)].append(table)
    return {title: rows for title, rows in shelf.items() if rows}


def kinds(folder: Path, later: Sequence[str]) -> list[Kind]:
    """Return every file of the run that a reader may open, by folder, hidden ones left out.

    A size is given where the file is the same in every run of the same inputs: not for PDFs, nor for
    those `later`, which are written or changed after the report.
    """
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    shown = {name for name in there if not any(part.startswith(".") for part in Path(name).parts)}
    # A figure's description is on the page already.
    shown = {name for name in shown if not (name.startswith("figures/") and name.endswith(".json"))}
    names = sorted((shown | set(later)) - {"index.html"})
    folders = sorted({_folder(name) for name in names}, key=lambda f: [*_KINDS, f].index(f))
    return [_kind(folder, place, [n for n in names if _folder(n) == place], later) for place in folders]


def _kind(folder: Path, place: str, names: list[str], later: Sequence[str]) -> Kind:
    items: dict[str, list[tuple[str, str, str]]] = {}
    for name in names:
        path = Path(name)
        item = (path.parent / stem(path)).as_posix().removeprefix(f"{place}/")
        fixed = name not in later and path.suffix != ".pdf"
        size = _size((folder / name).stat().st_size) if fixed else ""
        items.setdefault(item, []).append((label(path), name, size))
    rows = tuple(Item(name, tuple(files)) for name, files in items.items())
    return Kind(_KINDS.get(place, place), len(names), rows)


def _folder(name: str) -> str:
    return name.split("/", 1)[0] if "/" in name else ""


def _size(size: int) -> str:
    """A size as people read it; 1 kB is 1000 bytes."""
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.0f} kB" if size < 999_500 else f"{size / 1e6:.1f} MB"


def _subject(name: str, subjects: Mapping[str, tuple[str, ...]]) -> str:
    return next((title for title, starts in subjects.items() if name.startswith(starts)), "Other")


def _table(path: Path, files: list[Path]) -> Table:
    text = path.read_text(encoding="utf-8")
    header = path.with_name(path.stem + _CSVW)
    described = json.loads(header.read_text(encoding="utf-8")) if header.is_file() else {}
    # Written by `save_table`, which escapes what it is given; the page's style sheet holds its style.
    markup = Markup(re.sub(r"<style>.*?</style>\n?", "", text, flags=re.DOTALL))
    order = ["csv", "csv metadata", "tex", "html"]
    known = sorted(files, key=lambda p: (order.index(label(p)) if label(p) in order else 9, p.name))
    return Table(
        name=path.stem,
        title=str(described.get("dc:title", path.stem)),
        rows=max(markup.count("<tr>") - 1, 0),
        markup=markup,
        files=tuple((label(p), f"tables/{p.name}") for p in known),
    )
