"""An executed notebook as HTML: prose, folded code, outputs.

Drawn here rather than by nbconvert's page templates, which load scripts and fonts from the network.
"""

import base64
import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from ff_helpers.publication.figures.theme import SCREEN_SCALE

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Output:
    """One output of a cell, ready to be shown."""

    markup: Markup
    failed: bool = False


@dataclass(frozen=True)
class Cell:
    """One cell: prose, or code with its outputs."""

    prose: Markup | None = None
    code: str = ""
    outputs: tuple[Output, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether an error ended this cell."""
        return any(output.failed for output in self.outputs)


def notebook_page(path: Path) -> list[Cell]:
    """Return the cells of an executed notebook as they are to be shown."""
    cells = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            cells.append(Cell(prose=markdown(source)))
        elif cell["cell_type"] == "code":
            outputs = tuple(output for raw in cell["outputs"] if (output := _output(raw)))
            cells.append(Cell(code=source, outputs=outputs))
    return cells


def title(path: Path) -> str:
    """Return a notebook's first heading, without its markup."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        heading = re.search(r"^#\s+(.+)$", "".join(cell["source"]), re.MULTILINE)
        if cell["cell_type"] == "markdown" and heading:
            return heading[1].strip().replace("`", "")
    return path.stem


def markdown(text: str) -> Markup:
    """Return Markdown as HTML."""
    from nbconvert.filters.markdown_mistune import markdown2html_mistune

    return Markup(markdown2html_mistune(text))


def _output(raw: dict[str, object]) -> Output | None:
    if raw["output_type"] == "stream":
        return Output(_pre(_joined(raw["text"])))
    if raw["output_type"] == "error":
        return Output(_pre(_joined(raw["traceback"], "\n")), failed=True)
    data = raw.get("data")
    best = next((mime for mime in _SHOWN if isinstance(data, dict) and mime in data), None)
    return Output(_SHOWN[best](_joined(data[best]))) if best and isinstance(data, dict) else None


def _joined(text: object, between: str = "") -> str:
    return between.join(map(str, text)) if isinstance(text, list) else str(text)


def _pre(text: str) -> Markup:
    return Markup(f"<pre>{html.escape(_ANSI.sub('', text))}</pre>")


def _png(text: str) -> Markup:
    encoded = text.replace("\n", "")
    # The width in pixels is in the PNG's header.
    width = round(int.from_bytes(base64.b64decode(encoded[:32])[16:20], "big") / SCREEN_SCALE)
    return Markup('<img alt="figure" width="{}" src="data:image/png;base64,{}">').format(width, encoded)


# Best first: PNG before SVG, because a browser without the SVG's fonts would cut its labels off. What our
# own helpers emit as HTML and SVG is escaped where it is made.
_SHOWN: dict[str, Callable[[str], Markup]] = {
    "text/html": Markup,
    "image/png": _png,
    "image/svg+xml": Markup,
    "text/markdown": markdown,
    "text/plain": _pre,
}
