"""ARTIFACT.md says what the build gives, and names only commands that exist."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.conftest import FF, ROOT

TEXT = (ROOT / "ARTIFACT.md").read_text(encoding="utf-8")


def test_its_claims_are_those_of_the_build(paper: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copyfile(ROOT / "ARTIFACT.md", tmp_path / "ARTIFACT.md"))
    subprocess.run(
        [*FF, "claims", "--artifact", str(copy)],
        env=os.environ | {"FF_OUTPUTS": str(paper)}, capture_output=True, check=True,
    )  # fmt: skip
    assert copy.read_text(encoding="utf-8") == TEXT, "run `ff claims --artifact ARTIFACT.md`"


def test_the_commands_that_it_names_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", TEXT, re.MULTILINE))
    assert {"paper", "verify", "paper-pdf", "test"} <= named <= targets
    shown = subprocess.run([*FF, "--help"], capture_output=True, text=True, check=True).stdout
    assert all(verb in shown.split() for verb in set(re.findall(r"(?:`|^|/)ff (\w+)", TEXT, re.MULTILINE)))
