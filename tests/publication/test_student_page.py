"""The student page: counts alone, in one file that reaches for nothing."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pandas as pd
import pytest

import ff_helpers as ff
from ff_helpers.corpus.readers import CALIBRATION
from ff_helpers.paths import MissingInputError
from ff_helpers.publication.glossary import slug
from ff_helpers.terms import GLOSSARY

QUESTIONS = 6


def page(paper: Path) -> str:
    return (paper / "paper" / "explore.html").read_text(encoding="utf-8")


def held(text: str) -> dict[str, list[list[object]]]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_its_counts_are_those_of_the_ledger_and_of_the_published_regrade(paper: Path) -> None:
    counts = pd.DataFrame(held(page(paper))["counts"], columns=["set", "intent", "grader", "outcome", "n"])
    table = pd.read_csv(paper / "paper" / "tables" / "verdict_counts.csv")
    wanted = table.groupby(["set", "grader", "outcome"])["n"].sum()
    found = counts.groupby(["set", "grader", "outcome"])["n"].sum()
    wanted = wanted[wanted.index.get_level_values("set") != "injections"]
    assert found.loc[wanted.index].to_dict() == wanted.to_dict()
    new = counts[counts["grader"].str.startswith("new labels")].set_index("outcome")["n"]
    assert (new["COMPLIANCE"], new["BENIGN_QUERY"], new.sum()) == (13, 2, 20)


def test_it_reaches_for_nothing_and_its_script_is_the_one_that_its_policy_allows(paper: Path) -> None:
    text = page(paper)
    assert not re.findall(r"(?:src|href)=[\"']?https?:", text)
    script = text.rsplit("<script>", 1)[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert "innerHTML" not in script


def test_every_term_that_it_links_is_in_the_glossary(paper: Path) -> None:
    glossary = (paper / "paper" / "glossary.html").read_text(encoding="utf-8")
    linked = set(re.findall(r'href="glossary\.html#([^"]+)"', page(paper)))
    assert len(linked) > 8
    assert [name for name in sorted(linked) if f'id="{name}"' not in glossary] == []
    assert slug("functionally_dangerous") == "functionally-dangerous"
    assert "Wilson interval" in GLOSSARY


def test_its_questions_have_answers_with_computed_numbers(paper: Path) -> None:
    text = page(paper)
    assert text.count('<details class="q">') == QUESTIONS
    for rate in ("65.0% [43.3, 81.9] (13 of 20)", "72.2% [49.1, 87.5] (13 of 18)"):
        assert rate in text


def test_a_run_without_graders_and_names_that_are_markup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    run = ff.start("paper", as_of="2026-11-22")
    ff.outputs.save_student_page(run, ff.case.student_example())
    text = (tmp_path / "paper" / "explore.html").read_text(encoding="utf-8")
    assert {row[0] for row in held(text)["counts"]} == {"crescendo (published)"}
    assert "As of 2026-11-22" in text


def test_a_run_of_ones_own_shows_its_own_counts_alone_and_without_any_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    run = ff.start("own", as_of="2026-11-22")
    with pytest.raises(MissingInputError):
        ff.outputs.save_student_page(run)
    ff.grade(run, {"mine": CALIBRATION["written"]}, ["heuristic"])
    ff.calibrate_all(run)
    ff.outputs.save_student_page(run)
    text = (tmp_path / "own" / "explore.html").read_text(encoding="utf-8")
    assert {row[0] for row in held(text)["counts"]} == {"mine"}
    assert text.count('<details class="q">') == QUESTIONS - len(ff.case.student_example().questions)
