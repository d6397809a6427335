"""The report in a real browser: opens without network, shows what it promises, no link is dead."""

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page


def ids(text: str) -> set[str]:
    return set(re.findall(r'id="[^"]*"', text))


def dead(page: "Page") -> list[str]:
    """The addresses on a page that lead to no file, or to no place in it."""
    urls = page.eval_on_selector_all(
        "[href], [src], [srcset]",
        "all => all.flatMap(e => [e.href, e.src, e.srcset && new URL(e.srcset, document.baseURI).href])",
    )
    found = []
    for url in sorted({url for url in urls if url and url.startswith("file:")}):
        name, _, place = url.removeprefix("file://").partition("#")
        path = Path(unquote(name))
        text = path.read_text(encoding="utf-8") if place and path.exists() else ""
        if not path.exists() or (place and not {f'id="{place}"', f'id="{unquote(place)}"'} & ids(text)):
            found.append(url)
    return found


def test_every_page_of_the_report_opens_without_network(page: "Page", paper: Path) -> None:
    folder = paper / "paper"
    beside = [folder / f"{name}.html" for name in ("index", "gallery", "glossary")]
    notebooks = sorted((folder / "notebooks").glob("*.html"))
    assert notebooks
    page.context.set_offline(True)
    for path in [*beside, *notebooks]:
        page.goto(path.as_uri())
        assert page.locator("h1").count() >= 1, path.name
        assert dead(page) == [], path.name
    assert [url for url in page.asked if not url.startswith(("file:", "data:"))] == []
    assert page.problems == []


def test_the_first_page_shows_five_figures_claims_and_graders(page: "Page", paper: Path) -> None:
    page.goto((paper / "paper" / "index.html").as_uri())
    for place in ("figures", "claims", "graders", "notebooks", "narrative", "tables", "files"):
        assert page.locator(f"h2#{place}").is_visible(), place
    drawn = page.eval_on_selector_all(
        ".front img", "images => images.map(i => i.complete && i.naturalWidth > 0)"
    )
    assert drawn == [True] * 5
    for figure in page.locator(".front").all():
        assert "Not shown:" in figure.inner_text()
        assert "Grader" in figure.locator(".disclosure").inner_text()


def test_folded_tables_open_without_a_script(page: "Page", paper: Path) -> None:
    page.goto((paper / "paper" / "index.html").as_uri())
    table = page.locator("details.group details table").first
    assert not table.is_visible()
    group = page.locator("details.group:has(details table)").first
    group.locator("> summary").click()
    group.locator("details > summary").first.click()
    assert table.is_visible()


@pytest.mark.parametrize("name", ["index.html", "glossary.html"])
def test_a_phone_needs_no_sideways_scrolling(page: "Page", paper: Path, name: str) -> None:
    page.set_viewport_size({"width": 375, "height": 700})
    page.goto((paper / "paper" / name).as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_in_print_no_figure_is_broken_over_pages_and_what_is_folded_says_so(
    page: "Page", paper: Path
) -> None:
    page.emulate_media(media="print")
    page.goto((paper / "paper" / "index.html").as_uri())
    breaks = page.eval_on_selector_all(".front", "all => all.map(f => getComputedStyle(f).breakInside)")
    assert set(breaks) == {"avoid"}
    tallest = page.eval_on_selector_all(".front", "all => Math.max(...all.map(f => f.offsetHeight))")
    assert tallest < 265 / 25.4 * 96  # the height of an A4 page within its margins
    note = page.eval_on_selector(
        "details.group:not([open]) > summary", "s => getComputedStyle(s, '::after').content"
    )
    assert "folded on this print" in note
    assert not page.locator("nav.toc").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page: "Page", paper: Path, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto((paper / "paper" / "index.html").as_uri())
    lightness = page.evaluate(
        """() => [getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]
        .map(c => c.match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b) / 765)"""
    )
    assert abs(lightness[0] - lightness[1]) > 0.6
