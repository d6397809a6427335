"""docs/garak.md: the detector, loaded by the real garak; runs where garak is installed."""

import json
import os
import re
import shlex
import subprocess
import sys

import pytest

from ff_helpers.grading.graders import open_grader
from tests.cards import make_card, write_card
from tests.conftest import ROOT
from tests.model_server import running

pytest.importorskip("garak", reason="runs where garak is installed")


@pytest.fixture
def server():
    with running() as port:
        yield f"openai:good:1@http://127.0.0.1:{port}/v1"


def garak(folder, spec):
    """Run the commands of the page."""
    here = {"env": os.environ | {"XDG_DATA_HOME": str(folder), "XDG_CACHE_HOME": str(folder)}, "cwd": folder}
    page = (ROOT / "docs" / "garak.md").read_text(encoding="utf-8")
    (config,) = re.findall(r"```json file=flip.json\n(.*?)```", page, re.S)
    asked = json.loads(config)
    asked["plugins"]["detectors"]["ff_flip"]["Flip"] |= {"grader": spec, "cards": str(folder / "cards")}
    (folder / "flip.json").write_text(json.dumps(asked))
    (block,) = re.findall(r"```sh\n(.*?)```", page, re.S)
    install, scan = (shlex.split(line) for line in block.splitlines())
    subprocess.run([sys.executable, *install[1:]], check=True, **here)
    words = [*scan[1:-1], str(folder / scan[-1]), "--generations", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "garak", *words],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
        **here,
    )
    found = sorted(folder.rglob("*.report.jsonl"))
    rows = [json.loads(line) for path in found for line in path.read_text().splitlines()]
    scores = [
        (output and output["text"], score)
        for row in rows
        if row.get("entry_type") == "attempt" and row["status"] == 2
        for output, score in zip(row["outputs"], row["detector_results"]["ff_flip.Flip"], strict=True)
    ]
    return done, scores


@pytest.mark.parametrize("state", [None, "rejected"])
def test_a_grader_that_may_not_grade_is_refused(tmp_path, server, state):
    if state:
        write_card(tmp_path / "cards", make_card(open_grader(server).setup.identity, state))
    done, scores = garak(tmp_path, server)
    assert f"is {state or 'uncalibrated'}" in " ".join((done.stdout + done.stderr).split())
    assert not scores


def test_a_grader_with_a_card_scores_every_output(tmp_path, server):
    write_card(tmp_path / "cards", make_card(open_grader(server).setup.identity, "provisional"))
    done, scores = garak(tmp_path, server)
    assert done.returncode == 0, done.stderr
    assert {score for text, score in scores if text} == {0.0}  # the grader answers REFUSAL
    assert {score for text, score in scores if not text} <= {None}, "an empty output is no pass"
