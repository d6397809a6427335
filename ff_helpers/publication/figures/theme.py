"""One look for every figure, and the one function that writes one.

A figure is drawn to SVG once; the disclosure is set as a caption under it, the PDF is made from that same
SVG, and the PNG from the PDF. Each of the three also carries the disclosure as its metadata. Ids are
renumbered, so the same numbers give the same bytes.
"""

import base64
import hashlib
import html
import inspect
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd
from markupsafe import Markup

from ff_helpers.errors import FFError
from ff_helpers.paths import Run
from ff_helpers.publication.derive import disclose
from ff_helpers.publication.disclosure import Disclosure
from ff_helpers.publication.figures.drawn import kept
from ff_helpers.publication.metadata import pdf_with, png_of, svg_metadata, write_about
from ff_helpers.publication.pages import read_words, render, write_page

if TYPE_CHECKING:
    import altair as alt

COLUMN_WIDTH = 317
"""Width in px of one column of a two-column paper (84 mm at 96 dpi)."""
PAGE_WIDTH = 672
"""Width in px of both columns (178 mm)."""
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
PNG_SCALE = 300 / 72
SCREEN_SCALE = 2.0
"""Pixels of a figure in a notebook per point, 1.5 per CSS pixel: readable on a screen, and small enough to
commit."""

KINDS: Final = (".png", ".svg", ".pdf", ".html")
"""What a chart can be written as."""
_HERE = Path(__file__).parent
LOOKS = read_words("looks", dict[str, dict[str, tuple[str, str]]], _HERE)
"""Colour and shape of the marks of a figure, by what they stand for."""
VERDICT_LOOKS = read_words("verdicts", dict[str, tuple[str, list[int]]], _HERE)
"""Colour and dashes of each verdict."""
INK: Final = "#222222"
ACCENT: Final = "#0072B2"
SOFT: Final = "#56B4E9"
STIPPLE = "url(#ff-stipple)"
"""Fill of a bar whose sample is insufficient (n < 20)."""

_CONFIG = json.loads((_HERE / "theme.json").read_text(encoding="utf-8"))
"""The look of titles, axes, legends and text, as a Vega-Lite config."""
_DEFS = (_HERE / "stipple.svg").read_text(encoding="utf-8").strip()
"""The pattern of `STIPPLE`, which every figure holds."""

_PACKING = Path(inspect.getfile(png_of)).read_bytes()
"""Our code that writes a PNG: other code, another drawing."""


@dataclass(frozen=True, repr=False)
class Picture:
    """A figure as a notebook shows it: a PNG to look at, and the hash of its SVG to compare.

    Comparisons of notebooks ignore the bytes of images; the text notices a figure that has changed.
    """

    name: str
    svg: str
    pdf: bytes

    @property
    def png(self) -> bytes:
        """The pixels of a screen, drawn only for a notebook that shows them."""
        return _png(self.pdf, SCREEN_SCALE)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        drawn = hashlib.sha256(self.svg.encode("utf-8")).hexdigest()
        return {
            "image/png": base64.b64encode(self.png).decode("ascii"),
            "text/plain": f"figures/{self.name}, drawn as SVG with sha256 {drawn}",
        }


def save_figure(
    run: Run, chart: "alt.TopLevelMixin", frame: pd.DataFrame, name: str, *, notes: Sequence[str] = ()
) -> Picture:
    """Write figures/<name>.svg, .png (300 dpi), .pdf and its description, and return it for display.

    Args:
        run: where to write.
        chart: an altair chart, COLUMN_WIDTH or PAGE_WIDTH wide in all (use `sized`).
        frame: what the chart shows; the disclosure derived from it (`disclose`) becomes its caption.
        name: file name without suffix.
        notes: sentences that are added to the disclosure.

    Raises:
        FFError: as `disclose`.
    """
    note = disclose(run, frame, notes=notes)
    svg = draw(chart, caption=note.sentence())
    inside = svg.replace("</desc>", f"</desc>{svg_metadata(note)}", 1)
    run.write(f"figures/{name}.svg").write_bytes(inside.encode("utf-8"))
    pdf = _pdf(svg)
    run.write(f"figures/{name}.png").write_bytes(_png(pdf, PNG_SCALE, note))
    run.write(f"figures/{name}.pdf").write_bytes(pdf_with(pdf, note, name))
    write_about(run, name, chart, svg, note.sentence())
    return Picture(name, svg, pdf)


def write_chart(path: Path, chart: "alt.TopLevelMixin", *, caption: str) -> None:
    """Write a chart of no run to a file, with a caption in place of the disclosure of a run's figures.

    Args:
        path: its suffix says as what: .png (300 dpi), .svg, .pdf, or .html (a page that opens from disk).
        chart: as for `save_figure`.
        caption: who graded, on which labels: what a figure must say that leaves its run.

    Raises:
        FFError: another suffix, or a folder that does not exist.
    """
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise FFError(f"{path}: its suffix must be one of {', '.join(KINDS)}.")
    if not path.parent.is_dir():
        raise FFError(f"{path}: there is no folder {path.parent}. Create it, or name another.")
    svg = draw(chart, caption=caption)
    if kind == ".html":
        write_page(path, render("chart.html.j2", title=path.stem, svg=Markup(svg)))
    elif kind == ".svg":
        write_page(path, svg)
    else:
        pdf = _pdf(svg)
        path.write_bytes(pdf if kind == ".pdf" else _png(pdf, PNG_SCALE))


def sized(chart: "alt.Chart | alt.LayerChart", *, width: int, height: int) -> "alt.Chart | alt.LayerChart":
    """Return a single or layered chart whose axes and titles fit into `width` x `height` px."""
    import altair as alt

    return chart.properties(
        width=width, height=height, autosize=alt.AutoSizeParams(type="fit", contains="padding")
    )


def wide(chart: "alt.Chart | alt.LayerChart") -> "alt.Chart | alt.LayerChart":
    """Return a chart of one column as wide as both columns of a paper."""
    return chart.properties(width=PAGE_WIDTH)


_APART = re.compile(r"\((?:[0-9a-f]{12}\b|rubric|temperature|seed)[^()]*\)$")


def cut(text: str, most: int) -> str:
    """Return text that fits: at most so many characters, with an ellipsis; the table has all of it.

    What tells a grader from its namesake is at the end of its name, and is kept.
    """
    if len(text) <= most:
        return text
    apart = _APART.search(text)
    kept = min(len(apart[0]), most - 4) if apart else 0
    return f"{text[: most - kept - 1]}…{text[len(text) - kept :]}"


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with floats rounded to 6 digits, so other processors draw the same bytes."""
    return frame.round(6)


def draw(chart: "alt.TopLevelMixin", *, caption: str) -> str:
    """Return the chart as SVG in the shared theme, with the caption under it and as its description."""
    # Through JSON, because nested frames and dates are only plain values there. Altair checked each part when
    # it was made; checking the whole again would take as long as drawing it.
    spec = json.loads(chart.to_json(validate=False))
    # Altair writes defaults of its own into `config`: ours win.
    spec["config"] = spec.get("config", {}) | _CONFIG
    basis = json.dumps(spec, sort_keys=True).encode("utf-8")

    def svg() -> bytes:
        import vl_convert

        return vl_convert.vegalite_to_svg(spec).encode("utf-8")

    return _finish(kept("svg", basis, svg).decode("utf-8"), caption)


def _pdf(svg: str) -> bytes:
    """Return a finished SVG as a PDF."""

    def pdf() -> bytes:
        import vl_convert

        return vl_convert.svg_to_pdf(_in_points(svg))

    return kept("pdf", _in_points(svg).encode("utf-8"), pdf)


def _png(pdf: bytes, scale: float, note: Disclosure | None = None) -> bytes:
    """Return `png_of` the arguments."""
    how = f"{scale} {note.sentence() if note else ''}".encode()
    return kept("png", b"\0".join([how, _PACKING, pdf]), lambda: png_of(pdf, scale, note))


def _finish(svg: str, caption: str) -> str:
    size = re.search(r'width="([\d.]+)" height="([\d.]+)" viewBox="0 0 [\d.]+ [\d.]+"', svg)
    if size is None:  # pragma: no cover - vl-convert always writes these three
        raise ValueError("the SVG has no size")
    width, height = float(size.group(1)), float(size.group(2))
    lines = _lines(caption, width / 3.7)
    total = height + 10 * len(lines) + 8
    text = "".join(
        f'<text x="4" y="{height + 10 + 10 * i:g}" font-family="{FONT}" font-size="7.5" '
        f'fill="#444444">{html.escape(line)}</text>'
        for i, line in enumerate(lines)
    )
    svg = svg.replace(
        size.group(0), f'width="{width:g}" height="{total:g}" viewBox="0 0 {width:g} {total:g}"', 1
    )
    svg = svg.replace(
        f'<rect width="{size.group(1)}" height="{size.group(2)}" fill="white"',
        f'<rect width="{width:g}" height="{total:g}" fill="white"',
        1,
    )
    head = f"<desc>{html.escape(caption)}</desc>{_DEFS}"
    svg = re.sub(r"(<svg[^>]*>)", lambda m: m.group(1) + head, svg, count=1)
    return _renumber(svg.replace("</svg>", text + "</svg>"))


def _lines(text: str, width: float) -> list[str]:
    """Break text into lines of so many average letters; capitals are wider than that."""
    lines, room = [""], width
    for word in re.split(r"(?<= )|(?<=-)(?=\w)", text):
        size = sum(1.45 if letter.isupper() or letter == "_" else 1.0 for letter in word.rstrip())
        if size > room and lines[-1]:
            lines, room = [*lines, ""], width
        lines[-1] += word
        room -= size + word.endswith(" ")
    return [line.rstrip() for line in lines]


def _in_points(svg: str) -> str:
    """Give the size in points: the PDF writer takes a px for a pt, which would make 84 mm 112."""
    return re.sub(
        r'width="([\d.]+)" height="([\d.]+)" viewBox',
        lambda m: f'width="{0.75 * float(m[1]):g}" height="{0.75 * float(m[2]):g}" viewBox',
        svg,
        count=1,
    )


def _renumber(svg: str) -> str:
    """Number generated ids from 1: the renderer counts them over the life of the process."""
    names = dict.fromkeys(re.findall(r'id="((?:clip|gradient)[\w-]*?\d+)"', svg))
    for i, old in enumerate(names, start=1):
        new = re.sub(r"\d+$", "", old)
        svg = re.sub(rf"(?<=[\"#]){re.escape(old)}(?=[\")])", f"ff-{new}-{i}", svg)
    return svg
