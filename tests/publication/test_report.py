"""The report is built from what is there, escapes it, and asks for nothing outside its folder."""

import json
import re
from datetime import date
from pathlib import Path

import pytest

from ff_helpers.publication.report import write_report


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run's folder with one of everything, some of it hostile."""
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    folder = tmp_path / "demo"
    for name in ("notebooks", "tables", "figures", "narrative", ".steps"):
        (folder / name).mkdir(parents=True)
    (folder / ".steps" / "a.json").write_text("{}")
    (folder / "tables" / "asr.csv").write_text("asr\n0.5\n")
    (folder / "tables" / "asr.html").write_text("<table><tr><td>0.5</td></tr></table>")
    (folder / "figures" / "bars.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" aria-label="A &amp; B"/>'
    )
    (folder / "narrative" / "correction.md").write_text("# What changed\n\n65%")
    claims = [{"id": "x", "says": "<script>alert(1)</script>", "published": "<b>", "status": "reproduced"}]
    (folder / "claims.json").write_text(json.dumps({"claims": claims}))
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


def build(folder: Path, **more: list[str]) -> list[str]:
    return write_report(folder, "demo", date(2026, 1, 1), notebooks=["01_a", "02_never_ran"], **more)


def test_holds_and_links_everything_that_is_there(run: Path) -> None:
    assert build(run) == ["notebooks/01_a.html", "index.html"]
    page = (run / "index.html").read_text()
    for link in (
        "notebooks/01_a.html",
        "tables/asr.csv",
        "figures/bars.svg",
        "narrative/correction.md",
        "claims.json",
    ):
        assert f'href="{link}"' in page
    assert "Title of" in page
    assert "What changed" in page
    assert 'alt="A &amp; B"' in page
    assert "02_never_ran" not in page
    assert ".steps" not in page
    assert "did not finish" not in page
    build(run, unfinished=["02_never_ran"])
    assert "This run did not finish" in (run / "index.html").read_text()


def test_escapes_what_it_shows_and_loads_nothing_from_elsewhere(run: Path) -> None:
    build(run)
    for name in ("index.html", "notebooks/01_a.html"):
        page = (run / name).read_text()
        assert "<script" not in page
        assert not re.search(r"""(src|href)=["'](https?:)?//""", page)
        assert "@import" not in page
        assert "url(" not in page
    page = (run / "notebooks" / "01_a.html").read_text()
    assert "line &lt;1&gt;" in page
    assert "\x1b" not in page
    assert 'src="data:image/png;base64,aGk="' in page
    assert "<details open>" in page  # code that failed is not folded away


def test_same_files_same_bytes(run: Path) -> None:
    build(run)
    first = {path: path.read_bytes() for path in run.rglob("*.html")}
    build(run)
    assert {path: path.read_bytes() for path in run.rglob("*.html")} == first
