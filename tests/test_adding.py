"""docs/adding.md: its blocks, taken as they stand, add what they say to a copy of the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "adding.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
SAID = {
    "A grading backend": ("always REFUSAL: 24 of 120, rejected",),
    "A grader that needs no model": ("short 120",),
    "A reader for another tool's traces": ("mine-0001 REFUSAL REFUSAL 1 mine-0002 NOT_REFUSAL COMPLIANCE",),
    "A reader for another tool's results": (
        "3 rows in, 3 added; 2 without a status, 1 target_error",
        "COMPLIANCE 1 NOT_COMPLIANCE 1 target_error 1",
    ),
    "A figure": ("['verdict_bars.json', 'verdict_bars.pdf', 'verdict_bars.png', 'verdict_bars.svg']",),
    "An attack class": ("['pity_appeal'] asks for pity, so that the rule is set aside True",),
}


def blocks(section: str, kind: str) -> list[tuple[str, str]]:
    """The code blocks of a section whose info string begins so: the rest of it, and the code."""
    return re.findall(rf"^```python {kind}(.*?)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    shutil.copytree(
        ROOT / "ff_helpers", tmp_path / "ff_helpers", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("data", "params"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "outputs").mkdir()
    return tmp_path


def add(folder: Path, section: str) -> None:
    """Do what a section says: write its file, put its line into the table that it names."""
    for name, code in blocks(section, "file="):
        assert not (folder / name).exists()
        (folder / name).write_text(code, encoding="utf-8")
    ((place, line),) = blocks(section, "line")
    table, _, name = place.strip("=").partition("in=")
    text = (folder / name).read_text(encoding="utf-8")
    end = len(text)
    if table.strip():
        head = re.search(rf"^{table.strip()}: Final.*?\{{\n", text, re.MULTILINE | re.DOTALL)
        assert head, f"{name} has no table {table}"
        end = head.end()
    (folder / name).write_text(text[:end] + line + text[end:], encoding="utf-8")


def use(folder: Path, code: str) -> str:
    outside = {name: value for name, value in os.environ.items() if not name.startswith("FF_")}
    env = {**outside, "PYTHONPATH": str(folder), "FF_OUTPUTS": str(folder / "outputs")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_kind_has_its_section() -> None:
    assert list(SECTIONS) == list(SAID)


@pytest.mark.parametrize("title", SAID)
def test_what_the_page_adds_is_there_and_works(copied: Path, title: str) -> None:
    add(copied, SECTIONS[title])
    ((_, code),) = blocks(SECTIONS[title], "use")
    said = " ".join(use(copied, code).split())
    for words in SAID[title]:
        assert words in said


def test_what_is_added_reads_as_the_code_of_the_project(copied: Path) -> None:
    for section in SECTIONS.values():
        add(copied, section)
    shutil.copy(ROOT / "pyproject.toml", copied)
    # Left without a remark: arguments that a protocol asks for, and an import that is put last, not sorted.
    command = [sys.executable, "-m", "ruff", "check", "--ignore", "ARG,I001,RUF100", "."]
    done = subprocess.run(command, cwd=copied, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
