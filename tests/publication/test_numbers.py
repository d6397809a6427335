"""Numbers as macros: never a rate without its interval, never a number without its disclosure."""

import re
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import ff_helpers as ff
from ff_helpers.errors import FFError
from ff_helpers.paths import MissingInputError
from tests.publication.test_disclosure import KNOWN, UNKNOWN

TERMS = ff.notes.Terms(
    graders=(KNOWN, UNKNOWN), denominators=("graded",), counts="n = 20, k = 13", left_out=()
)
RATES = ff.notes.stated(
    pd.DataFrame(
        {
            "model": ["m_1 & <b>", "m_1 & <b>", "other"],
            "tier": ["strict", "broad", "strict"],
            "k": [13, 17, 0],
            "asr": [0.65, 0.85, None],
            "asr_low": [0.432854, 0.639581, None],
            "asr_high": [0.818808, 0.947631, None],
            "shift": [0.3, -0.0556, 0.0],
            "kappa": [-0.0794, 0.1, 0.2],
            "kappa_low": [-0.16, 0.0, 0.1],
            "kappa_high": [0.01, 0.2, 0.3],
        }
    ),
    TERMS,
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ff.outputs.Run:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    return ff.outputs.Run("mine", date(2026, 11, 22))


def saved(run: ff.outputs.Run, frame: pd.DataFrame = RATES) -> dict[str, str]:
    ff.save_table(run, frame, "my_rates", title="Rates.")
    ff.save_numbers(run, ["my_rates"])
    text = (run.folder / "tex" / "numbers.tex").read_text(encoding="utf-8")
    return dict(re.findall(r"^\\ff@def\{(.*?)\}\{d1\}\{(.*)\}$", text, re.MULTILINE))


def test_a_rate_stands_with_its_interval_and_a_row_is_named_by_what_tells_it_apart(
    run: ff.outputs.Run,
) -> None:
    numbers = saved(run)
    assert numbers["my-rates/m-1-b/strict/asr"] == r"65.0\% [43.3, 81.9]"
    assert numbers["my-rates/m-1-b/strict/k"] == "13"
    assert numbers["my-rates/other/strict/asr"] == "not determinable"
    assert numbers["my-rates/m-1-b/broad/shift"] == "$-$5.6"
    assert numbers["my-rates/m-1-b/strict/kappa"] == "$-$0.08 [$-$0.16, 0.01]"
    assert not [key for key in numbers if key.endswith(("low", "high"))]


def test_each_table_brings_its_disclosure(run: ff.outputs.Run) -> None:
    saved(run)
    text = (run.folder / "tex" / "numbers.tex").read_text(encoding="utf-8")
    assert r"\ff@graders{g1}{Graders: g (digest" in text
    assert r"\ff@disclosure{d1}{g1}{Tier: " in text
    assert "As of 2026-11-22" in text


def test_tables_with_one_disclosure_share_its_footnote(run: ff.outputs.Run) -> None:
    ff.save_table(run, RATES, "again", title="Again.")
    ff.save_table(run, ff.notes.stated(RATES, counts="others"), "other", title="Other.")
    saved(run)
    ff.save_numbers(run, ["my_rates", "again", "other"])
    text = (run.folder / "tex" / "numbers.tex").read_text(encoding="utf-8")
    assert re.findall(r"ff@disclosure\{(d\d)\}\{(g\d)", text) == [("d1", "g1"), ("d2", "g1")]
    assert text.count("Graders: g (digest") == 1
    assert r"\ff@def{again/m-1-b/strict/k}{d1}{13}" in text
    assert r"\ff@def{other/m-1-b/strict/k}{d2}{13}" in text


def test_rows_that_cannot_be_told_apart_and_tables_that_are_not_there_are_refused(
    run: ff.outputs.Run,
) -> None:
    with pytest.raises(FFError, match=r"tables/my_rates.csv.*model, tier"):
        saved(run, pd.concat([RATES, RATES]))
    with pytest.raises(MissingInputError, match=r"tables/none.csv"):
        ff.save_numbers(run, ["none"])


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex: see `make paper-pdf`")
def test_the_first_number_sets_the_footnote_and_a_wrong_key_stops_the_compilation(
    run: ff.outputs.Run,
) -> None:
    saved(run)
    folder = run.folder / "tex"

    def typeset(body: str) -> tuple[int, str]:
        text = f"\\documentclass{{article}}\\input{{numbers}}\\begin{{document}}{body}\\end{{document}}"
        (folder / "t.tex").write_text(text, encoding="utf-8")
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"],
            cwd=folder, capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    code, _ = typeset(r"\ff{my-rates/m-1-b/strict/asr}, \ff{my-rates/m-1-b/broad/asr}")
    assert code == 0
    from pypdf import PdfReader

    page = " ".join(PdfReader(folder / "t.pdf").pages[0].extract_text().split())
    assert "65.0% [43.3, 81.9]1, 85.0% [64.0, 94.8]" in page
    assert page.count("Denominator: graded") == 1
    code, said = typeset(r"\ff{my-rates/nobody/asr}")
    assert code != 0
    assert "No number `my-rates/nobody/asr'" in said
