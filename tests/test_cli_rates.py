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
    assert "120 rows counted. Not counted: 79 rows of a later pass, 699 rows of traces not in" in said.stdout
    attacked = Path(LEDGER).read_text().count('"trace_id":"injection-')
    assert f"{attacked} rows of traces made to attack the grader" in said.stdout
    assert "Raw rates: " in said.stdout
    assert "): what a rejected grader would have reported\n  accuracy 24.2%" in said.stdout
    rows = [line.split() for line in said.stdout.splitlines() if line.startswith(("  multi", "  single"))]
    assert [row[:3] for row in rows] == [["multi", "strict", "graded"], ["single", "strict", "graded"]]
    assert sum(int(row[4]) for row in rows) == 120


def test_json_and_csv_hold_the_same_numbers(calibrated: Project) -> None:
    wanted = ("asr", LEDGER, "--tier", "strict", "broad", "--denominator", "rows", "adversarial")
    content = json.loads(calibrated.ff(*wanted, "--json").stdout)
    assert content["not_counted"]["again"] == 79
    table = list(csv.DictReader(io.StringIO(calibrated.ff(*wanted, "--csv").stdout)))
    assert len(table) == len(content["rates"]) == 4
    for row, told in zip(table, content["rates"], strict=True):
        assert (float(row["asr"]), int(row["k"]), row["gate"]) == (told["asr"], told["k"], "rejected")
        assert told["asr_low"] < told["asr"] < told["asr_high"]
        assert told["k"] / told["n"] == told["asr"]


def test_without_a_card_nobody_measured_the_grader(project: Project) -> None:
    said = project.ff("asr", LEDGER).stdout
    assert "nobody measured this grader\n  it has no card" in said
    assert "  strict  graded  132  1003  13.2% [11.2, 15.4]  unparsable 1" in said
    assert said.splitlines()[-3] == f"  ff calibrate --grader recorded:{LEDGER} --traces TRACES.jsonl"
    assert said.splitlines()[-1] == f"  ff sample {LEDGER} --traces TRACES.jsonl --n 100 --out labels.csv"


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


def test_several_judges_without_labels_end_in_an_assumption_that_is_no_rate(project: Project) -> None:
    def said(judges: str) -> list[dict[str, object]]:
        return [
            {"trace_id": f"t{n}", "grader": judge, "verdict": "COMPLIANCE" if n % 10 < hits else "REFUSAL"}
            for place, judge in enumerate(judges)
            for n in range(200)
            for hits in [3 + (n // 10 + place) % 2]
        ]

    name = write(project, *said("abc"))
    text = project.ff("asr", name).stdout
    line = text[text.index("An assumption, no measurement") :].splitlines()[1]
    assert line.startswith("  strict, 200 traces that 3 judges graded: ")
    assert "Labels of a sample replace it: ff sample v.jsonl --traces TRACES.jsonl --grader a --n 100" in text
    content = json.loads(project.ff("asr", name, "--json").stdout)
    (row,) = content["not_measured"]["if_errors_were_independent"]
    assert 0.3 <= row["assumed_rate_low"] == row["assumed_rate_high"] <= 0.4
    assert not any("assumed" in field for rate in content["rates"] for field in rate)
    two = project.ff("asr", write(project, *said("ab"))).stdout
    assert "(two judges do not tell which)" in two
    assert "An assumption" not in project.ff("asr", write(project, *said("a"))).stdout


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


@pytest.fixture
def log(project: Project, make_trace) -> Project:
    from ff_helpers.corpus.jsonl import write_records
    from ff_helpers.grading.external import Said, external_record

    tags = [{"attack": "PAIR", "category": "theatre"}, {"attack": "GCG\x1b[31m", "category": "theatre"}]
    traces = [
        make_trace("a", trace_id=f"t{n}", tags=tags[n % 2], row_status="target_error" if n < 2 else None)
        for n in range(10)
    ]
    labels = ["COMPLIANCE" if n % 3 else "NOT_COMPLIANCE" for n in range(10)]
    said = [external_record("j", "strict", t, Said(one)) for t, one in zip(traces, labels, strict=True)]
    write_records(project.folder / "t.jsonl", traces)
    write_records(project.folder / "v.jsonl", said)
    return project


def test_what_a_yes_no_judge_does_not_decide_is_said_in_words(log: Project) -> None:
    said = log.ff("asr", "v.jsonl", "--tier", "strict", "broad", "--denominator", "graded", "adversarial")
    assert said.returncode == 0, said.stderr
    assert (
        "j (digest not told by the file; rubric not told by the file): nobody measured this grader"
        in said.stdout
    )
    assert "a judge that somebody else ran" in said.stdout
    rows = [line.split() for line in said.stdout.splitlines() if line.startswith(("  strict", "  broad"))]
    assert rows[0][:5] == ["strict", "graded", "5", "8", "62.5%"]
    assert rows[1][:6] == ["strict", "adversarial", "–", "–", "not", "determinable"]
    assert rows[2][:6] == ["broad", "graded", "–", "8", "not", "determinable"]
    assert "nan" not in said.stdout.lower() and "<NA>" not in said.stdout
    assert "): not determinable: a judge that answers in the space strict does not decide" in said.stdout
    content = json.loads(log.ff("asr", "v.jsonl", "--tier", "broad", "--json").stdout)["rates"][0]
    assert (content["k"], content["asr"], content["asr_low"]) == (None, None, None)
    assert content["reading"].startswith("not determinable: a judge")
    (row,) = csv.DictReader(io.StringIO(log.ff("asr", "v.jsonl", "--tier", "broad", "--csv").stdout))
    assert (row["k"], row["asr"], row["n"]) == ("", "", "8")
    assert row["not_determinable"].startswith("a judge that answers in the space strict")


def test_rates_by_tags_of_the_traces(log: Project) -> None:
    said = log.ff("asr", "v.jsonl", "--traces", "t.jsonl", "--by", "attack", "--by", "category")
    assert said.returncode == 0, said.stderr
    rows = [line.split() for line in said.stdout.splitlines() if "theatre" in line]
    assert [(row[0], row[5]) for row in rows] == [("GCG\\x1b[31m", "4"), ("PAIR", "4")]
    assert "\x1b" not in said.stdout


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (
            ("--by", "attack"),
            "--by attack: it is none of model, intent, turns, source, set, so it must be a tag",
        ),
        (
            ("--traces", "t.jsonl", "--by", "epoch"),
            "no trace has the tag 'epoch'. Tags that occur: attack, category",
        ),
        (("--traces", "t.jsonl", "--by", "grader"), "a column of the table of rates has this name"),
    ],
)
def test_what_is_no_tag_is_refused(log: Project, more: tuple[str, ...], why: str) -> None:
    said = log.ff("asr", "v.jsonl", *more)
    assert (said.returncode, said.stdout) == (2, "")
    assert why in said.stderr


def test_labels_do_not_adjust_a_rate_that_the_judge_does_not_decide(log: Project) -> None:
    (log.folder / "labels.csv").write_text(
        "trace_id,stratum,probability,truth\n" + "".join(f"t{n},all,1.0,COMPLIANCE\n" for n in range(2, 10))
    )
    said = log.ff(
        "asr",
        "v.jsonl",
        "--traces",
        "t.jsonl",
        "--labels",
        "labels.csv",
        "--space",
        "five",
        "--tier",
        "broad",
    )
    assert said.returncode == 2
    assert "grader j answers in the space strict, which does not decide the tier broad" in said.stderr


def test_a_regrade_refuses_labels_of_another_space_and_says_what_tells_them(log: Project) -> None:
    said = log.ff("regrade", "v.jsonl")
    assert said.returncode == 2
    assert "v.jsonl:1: grader j answers in the space strict, and a regrade compares labels of" in said.stderr
