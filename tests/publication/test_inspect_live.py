"""The scorer `ff_helpers/flip`, loaded by the real `inspect score`; runs where inspect_ai is installed."""

import math
import subprocess
import sys
from pathlib import Path

import pytest

from ff_helpers.grading.graders import open_grader
from ff_helpers.terms import VERDICTS
from tests.cards import make_card, write_card
from tests.model_server import running

read_eval_log = pytest.importorskip(
    "inspect_ai.log", reason="runs where inspect_ai is installed"
).read_eval_log

LOG = Path(__file__).parents[1] / "corpus" / "results" / "data" / "pool.eval"


def score(folder, spec):
    words = [Path(sys.executable).with_name("inspect"), "score", LOG, "--scorer", "ff_helpers/flip"]
    words += ["-S", f"grader={spec}", "-S", f"cards={folder / 'cards'}", "--action", "append"]
    words += ["--output-file", folder / "scored.eval"]
    return subprocess.run(
        list(map(str, words)), cwd=folder, capture_output=True, text=True, timeout=200, check=False
    )


@pytest.fixture
def server():
    with running() as port:
        yield f"openai:good:1@http://127.0.0.1:{port}/v1"


@pytest.mark.parametrize("state", [None, "rejected"])
def test_a_grader_that_may_not_grade_is_refused_before_the_first_sample(tmp_path, server, state):
    if state:
        write_card(tmp_path / "cards", make_card(open_grader(server).setup.identity, state))
    done = score(tmp_path, server)
    assert done.returncode != 0
    assert f"is {state or 'uncalibrated'}" in " ".join((done.stdout + done.stderr).split())
    assert not (tmp_path / "scored.eval").exists()


def test_a_grader_with_a_card_grades_and_every_score_discloses_it(tmp_path, server):
    write_card(tmp_path / "cards", make_card(open_grader(server).setup.identity, "provisional"))
    done = score(tmp_path, server)
    assert done.returncode == 0, done.stderr
    scored = {(one.id, one.epoch): one for one in read_eval_log(str(tmp_path / "scored.eval")).samples}
    told = scored["told", 1].scores["flip"]
    assert told.answer in VERDICTS
    assert set(told.value) == {"flip strict", "flip broad", "flip functionally_dangerous"}
    assert "provisional: accuracy 65.0%" in told.metadata["disclosure"]
    empty = scored["empty", 1].scores["flip"]
    assert math.isnan(empty.value)
    assert empty.metadata["unscored_reason"] == "not_gradeable"
