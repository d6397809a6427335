"""Figures: three files, the disclosure in each, the same bytes every time."""

import base64
import json
import math
import re
import struct
import zlib
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import altair as alt
import numpy as np
import pandas as pd
import pypdfium2
import pytest

import ff_helpers as ff
from ff_helpers.publication.figures.theme import COLUMN_WIDTH, PNG_SCALE, SCREEN_SCALE, STIPPLE, draw, sized
from ff_helpers.publication.metadata import pdf_with, read_about, told

NOTE = ff.notes.Disclosure(
    ff.notes.Unknown("grader", "none <&> simulated"),
    "strict <&> broad",
    "graded",
    "k, n",
    "0 rows",
    date(2026, 11, 22),
)
FRAME = ff.notes.stated(
    pd.DataFrame({"m": ["a", "b"], "v": [0.25, 0.5], "n": [10, 50]}),
    graders=ff.notes.Unknown("grader", "none <&> simulated"),
    tiers=("strict <&> broad",),
    denominators=("graded",),
    counts="k, n",
    left_out="0 rows",
)


def chart(clip: bool = True) -> alt.Chart | alt.LayerChart:
    bars = alt.Chart(FRAME).mark_bar(clip=clip).encode(x="v:Q", y="m:N")
    return sized(
        bars.encode(fill=alt.condition("datum.n < 20", alt.value(STIPPLE), alt.value("#0072B2"))),
        width=COLUMN_WIDTH,
        height=100,
    )


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ff.outputs.Run:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    monkeypatch.delenv("FF_STAGING", raising=False)
    return ff.start("test", as_of="2026-11-22")


def test_svg_png_and_pdf_are_written_and_the_notebook_sees_a_png(run: ff.outputs.Run) -> None:
    picture = ff.save_figure(run, chart(), FRAME, "f")
    written = run.read("figures/f.svg").read_text(encoding="utf-8")
    assert re.sub(r"<metadata.*?</metadata>", "", written) == picture.svg
    assert run.read("figures/f.png").read_bytes().startswith(b"\x89PNG")
    assert run.read("figures/f.pdf").read_bytes().startswith(b"%PDF")
    shown = picture._repr_mimebundle_()
    assert set(shown) == {"image/png", "text/plain"}
    assert base64.b64decode(shown["image/png"]).startswith(b"\x89PNG")


@pytest.mark.parametrize(("shown", "per_point"), [(True, SCREEN_SCALE), (False, PNG_SCALE)])
def test_a_png_is_the_page_of_the_pdf_pixel_by_pixel(
    run: ff.outputs.Run, shown: bool, per_point: float
) -> None:
    picture = ff.save_figure(run, chart(), FRAME, "f")
    header, lines = pixels(picture.png if shown else run.read("figures/f.png").read_bytes())
    with pypdfium2.PdfDocument(run.read("figures/f.pdf")) as document:
        page = document[0].render(scale=per_point, rev_byteorder=True).to_numpy()[:, :, :3]
    height, width, _ = page.shape
    assert struct.unpack(">II", header[:8]) == (width, height)
    assert width == math.ceil(0.75 * COLUMN_WIDTH * per_point)
    rows = np.frombuffer(lines, np.uint8).reshape(height, 1 + 3 * width)
    assert (rows[:, 0] == 0).all()
    assert (rows[:, 1:] == page.reshape(height, 3 * width)).all()
    assert len(np.unique(page)) > 10  # something is drawn


def pixels(png: bytes) -> tuple[bytes, bytes]:
    """The header (size and kind) of a PNG, and its unpacked pixels; its checksums are checked."""
    found, place = {b"IHDR": b"", b"IDAT": b""}, 8
    while place < len(png):
        size = int.from_bytes(png[place : place + 4], "big")
        name, end = png[place + 4 : place + 8], place + 8 + size
        assert zlib.crc32(png[place + 4 : end]) == int.from_bytes(png[end : end + 4], "big")
        found[name] = found.get(name, b"") + png[place + 8 : end]
        place = end + 4
    return found[b"IHDR"], zlib.decompress(found[b"IDAT"])


def test_the_text_of_a_shown_figure_changes_with_what_is_drawn(run: ff.outputs.Run) -> None:
    first = ff.save_figure(run, chart(), FRAME, "f")._repr_mimebundle_()["text/plain"]
    assert first.startswith("figures/f,")
    assert ff.save_figure(run, chart(), FRAME, "f")._repr_mimebundle_()["text/plain"] == first
    other = ff.save_figure(run, chart().properties(height=101), FRAME, "f")
    assert other._repr_mimebundle_()["text/plain"] != first


def test_the_svg_is_well_formed_and_carries_the_disclosure_twice(run: ff.outputs.Run) -> None:
    picture = ff.save_figure(run, chart(), FRAME, "f")
    root = ElementTree.fromstring(picture.svg)
    space = "{http://www.w3.org/2000/svg}"
    assert root.findtext(f"{space}desc") == NOTE.sentence()
    lines = [t.text or "" for t in root.findall(f"{space}text")]
    assert " ".join(lines) == NOTE.sentence()


def test_each_file_carries_the_disclosure_as_its_metadata(run: ff.outputs.Run) -> None:
    from pypdf import PdfReader

    ff.save_figure(run, chart(), FRAME, "f")
    held = ElementTree.parse(run.read("figures/f.svg")).findtext("{http://www.w3.org/2000/svg}metadata")
    assert json.loads(held or "")["graders"] == {"unknown": "grader", "why": "none <&> simulated"}
    pdf = PdfReader(run.read("figures/f.pdf")).metadata
    assert pdf is not None
    assert pdf.subject == NOTE.sentence()
    assert json.loads(pdf["/Disclosure"])["tier"] == "strict <&> broad"
    assert NOTE.sentence().encode() in run.read("figures/f.png").read_bytes()
    assert sound(run.read("figures/f.png").read_bytes())


def test_what_a_figure_says_of_itself_lies_beside_it(
    run: ff.outputs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bars() -> alt.Chart | alt.LayerChart:
        """Two bars.

        Not the truth.

        Returns:
            The chart.
        """
        return chart()

    monkeypatch.setenv("FF_STAGING", str(run.folder / ".staging" / "05_asr"))
    ff.save_figure(run, ff.figures.wide(told(bars)()), FRAME, "f")
    about = read_about(run.folder / ".staging" / "05_asr" / "figures" / "f.svg")
    assert (about.function, about.shows, about.step) == ("bars", "Two bars. Not the truth.", "05_asr")
    assert about.disclosure == NOTE.sentence()
    assert about.width > 400
    ff.save_figure(run, chart(), FRAME, "f")
    assert read_about(run.folder / ".staging" / "05_asr" / "figures" / "f.svg").function == ""


def test_a_pdf_stays_as_it_was_drawn_and_its_disclosure_comes_behind_it() -> None:
    from io import BytesIO

    import vl_convert
    from pypdf import PdfReader

    drawn = vl_convert.svg_to_pdf(draw(chart(), caption="c"))
    note = replace(NOTE, denominator="(שלום) \\ %")
    made = pdf_with(drawn, note, "t")
    assert made.startswith(drawn)
    assert made == pdf_with(drawn, note, "t")
    read = PdfReader(BytesIO(made))
    assert read.metadata is not None
    assert (read.metadata.title, read.metadata.subject) == ("t", note.sentence())
    assert len(read.pages) == 1
    again = PdfReader(BytesIO(pdf_with(made, NOTE, "u"))).metadata
    assert again is not None
    assert again.title == "u"
    with pytest.raises(ValueError, match="cross-reference table"):
        pdf_with(b"%PDF-1.7 cut", note, "t")


def sound(png: bytes) -> bool:
    """Walk the chunks of a PNG: every checksum must be right, and the last one the end."""
    place, names = 8, []
    while place < len(png):
        size = int.from_bytes(png[place : place + 4])
        chunk = png[place + 4 : place + 8 + size]
        if zlib.crc32(chunk) != int.from_bytes(png[place + 8 + size : place + 12 + size]):
            return False
        names.append(chunk[:4])
        place += 12 + size
    return names[-1] == b"IEND" and b"iTXt" in names


def test_a_column_is_84_mm_wide_in_every_format(run: ff.outputs.Run) -> None:
    picture = ff.save_figure(run, chart(), FRAME, "f")
    assert float(ElementTree.fromstring(picture.svg).attrib["width"]) == COLUMN_WIDTH
    png = run.read("figures/f.png").read_bytes()
    assert int.from_bytes(png[16:20]) == pytest.approx(0.75 * COLUMN_WIDTH * PNG_SCALE, abs=1)
    box = re.search(rb"/MediaBox\s*\[\s*0 0 ([\d.]+)", run.read("figures/f.pdf").read_bytes())
    assert box is not None
    assert float(box.group(1)) / 72 * 25.4 == pytest.approx(84, abs=0.5)


def test_the_same_numbers_give_the_same_bytes_however_many_figures_came_before() -> None:
    first = draw(chart(), caption="c")
    draw(chart(clip=False), caption="another")
    assert draw(chart(), caption="c") == first


def test_rows_with_an_insufficient_sample_are_stippled_by_a_pattern_that_is_there() -> None:
    svg = draw(chart(), caption="c")
    assert svg.count(f'fill="{STIPPLE}"') == 1
    assert svg.count('<pattern id="ff-stipple"') == 1


def test_every_id_that_is_used_is_defined_once() -> None:
    svg = draw(chart(), caption="c")
    ids = re.findall(r'\bid="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= set(ids)
