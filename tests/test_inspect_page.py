"""docs/inspect.md: its commands, in its order, on a log that Inspect wrote."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, said_by_ff
from tests.documents.blocks import blocks

COMMANDS = [
    shlex.split(line)
    for block in blocks(ROOT / "docs" / "inspect.md")
    if block.language == "bash" and "not run" not in block.said
    for line in block.text.splitlines()
]
INSPECT = Path(sys.executable).with_name("inspect")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The folder in which the commands of `ff` were run, and what each said."""
    folder = tmp_path_factory.mktemp("page")
    shutil.copy(ROOT / "tests" / "corpus" / "results" / "data" / "pool.eval", folder)
    env = os.environ | {"FF_OUTPUTS": str(folder / "outputs")}
    done = [said_by_ff(*words[1:], cwd=folder, env=env) for words in COMMANDS if words[0] == "ff"]
    return folder, done


def test_every_command_of_the_page_works(ran):
    folder, done = ran
    assert [one.returncode for one in done] == [0, 0, 0], done
    came, rates, went = (one.stdout for one in done)
    assert "16 rows in, 16 added; 12 without a status, 2 target_error, 2 truncated" in " ".join(came.split())
    assert "theatre" in rates
    assert "ff_kept_the_code" in went
    assert (folder / "scores.jsonl").is_file()


def test_a_log_without_a_direction_is_a_question(ran, tmp_path):
    folder, _ = ran
    asked = said_by_ff(
        "import", "pool.eval", "--out", str(tmp_path / "new"), cwd=folder, env=dict(os.environ)
    )
    assert asked.returncode == 2
    assert "kept_the_code: I (9)" in asked.stderr
    assert not (tmp_path / "new").exists(), "nothing half written"


@pytest.mark.skipif(not INSPECT.exists(), reason="runs where inspect_ai is installed")
def test_the_commands_of_inspect_work_too(ran):
    folder, _ = ran
    theirs = [words for words in COMMANDS if words[0] == "inspect"]
    assert theirs
    for words in theirs:
        subprocess.run([str(INSPECT), *words[1:]], cwd=folder, check=True, timeout=200)
    assert (folder / "scored.eval").is_file()
