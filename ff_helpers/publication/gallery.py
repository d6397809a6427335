"""The gallery: every figure of a run with what it shows, what it does not, and the notebook that draws it.

Which function drew which file is read from the executed notebooks, what it shows from its docstring.
"""

import ast
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from html import unescape
from pathlib import Path
from typing import Final

from ff_helpers.publication.disclosure import NO_TIER, Disclosure

NAME: Final = "gallery.html"


@dataclass(frozen=True)
class Entry:
    """One figure: its files by stem, what its function says of it, where it is drawn."""

    stem: str
    function: str
    shows: str
    notebook: str
    files: tuple[str, ...]
    disclosure: str
    wide: bool


def write_gallery(folder: Path, profile: str, as_of: date) -> str:
    """Write gallery.html into a run's folder and return its name."""
    from ff_helpers.publication.pages import render

    note = Disclosure((), NO_TIER, "as each figure says", "in each figure", "as each figure says", as_of)
    page = render("gallery.html.j2", profile=profile, entries=entries(folder), disclosure=note.sentence())
    with (folder / NAME).open("w", encoding="utf-8", newline="\n") as file:
        file.write(page)
    return NAME


def entries(folder: Path) -> list[Entry]:
    """Return every figure of a run, those for the paper first, each in its narrow and wide form."""
    drawn = {stem: (function, notebook) for stem, function, notebook in _drawn(folder)}
    found = []
    for svg in sorted((folder / "figures").glob("*.svg"), key=_order):
        function, notebook = drawn.get(svg.stem, ("", ""))
        if not function and svg.stem.startswith("confusion_"):
            function, notebook = "confusion", "02_calibrate"
        text = svg.read_text(encoding="utf-8")
        said = re.search(r"<desc>(.*?)</desc>", text, re.DOTALL)
        width = re.search(r'width="([\d.]+)"', text)
        files = tuple(p.relative_to(folder).as_posix() for p in sorted(svg.parent.glob(f"{svg.stem}.*")))
        found.append(
            Entry(
                svg.stem,
                function,
                shows(function),
                notebook,
                files,
                unescape(said[1]) if said else "",
                float(width[1]) > 400 if width else False,
            )
        )
    return found


def shows(function: str) -> str:
    """Return what a figure shows and what not: its docstring up to the arguments; else empty."""
    from ff_helpers import figures

    if not hasattr(figures, function):
        return ""
    text = inspect.getdoc(getattr(figures, function)) or ""
    return " ".join(re.split(r"\n\s*\n(?=Args:|Returns:|Raises:)", text)[0].split())


def _drawn(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield stem, function and notebook of every `save_figure` in the executed notebooks."""
    for path in sorted((folder / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        held: dict[str, str] = {}
        for cell in cells:
            if cell["cell_type"] != "code":
                continue
            try:
                tree = ast.parse("".join(cell["source"]))
            except SyntaxError:
                continue
            for node in tree.body:
                _remember(node, held)
                for stem, function in _saved(node, held):
                    yield stem, function, path.stem


def _remember(node: ast.stmt, held: dict[str, str]) -> None:
    """Keep which names hold a figure: `a = ff.figures.f(...)`, `a, b = x, ff.figures.f(...)`."""
    if not isinstance(node, ast.Assign):
        return
    for target in node.targets:
        pairs = [(target, node.value)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=False))
        for name, value in pairs:
            function = _function(value, held)
            if isinstance(name, ast.Name) and function:
                held[name.id] = function


def _saved(node: ast.AST, held: dict[str, str]) -> Iterator[tuple[str, str]]:
    for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "save_figure" and len(call.args) == 4:
            stem = call.args[3]
            if isinstance(stem, ast.Constant):
                yield str(stem.value), _function(call.args[1], held)


def _function(node: ast.expr, held: dict[str, str]) -> str:
    """Return the figure function that an expression calls; `wide(...)` is looked through."""
    if isinstance(node, ast.Name):
        return held.get(node.id, "")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "wide" and node.args:
            return _function(node.args[0], held)
        if isinstance(node.func.value, ast.Attribute) and node.func.value.attr == "figures":
            return node.func.attr
    return ""


def _order(svg: Path) -> tuple[bool, int, str]:
    number = re.match(r"paper_(\d+)", svg.stem)
    return number is None, int(number[1]) if number else 0, svg.stem
