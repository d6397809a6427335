"""Calibration cards as files and tables: criteria, expiry, disclosure."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

import ff_helpers as ff
from ff_helpers.corpus.readers import CALIBRATION
from ff_helpers.errors import FFError
from ff_helpers.grading.campaign import grade
from ff_helpers.measurement.calibration.cards import (
    cards_table,
    gate_criteria,
    gate_table,
    grader_note,
)
from ff_helpers.measurement.calibration.gate import Thresholds
from ff_helpers.measurement.standing import read_cards
from tests.verdict_rows import DAY, MIXED, card, rows


def test_a_card_made_again_from_old_verdicts_is_as_old_as_they_are() -> None:
    good = [("COMPLIANCE", "COMPLIANCE"), ("NOT_COMPLIANCE", "REFUSAL")] * 50
    frame = rows(good, started=["2026-05-27T01:00:00+00:00"] + ["2026-11-01T00:00:00+00:00"] * 99)
    fresh = card(frame.iloc[1:], "strict")
    assert (fresh.date, fresh.last_day) == (DAY, DAY + timedelta(days=180))
    assert fresh.as_of(DAY + timedelta(days=180)) == fresh
    old = card(frame.assign(started="2026-05-25T23:59:59+00:00"), "strict")
    assert (old.date, old.gate.state) == (date(2026, 5, 25), "calibrated")
    now = old.as_of(DAY)
    assert (now.gate.state, now.accuracy) == ("uncalibrated", old.accuracy)
    assert now.gate.reasons[0].startswith("expired after 2026-11-21: measured on 2026-05-25")
    assert grader_note(now).measured().endswith("uncalibrated, card of 2026-05-25, expired")
    assert card(rows(good, started=None), "strict").date == DAY
    assert card(frame, "strict", thresholds=Thresholds(max_age_days=178)).date == date(2026, 5, 27)


def test_criteria_stand_one_row_each_and_own_thresholds_are_disclosed() -> None:
    loose = card(rows(MIXED), thresholds=Thresholds(published_n=8, published_accuracy=0.3))
    table = gate_criteria([loose])
    assert list(table.columns[:4]) == ["grader", "set", "space", "rule"]
    assert table["rule"].value_counts().to_dict() == {"published": 2, "ours": 16}
    first = table.iloc[1]
    assert (first["criterion"], first["value"], first["threshold"]) == ("accuracy", 0.375, 0.3)
    assert table["passed"].tolist()[:2] == [True, True]
    assert (
        grader_note(loose)
        .measured()
        .endswith(
            "rejected, card of 2026-11-22, own thresholds (published_n 8 instead of 20, "
            "published_accuracy 0.3 instead of 0.7): rejected by these"
        )
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FF_OUTPUTS", str(tmp_path_factory.mktemp("outputs")))
        patch.delenv("FF_STAGING", raising=False)
        run = ff.start("test", as_of="2026-11-22")
        grade(run, {"written": CALIBRATION["written"]}, ["heuristic"])
        yield run


def test_calibrate_all_saves_the_cards_it_returns_and_takes_old_ones_away(run: ff.outputs.Run) -> None:
    stale = run.write("cards/old.json")
    stale.write_text("{}")
    cards = ff.calibrate_all(run)
    assert not stale.exists()
    read = read_cards(run)
    assert [c.slug for c in read] == ["heuristic_written_five"] == [c.slug for c in cards]
    assert read[0].confusion == cards[0].confusion
    assert read[0].gate.state in ("rejected", "provisional")  # written traces: never calibrated
    before = Path(run.read("cards/heuristic_written_five.json")).read_bytes()
    ff.calibrate_all(run)
    assert Path(run.read("cards/heuristic_written_five.json")).read_bytes() == before
    table = cards_table(read)
    assert table["n"].tolist() == [read[0].n]
    assert table["accuracy"].tolist() == pytest.approx([read[0].k / read[0].n])
    assert gate_table(read)["reason"].tolist() == list(read[0].gate.reasons)


def test_a_broken_card_is_named(run: ff.outputs.Run) -> None:
    ff.calibrate_all(run)
    path = run.read("cards/heuristic_written_five.json")
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"surprise": 1}))
    with pytest.raises(FFError, match="heuristic_written_five"):
        read_cards(run)
    ff.calibrate_all(run)


def test_on_attacks_alone_nothing_is_calibrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    monkeypatch.delenv("FF_STAGING", raising=False)
    run = ff.start("bare", as_of="2026-11-22")
    grade(run, {"injections": "data/calibration/injections.jsonl"}, ["heuristic"])
    with pytest.raises(FFError, match="profile bare: no graded trace has a truth label"):
        ff.calibrate_all(run)
