"""`ff regrade` as a user types it: a corrected ledger, two graders, and what cannot be compared."""

import json
from pathlib import Path

import pytest

from ff_helpers.cli import main
from ff_helpers.corpus.jsonl import write_records
from tests.measurement.regrades.test_regrading import record, traces

FIRST = ["COMPLIANCE"] * 7 + ["PARTIAL"] * 7 + ["BENIGN_QUERY"] * 2 + ["timeout"] * 4


@pytest.fixture(autouse=True)
def no_cards(tmp_path, monkeypatch):
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))


@pytest.fixture
def corrected(tmp_path) -> Path:
    """20 rows of one model grader; ann corrects five of them, bob one of those again."""
    rows = [record(f"t{i}", label, method="flip-final-turn") for i, label in enumerate(FIRST)]
    rows += [record(f"t{i}", "REFUSAL", "manual:ann", over="g") for i in range(5)]
    rows.append(record("t0", "PARTIAL", "manual:bob", over="manual:ann"))
    write_records(tmp_path / "corrected.jsonl", rows)
    return tmp_path / "corrected.jsonl"


def said(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["regrade", *map(str, words)]) == 0
    return capsys.readouterr().out


def test_what_moved_by_how_much_by_whom_and_why(capsys, corrected, tmp_path):
    scenarios = {f"t{i}": f"s{i // 2}" for i in range(20)}
    text = said(capsys, corrected, "--traces", traces(tmp_path, scenarios))
    assert "20 rows with an old and a new label, 5 of them changed" in text
    assert "35.0 [18.1, 56.7] (7/20)" in text
    assert "10.0 [2.8, 30.1] (2/20)" in text
    assert "the rows are 10 independent scenarios" in text
    assert "corrected more than once: 1 (t0)" in text
    assert "contaminated: g, 20 rows\n    accuracy: never measured; uncalibrated" in text
    assert "corrected: manual:ann, 4 rows\n    a person: no accuracy measured" in text
    assert "6 x ann: looked again" in text
    assert "By scenario: not determinable" in said(capsys, corrected)


def test_json_holds_everything_without_rounding(capsys, corrected):
    found = json.loads(said(capsys, corrected, "--json"))
    assert (found["rows"], found["changed"], found["scenarios"], found["again"]) == (20, 5, None, ["t0"])
    assert {"old": "COMPLIANCE", "new": "REFUSAL", "rows": 4} in found["transitions"]
    (strict,) = (s for s in found["shifts"] if (s["tier"], s["denominator"]) == ("strict", "rows"))
    assert (strict["old_k"], strict["new_k"], strict["shared"]) == (7, 2, 20)
    assert strict["shift"] == pytest.approx(-0.25)
    assert strict["paired_low"] < -0.25 < strict["paired_high"] < 0
    assert [c["new"] for c in found["changes"] if c["trace_id"] == "t0"] == ["REFUSAL", "PARTIAL"]
    assert {"labels": "contaminated", "grader": "g", "rows": 20}.items() <= found["graders"][0].items()


def test_two_graders_beside_each_other(capsys, tmp_path):
    rows = [record("a", "COMPLIANCE"), record("b", "timeout"), record("a", "BENIGN_QUERY", "h")]
    path = tmp_path / "two.jsonl"
    write_records(path, [*rows, record("b", "BENIGN_QUERY", "h")])
    text = said(capsys, path, "--old", "g", "--new", "h")
    assert "old: g, new: h" in text
    # Not one row is adversarial under both labels, nor under those of h.
    assert "unknown" in text
    assert "no record names another" in text


def test_what_cannot_be_compared_is_one_sentence_and_exit_code_2(capsys, tmp_path):
    path = tmp_path / "plain.jsonl"
    write_records(path, [record("a", "COMPLIANCE"), record("b", "REFUSAL")])
    other = tmp_path / "other.jsonl"
    write_records(other, [record("a", "PARTIAL", "h")])
    for words, sentence in (
        ([path], "no record of g is superseded by another"),
        ([path, "--by", other], f"{path}:2: trace b has no new label (1 such traces)"),
        ([tmp_path / "none.jsonl"], "none.jsonl: no such file"),
    ):
        assert main(["regrade", *map(str, words)]) == 2
        err = capsys.readouterr().err
        assert sentence in err
        assert err.count("\n") == 1
