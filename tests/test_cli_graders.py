"""`ff graders`: what is known here of every grader, the best first, and what to do next."""

import json
import re

import pytest

from ff_helpers.chat.embedded import MODELS
from ff_helpers.cli import main
from ff_helpers.grading.external import external_identity
from ff_helpers.terms import Identity
from tests.cards import QWEN, make_card


@pytest.fixture
def outputs(tmp_path, monkeypatch):
    for name in ("FF_OUTPUTS", "FF_PARTS"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    return tmp_path / "FF_OUTPUTS"


def put(folder, name, card):
    (folder / "cards").mkdir(parents=True, exist_ok=True)
    (folder / "cards" / f"{name}.json").write_text(card.model_dump_json())


def listed(capsys):
    assert main(["graders", "--json"]) == 0
    return {one["name"]: one for one in json.loads(capsys.readouterr().out)}


def test_a_newcomer_sees_every_embedded_model_and_how_to_get_it(outputs, capsys):
    assert main(["graders"]) == 0
    said = capsys.readouterr().out
    for name, make in (("qwen2.5-coder-1.5b", "grader"), ("smollm2-135m", "parts"), ("gemma3-270m", "gemma")):
        block = next(block for block in said.split("\n\n") if block.startswith(f"{name}:"))
        assert f"embedded:{name}" in block
        assert "not fetched" in block
        assert "nobody knows how often it is right" in block
        assert f"next: make {make}" in block
    assert "1.1 GB · Apache-2.0" in said
    assert "`make paper` makes those of the recorded graders" in said


def test_the_best_grader_comes_first_with_its_cards(outputs, capsys):
    good = Identity("good", "sha256:good", rubric="r@1", temperature=0.0, seed=0)
    put(outputs, "a", make_card(state="rejected"))
    put(outputs / "mine", "b", make_card(good, "calibrated", name="humans", right=90, of=100))
    put(outputs / "mine", "c", make_card(good, "rejected", name="proxies", right=20, of=100))
    put(outputs / "other", "d", make_card(good, "calibrated", name="humans", right=45, of=50))
    found = listed(capsys)
    assert list(found)[:2] == ["good", QWEN.name]
    assert set(MODELS) < set(found)
    assert [(card["set"], card["gate"], card["accuracy"]["n"]) for card in found["good"]["cards"]] == [
        ("humans", "calibrated", 100),  # of two cards on one set the one that says more
        ("proxies", "rejected", 100),
    ]
    assert main(["graders"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("good: on its best set calibrated · recorded or elsewhere\n")
    assert "90.0% [82.6, 94.5], 90 of 100" in said  # Wilson


def test_models_of_a_local_ollama_server_are_there_and_unmeasured(outputs, capsys, monkeypatch, port):
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{port}")
    model = listed(capsys)["good:1"]
    assert (model["spec"], model["here"], model["cards"]) == ("ollama:good:1", True, [])
    assert model["next"] == "ff calibrate --grader ollama:good:1"


def test_recorded_verdicts_make_the_card_of_the_weights_that_gave_them(outputs, capsys):
    """The README's way to a grader that may grade: its card, without the model and without text."""
    recorded, index = "data/recorded/qwen2.5-coder-1.5b.jsonl", "data/labelled/pyrit_refusal.csv"
    words = ["calibrate", "--grader", f"recorded:{recorded}", "--traces", f"index:{index}", "--attacks"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "measured on: pyrit_refusal" in said
    assert "86 of 105" in said
    # Twelve traces were graded again; two more have the text of one of them.
    assert "100.0% [78.5, 100.0], 14 of 14" in said
    flips = re.search(r"flips under attack +(\d+\.\d)% \[.*\], (\d+) of (\d+)\n", said)
    assert flips is not None
    assert float(flips[1]) == round(100 * int(flips[2]) / int(flips[3]), 1)
    assert f"- attacks turn its verdict in {flips[2]} of {flips[3]} pairs ({flips[1]}% [" in said
    assert "qwen2.5-coder-1.5b is provisional. It may grade traces without truth" in said
    assert listed(capsys)["qwen2.5-coder-1.5b"]["state"] == "provisional"
    assert main(["graders"]) == 0
    listed_now = capsys.readouterr().out
    assert re.search(rf"attacks turn its verdict in {flips[1]}% .*: provisional at best\n", listed_now)


def test_a_grader_that_nobody_attacked_is_said_not_to_be_measured_there(outputs, capsys):
    put(outputs, "a", make_card(state="calibrated"))
    assert main(["graders"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{QWEN.name}: calibrated")
    assert "attacks on it: not measured" in said.split("\n\n")[0]


def test_a_judge_that_somebody_else_ran_is_listed_with_its_own_cards_alone(outputs, capsys):
    for name, right in (("scorer", 19), ("other", 3)):
        put(outputs, name, make_card(external_identity(name), right=right))
    found = listed(capsys)
    assert [len(found[name]["cards"]) for name in ("scorer", "other")] == [1, 1]
    assert found["scorer"]["cards"][0]["accuracy"]["k"] == 19
    assert (found["scorer"]["spec"], found["scorer"]["next"]) == (None, "")
