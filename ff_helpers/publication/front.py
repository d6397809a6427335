"""The figures on the first page of a report: which five, and what each shows and does not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ff_helpers.publication.about import read_about
from ff_helpers.publication.pages import read_words
from ff_helpers.publication.shelf import label, stem

FRONT = 5
"""How many figures the first page shows; the others are on their own page."""
_SHORT = 240
"""A disclosure with more characters than this is folded after about so many."""


@dataclass(frozen=True)
class Words:
    """The words next to a figure: a heading, what it shows, what it does not."""

    heading: str
    shows: str
    not_shown: str


@dataclass(frozen=True)
class Figure:
    """A figure of the first page: files by kind, and the disclosure that it carries."""

    name: str
    words: Words
    png: str
    narrow: str
    tall: bool
    files: tuple[tuple[str, str], ...]
    alt: str
    disclosure: str
    beginning: str


WORDS: Final = read_words("report/figures", dict[str, Words])
"""The words next to each figure that can come first, after the figure's docstring."""
SLOTS: Final[tuple[tuple[str, ...], ...]] = (
    ("would_have_reported",),
    ("calibration_forest",),
    ("bracket", "format_against_content"),
    ("adjusted",),
    ("coverage", "asr_by_intent"),
)
"""Each place on the page, and which figure takes it: the first that the run drew."""
_RESERVE = ("would_have_reported", "format_against_content", "asr_by_intent")


def front_figures(
    folder: Path, words: Mapping[str, Words] = WORDS, slots: Sequence[Sequence[str]] = SLOTS
) -> list[Figure]:
    """Return at most five figures of a run, in reading order; empty places are filled up.

    Args:
        folder: the run's.
        words: the words next to each figure that can come first.
        slots: each place on the page, and which figure takes it: the first that the run drew.
    """
    drawn = {path.stem for path in (folder / "figures").glob("*.svg")}
    chosen: list[str] = []
    for slot in slots:
        chosen += [name for name in slot if name in drawn and name not in chosen][:1]
    chosen += [name for name in _RESERVE if name in drawn and name not in chosen]
    return [_figure(folder, name, words[name]) for name in chosen[:FRONT]]


def beginning(said: str) -> str:
    """Return how a long disclosure begins, shown while it is folded; empty where it is short."""
    return said[:_SHORT].rsplit(" ", 1)[0] + " …" if len(said) > _SHORT * 1.5 else ""


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
    said = read_about(place / f"{name}.svg").disclosure or name
    return Figure(
        name=name,
        words=words,
        png=f"figures/{wide}.png",
        narrow=f"figures/{name}.png" if wide != name else "",
        tall=_tall(place / f"{wide}.png"),
        files=tuple(files),
        alt=f"{words.heading}. {words.shows} It does not show {words.not_shown}",
        disclosure=said,
        beginning=beginning(said),
    )


def _tall(png: Path) -> bool:
    """Whether a picture is more than twice as high as wide, by the PNG's header."""
    head = png.read_bytes()[:24] if png.is_file() else b""
    return int.from_bytes(head[20:24], "big") > 2 * int.from_bytes(head[16:20], "big")
