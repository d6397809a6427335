"""What the browser tests share: a page of a real browser, and a real JupyterLab."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.lab import Lab, need_lab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

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


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """A real browser. For one module only: while it lives, no test in this process can use asyncio."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="no playwright: tools/python.sh tools/install.py browser"
    )
    found = chromium()
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: "Browser") -> "Iterator[Page]":
    """A page of a fresh context that records every address it asks for, in `page.asked`."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
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


@pytest.fixture
def lab(tmp_path: Path, request: pytest.FixtureRequest) -> Lab:
    """JupyterLab's folder with a built `paper`; `paper` is built only where there is a JupyterLab."""
    need_lab()
    return Lab(tmp_path / "lab", request.getfixturevalue("paper"))
