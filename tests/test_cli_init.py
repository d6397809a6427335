"""`ff init`: what the folder holds, which names it takes, and that each command works in it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ff_helpers import paths
from ff_helpers.cli import main
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder outside the project, as somebody who has set nothing."""
    for name in ("FF_ROOT", "FF_OUTPUTS", "FF_PARTS", "FF_STAGING"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_folder_holds_a_study_and_the_command_says_what_comes_next(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "my-study"]) == 0
    said = capsys.readouterr().out
    assert "cd my-study && ff run params/study.yaml" in said
    assert "outputs/study/tables/my_asr" in said
    study = elsewhere / "my-study"
    for name in (
        "README.md",
        "params/study.yaml",
        "notebooks/study.ipynb",
        "data/recorded.jsonl",
        paths.STUDY,
    ):
        assert (study / name).is_file()
    traces = [json.loads(line) for line in (study / "data/traces.jsonl").read_text("utf-8").splitlines()]
    assert len(traces) == 60
    assert {trace["model"] for trace in traces} == {"example A", "example B"}
    cells = json.loads((study / "notebooks/study.ipynb").read_text("utf-8"))["cells"]
    assert not any(cell.get("outputs") for cell in cells)
    assert all(len(cell["source"]) <= 10 for cell in cells if cell["cell_type"] == "code")


def test_two_studies_are_the_same_to_the_byte(elsewhere: Path) -> None:
    assert main(["init", "a"]) == main(["init", "b"]) == 0
    files = [p.relative_to(elsewhere / "a") for p in (elsewhere / "a").rglob("*") if p.is_file()]
    assert files
    assert all((elsewhere / "a" / f).read_bytes() == (elsewhere / "b" / f).read_bytes() for f in files)


def test_an_empty_folder_is_taken_and_the_one_stood_in_too(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "."]) == 0
    assert (elsewhere / "params" / "study.yaml").is_file()
    assert main(["init", "."]) == 2
    assert "not empty; nothing was changed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "entered"),
    [("my study", "cd 'my study' &&"), ("-x", "cd ./-x &&"), ("a;b", "cd 'a;b' &&"), ("מחקר", "cd ")],
)
def test_the_next_command_can_be_pasted_whatever_the_name(
    name: str, entered: str, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "--", name]) == 0
    line = next(s for s in capsys.readouterr().out.splitlines() if s.startswith("Next:"))
    assert entered in line
    cd = line.removeprefix("Next:").split("&&")[0]
    done = subprocess.run(["bash", "-ec", f"{cd} && cat {paths.STUDY}"], cwd=elsewhere, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x" * 300, "cannot be created (File name too long)"),
        ("a\nb", r"a\nb: has characters that cannot be printed"),
        ("file", "not empty; nothing was changed"),
        ("file/inner", "cannot be created"),
        ("dangling", "not empty; nothing was changed"),
    ],
)
def test_a_folder_that_cannot_be_is_refused_in_one_sentence(
    name: str, said: str, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (elsewhere / "file").write_text("mine", encoding="utf-8")
    (elsewhere / "dangling").symlink_to("nowhere")
    assert main(["init", name]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "ff init my-study" in error
    assert error.count("\n") == 1
    assert sorted(p.name for p in elsewhere.iterdir()) == ["dangling", "file"]
    assert (elsewhere / "file").read_text(encoding="utf-8") == "mine"


def test_a_disk_that_is_full_half_way_leaves_nothing_behind(elsewhere: Path) -> None:
    (elsewhere / "empty").mkdir()
    for name in ("s", "empty"):
        # No file above 100 KiB: the injections are larger.
        script = f"ulimit -f 100; exec {sys.executable} -m ff_helpers.cli init {name}"
        done = subprocess.run(
            ["bash", "-c", script], cwd=elsewhere, capture_output=True, text=True, check=False,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        assert done.returncode == 2
        assert "cannot be created (File too large" in done.stderr
    assert [p.name for p in elsewhere.rglob("*")] == ["empty"]


def test_a_study_is_found_from_any_folder_in_it_and_ff_root_wins(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert paths.root() == ROOT
    assert main(["init", "outer"]) == main(["init", "outer/inner"]) == 0
    monkeypatch.chdir(elsewhere / "outer" / "notebooks")
    assert paths.root() == elsewhere / "outer"
    assert paths.outputs() == elsewhere / "outer" / "outputs"
    assert paths.parts() == (ROOT / ".parts").resolve()
    monkeypatch.chdir(elsewhere / "outer" / "inner" / "data")
    assert paths.root() == elsewhere / "outer" / "inner"
    capsys.readouterr()
    monkeypatch.setenv("FF_ROOT", str(ROOT))
    assert paths.root() == ROOT
    assert main(["init", str(elsewhere / "third")]) == 0
    assert "FF_ROOT is set to" in capsys.readouterr().out


def test_what_the_commands_look_for_is_in_the_study(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "s"]) == 0
    monkeypatch.chdir(elsewhere / "s")
    # What every message about an unmeasured grader recommends, and the README's first line.
    assert main(["calibrate", "--grader", "heuristic", "--attacks"]) == 0
    assert "24 of 120" in capsys.readouterr().out
    assert list((elsewhere / "s" / "outputs" / "cards").glob("*.json"))
    for name in ("data/scenarios/proxies.jsonl", "data/models/metadata.csv", "params/trust.yaml"):
        assert (elsewhere / "s" / name).read_bytes() == (ROOT / name).read_bytes()
