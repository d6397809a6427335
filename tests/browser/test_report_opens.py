"""The report in a real browser: opens without network, shows what it promises, no link is dead."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def chromium() -> str:
    named = os.environ.get("FF_CHROMIUM")
    found = named or shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if not found:
        pytest.skip("no chromium: install chromium-headless-shell, or name one in FF_CHROMIUM")
    return found


@pytest.fixture
def page(tmp_path: Path) -> "Iterator[Page]":
    """A page of a fresh browser that records every address it asks for, in `page.asked`."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="no playwright: tools/python.sh tools/install.py browser"
    )
    with sync_api.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=chromium(),
            args=list(FLAGS),
            viewport={"width": 1200, "height": 900},
        )
        page = context.new_page()
        page.asked = []
        page.problems = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("requestfailed", lambda request: page.problems.append(request.url))
        page.on(
            "console", lambda message: page.problems.append(message.text) if message.type == "error" else None
        )
        yield page
        context.close()


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
