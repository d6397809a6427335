"""`ff plan` as a user types it before and after a pilot."""

import json

import pandas as pd
import pytest

from ff_helpers.grading.outcome import Record
from ff_helpers.measurement.sampling.files import Design, Stratum, write_sample
from tests.conftest import Project

SPEC = ("--rate", "0.2", "--se", "0.9", "--sp", "0.9")
STRICT = ("--space", "strict")
YES, NO = "COMPLIANCE", "NOT_COMPLIANCE"


def record(trace_id: str, verdict: str, grader: str = "ollama:a") -> str:
    what = {"status": verdict, "reason": "slow"} if verdict.islower() else {"verdict": verdict}
    base = {"response_sha256": "0" * 64, "grader_digest": "d", "rubric": "r", "software": "s"}
    one = Record(key=trace_id, trace_id=trace_id, grader=grader, method="flip-final-turn", **base, **what)
    return one.model_dump_json() + "\n"


@pytest.fixture
def desk(project: Project) -> Project:
    """400 graded rows, 100 of them hits, and 10 without a verdict; 20 of each verdict drawn.

    Of the hits 15 are true, of the others 1; one label of each is missing.
    """
    hits, others = [f"h{i:03d}" for i in range(100)], [f"o{i:03d}" for i in range(300)]
    lines = [record(i, "COMPLIANCE") for i in hits] + [record(i, "REFUSAL") for i in others]
    lines += [record(f"x{i}", "timeout") for i in range(10)]
    (project.folder / "v.jsonl").write_text("".join(lines))
    truth = [YES] * 15 + [NO] * 4 + [None] + [YES] + [NO] * 18 + [None]
    frame = pd.DataFrame({"trace_id": hits[:20] + others[:20], "truth": truth})
    frame = frame.assign(stratum=["hit"] * 20 + ["other"] * 20, probability=[0.2] * 20 + [20 / 300] * 20)
    strata = (Stratum(stratum="hit", rows=100, drawn=20), Stratum(stratum="other", rows=300, drawn=20))
    design = Design(
        design="by-verdict", seed=0, tier="strict", space="strict", rows_sha256="0", strata=strata
    )
    write_sample(project.folder / "labels.csv", frame, design)
    return project


def plan(project: Project, *words: str) -> dict:
    said = project.ff("plan", *words, "--json")
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)


def test_a_plan_from_three_shares(project: Project) -> None:
    found = plan(project, *SPEC, "--rows", "1000")
    assert found["expected"]["hit"] == pytest.approx(0.26)
    needs = {row["design"]: row["labels_needed"] for row in found["needed"]}
    assert needs["labels alone"] == 245
    assert needs["by verdict, best"] <= needs["by verdict, half and half"] < needs["random"] < 150
    assert found["next"] == (
        f"ff sample VERDICTS --traces TRACES.jsonl --n {needs['by verdict, best']} "
        "--design best --rate 0.2 --se 0.9 --sp 0.9 --out labels.csv"
    )
    assert "price" not in found["needed"][0]
    assert {row["to_label"] for row in found["table"]} == {50, 100, 150}


def test_the_text_has_a_line_per_design_and_the_price_of_stopping(project: Project) -> None:
    said = project.ff("plan", *SPEC, "--rows", "1000", "--anytime", "--design", "random")
    assert said.returncode == 0, said.stderr
    assert "Labels for a 95% interval of ±5 points:" in said.stdout
    assert "  labels alone     245" in said.stdout
    assert "by verdict" not in said.stdout
    assert "It is 1.5 to 1.8 times as wide" in said.stdout
    assert "next: ff sample VERDICTS" in said.stdout


def test_a_target_that_all_rows_do_not_reach_is_said(project: Project) -> None:
    said = project.ff("plan", "--rate", "0.5", "--se", "0.9", "--sp", "0.9", "--rows", "200")
    assert said.returncode == 0
    assert "Not reached by any design: with all 200 rows labelled it is ±6.9 points." in said.stdout
    assert "next:" not in said.stdout


def test_a_grader_that_says_nothing_or_the_opposite_is_named(project: Project) -> None:
    useless = project.ff("plan", "--rate", "0.3", "--se", "0.4", "--sp", "0.6").stdout
    assert "Verdicts say almost nothing of the truth" in useless
    inverted = project.ff("plan", "--rate", "0.3", "--se", "0.1", "--sp", "0.2").stdout
    assert "the other direction" in inverted
    assert "direction" not in project.ff("plan", *SPEC).stdout


def test_a_pilot_says_what_to_expect(desk: Project) -> None:
    found = plan(desk, "--pilot", "labels.csv", "--verdicts", "v.jsonl")
    assert found["pilot"] == {
        "grader": "ollama:a", "tier": "strict", "labels": [19, 19], "true": [15, 1], "called": 100,
        "without_verdict": 0, "unlabelled": 2,
    }  # fmt: skip
    assert found["rows"] == 400
    expected = found["expected"]
    assert expected["hit"] == pytest.approx(100.5 / 401)
    assert expected["in_hits"] == pytest.approx(15.5 / 20)
    assert expected["in_others"] == pytest.approx(1.5 / 20)
    for row in found["needed"]:
        assert row["needed_least"] <= row["labels_needed"] <= (row["needed_most"] or 400)
    assert plan(desk, "--pilot", "labels.csv", "--verdicts", "v.jsonl", "--rows", "5000")["rows"] == 5000
    assert found["next"].endswith("--design best --tier strict --space strict --seed 0 --out labels.csv")
    assert found["next"].startswith("ff sample v.jsonl --traces TRACES.jsonl --n ")
    wide = plan(desk, "--pilot", "labels.csv", "--verdicts", "v.jsonl", "--half-width", "0.2")
    assert wide["next"] == "label the rest of the pilot; it is large enough"
    text = desk.ff("plan", "--pilot", "labels.csv", "--verdicts", "v.jsonl").stdout
    assert "15 of 19 hits of ollama:a are true, 1 of 19 others; 100 hits" in text
    assert "Left out: 2 rows without a truth, 0 without a verdict." in text


def test_only_the_traces_that_the_pilot_was_drawn_from_count(desk: Project) -> None:
    path = desk.folder / "v.jsonl"
    path.write_text(path.read_text() + record("elsewhere", "COMPLIANCE"))
    words = ("--pilot", "labels.csv", "--verdicts", "v.jsonl")
    assert "Name the files of its traces with --traces" in desk.ff("plan", *words).stderr
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    ids = [f"h{i:03d}" for i in range(100)] + [f"o{i:03d}" for i in range(300)]
    lines = [json.dumps({"trace_id": i, "model": "m", "source": "s", "messages": messages}) for i in ids]
    (desk.folder / "t.jsonl").write_text("\n".join(lines) + "\n")
    assert plan(desk, *words, "--traces", "t.jsonl")["pilot"]["called"] == 100


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give --rate, --se, --sp too"),
        (("--rate", "0.2"), "give --se, --sp too"),
        (("--rate", "20", "--se", "1", "--sp", "1"), "not a share from 0 to 1: write 0.05 for 5%"),
        ((*SPEC, "--half-width", "0"), "above 0 and below 0.5"),
        ((*SPEC, "--tier", "broad"), "--tier goes with --pilot"),
        ((*SPEC, "--pilot", "labels.csv"), "--rate and --pilot"),
        (("--pilot", "labels.csv"), "needs --verdicts"),
        (("--pilot", "no.csv", "--verdicts", "v.jsonl"), "no.csv: no such file"),
        (("--pilot", "labels.csv", "--verdicts", "no.jsonl"), "no.jsonl"),
        (
            ("--pilot", "labels.csv", "--verdicts", "v.jsonl", "--tier", "broad"),
            "do not decide the tier broad",
        ),
        (("--pilot", "labels.csv", "--verdicts", "v.jsonl", "--grader", "b"), "no grader is named 'b'"),
        (("--pilot", "labels.csv", "--verdicts", "v.jsonl", "--rows", "30"), "alone has 38 labelled rows"),
        (
            ("--pilot", "labels.csv", "--verdicts", "other.jsonl"),
            "drawn from 400 graded rows, and other.jsonl has 1",
        ),
        (
            ("--pilot", "own.csv", "--verdicts", "other.jsonl", *STRICT),
            "1 of 1 labelled traces have no record",
        ),
        (("--pilot", "empty.csv", "--verdicts", "v.jsonl", *STRICT), "0 rows have a truth"),
    ],
)
def test_what_cannot_be_planned_is_refused(desk: Project, words: tuple[str, ...], said: str) -> None:
    (desk.folder / "other.jsonl").write_text(record("elsewhere", "COMPLIANCE"))
    (desk.folder / "own.csv").write_text(f"trace_id,truth\nh000,{YES}\n")
    (desk.folder / "empty.csv").write_text("trace_id,truth\nh000,\n")
    done = desk.ff("plan", *words)
    assert done.returncode == 2
    assert said in done.stderr
