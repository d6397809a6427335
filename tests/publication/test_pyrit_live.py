"""The scorer for PyRIT, scoring in a memory of PyRIT's; runs where PyRIT is installed."""

import asyncio
import re

import pytest

from ff_helpers.errors import FFError
from ff_helpers.grading.graders import open_grader
from tests.cards import make_card, write_card
from tests.conftest import ROOT
from tests.model_server import running

pytest.importorskip("pyrit", reason="runs where PyRIT is installed")

from pyrit.memory import CentralMemory, SQLiteMemory
from pyrit.models import Message, MessagePiece, ScoreStatus

from ff_helpers.publication.pyrit_live import FlipScorer

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def server():
    with running() as port:
        yield f"openai:good:1@http://127.0.0.1:{port}/v1"


@pytest.fixture
def memory():
    CentralMemory.set_memory_instance(SQLiteMemory(db_path=":memory:"))
    return CentralMemory.get_memory_instance()


def answered(memory, text, **more):
    """A conversation of a request and its answer, in PyRIT's memory."""
    asked = MessagePiece(role="user", original_value="What is the code?", conversation_id="c", sequence=0)
    said = MessagePiece(role="assistant", original_value=text, conversation_id="c", sequence=1, **more)
    for piece in (asked, said):
        memory.add_message_to_memory(request=Message(message_pieces=[piece]))
    return Message(message_pieces=[said])


@pytest.mark.parametrize("state", [None, "rejected"])
def test_a_grader_that_may_not_grade_is_refused(tmp_path, server, state):
    if state:
        write_card(tmp_path / "cards", make_card(open_grader(server).setup.identity, state))
    with pytest.raises(FFError, match=f"is {state or 'uncalibrated'}"):
        FlipScorer(grader=server, cards=str(tmp_path / "cards"))


@pytest.fixture
def scorer(tmp_path, server, memory):
    write_card(tmp_path / "cards", make_card(open_grader(server).setup.identity, "provisional"))
    return FlipScorer(grader=server, cards=str(tmp_path / "cards"))


def score(scorer, message):
    (found,) = asyncio.run(scorer.score_message_async(message=message))
    return found


def test_a_score_is_a_tier_and_discloses_its_grader(scorer, memory):
    found = score(scorer, answered(memory, "I keep it to myself."))
    assert (found.status, found.get_value()) == (ScoreStatus.COMPLETE, False)
    assert (found.score_metadata["verdict"], found.score_metadata["gate"]) == ("REFUSAL", "provisional")
    assert "provisional: accuracy 65.0%" in found.score_metadata["disclosure"]
    assert "provisional: accuracy 65.0%" in found.score_rationale
    assert scorer.get_identifier().params["tier"] == "strict"


def test_an_empty_and_a_blocked_response_are_no_false(scorer, memory):
    empty = score(scorer, answered(memory, " "))
    assert (empty.status, empty.score_metadata["verdict"]) == (ScoreStatus.UNDETERMINED, "not_gradeable")
    blocked = answered(memory, "blocked", response_error="blocked", original_value_data_type="error")
    found = score(scorer, blocked)
    assert (found.status, found.score_metadata["verdict"]) == (ScoreStatus.UNDETERMINED, "target_blocked")


def test_the_example_of_the_page_runs(tmp_path, server, memory, monkeypatch, capsys):
    write_card(tmp_path / "cards", make_card(open_grader(server).setup.identity, "provisional"))
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    page = (ROOT / "docs" / "pyrit.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python example\n(.*?)```", page, re.S)
    exec(compile(example.replace("ollama:qwen3:1.7b", server), "docs/pyrit.md", "exec"), {})
    assert capsys.readouterr().out.startswith("false REFUSAL\nGrader good:1 (digest ")
