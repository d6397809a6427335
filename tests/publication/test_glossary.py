"""The glossary holds every word of the taxonomy under an anchor that other pages can rely on."""

import re
from datetime import date
from html import unescape
from pathlib import Path

import pytest

from ff_helpers.columns import columns
from ff_helpers.errors import FFError
from ff_helpers.paths import PACKAGE
from ff_helpers.publication.glossary import sections, slug, term_link, write_glossary
from ff_helpers.terms import DENOMINATORS, GLOSSARY, SPACES, TIERS, VERDICTS


@pytest.fixture
def page(tmp_path: Path) -> str:
    assert write_glossary(tmp_path, "demo", date(2026, 1, 1)) == "glossary.html"
    return (tmp_path / "glossary.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("term", "anchor"),
    [
        ("COMPLIANCE", "compliance"),
        ("functionally_dangerous", "functionally-dangerous"),
        ("double sampling", "double-sampling"),
        ("Fleiss' kappa", "fleiss-kappa"),
        ("Wilson interval", "wilson-interval"),
    ],
)
def test_an_anchor_is_lower_case_with_single_hyphens(term: str, anchor: str) -> None:
    assert slug(term) == anchor
    assert f'href="../glossary.html#{anchor}"' in term_link(term, up="../")


def test_every_word_is_there_once_and_no_anchor_twice(page: str) -> None:
    anchors = re.findall(r' id="([^"]+)"', page)
    assert len(anchors) == len(set(anchors))
    shown = [entry.term for entries in sections().values() for entry in entries]
    named = [*(f"space {name}" for name in SPACES), *(f"column {name}" for name in columns())]
    assert sorted(shown) == sorted([*GLOSSARY, *named])
    assert {slug(term) for term in (*GLOSSARY, *DENOMINATORS, *TIERS, *VERDICTS)} <= set(anchors)
    said = unescape(page)
    assert [term for term, meaning in GLOSSARY.items() if f"{meaning}." not in said] == []


def test_inner_links_lead_somewhere_and_modules_exist(page: str) -> None:
    anchors = set(re.findall(r' id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors
    modules = {entry.where for entries in sections().values() for entry in entries}
    assert [module for module in modules if not (PACKAGE / module).is_file()] == []


def test_a_tier_names_its_verdicts(page: str) -> None:
    entry = page.split('id="broad"')[1].partition("</dd>")[0]
    assert 'href="#compliance"' in entry
    assert 'href="#partial"' in entry
    assert 'href="#hallucination-refusal"' not in entry


def test_it_discloses_and_is_the_same_each_time(page: str, tmp_path: Path) -> None:
    assert "Grader: none: no verdict is involved" in page
    assert "As of 2026-01-01." in page
    assert "<script" not in page
    write_glossary(tmp_path, "demo", date(2026, 1, 1))
    assert (tmp_path / "glossary.html").read_text(encoding="utf-8") == page


def test_a_link_to_no_word_says_what_to_do() -> None:
    with pytest.raises(FFError, match=r"no term 'vibes'.*glossary.csv"):
        term_link("vibes")
