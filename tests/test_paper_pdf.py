"""The sample paper compiles from a run's files, and its pages are as a venue asks."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

tex = pytest.mark.skipif(
    shutil.which("latexmk") is None or shutil.which("pdflatex") is None,
    reason="no TeX Live: `make paper-pdf` says what to install",
)


def paper_pdf(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(ROOT / "tools" / "paper_pdf.py"), *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@tex
def test_both_documents_compile_without_a_box_or_font_out_of_order(paper: Path, tmp_path: Path) -> None:
    from pypdf import PdfReader

    done = paper_pdf(str(paper / "paper"), "--into", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    main, supplement = (PdfReader(tmp_path / f"{name}.pdf") for name in ("main", "supplement"))
    assert len(main.pages) == 3
    said = " ".join(" ".join(page.extract_text() for page in main.pages).split())
    assert "65.0% [43.3, 81.9]" in said
    assert "Denominator" in said
    everything = " ".join(page.extract_text() for page in (*main.pages, *supplement.pages))
    for number in range(1, 12):
        pictures = list((paper / "paper" / "figures").glob(f"paper_{number}_*.pdf"))
        assert pictures, f"no figure paper_{number}"
    assert "??" not in everything


@tex
def test_every_paper_table_and_figure_of_the_run_is_set(paper: Path) -> None:
    text = "".join(
        (ROOT / "paper" / f"{name}.tex").read_text(encoding="utf-8") for name in ("main", "supplement")
    )
    folder = paper / "paper"
    tables = sorted(path.stem for path in (folder / "tables").glob("paper_*.tex"))
    assert [name for name in tables if f"\\ffinput{{{name}}}" not in text] == []
    figures = {
        p.stem.removeprefix("paper_").removesuffix("_wide") for p in (folder / "figures").glob("paper_*.pdf")
    }
    assert [name for name in sorted(figures) if f"{{{name}}}" not in text] == []


@tex
def test_a_box_that_is_too_wide_is_found(paper: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(paper / "paper", run, ignore=shutil.ignore_patterns("*.png", "*.svg", "notebooks"))
    table = run / "tables" / "paper_correction.tex"
    wide = table.read_text(encoding="utf-8").replace(r"\midrule", r"\midrule \rule{30cm}{1pt} \\", 1)
    table.write_text(wide, encoding="utf-8")
    done = paper_pdf(str(run), "--into", str(tmp_path / "build"))
    assert done.returncode == 1
    assert "Overfull" in done.stdout


def test_without_numbers_it_says_what_to_do(tmp_path: Path) -> None:
    done = paper_pdf(str(tmp_path))
    assert done.returncode == 2
    assert "make paper" in done.stderr or "apt-get install" in done.stderr
