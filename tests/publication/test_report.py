"""The report is built from what is there, escapes it, and asks for nothing outside its folder."""

import json
import re
from datetime import date
from pathlib import Path

import pytest

from ff_helpers.casestudy.pages import LAYOUT
from ff_helpers.publication import shelf
from ff_helpers.publication.metadata import About
from ff_helpers.publication.report import write_report
from ff_helpers.publication.shelf import front_figures


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run's folder with one of everything, some of it hostile."""
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    folder = tmp_path / "demo"
    for name in ("notebooks", "tables", "figures", "narrative", ".steps"):
        (folder / name).mkdir(parents=True)
    (folder / ".steps" / "a.json").write_text("{}")
    (folder / "tables" / "asr.csv").write_text("asr\n0.5\n")
    (folder / "tables" / "asr.csv-metadata.json").write_text('{"dc:title": "By A"}')
    (folder / "tables" / "asr.html").write_text("<table><caption>By A</caption><tr><td>0.5</td></tr></table>")
    for name, said in (("bars", "A & B"), ("bracket", "Grader: g <x> & y. As of 2026-01-01.")):
        (folder / "figures" / f"{name}.svg").write_text("<svg/>")
        about = About(function="asr_intervals", shows="Bars <b>.", step="01_a", disclosure=said)
        (folder / "figures" / f"{name}.json").write_text(about.model_dump_json())
    (folder / "narrative" / "correction.md").write_text(
        "# What changed\n\n65% <script>alert(3)</script>\n\n## How\n\nso\n"
    )
    claims = [claim("x", "reproduced") | {"says": "<script>alert(1)</script>", "published": "<b>"}]
    (folder / "claims.json").write_text(json.dumps({"disclosure": "", "claims": claims}))
    cells = [
        {"cell_type": "markdown", "id": "c1", "metadata": {}, "source": "# Title of *it*\n\nprose"},
        {
            "cell_type": "code", "id": "c2", "metadata": {}, "execution_count": 1, "source": "x < '<script>'",
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": ["<script>alert(2)</script>\n"]},
                {"output_type": "display_data", "metadata": {}, "data": {"image/png": "aGk="}},
                {"output_type": "error", "ename": "E", "evalue": "", "traceback": ["\x1b[31mline <1>"]},
            ],
        },
    ]  # fmt: skip
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "notebooks" / "01_a.ipynb").write_text(json.dumps(notebook))
    return folder


def claim(name: str, status: str, file: str = "none: the printed figure alone") -> dict[str, str]:
    return {
        "id": name, "says": "a rate", "published": "1", "recomputed": "1", "status": status, "reason": "so",
        "file": file,
    }  # fmt: skip


def build(folder: Path, **more: list[str]) -> list[str]:
    return write_report(folder, "demo", date(2026, 1, 1), notebooks=["01_a", "02_never_ran"], **more)


def test_holds_and_links_everything_that_is_there(run: Path) -> None:
    assert build(run) == ["notebooks/01_a.html", "gallery.html", "glossary.html", "index.html"]
    page = (run / "index.html").read_text()
    for link in (
        "notebooks/01_a.html",
        "tables/asr.csv",
        "figures/bars.svg",
        "narrative/correction.md",
        "claims.json",
        "gallery.html",
        "glossary.html",
    ):
        assert f'href="{link}"' in page
    assert "Title of" in page
    assert "What changed" in page
    gallery = (run / "gallery.html").read_text()
    assert "A &amp; B" in gallery
    assert "<p>Bars &lt;b&gt;.</p>" in gallery
    assert '<code>ff.figures.asr_intervals</code>, drawn in <a href="notebooks/01_a.html">' in gallery
    assert "figures/bars.json" not in page + gallery
    assert "02_never_ran" not in page
    assert ".steps" not in page
    assert "did not finish" not in page
    build(run, unfinished=["02_never_ran"])
    assert "This run did not finish" in (run / "index.html").read_text()


def test_escapes_what_it_shows_and_loads_nothing_from_elsewhere(run: Path) -> None:
    build(run)
    for name in ("index.html", "gallery.html", "glossary.html", "notebooks/01_a.html"):
        page = (run / name).read_text()
        assert "<script" not in page
        assert not re.search(r"""(src|href)=["'](https?:)?//""", page)
        assert "@import" not in page
        assert "url(" not in page
    page = (run / "notebooks" / "01_a.html").read_text()
    assert "line &lt;1&gt;" in page
    assert "\x1b" not in page
    assert 'src="data:image/png;base64,aGk="' in page
    assert '<details class="code" open>' in page  # code that failed is not folded away


def test_same_files_same_bytes(run: Path) -> None:
    build(run)
    first = {path: path.read_bytes() for path in run.rglob("*.html")}
    build(run)
    assert {path: path.read_bytes() for path in run.rglob("*.html")} == first


def test_a_front_figure_says_what_it_shows_and_what_not_and_discloses(run: Path) -> None:
    build(run)
    page = (run / "index.html").read_text()
    assert "The figure that matters" in page
    figure = page.split('id="figure-bracket"')[1].split("</section>")[0]
    assert "the band runs from the lowest to the highest" in figure
    assert "<strong>Not shown:</strong>" in figure
    assert "Grader: g &lt;x&gt; &amp; y. As of 2026-01-01." in figure
    assert 'href="figures/bracket.svg">svg</a>' in figure
    assert 'id="figure-bars"' not in page


def test_of_two_figures_for_one_place_the_papers_is_shown_and_five_at_most(run: Path) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><desc>Grader: g. As of 2026-01-01.</desc></svg>'
    for name in (*LAYOUT.words, "paper_3_bracket_wide"):
        (run / "figures" / f"{name}.svg").write_text(svg)
    (run / "figures" / "paper_3_bracket_wide.png").write_bytes(b"")
    figures = front_figures(run, LAYOUT)
    assert [figure.name for figure in figures] == [slot[0] for slot in LAYOUT.slots]
    (bracket,) = [figure for figure in figures if figure.name == "paper_3_bracket"]
    assert bracket.png == "figures/paper_3_bracket_wide.png"
    assert ("svg, wide", "figures/paper_3_bracket_wide.svg") in bracket.files


def test_a_profile_without_the_papers_figures_fills_the_places_with_its_own(run: Path) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><desc>Grader: g. As of 2026-01-01.</desc></svg>'
    for name in ("would_have_reported", "calibration_forest", "format_against_content"):
        (run / "figures" / f"{name}.svg").write_text(svg)
    assert [figure.name for figure in front_figures(run, shelf.LAYOUT)] == [
        "would_have_reported", "calibration_forest", "bracket", "format_against_content",
    ]  # fmt: skip


def test_a_study_begins_with_its_figure_and_its_table_stands_open(run: Path) -> None:
    (run / "figures" / "my_asr.svg").write_text("<svg/>")
    (run / "tables" / "my_asr.html").write_text("<table><caption>Mine</caption><tr><td>1</td></tr></table>")
    build(run)
    page = (run / "index.html").read_text()
    assert page.index('id="figure-my_asr"') < page.index('id="figure-bracket"') < page.index('id="graders"')
    assert '<details id="table-my_asr" open>' in page
    assert '<details id="table-asr">' in page


def test_claims_stand_with_their_disclosure_and_those_that_fail_are_open(run: Path) -> None:
    claims = [claim("good", "reproduced", "tables/asr.csv, tables/gone.csv"), claim("bad", "contradicted")]
    content = {"as_of": "2026-01-01", "disclosure": "Grader: somebody.", "claims": claims}
    (run / "claims.json").write_text(json.dumps(content))
    build(run)
    page = (run / "index.html").read_text().split('id="claims"')[1].split('id="graders"')[0]
    assert page.index('id="claim-bad"') < page.index('id="claim-good"')
    assert page.count("<details open>") == 1
    assert "1 contradicted, 1 reproduced" in page
    assert 'href="tables/asr.csv"' in page
    assert 'href="tables/gone.csv"' not in page
    assert "Grader: somebody." in page


def test_every_page_discloses(run: Path) -> None:
    for name in build(run):
        page = (run / name).read_text()
        assert re.search(r"Graders?\b", page), name
        assert "As of 2026-01-01." in page, name


def test_a_tables_files_stand_together_and_its_csv_header_is_named(run: Path) -> None:
    build(run)
    tables = (run / "index.html").read_text().split('id="tables"')[1].split('id="files"')[0]
    assert "<summary>By A <small>asr, " in tables
    assert 'href="tables/asr.csv-metadata.json">csv metadata</a>' in tables
    assert tables.count('id="table-') == 1


def test_a_size_is_given_only_where_every_run_has_the_same(run: Path) -> None:
    (run / "figures" / "bars.pdf").write_bytes(b"x" * 1234)
    (run / "run.log").write_text("12 s")
    build(run)
    files = (run / "index.html").read_text().split('id="files"')[1]
    assert re.search(r'href="tables/asr.csv">csv</a> <small>8 B</small>', files)
    assert 'href="figures/bars.pdf">pdf</a> <small>' not in files
    assert 'href="run.log">log</a> <small>' not in files


def test_a_narrative_with_a_page_of_its_own_only_begins_here(run: Path) -> None:
    build(run)
    assert "Full text" in (run / "index.html").read_text()
    (run / "narrative" / "correction.html").write_text("<h1>What changed</h1>")
    build(run)
    page = (run / "index.html").read_text()
    assert "Full text" not in page
    assert 'href="narrative/correction.html"><strong>Read on' in page


def test_pages_and_cards_that_other_steps_wrote_are_linked(run: Path) -> None:
    build(run)
    page = (run / "index.html").read_text()
    assert "explore.html" not in page
    (run / "explore.html").write_text("<h1>Explore</h1>")
    (run / "evaluators").mkdir()
    for kind in ("json", "md", "tex"):
        (run / "evaluators" / f"g-1.7b.{kind}").write_text("")
    build(run)
    page = (run / "index.html").read_text()
    assert '<a href="explore.html"><strong>For students</strong></a>' in page
    assert (
        '<li>g-1.7b: <a href="evaluators/g-1.7b.json">json</a> · <a href="evaluators/g-1.7b.md">md</a>'
        in page
    )
