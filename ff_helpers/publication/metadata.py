"""What a file says about itself, so a figure or table that travels alone still names its grader.

The disclosure is inside the file. SVG: `<metadata>`. PDF: title, subject and keywords. PNG: a text chunk.
CSV: a CSV-on-the-Web header file next to it (W3C, Metadata Vocabulary for Tabular Data). Any other reader
still has the caption.

A figure's description is a small JSON file next to it, which the report and the gallery read. The function
that draws a chart marks it with its own name and with its docstring's description; `save_figure` writes that
next to the figure, with the step that drew it and the disclosure.
"""

import functools
import html
import inspect
import json
import os
import re
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

import pandas as pd

from ff_helpers.columns import UNITS
from ff_helpers.columns import column as declared
from ff_helpers.corpus.jsonl import Closed
from ff_helpers.measurement.proportions.intervals import Proportion
from ff_helpers.measurement.results import terms_as_json, terms_of
from ff_helpers.paths import Run
from ff_helpers.publication.disclosure import Disclosure
from ff_helpers.publication.pages import write_page
from ff_helpers.terms import Unknown

if TYPE_CHECKING:
    import altair as alt

_DATATYPES = {"b": "boolean", "i": "integer", "u": "integer", "f": "number"}
"""The CSV-on-the-Web datatype of each kind of dtype; any other is a string."""
Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
P = ParamSpec("P")
R = TypeVar("R")


class About(Closed):
    """What is known about a saved figure.

    Attributes:
        function: the figure, as in `ff.figures.<function>`; empty for your own chart.
        shows: what it shows and what not: the docstring of the function up to its arguments.
        step: the notebook that drew it, where a run did.
        width: in px; a column of a paper is less than 400.
        disclosure: the sentence that is drawn under it.
    """

    function: str = ""
    shows: str = ""
    step: str = ""
    width: float = 0.0
    disclosure: str = ""


def told(figure: Callable[P, R]) -> Callable[P, R]:
    """Return a figure function whose charts record which function drew them."""
    text = re.split(r"\n\s*\n(?=Args:|Returns:|Raises:)", inspect.getdoc(figure) or "")[0]

    @functools.wraps(figure)
    def drawn(*args: P.args, **keywords: P.kwargs) -> R:
        chart = figure(*args, **keywords)
        # A function that takes a chart, such as `wide`, keeps the existing name.
        if hasattr(chart, "usermeta") and not isinstance(chart.usermeta, dict):
            chart.usermeta = {"function": figure.__name__, "shows": " ".join(text.split())}
        return chart

    return drawn


def write_about(run: Run, name: str, chart: "alt.TopLevelMixin", svg: str, disclosure: str) -> None:
    """Write figures/<name>.json next to a figure drawn as `svg`."""
    marks = getattr(chart, "usermeta", None)
    size = re.search(r'width="([\d.]+)"', svg)
    about = About(
        **(marks if isinstance(marks, dict) else {}),
        step=Path(os.environ.get("FF_STAGING", "")).name,
        width=float(size[1]) if size else 0.0,
        disclosure=disclosure,
    )
    write_page(run.write(f"figures/{name}.json"), about.model_dump_json(indent=1) + "\n")


def read_about(figure: Path) -> About:
    """Return what a figure, `figures/<name>.svg` or another of its files, says about itself."""
    path = figure.with_suffix(".json")
    return About.model_validate_json(path.read_text(encoding="utf-8")) if path.is_file() else About()


def as_json(disclosure: Disclosure) -> dict[str, Plain]:
    """Return a disclosure as plain values; an Unknown keeps what is unknown and why."""
    graders: Plain
    if isinstance(disclosure.graders, str | Unknown):
        graders = _plain(disclosure.graders)
    else:
        graders = [
            {f.name: _plain(getattr(note, f.name)) for f in fields(note)} for note in disclosure.graders
        ]
    return {
        "sentence": disclosure.sentence(),
        "graders": graders,
        "tier": disclosure.tier,
        "denominator": disclosure.denominator,
        "counts": disclosure.counts,
        "left_out": disclosure.left_out,
        "notes": list(disclosure.notes),
        "as_of": disclosure.as_of.isoformat(),
    }


def svg_metadata(disclosure: Disclosure) -> str:
    """Return the `<metadata>` element of an SVG."""
    return f'<metadata id="ff-disclosure">{html.escape(_dumped(as_json(disclosure)))}</metadata>'


def png_of(pdf: bytes, scale: float, disclosure: Disclosure | None = None) -> bytes:
    """Return the first page of a PDF as a PNG, with the disclosure as its `Description` (iTXt, UTF-8).

    The pixels come from the PDF, not from the SVG again: there the text is set already, which takes most of
    the time. How zlib packs them is its own affair, so that another zlib can give other bytes.

    Args:
        pdf: a document without transparency around its page.
        scale: pixels per point (1/72 inch).
        disclosure: what the picture says about itself.
    """
    import pypdfium2

    with pypdfium2.PdfDocument(pdf) as document:
        pixels = document[0].render(scale=scale, rev_byteorder=True).to_numpy()[:, :, :3]
    height, width, _ = pixels.shape
    # Each line begins with the filter of its bytes: 0, none.
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)
    about = b"" if disclosure is None else b"Description\0\0\0\0\0" + disclosure.sentence().encode("utf-8")
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(lines)),  # level 9 takes five times as long for 3% less
            _chunk(b"iTXt", about) if about else b"",
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def pdf_with(pdf: bytes, disclosure: Disclosure, title: str) -> bytes:
    """Return a PDF with title, the disclosure as its subject, and its JSON under `/Disclosure`.

    By an incremental update (ISO 32000-1, 7.5.6): the file stays as it was written, byte for byte, and a new
    information dictionary is appended. Nothing in it depends on the day.

    Raises:
        ValueError: bytes that do not end like a PDF with a cross-reference table.
    """
    ends = re.fullmatch(
        rb"trailer\s*<<(?P<trailer>.*)>>\s*startxref\s+(?P<table>\d+)\s+%%EOF\s*",
        pdf[max(pdf.rfind(b"trailer"), 0) :],
        re.DOTALL,
    )
    keys = dict(re.findall(rb"/(Size|Root|Info)\s+([\d R]*\d[\d R]*)", ends["trailer"])) if ends else {}
    if ends is None or not {b"Size", b"Root"} <= set(keys):
        raise ValueError("the PDF does not end with a trailer and a cross-reference table")
    content = {
        "Title": title,
        "Subject": disclosure.sentence(),
        "Keywords": "attack success rate, grader accuracy",
        "Producer": "ff_helpers",
        "Disclosure": _dumped(as_json(disclosure)),
    }
    number = int(keys[b"Info"].split()[0]) if b"Info" in keys else int(keys[b"Size"])
    size, root = max(int(keys[b"Size"]), number + 1), keys[b"Root"].decode().strip()
    start = len(pdf) + 1
    entries = " ".join(f"/{key} <{_hex(value)}>" for key, value in content.items())
    info = f"\n{number} 0 obj\n<< {entries} >>\nendobj\n"
    table = f"xref\n{number} 1\n{start:010} 00000 n\r\n"
    trailer = f"trailer\n<< /Size {size} /Root {root} /Info {number} 0 R /Prev {int(ends['table'])} >>\n"
    end = f"startxref\n{len(pdf) + len(info)}\n%%EOF\n"
    return pdf + (info + table + trailer + end).encode("ascii")


def _hex(text: str) -> str:
    """Return a text string of a PDF: UTF-16 with its mark, in hexadecimal digits."""
    return (b"\xfe\xff" + text.encode("utf-16-be")).hex()


def csv_header(
    name: str,
    frame: pd.DataFrame,
    disclosure: Disclosure,
    *,
    title: str,
    headings: Mapping[str, str],
    like: Mapping[str, str] | None = None,
) -> str:
    """Return the CSV-on-the-Web header of `<name>.csv`: what each column is, and the disclosure.

    Args:
        name: of the table.
        frame: as written, without its column `disclosure`.
        disclosure: of the table.
        title: its caption.
        headings: what people read above a column.
        like: columns named after a grader, and the declared column that each is like.
    """
    columns = [str(column) for column in frame.columns]
    described: list[Plain] = [
        {"name": c, "titles": headings.get(c, c), **_described(frame, c, like or {})} for c in columns
    ]
    note: Plain = {"name": "disclosure", "titles": "disclosure", "datatype": "string"}
    content: dict[str, Plain] = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": f"{name}.csv",
        "dc:title": title,
        "dc:description": disclosure.sentence(),
        "dc:date": disclosure.as_of.isoformat(),
        "notes": [as_json(disclosure) | {"terms": _rounded_terms(frame)}],
        "tableSchema": {"columns": [*described, note]},
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _rounded_terms(frame: pd.DataFrame) -> Plain:
    """Return the terms of the frame, with which it can be read again (`read_table`)."""
    terms = terms_of(frame)
    return rounded(cast(Plain, terms_as_json(terms))) if terms else None


def _described(frame: pd.DataFrame, name: str, like: Mapping[str, str]) -> dict[str, Plain]:
    """Return datatype, meaning and unit of a column: its dtype from the frame, the rest from the registry."""
    column, known = frame[name], declared(name, like)
    datatype = _DATATYPES.get(column.dtype.kind, "string")
    if known is None:
        return {"datatype": datatype}
    interval = {f"{name}_low", f"{name}_high"} <= set(map(str, frame.columns))
    about = f"{known.meaning}; {UNITS[known.unit]}{'; estimate, with a 95% interval' if interval else ''}"
    return {"datatype": datatype, "dc:description": about}


def _plain(value: str | Proportion | Unknown) -> Plain:
    if isinstance(value, Proportion):
        return {"k": value.k, "n": value.n, "estimate": value.estimate, "low": value.low, "high": value.high}
    return {"unknown": value.what, "why": value.why} if isinstance(value, Unknown) else value


def _dumped(content: dict[str, Plain]) -> str:
    return json.dumps(rounded(content), ensure_ascii=False, sort_keys=True)


def rounded(value: Plain) -> Plain:
    """Return plain values with floats at 6 digits, so other processors write the same bytes."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list) else value
