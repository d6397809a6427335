"""The documentation as a site: built twice with the same bytes, and opened from disk in a real browser."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.accessible import axe
from tests.browser.test_report_opens import dead
from tests.conftest import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page


def build(folder: Path, seed: str) -> Path:
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONHASHSEED": seed, "COLUMNS": "50"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if find_spec("material") is None:
        pytest.skip("no mkdocs-material: tools/python.sh tools/install.py docs")
    return build(tmp_path_factory.mktemp("site"), "1")


def files(site: Path) -> dict[str, bytes]:
    return {p.relative_to(site).as_posix(): p.read_bytes() for p in site.rglob("*") if p.is_file()}


def test_a_second_build_has_the_same_bytes_and_nothing_is_loaded_from_elsewhere(
    site: Path, tmp_path: Path
) -> None:
    first = files(site)
    assert first == files(build(tmp_path / "again", "2"))
    for name, content in first.items():
        if name.endswith(".html"):
            text = content.decode()
            assert not re.findall(r"(?:src|<link[^>]*href)=\"?(?:https?:)?//[^\"\s>]*", text), name
            assert "Content-Security-Policy" in text
            assert str(ROOT) not in text


def test_every_page_opens_from_disk_in_a_wide_and_in_a_narrow_window(page: "Page", site: Path) -> None:
    page.context.set_offline(True)
    pages = sorted(site.glob("*.html"))
    assert len(pages) == len(list((ROOT / "docs").glob("*.md")))
    for path in pages:
        page.goto(path.as_uri())
        assert page.title()
        outside = [one for one in dead(page) if str(site) in one]
        assert not outside, path.name
    assert not page.problems
    assert all(url.startswith(("file:", "data:", "about:")) for url in page.asked)
    page.set_viewport_size({"width": 400, "height": 800})
    for name in ("index", "tutorial", "cards", "python-rates", "commands-rates", "observed"):
        page.goto((site / f"{name}.html").as_uri())
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 400, f"{name}: {width} pixels wide"


def test_the_search_finds_a_page_without_a_server(page: "Page", site: Path) -> None:
    page.goto((site / "index.html").as_uri())
    page.locator(".md-search__input").click()
    page.keyboard.type("Dawid")
    found = page.locator(".md-search-result__link").first
    found.wait_for(timeout=20_000)
    assert "adjusting.html" in str(found.get_attribute("href"))
    assert not page.problems


def test_the_pages_are_accessible(page: "Page", site: Path) -> None:
    script = axe()
    for name in ("index", "tutorial", "python-rates"):
        page.goto((site / f"{name}.html").as_uri())
        page.evaluate(script)
        found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa']})")
        assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]] == []
