"""Cards from the labels of a sample that `ff sample` drew: `ff calibrate --labels`, as a user types it."""

import json

import pytest

from ff_helpers.cli import main
from ff_helpers.corpus.jsonl import read_records, write_records
from ff_helpers.grading.outcome import Record
from ff_helpers.measurement.standing import saved_cards
from tests.drawn_study import NO, YES, fill, write_study
from tests.labelling import decided

DRAW = ["sample", "verdicts.jsonl", "--traces", "traces.jsonl", "--out", "labels.csv"]
CARD = ["calibrate", "--labels", "labels.csv", "--ledger", "verdicts.jsonl", "--traces", "traces.jsonl"]


@pytest.fixture
def study(tmp_path, monkeypatch, make_trace):
    """1,000 traces: 400 called compliance, of which 300 are: right in 90%, Se 100%, Sp 600 of 700."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    return write_study(tmp_path, make_trace, size=1000)


def truth(n: int) -> str:
    return YES if n < 300 else NO


def card(capsys: pytest.CaptureFixture[str], *more: str) -> dict:
    capsys.readouterr()
    assert main([*CARD, "--json", *more]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "words",
    [
        ("--n", "100", "--design", "by-verdict", "--seed", "1"),
        ("--n", "150", "--design", "best", "--rate", "0.3", "--se", "0.99", "--sp", "0.85"),
        ("--n", "120", "--design", "by-verdict", "--by", "model"),
    ],
)
def test_labels_drawn_by_verdict_are_weighted_and_the_card_says_by_which_design(study, capsys, words) -> None:
    assert main([*DRAW, *words]) == 0
    fill(study / "labels.csv", truth)
    found = card(capsys)
    for name, true in (("accuracy", 0.9), ("sensitivity", 1.0), ("specificity", 600 / 700)):
        low, high = found[f"{name}_ci"]
        assert low <= true <= high, name
        assert found[name] == pytest.approx(true, abs=0.06)
    assert found["sensitivity_ci"][0] < 0.97  # no miss among some labels is no proof that there is none
    assert abs(found["accuracy"] - found["k"] / found["n"]) > 0.01  # the sample is not the rows
    (note,) = (note for note in found["notes"] if "weighted by inclusion probability" in note)
    assert f"{words[1]} labelled of 1000 graded rows, drawn by verdict (" in note
    (made,) = saved_cards()
    assert made.weighted
    assert made.accuracy.estimate == pytest.approx(found["accuracy"])
    assert {one.model for one in made.by_model} == {"a", "b"}
    assert main(["asr", "verdicts.jsonl", "--traces", "traces.jsonl"]) == 0
    said = capsys.readouterr().out
    assert f"weighted from {made.k} of {made.n} labels, on traces (space strict" in said
    assert "carried over" not in said  # the errors are of these very traces and models


def test_labels_drawn_at_random_count_alike(study, capsys) -> None:
    main([*DRAW, "--n", "100"])
    fill(study / "labels.csv", truth)
    found = card(capsys)
    assert found["accuracy"] == found["k"] / 100
    assert found["gate"]["state"] == "calibrated"
    assert any("drawn at random, seed 0; drawn with one probability" in note for note in found["notes"])
    assert not saved_cards()[0].weighted


@pytest.mark.parametrize("design", ["random", "by-verdict"])
def test_the_gate_counts_scenarios(tmp_path, monkeypatch, make_trace, capsys, design) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    write_study(tmp_path, make_trace, size=500, runs=5)
    main([*DRAW, "--n", "40", "--by-scenario", "--design", design])
    fill(tmp_path / "labels.csv", lambda n: YES if n < 150 else NO)
    found = card(capsys)
    assert (found["n"], found["rows"], found["items"]) == (40, 200, "scenario_id")
    assert "traces 40, needs at least 50" in " ".join(found["gate"]["reasons"])
    assert found["accuracy_ci"][0] <= 0.9 <= found["accuracy_ci"][1]
    assert "200 labelled of 40 scenarios of 500 graded rows" in found["notes"][0]


def test_the_agreement_of_people_stands_beside_that_of_the_judge(study, capsys) -> None:
    main([*DRAW, "--n", "60", "--design", "by-verdict"])
    decided(study / "labels.csv", "strict", anna=truth, ben=lambda n: NO if n % 10 == 0 else truth(n))
    found = card(capsys)
    (pair,) = found["people"]
    assert pair["columns"] == ["person 1", "person 2"]
    assert (pair["n"], pair["k"] < 60) == (60, True)
    assert pair["kappa_ci"][0] < pair["kappa"] < 1
    assert pair["agreement"] != pair["k"] / pair["n"]  # of all rows, as the judge's accuracy is
    assert any("in dispute have no truth" in note for note in found["notes"])
    assert main(CARD) == 0
    said = capsys.readouterr().out
    assert "person 1 and person 2  agree on" in said
    assert "anna" not in (study / "outputs" / "cards").glob("*.json").__next__().read_text()
    assert saved_cards()[0].people[0].agreement.n == 60
    assert main(["asr", "verdicts.jsonl", "--traces", "traces.jsonl"]) == 0


def test_a_sample_drawn_by_one_grader_measures_another_and_a_row_without_a_verdict_is_wrong(
    study, capsys
) -> None:
    """The other one has no verdict on every tenth trace, and is right on all others."""
    main([*DRAW, "--n", "200", "--design", "by-verdict", "--space", "five"])
    fill(study / "labels.csv", lambda n: YES if n < 300 else "REFUSAL")
    first = list(read_records(study / "verdicts.jsonl", Record))
    other = [
        one.model_copy(
            update={"grader": "h", "grader_digest": "sha256:2", "key": f"h{n}"}
            | ({"verdict": None, "status": "timeout", "reason": "slow"} if n % 10 == 0 else {})
            | ({"verdict": "COMPLIANCE" if n < 300 else "REFUSAL"} if n % 10 else {})
        )
        for n, one in enumerate(first)
    ]
    write_records(study / "verdicts.jsonl", [*first, *other])
    found = card(capsys, "--grader", "h")
    assert found["accuracy_ci"][0] <= 0.9 <= found["accuracy_ci"][1]
    assert set(found["invalid_values"]) == {"no verdict"}
    assert found["space"] == "five"
    assert found["per_class"]["PARTIAL"]["recall"] is None
    assert "not measured: truths of PARTIAL, as the set has none" in found["gate"]["reasons"]
    (made,) = saved_cards()
    assert (made.grader, made.statuses) == ("h", {"no label": 100})


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (CARD[:-2], "add --traces TRACES.jsonl"),
        ([*CARD, "--positive", "COMPLIANCE"], "--positive: labels.csv is a sample that `ff sample` drew"),
        ([*CARD, "--grader", "nobody"], "no grader nobody"),
        ([*CARD, "--repeats", "2"], "--repeats is for running a grader"),
        (CARD, "no trace has a truth yet"),
    ],
)
def test_what_is_missing_is_said(study, capsys, words, says) -> None:
    main([*DRAW, "--n", "60"])
    assert main(words) == 2
    assert says in capsys.readouterr().err
