"""The report in a real browser: opens without network, shows what it promises, no link is dead."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_report_and_notebooks_open_without_network(page: "Page", paper: Path) -> None:
    folder = paper / "paper"
    pages = [folder / "index.html", *sorted((folder / "notebooks").glob("*.html"))]
    assert len(pages) > 1
    for path in pages:
        page.goto(path.as_uri())
        assert page.locator("h1").count() >= 1, path.name
    assert [url for url in page.asked if not url.startswith(("file:", "data:"))] == []
    assert page.problems == []


def test_the_first_page_shows_graders_figures_claims_and_leads_everywhere(page: "Page", paper: Path) -> None:
    page.goto((paper / "paper" / "index.html").as_uri())
    for place in ("graders", "figures", "claims", "tables", "notebooks", "files"):
        assert page.locator(f"h2#{place}").is_visible(), place
    drawn = page.eval_on_selector_all(
        ".figures img", "images => images.map(i => i.complete && i.naturalWidth > 0)"
    )
    assert len(drawn) >= 4
    assert all(drawn)
    links = page.eval_on_selector_all("a[href]", "links => links.map(a => a.href)")
    dead = [
        url
        for url in links
        if url.startswith("file:") and not Path(url.removeprefix("file://").split("#")[0]).exists()
    ]
    assert dead == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page: "Page", paper: Path, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto((paper / "paper" / "index.html").as_uri())
    lightness = page.evaluate(
        """() => [getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]
        .map(c => c.match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b) / 765)"""
    )
    assert abs(lightness[0] - lightness[1]) > 0.6
