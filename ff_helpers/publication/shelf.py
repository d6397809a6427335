"""What a run wrote, as a report shows it: the figures that come first, tables by subject, files by kind."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from markupsafe import Markup

from ff_helpers.publication.metadata import read_about
from ff_helpers.publication.pages import read_words

FRONT = 5
"""How many figures the first page shows; the others are on their own page."""
_SHORT = 240
"""A disclosure with more characters than this is folded after about so many."""
_CSVW = ".csv-metadata.json"
_KINDS: Final = read_words("report/folders", dict[str, str])
"""What each folder of a run holds."""


@dataclass(frozen=True)
class Words:
    """The words next to a figure: a heading, what it shows, what it does not."""

    heading: str
    shows: str
    not_shown: str


@dataclass(frozen=True)
class Layout:
    """What comes first in a report, and under which headings its tables appear.

    Attributes:
        words: the words next to each figure that can come first, after the figure's docstring.
        slots: each place of the first page, and which figure takes it: the first that the run drew.
        subjects: how the names of each subject's tables begin, first match; anything else is `Other`.
    """

    words: dict[str, Words]
    slots: tuple[tuple[str, ...], ...]
    subjects: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Figure:
    """A figure of the first page: files by kind, and the disclosure that it carries."""

    name: str
    words: Words
    png: str
    narrow: str
    tall: bool
    files: tuple[tuple[str, str], ...]
    disclosure: str


LAYOUT: Final = read_words("report/layout", Layout)
"""The report of any run."""
_RESERVE = ("would_have_reported", "format_against_content", "asr_by_intent")


@dataclass(frozen=True)
class Table:
    """One table: its caption's title, its rows, itself, its files."""

    name: str
    title: str
    rows: int
    markup: Markup
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Kind:
    """Files of one folder: those with one name together, each as (kind, address, size in words or empty)."""

    title: str
    count: int
    files: dict[str, list[tuple[str, str, str]]]


def front_figures(folder: Path, layout: Layout) -> list[Figure]:
    """Return at most five figures of a run's folder, in reading order; empty places are filled up."""
    drawn = {path.stem for path in (folder / "figures").glob("*.svg")}
    chosen: list[str] = []
    for slot in layout.slots:
        chosen += [name for name in slot if name in drawn and name not in chosen][:1]
    chosen += [name for name in _RESERVE if name in drawn and name not in chosen]
    return [_figure(folder, name, layout.words[name]) for name in chosen[:FRONT]]


def beginning(said: str) -> str:
    """Return how a long disclosure begins, shown while it is folded; empty where it is short."""
    return said[:_SHORT].rsplit(" ", 1)[0] + " …" if len(said) > _SHORT * 1.5 else ""


def label(path: Path) -> str:
    """Return what a file is in a word or two: its suffix, or `csv metadata`."""
    return "csv metadata" if path.name.endswith(_CSVW) else path.suffix.lstrip(".") or path.name


def stem(path: Path) -> str:
    """Return a file's name without what `label` says."""
    return path.name.removesuffix(_CSVW) if path.name.endswith(_CSVW) else path.stem


def tables(folder: Path, layout: Layout) -> dict[str, list[Table]]:
    """Return the tables of a run's folder by subject, subjects without a table left out."""
    place = folder / "tables"
    files: dict[str, list[Path]] = {}
    for path in sorted(place.glob("*")):
        files.setdefault(stem(path), []).append(path)
    found = [_table(path, files[path.stem]) for path in sorted(place.glob("*.html"))]
    shelf: dict[str, list[Table]] = {title: [] for title in (*layout.subjects, "Other")}
    for table in found:
        shelf[_subject(table.name, layout.subjects)].append(table)
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


def _figure(folder: Path, name: str, words: Words) -> Figure:
    place = folder / "figures"
    # Both sizes of a paper's figure may be there: the wide one for the desk, the narrow one for the hand.
    wide = f"{name}_wide" if (place / f"{name}_wide.png").is_file() else name
    files = [
        (label(path) + (", wide" if stem(path) != name else ""), f"figures/{path.name}")
        for kind in ("svg", "pdf", "png")
        for path in (place / f"{name}.{kind}", place / f"{name}_wide.{kind}")
        if path.is_file()
    ]
    return Figure(
        name=name,
        words=words,
        png=f"figures/{wide}.png",
        narrow=f"figures/{name}.png" if wide != name else "",
        tall=_tall(place / f"{wide}.png"),
        files=tuple(files),
        disclosure=read_about(place / f"{name}.svg").disclosure or name,
    )


def _tall(png: Path) -> bool:
    """Whether a picture is more than twice as high as wide, by the PNG's header."""
    head = png.read_bytes()[:24] if png.is_file() else b""
    return int.from_bytes(head[20:24], "big") > 2 * int.from_bytes(head[16:20], "big")


def _kind(folder: Path, place: str, names: list[str], later: Sequence[str]) -> Kind:
    items: dict[str, list[tuple[str, str, str]]] = {}
    for name in names:
        path = Path(name)
        item = (path.parent / stem(path)).as_posix().removeprefix(f"{place}/")
        fixed = name not in later and path.suffix != ".pdf"
        size = _size((folder / name).stat().st_size) if fixed else ""
        items.setdefault(item, []).append((label(path), name, size))
    return Kind(_KINDS.get(place, place), len(names), items)


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
