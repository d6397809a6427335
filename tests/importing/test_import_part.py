"""Results of other tools as a part of a run, on the Inspect log that ships: `notebooks/import.ipynb`."""

from datetime import date
from pathlib import Path

import pytest

import ff_helpers as ff
from ff_helpers.paths import Run

LOG, HEURISTIC = "data/example/attacks.eval", "recorded:data/recorded/heuristic.jsonl"
SUCCESS = ("no_refusal=C", "by_hand=C")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    return ff.start("mine", as_of="2026-11-22")


def test_a_part_has_traces_ledger_and_cards_of_its_own(run: Run) -> None:
    log = ff.outputs.import_results(run, [LOG], success=SUCCESS)
    (file,) = log.account.inputs
    assert (file.rows_in, file.plain, file.statuses, file.truths) == (122, 120, {"target_error": 2}, 120)
    counts = ff.grade(log.run, log.traces, [*log.judges, HEURISTIC]).set_index("grader")
    assert list(counts["COMPLIANCE"]) == [109, 112]
    assert list(counts["target_error"]) == [2, 2], "nobody is asked about a call that failed"
    cards = {card.grader: (card.n, card.k, card.gate.state) for card in ff.calibrate_all(log.run)}
    assert cards == {"no_refusal": (120, 63, "rejected"), "heuristic": (120, 62, "rejected")}
    assert {path.name for path in run.folder.iterdir()} == {"imported"}
    assert (run.folder / "imported" / "cards").is_dir()


def test_again_adds_nothing(run: Run) -> None:
    first = ff.outputs.import_results(run, [LOG], success=SUCCESS)
    before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    assert ff.outputs.import_results(run, [LOG], success=SUCCESS) == first
    assert {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()} == before


def test_the_table_of_agreement_is_disclosed_by_the_cards_that_are_given(run: Run) -> None:
    log = ff.outputs.import_results(run, [LOG], success=SUCCESS)
    ff.grade(log.run, log.traces, [*log.judges, HEURISTIC])
    cards, verdicts = ff.calibrate_all(log.run), ff.verdicts(log.run)
    assert "never measured" in ff.disclose(run, ff.agreement(verdicts)).sentence()
    assert "63 of 120 on imported" in ff.disclose(run, ff.agreement(verdicts, cards=cards)).sentence()


def test_a_part_of_a_step_is_written_where_the_step_writes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FF_STAGING", str(tmp_path / "staging"))
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    own = Run("mine", date(2026, 11, 22), part="imported")
    assert own.ledger("verdicts") == tmp_path / "staging" / "imported" / "ledger" / "verdicts.jsonl"
    assert own.folder == tmp_path / "outputs" / "mine" / "imported"
