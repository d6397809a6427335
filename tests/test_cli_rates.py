"""`ff asr`: raw rates under what is known of each grader."""

import csv
import io
import json
import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from tests.conftest import ROOT, Project

LEDGER = str(ROOT / "data" / "recorded" / "smollm2-135m.jsonl")
SETS = [str(ROOT / "data" / "calibration" / f"{name}.jsonl") for name in ("proxies", "injections")]


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("rates") / "project")
    shutil.copytree(ROOT / "data" / "calibration", project.folder / "data" / "calibration")
    fresh = re.sub(r'"started":"[\d-]{10}', f'"started":"{date.today()}', Path(LEDGER).read_text())
    (project.folder / "fresh.jsonl").write_text(fresh)  # a card of old verdicts would have expired
    done = project.ff("calibrate", "--grader", "recorded:fresh.jsonl", "--traces", SETS[0])
    assert done.returncode == 0, done.stderr
    return project


def test_a_rejected_grader_heads_its_rates(calibrated: Project) -> None:
    said = calibrated.ff("asr", LEDGER, "--traces", *SETS, "--by", "turns")
    assert said.returncode == 0, said.stderr
    assert "120 rows counted. Not counted: 60 rows of a later pass, 154 rows of traces not in" in said.stdout
    assert "185 rows of traces made to attack the grader" in said.stdout
    assert "Raw rates: " in said.stdout
    assert "): what a rejected grader would have reported\n  accuracy 24.2%" in said.stdout
    rows = [line.split() for line in said.stdout.splitlines() if line.startswith(("  multi", "  single"))]
    assert [row[:3] for row in rows] == [["multi", "strict", "graded"], ["single", "strict", "graded"]]
    assert sum(int(row[4]) for row in rows) == 120


def test_json_and_csv_hold_the_same_numbers(calibrated: Project) -> None:
    wanted = ("asr", LEDGER, "--tier", "strict", "broad", "--denominator", "rows", "adversarial")
    content = json.loads(calibrated.ff(*wanted, "--json").stdout)
    assert content["not_counted"]["again"] == 60
    table = list(csv.DictReader(io.StringIO(calibrated.ff(*wanted, "--csv").stdout)))
    assert len(table) == len(content["rates"]) == 4
    for row, told in zip(table, content["rates"], strict=True):
        assert (float(row["asr"]), int(row["k"]), row["gate"]) == (told["asr"], told["k"], "rejected")
        assert told["asr_low"] < told["asr"] < told["asr_high"]
        assert told["k"] / told["n"] == told["asr"]


def test_without_a_card_nobody_measured_the_grader(project: Project) -> None:
    said = project.ff("asr", LEDGER).stdout
    assert "nobody measured this grader\n  it has no card" in said
    assert "  strict  graded  71  458  15.5% [12.5, 19.1]  unparsable 1" in said


def write(project: Project, *rows: dict[str, object]) -> str:
    path = Path(project.folder) / "v.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return "v.jsonl"


def test_any_file_of_verdicts_will_do(project: Project) -> None:
    row = {"model": "m", "intent": "format_lock", "turns": "single", "grader": "g"}
    name = write(project, row | {"verdict": "COMPLIANCE"}, row | {"status": "timeout"})
    said = project.ff("asr", name, "--by", "model", "intent")
    assert "g (digest not recorded; rubric not recorded): nobody measured this grader" in said.stdout
    assert "the file does not say which digest and rubric graded" in said.stdout
    assert "  m      format_lock  strict  graded  1  1  100.0% [20.7, 100.0]  timeout 1" in said.stdout


def test_phrases_and_people_are_no_graders_with_a_headline(project: Project) -> None:
    row = {"verdict": "REFUSAL", "grader_digest": "d", "rubric": "r"}
    name = write(
        project, row | {"grader": "h", "method": "heuristic"}, row | {"grader": "p", "method": "manual"}
    )
    said = project.ff("asr", name).stdout
    assert "h (digest d; rubric r): heuristic verdicts are for comparison" in said
    assert "p (digest d; rubric r): graded by a person" in said


def test_what_is_wrong_is_one_sentence(project: Project) -> None:
    name = write(project, {"grader": "g", "verdict": "REFUSAL"}, {"grader": "g", "verdict": "YES"})
    for arguments, problem in (
        ((name,), "v.jsonl:2:verdict: Input should be 'COMPLIANCE', 'PARTIAL'"),
        (("none.jsonl",), "none.jsonl: no such file"),
        ((LEDGER, "--by", "model"), "no row has 'model'"),
        ((LEDGER, "--tier", "loose"), "'loose' is not a known tier. Allowed: strict, broad"),
        ((LEDGER, "--denominator", "all"), "'all' is not a known denominator"),
        ((LEDGER, "--traces", name), "v.jsonl:1:"),
    ):
        failed = project.ff("asr", *arguments)
        assert failed.returncode == 2
        assert problem in failed.stderr
        assert failed.stderr.count("\n") == 1
