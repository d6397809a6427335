"""Drawings that runs keep: made once, found only by what determines them, never trusted unchecked."""

import os
import time
from pathlib import Path

import pytest

from ff_helpers.publication.figures import drawn
from tests.conftest import Project

DRAW = """import altair as alt, pandas as pd
from ff_helpers.publication.figures.theme import write_chart
bars = alt.Chart(pd.DataFrame({"x": [1, 2], "y": [3, 4]})).mark_bar().encode(x=alt.X("x:Q"), y=alt.Y("y:Q"))
for kind in ("svg", "pdf", "png"):
    write_chart(run.write(f"figures/bars.{kind}"), bars, caption="graded by nobody")"""


class Drawer:
    """Draws something else each time, so that a test sees whether it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> bytes:
        self.times += 1
        return f"drawing {self.times}".encode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where entries are."""
    monkeypatch.setenv(drawn.VARIABLE, str(tmp_path / "drawn"))
    return tmp_path / "drawn"


@pytest.mark.usefixtures("folder")
def test_the_same_is_drawn_once_and_anything_else_anew() -> None:
    draw = Drawer()
    assert drawn.kept("svg", b"a", draw) == drawn.kept("svg", b"a", draw) == b"drawing 1"
    assert drawn.kept("svg", b"b", draw) == b"drawing 2"
    assert drawn.kept("pdf", b"a", draw) == b"drawing 3"


@pytest.mark.parametrize("harm", [b"", b"short", b"\0" * 200])
def test_a_damaged_entry_is_drawn_again_and_mended(folder: Path, harm: bytes) -> None:
    draw = Drawer()
    drawn.kept("svg", b"a", draw)
    (entry,) = folder.iterdir()
    entry.write_bytes(harm)
    assert drawn.kept("svg", b"a", draw) == drawn.kept("svg", b"a", draw) == b"drawing 2"


def test_an_entry_under_the_name_of_another_is_not_taken(folder: Path) -> None:
    draw = Drawer()
    drawn.kept("svg", b"a", draw)
    (one,) = folder.iterdir()
    drawn.kept("svg", b"b", draw)
    (other,) = set(folder.iterdir()) - {one}
    other.write_bytes(one.read_bytes())
    assert drawn.kept("svg", b"b", draw) == b"drawing 3"


def test_where_nothing_can_be_kept_it_is_drawn(folder: Path) -> None:
    folder.write_text("a file in place of the folder")
    draw = Drawer()
    assert [drawn.kept("svg", b"a", draw) for _ in range(2)] == [b"drawing 1", b"drawing 2"]


def test_outside_a_run_everything_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(drawn.VARIABLE, raising=False)
    draw = Drawer()
    assert [drawn.kept("svg", b"a", draw) for _ in range(2)] == [b"drawing 1", b"drawing 2"]


def test_entries_that_no_run_used_for_long_go(folder: Path) -> None:
    for name in (b"old", b"new"):
        drawn.kept("svg", name, Drawer())
    old, new = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    long_ago = time.time() - (drawn.DAYS + 1) * 86_400
    os.utime(old, (long_ago, long_ago))
    drawn.tidy(folder)
    assert list(folder.iterdir()) == [new]


def test_a_run_draws_what_changed_and_a_forced_one_everything(project: Project) -> None:
    def entries() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (project.outputs.parent / ".drawn").iterdir()}

    def figures() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (project.outputs / "figures").iterdir()}

    project.notebook("a", DRAW)
    project.profile({"notebook": "a", "outputs": ["figures/bars.*"]})
    assert project.run().returncode == 0
    kept, written = entries(), figures()
    assert sorted(name.split(".")[1] for name in kept) == ["pdf", "png", "svg"]
    project.notebook("a", DRAW, "1 + 1")
    assert project.run().returncode == 0
    assert (entries(), figures()) == (kept, written)  # a PDF drawn again has other bytes
    harmed = dict.fromkeys(kept, b"harmed")
    for name, content in harmed.items():
        (project.outputs.parent / ".drawn" / name).write_bytes(content)
    assert project.run("--force").returncode == 0
    assert entries() == harmed
    for kind in ("bars.svg", "bars.png"):
        assert figures()[kind] == written[kind]
    project.notebook("a", DRAW.replace("[3, 4]", "[3, 5]"))
    assert project.run().returncode == 0
    assert figures()["bars.svg"] != written["bars.svg"]
