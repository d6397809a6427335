"""Any text at all can stand in a paper."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.publication.tex import tex

NASTY = [
    'a_b & c%$#{}~^\\ <b>|"',
    "שלום",
    "مرحبا",
    "模型",
    "naïve Ünïcödé ß",
    "\u202eabc",
    "x" * 300,
    "🙂",
    "1–2 − 3 ≥ κ",
]


@given(st.text())
def test_what_comes_out_is_ascii_or_accented_latin(text: str) -> None:
    assert all(" " <= c <= "~" or "\u00c0" <= c <= "\u017f" for c in tex(text))


def test_what_cannot_be_set_is_named_by_its_code_point() -> None:
    assert tex("ש") == "[U+05E9]"
    assert tex("ﬁ") == "fi"
    assert tex("a_b") == r"a\_b"
    assert tex("\u202e") == "[U+202E]"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex: see `make paper-pdf`")
def test_pdflatex_sets_all_of_it(tmp_path: Path) -> None:
    rows = "\n\n".join(tex(text) for text in NASTY)
    body = f"\\documentclass{{article}}\\usepackage[T1]{{fontenc}}\\begin{{document}}{rows}\\end{{document}}"
    (tmp_path / "t.tex").write_text(body, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"],
        cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-1500:]
