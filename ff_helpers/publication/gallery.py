"""The gallery: every figure of a run with what it shows, what it does not, and the notebook that draws it."""

import re
from datetime import date
from pathlib import Path
from typing import Final

from ff_helpers.publication.about import read_about
from ff_helpers.publication.disclosure import NO_TIER, Disclosure
from ff_helpers.publication.pages import render, write_page

NAME: Final = "gallery.html"


def write_gallery(folder: Path, profile: str, as_of: date) -> str:
    """Write gallery.html into a run's folder and return its name."""
    note = Disclosure((), NO_TIER, "as each figure says", "in each figure", "as each figure says", as_of)
    page = render("gallery.html.j2", profile=profile, entries=entries(folder), disclosure=note.sentence())
    write_page(folder / NAME, page)
    return NAME


def entries(folder: Path) -> list[dict[str, object]]:
    """Return every figure of a run, those for the paper first: name, files, and its own description."""
    found = []
    for svg in sorted((folder / "figures").glob("*.svg"), key=_order):
        files = [path for path in sorted(svg.parent.glob(f"{svg.stem}.*")) if path.suffix != ".json"]
        about = {"stem": svg.stem, "files": [path.relative_to(folder).as_posix() for path in files]}
        found.append(about | read_about(svg).model_dump())
    return found


def _order(svg: Path) -> tuple[bool, int, str]:
    number = re.match(r"paper_(\d+)", svg.stem)
    return number is None, int(number[1]) if number else 0, svg.stem
