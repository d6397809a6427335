"""Where a run reads and writes, and what it says when it cannot."""

from pathlib import Path

import pytest

import ff_helpers as ff
from ff_helpers.errors import FFError
from ff_helpers.paths import MissingInputError, UnwritableError


def test_a_step_writes_into_its_staging_folder_and_finds_there_what_it_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    monkeypatch.setenv("FF_STAGING", str(tmp_path / "staging"))
    run = ff.start("demo", as_of="2026-01-01")
    run.write("tables/a.csv").write_text("x\n")
    assert (tmp_path / "staging" / "tables" / "a.csv").exists()
    assert run.read("tables/a.csv").read_text() == "x\n"
    assert run.ledger("verdicts") == tmp_path / "outputs" / "demo" / "ledger" / "verdicts.jsonl"


def test_what_no_step_wrote_is_named_with_the_command_that_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    with pytest.raises(MissingInputError, match=r"tables/a\.csv does not exist.*ff run params/demo\.yaml"):
        ff.start("demo", as_of="2026-01-01").read("tables/a.csv")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "demo").write_text("a file where the folder should be")
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path))
    run = ff.start("demo", as_of="2026-01-01")
    with pytest.raises(UnwritableError, match=r"cannot be written.*FF_OUTPUTS"):
        run.write("tables/a.csv")
    with pytest.raises(UnwritableError):
        run.ledger("verdicts")


@pytest.mark.parametrize("wrong", ["yesterday", "2026-13-01", ""])
def test_a_date_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(FFError, match="YYYY-MM-DD"):
        ff.start("demo", as_of=wrong)
