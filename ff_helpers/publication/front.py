"""The figures on the first page of a report: which five, and what each shows and does not."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from ff_helpers.publication.about import read_about
from ff_helpers.publication.shelf import label, stem

FRONT = 5
"""So many figures carry the story; the rest is a page of its own."""
_SHORT = 240
"""A disclosure with more characters than this is folded after about so many."""


@dataclass(frozen=True)
class Words:
    """What stands beside a figure: a heading, what it shows, what it does not."""

    heading: str
    shows: str
    not_shown: str


@dataclass(frozen=True)
class Figure:
    """A figure of the first page: files by what they are called, and the disclosure that it carries."""

    name: str
    words: Words
    png: str
    narrow: str
    tall: bool
    files: tuple[tuple[str, str], ...]
    alt: str
    disclosure: str
    beginning: str


SLOTS: Final = (
    ("paper_1_crescendo", "crescendo_correction", "would_have_reported"),
    ("paper_2_graders", "calibration_forest"),
    ("paper_3_bracket", "bracket", "format_against_content"),
    ("paper_9_corrected", "corrected"),
    ("paper_10_coverage", "coverage", "asr_by_intent"),
)
"""Each place on the page, and which figure takes it: the first that the run drew."""
_RESERVE = ("would_have_reported", "format_against_content", "asr_by_intent")


@cache
def words() -> Mapping[str, Words]:
    """Return what is said beside each figure that can come first (`front.yaml`), by the figure's name."""
    entries = yaml.safe_load(Path(__file__).with_name("front.yaml").read_text(encoding="utf-8"))
    return {name: Words(**entry) for entry in entries for name in entry.pop("figures")}


def front_figures(folder: Path) -> list[Figure]:
    """Return at most five figures of a run, in reading order; a place without its figure is filled up."""
    drawn = {path.stem for path in (folder / "figures").glob("*.svg")}
    chosen: list[str] = []
    for slot in SLOTS:
        chosen += [name for name in slot if name in drawn and name not in chosen][:1]
    chosen += [name for name in _RESERVE if name in drawn and name not in chosen]
    return [_figure(folder, name) for name in chosen[:FRONT]]


def beginning(said: str) -> str:
    """Return how a long disclosure begins, to stand for it while it is folded; empty where it is short."""
    return said[:_SHORT].rsplit(" ", 1)[0] + " …" if len(said) > _SHORT * 1.5 else ""


def _figure(folder: Path, name: str) -> Figure:
    said_beside, place = words()[name], folder / "figures"
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
        words=said_beside,
        png=f"figures/{wide}.png",
        narrow=f"figures/{name}.png" if wide != name else "",
        tall=_tall(place / f"{wide}.png"),
        files=tuple(files),
        alt=f"{said_beside.heading}. {said_beside.shows} It does not show {said_beside.not_shown}",
        disclosure=said,
        beginning=beginning(said),
    )


def _tall(png: Path) -> bool:
    """Whether a picture is more than twice as high as wide, by the PNG's header."""
    head = png.read_bytes()[:24] if png.is_file() else b""
    return int.from_bytes(head[20:24], "big") > 2 * int.from_bytes(head[16:20], "big")
