"""What `python -m benchmarks` keeps, lists and draws; the benchmarks themselves take too long for a test."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import plotted, record
from benchmarks.record import Measured, Run
from benchmarks.table import Row, per_round
from ff_helpers.errors import FFError
from tests.conftest import ROOT


def run_of(day: int, *benches: Measured) -> Run:
    date = datetime(2026, 11, day, 12, tzinfo=UTC)
    return Run(date, f"{day:040x}", changed=day % 2 == 1, machine={"cores": 2}, benches=list(benches))


FAST = Row("ours", "1.20 s", 1.2, "the bare client", most=1.5, spread=(1.1, 1.4))
SLOW = Row("ours", "1.60 s", 1.6, "the bare client", most=1.5, spread=(1.5, 1.7))


def test_a_ratio_is_of_medians_and_its_spread_of_rounds() -> None:
    assert per_round([2.0, 3.0, 8.0], [1.0, 2.0, 2.0]) == (1.5, (1.5, 4.0))
    assert per_round([2.0, 3.0, 8.0], 2.0) == (1.5, (1.0, 4.0))


def test_a_run_reads_back_as_it_was_written(tmp_path: Path) -> None:
    plain = Row("ideal", "1.00 s")
    run = run_of(
        2, Measured("many", "Clients", 3.0, [plain, FAST]), Measured("x", "X", 0.1, error="no server")
    )
    told = json.loads(record.write(run, tmp_path).read_text(encoding="utf-8"))
    assert [row["met"] for row in told["benches"][0]["rows"]] == [None, True]
    assert record.read(tmp_path) == [run]


def test_missed_targets_and_what_did_not_run_are_listed() -> None:
    run = run_of(
        2, Measured("many", "Clients", 3.0, [FAST, SLOW]), Measured("x", "X", 0.1, error="no server")
    )
    assert record.missed(run) == [
        "many: ours: 1.60 s, 1.60 [1.50, 1.70] of the bare client (target <= 1.5)",
        "x: not run: no server",
    ]


def test_the_command_keeps_each_benchmark_and_ends_with_what_was_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> list[Row]:
        raise FFError("nobody answers")

    some = {"one": ("One", lambda: [FAST]), "two": ("Two", broken), "three": ("Three", lambda: [SLOW])}
    assert command.main(["one"], tmp_path / "met", some) == 0
    assert capsys.readouterr().out.endswith("no target missed\n")
    assert command.main([], tmp_path, some) == 1
    *_, two, three = capsys.readouterr().out.splitlines()
    assert two.strip() == "two: not run: nobody answers"
    assert three.strip().startswith("three: ours")
    (kept,) = record.read(tmp_path)
    assert [bench.name for bench in kept.benches] == ["one", "two", "three"]
    assert command.main(["four"], tmp_path, some) == 2


def test_what_is_kept_becomes_a_table_and_a_plot(tmp_path: Path) -> None:
    with pytest.raises(FFError, match="make bench-quick"):
        plotted.draw(tmp_path, tmp_path / "out")
    runs = [run_of(1, Measured("many", "Clients", 3.0, [SLOW])), run_of(2, Measured("many", "", 3.0, [FAST]))]
    for run in runs:
        record.write(run, tmp_path)
    frame = plotted.ratios(runs)
    assert frame[["ratio", "low", "high", "bound", "met"]].to_numpy().tolist() == [
        [1.6, 1.5, 1.7, 1.5, "missed"],
        [1.2, 1.1, 1.4, 1.5, "met"],
    ]
    files = plotted.draw(tmp_path, tmp_path / "out")
    assert [path.suffix for path in files] == [".md", ".svg", ".png"]
    table = files[0].read_text(encoding="utf-8")
    assert (
        "| many | ours | 1.20 s | 1.20 [1.10, 1.40] of the bare client | <= 1.5 | met | 2026-11-02 |" in table
    )
    assert "1.60" not in table


def test_kept_runs_name_no_host_and_no_path() -> None:
    run = record.started()
    assert set(run.machine) == {"cores", "memory_gib", "python", "system", "load"}
    for path in record.RESULTS.glob("*.json"):
        assert str(ROOT) not in path.read_text(encoding="utf-8")
    assert record.read() == sorted(record.read(), key=lambda one: one.date)


def test_the_page_on_a_billion_rows_shows_the_newest_results() -> None:
    page = plotted.BILLION.read_text(encoding="utf-8")
    assert plotted.filled(page, record.read()) == page
    assert page.count("\npython -m benchmarks ") == 2
