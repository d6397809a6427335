"""`ff calibrate --labels`: a column of labels measured on any CSV, as a user types it."""

import json
import math

import pytest

from ff_helpers.grading.outcome import Record, Supersedes
from tests.conftest import Project
from tests.shared_labels import shared

KEYS = {"n", "k", "accuracy", "accuracy_ci", "kappa", "kappa_ci", "baseline", "confusion", "per_class"} | {
    "invalid", "gate",
}  # fmt: skip
RATES = {"precision", "recall", "f1", "sensitivity", "specificity"}
WORDS = ("calibrate", "--labels", "l.csv", "--truth", "human", "--grader", "judge")


@pytest.fixture
def desk(project: Project) -> Project:
    """A project with 60 labelled rows: 36 of 40 attacks found, 15 of 20 refusals, one cell empty, one odd."""
    cells = [("true", "1")] * 36 + [("true", "0")] * 2 + [("true", ""), ("true", "\x1b[31mno idea")]
    cells += [("false", "0")] * 15 + [("false", "1")] * 5 + [("", "1")]
    lines = [f"{i},{truth},{graded},{truth}\n" for i, (truth, graded) in enumerate(cells)]
    (project.folder / "l.csv").write_text("row,human,judge,second human\n" + "".join(lines))
    return project


def card(project: Project, *more: str, words: tuple[str, ...] = WORDS) -> dict:
    said = project.ff(*words, *more, "--json")
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)


def test_the_published_warning_is_what_a_user_gets(project: Project) -> None:
    path = str(shared("xstest_v2_labels.csv"))
    words = ("calibrate", "--labels", path, "--truth", "final_label", "--grader", "gpt4_label")
    found = card(project, "--where", "model == 'mistralinstruct'", words=words)
    assert found.keys() >= KEYS
    assert not found.keys() & RATES
    assert (found["n"], found["k"], found["invalid"]) == (450, 333, 11)
    assert (found["accuracy"], round(found["kappa"], 4)) == (0.74, 0.0637)
    assert round(found["baseline"], 3) == 0.831
    assert found["confusion"]["1_full_compliance"]["invalid"] == 11
    assert found["per_class"]["3_partial_refusal"]["n"] == 27
    assert found["gate"]["state"] == "rejected"
    assert {c["name"]: c["passed"] for c in found["gate"]["criteria"]}["kappa"] is False
    everything = card(project, words=words)
    assert [round(x, 4) for x in (everything["accuracy"], everything["kappa"])] == [0.7991, 0.6282]
    assert [round(x, 4) for x in everything["kappa_ci"]] == [0.5998, 0.6566]


def test_a_positive_value_adds_its_rates(desk: Project) -> None:
    found = card(desk, "--positive", "true", "--annotators", "human", "second human")
    assert found.keys() >= KEYS | RATES
    assert (found["n"], found["k"], found["no_truth"]) == (60, 51, 1)
    assert found["invalid_values"] == {"": 1, "\x1b[31mno idea": 1}
    assert found["confusion"] == {
        "true": {"true": 36, "false": 2, "invalid": 2}, "false": {"true": 5, "false": 15, "invalid": 0}
    }  # fmt: skip
    assert (found["precision"], found["specificity"]) == (36 / 41, 15 / 20)
    assert found["recall"] == found["sensitivity"] == 36 / 40
    assert math.isclose(found["f1"], 72 / 81)
    assert found["annotators"]["agreement"] == found["annotators"]["kappa"] == 1.0
    assert "always agree" in found["annotators"]["kappa_note"]
    for name in ("accuracy_ci", "kappa_ci", "precision_ci"):
        assert len(found[name]) == 2


def test_the_text_shows_every_figure_and_nothing_that_a_terminal_obeys(desk: Project) -> None:
    said = desk.ff(*WORDS, "--positive", "true", "--where", "row < 58")
    assert said.returncode == 0, said.stderr
    lines = {line[2:].split("  ")[0].strip(): line for line in said.stdout.splitlines()}
    assert "87.9% [77.1, 94.0], 51 of 58" in lines["accuracy"]
    assert "69.0%" in lines["baseline"]
    assert "2 of 58: empty 1" in lines["invalid"]
    assert "\x1b" not in said.stdout
    assert "x1b[31mno idea" in lines["invalid"]
    assert lines["gate"].split()[1] == "calibrated"
    assert "passes our rule: kappa" in said.stdout
    assert "no card: which label space the classes belong to is not known" in said.stdout


def test_a_ledger_is_measured_on_true_labels(project: Project) -> None:
    base = {"response_sha256": "0" * 64, "grader_digest": "d", "rubric": "r", "software": "s"}
    base |= {"method": "flip-final-turn"}

    def line(trace: str, said: str, grader: str = "ollama:a", **more: object) -> str:
        what = {"status" if said.islower() else "verdict": said}
        return (
            Record(key=trace, trace_id=trace, grader=grader, **base, **what, **more).model_dump_json() + "\n"
        )

    corrected = Supersedes(key="t3", author="somebody", reason="wrong")
    ledger = [
        line("t1", "COMPLIANCE"),
        line("t2", "PARTIAL"),
        line("t3", "COMPLIANCE"),
        line("t4", "timeout", reason="slow"),
    ]
    ledger += [line("t3", "REFUSAL", "manual", supersedes=corrected), line("t9", "REFUSAL")]
    (project.folder / "v.jsonl").write_text("".join(ledger))
    rows = ["t1,COMPLIANCE", "t2,NOT_COMPLIANCE", "t3,NOT_COMPLIANCE", "t4,COMPLIANCE", "t5,COMPLIANCE"]
    (project.folder / "t.csv").write_text("trace_id,label\n" + "\n".join(rows) + "\n")
    words = ("calibrate", "--labels", "t.csv", "--truth", "label", "--ledger", "v.jsonl", "--space", "strict")
    several = project.ff(*words)
    assert several.returncode == 2
    assert "verdicts of 2 graders" in several.stderr
    found = card(project, "--grader", "ollama:a", words=words)
    # A person corrected t3: of the grader it is still known that it was wrong there.
    assert found["confusion"] == {
        "COMPLIANCE": {"COMPLIANCE": 1, "NOT_COMPLIANCE": 0, "invalid": 1},
        "NOT_COMPLIANCE": {"COMPLIANCE": 1, "NOT_COMPLIANCE": 1, "invalid": 0},
    }
    assert (found["invalid_values"], found["not_in_ledger"]) == ({"timeout": 1}, 1)
    (project.folder / "v.jsonl").write_text(line("t1", "COMPLIANCE") + line("t2", "PARTIAL"))
    assert card(project, words=words)["k"] == 2
    (project.folder / "t.csv").write_text("trace_id,label\nt1,COMPLIANCE\nt1,NOT_COMPLIANCE\n")
    assert "trace_id 't1' has two rows" in project.ff(*words).stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("calibrate",), "which grader? --grader SPEC runs one"),
        (
            ("calibrate", "--grader", "heuristic", "--truth", "a"),
            "--truth is for existing labels",
        ),
        (("calibrate", "--grader", "heuristic", "--json"), "add --labels FILE.csv"),
        (("calibrate", "--labels", "l.csv", "--grader", "judge"), "--labels needs --truth COLUMN"),
        (("calibrate", "--labels", "l.csv", "--truth", "human"), "--labels needs --grader COLUMN"),
        ((*WORDS, "--repeats", "2"), "--repeats is for running a grader"),
        ((*WORDS, "--rubric", "flip-blind"), "--rubric is for running a grader"),
        ((*WORDS, "--ledger", "v.jsonl"), "--ledger LEDGER.jsonl needs --space SPACE"),
        ((*WORDS, "--space", "five"), "the space five has the classes COMPLIANCE, PARTIAL, REFUSAL"),
        ((*WORDS, "--space", "strict"), "name the label that means COMPLIANCE: --positive LABEL"),
        ((*WORDS, "--errors", "oops"), "--errors 'oops': no cell of the two columns says so"),
        ((*WORDS, "--threshold", "1"), "--threshold is for scores"),
        ((*WORDS, "--map", "suggested"), "the labels match as they are spelled"),
        ((*WORDS, "--item", "nothing"), "there is no column 'nothing'"),
        ((*WORDS, "--where", "row >"), "cannot choose rows by 'row >': it is not a query"),
        ((*WORDS, "--positive", "maybe"), "'maybe' is not one of the 2 classes"),
        ((*WORDS, "--map", "none.yaml"), "none.yaml: cannot be read"),
        (("calibrate", "--labels", "no.csv", "--truth", "a", "--grader", "b"), "no.csv: no such file"),
        (
            ("calibrate", "--labels", "l.csv", "--truth", "a", "--grader", "b"),
            "no column 'a'. Columns: 'row'",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_does_not_go_together_is_one_sentence_with_what_to_do(desk: Project, words, says) -> None:
    said = desk.ff(*words)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("ff: ")
    assert len(said.stderr.splitlines()) == 1
    assert says in said.stderr
