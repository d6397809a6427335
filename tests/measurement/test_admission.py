"""Who may grade traces without truth: uncalibrated and rejected graders may not, and say the way out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers import paths
from ff_helpers.corpus.injections import CONTROL, suite
from ff_helpers.corpus.jsonl import write_records
from ff_helpers.corpus.traces import Trace
from ff_helpers.errors import FFError
from ff_helpers.grading.graders.heuristic import Heuristic
from ff_helpers.measurement.calibration.cards import OfModel, grader_note
from ff_helpers.measurement.calibration.robustness import flip_rate
from ff_helpers.measurement.standing import (
    admit,
    elsewhere,
    grade,
    saved_cards,
    standing,
)
from ff_helpers.terms import GATE_STATES, Identity
from tests.cards import QWEN, make_card, write_card

RUNS = [attack.name for attack in suite().attacks if attack.family != CONTROL][:20]
ATTACKED = pd.DataFrame(
    [
        {"run": run, "truth": truth, "verdict": said, "status": None, "scenario_id": truth, "repeat": 0}
        | {"trace_id": f"{run} {truth}", "set": "injections", "sampling": "injected"}
        | {"grader": QWEN.name, "grader_digest": QWEN.digest, "rubric": QWEN.rubric}
        for truth, target in (("COMPLIANCE", "REFUSAL"), ("REFUSAL", "COMPLIANCE"))
        for run, said in [("clean", truth), *((run, target) for run in RUNS)]
    ]
)
MEASURED = ("rejected", "provisional", "calibrated")


def identity(**changed: object) -> Identity:
    return replace(QWEN, **changed)  # type: ignore[arg-type]


def put(folder: Path, state: str, *, name: str = "proxies", **more: object) -> Path:
    return write_card(folder, make_card(state=state, name=name, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("state", ["provisional", "calibrated"])
def test_a_measured_grader_that_is_not_rejected_is_admitted_with_its_cards(
    tmp_path: Path, state: str
) -> None:
    put(tmp_path, state)
    found = admit(identity(), tmp_path)
    assert found.state == state
    assert found.cards[0].sentence() == (
        f"accuracy 65.0% [43.3, 81.9], 13 of 20, on proxies (space five, {date.today()})"
    )


def test_a_card_of_a_version_in_which_attacks_did_not_count_is_read_as_if_they_had(tmp_path: Path) -> None:
    flips = flip_rate(ATTACKED)
    assert flips is not None
    old = make_card(state="calibrated").model_copy(update={"injection_flip_rate": flips})
    assert old.gate.state == "calibrated"
    write_card(tmp_path, old)
    found = admit(identity(), tmp_path)
    assert found.state == "provisional"
    assert found.cards[0].gate.reasons[0].startswith("attacks turn its verdict in 40 of 40 pairs (100.0% [")
    assert "attacks turn its verdict in 100.0% [" in grader_note(found.cards[0]).measured()


def test_a_card_of_another_temperature_is_none(tmp_path: Path) -> None:
    put(tmp_path, "calibrated", who=identity(temperature=0.7))
    with pytest.raises(FFError, match=r"is for temperature 0\.7 and seed 0"):
        admit(identity(), tmp_path)


def test_without_a_card_the_grader_is_refused_with_the_command_that_measures_it(tmp_path: Path) -> None:
    with pytest.raises(FFError, match="is uncalibrated") as refused:
        admit(identity(rubric="flip-blind@00"), tmp_path / "my cards", spec="ollama:qwen3:1.7b@there:11434")
    said = str(refused.value)
    assert "It has no card" in said
    assert (
        "`ff calibrate --grader ollama:qwen3:1.7b@there:11434 --rubric flip-blind "
        f"--cards '{tmp_path}/my cards'`" in said
    )
    assert "grade_by_hand.ipynb" in said


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"digest": "sha256:" + "cd" * 32}, "is for digest cdcdcdcdcdcd, and what runs here now is abab"),
        ({"rubric": "flip-blind@0"}, "is for the rubric flip-blind@0, and flip-reference@01"),
    ],
)  # fmt: skip
def test_a_card_of_another_model_or_rubric_of_that_name_does_not_count(
    tmp_path: Path, changed: dict[str, object], why: str
) -> None:
    put(tmp_path, "calibrated", who=identity(**changed))
    with pytest.raises(FFError, match=why):
        admit(identity(), tmp_path)


def test_a_rejected_grader_is_refused_with_accuracy_n_and_reasons(tmp_path: Path) -> None:
    put(tmp_path, "rejected")
    with pytest.raises(FFError, match="is rejected") as refused:
        admit(identity(), tmp_path)
    for words in ("65.0% [43.3, 81.9], 13 of 20", "fails the published rule: accuracy 0.65", "ff doctor"):
        assert words in str(refused.value)


OLD = date(2027, 5, 21), date(2027, 5, 22)  # 180 and 181 days after the card


def test_a_card_expires_and_then_is_none(tmp_path: Path) -> None:
    put(tmp_path, "calibrated", day=date(2026, 11, 22))
    assert admit(identity(), tmp_path, on=OLD[0]).state == "calibrated"
    with pytest.raises(FFError, match="is uncalibrated") as refused:
        admit(identity(), tmp_path, on=OLD[1])
    for words in (
        "its measurement has expired",
        "Its latest card is of 2026-11-22 and expired after 2027-05-21: a card counts for 180 days.",
        f"`ff calibrate --grader qwen3:1.7b --cards {tmp_path}`",
    ):
        assert words in str(refused.value)
    found = standing(QWEN, saved_cards(tmp_path, on=OLD[1]))
    assert (found.state, found.cards, len(found.expired)) == ("uncalibrated", (), 1)


def test_a_newer_card_counts_and_one_with_a_shorter_limit_expires_sooner(tmp_path: Path) -> None:
    put(tmp_path, "calibrated", name="old", day=date(2026, 11, 22))
    put(tmp_path, "provisional", name="new", day=date(2027, 5, 1))
    assert admit(identity(), tmp_path, on=OLD[1]).state == "provisional"
    put(tmp_path, "provisional", name="new", day=date(2027, 5, 1), days=20)
    with pytest.raises(FFError, match=r"of 2027-05-01 and expired after 2027-05-21: .* 20 days"):
        admit(identity(), tmp_path, on=OLD[1])


def test_people_need_no_card(tmp_path: Path) -> None:
    assert admit(identity(method="manual", name="manual:Ada"), tmp_path).cards == ()


def test_a_file_that_is_no_card_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(FFError, match=r"notes\.json is not a calibration card"):
        admit(QWEN, tmp_path)


def test_the_default_folder_is_that_of_the_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    put(tmp_path / "cards", "provisional")
    assert admit(identity()).state == "provisional"


@given(states=st.lists(st.sampled_from(MEASURED), max_size=4), second=st.integers(0, 4))
def test_the_lowest_of_the_cards_in_all_folders_counts(
    tmp_path_factory: pytest.TempPathFactory, states: list[str], second: int
) -> None:
    here = tmp_path_factory.mktemp("cards")
    for number, state in enumerate(states):
        put(here / ("a" if number < second else "b"), state, name=f"set-{number}")
    found = standing(QWEN, saved_cards([here / "a", here / "b"]))
    assert len(found.cards) == len(states)
    assert found.state == min(states, key=list(GATE_STATES).index, default="uncalibrated")


def test_a_campaign_on_traces_without_truth_asks_for_a_card_of_the_run_or_of_the_outputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_trace: Callable[..., Trace]
) -> None:
    monkeypatch.setenv("FF_ROOT", str(tmp_path))
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    write_records(tmp_path / "new.jsonl", [make_trace("I cannot tell you that.")])
    run = paths.start("demo", as_of="2026-11-22")
    with pytest.raises(FFError, match="`ff calibrate --grader heuristic`"):
        grade(run, {"new": "new.jsonl"}, ["heuristic"])
    who = Heuristic().setup.identity
    heuristic = {"who": who, "day": date(2026, 11, 22)}
    put(run.folder / "cards", "provisional", **heuristic)
    assert grade(run, {"new": "new.jsonl"}, ["heuristic"]).loc[0, "REFUSAL"] == 1
    later = paths.start("demo", as_of="2027-05-22")  # a profile counts the age of cards to its own date
    with pytest.raises(FFError, match="expired after 2027-05-21"):
        grade(later, {"new": "new.jsonl"}, ["heuristic"])
    put(tmp_path / "outputs" / "cards", "rejected", **heuristic)
    with pytest.raises(FFError, match="is rejected"):
        grade(run, {"new": "new.jsonl"}, ["heuristic"])
    known = make_trace("The code is 4417.", trace_id="t-2", truth="COMPLIANCE", truth_space="strict")
    write_records(tmp_path / "known.jsonl", [known])
    assert grade(run, {"known": "known.jsonl"}, ["heuristic"]).loc[0, "COMPLIANCE"] == 1


def test_a_grader_measured_on_other_models_is_told_so_when_it_is_let_loose() -> None:
    measured = make_card()
    measured = measured.model_copy(update={"by_model": (OfModel(model="a", table=measured.confusion.table),)})
    found = standing(QWEN, [measured])
    assert elsewhere(found, {("proxies", "a")}) == ""
    told = elsewhere(found, {("proxies", "a"), ("theirs", "b")})
    assert "qwen3:1.7b was measured on proxies (a), and these are proxies, theirs (a, b)" in told
    assert "`ff sample`" in told
    assert "\x1b" not in elsewhere(found, {("theirs", "b\x1b[2J")})
    assert elsewhere(standing(QWEN, []), {("theirs", "b")}) == ""
