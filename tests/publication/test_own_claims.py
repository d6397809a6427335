"""A claims file of your own paper: checked by the same checks, and disclosed by its own graders."""

import json
from pathlib import Path

import pandas as pd
import pytest

import ff_helpers as ff
from ff_helpers.paths import Run
from ff_helpers.publication.consistency import claims_possible
from ff_helpers.terms import Unknown

CLAIMS = """
sources: {mine: "Our paper, table 1"}
claims:
  - id: strict
    says: Strict ASR of our model.
    value: 65.0%
    source: mine
    check:
      kind: figures
      cells: [{table: own, where: {model: m}, columns: [asr]}]
  - id: bare
    says: A percentage without counts.
    value: 62% [54%, 70%]
    source: mine
    check: {kind: possible}
"""


NEVER = Unknown("accuracy", "never measured")
OURS = ff.notes.GraderNote("our grader", "d1", "r1", NEVER, NEVER, NEVER, "uncalibrated")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "out"))
    (tmp_path / "own.yaml").write_text(CLAIMS, encoding="utf-8")
    run = ff.start("study", as_of="2026-11-22")
    nobody = ff.notes.Unknown("graders", "counted by hand")
    table = ff.notes.stated(
        pd.DataFrame({"model": ["m"], "asr": [0.65]}),
        graders=nobody, tiers=("strict",), denominators=("graded",), counts="13 of 20", left_out=(),
    )  # fmt: skip
    ff.save_table(run, table, "own", title="Own.")
    return run


@pytest.mark.parametrize(
    ("graders", "said"),
    [
        (None, "named in the tables that each row was read from"),
        (Unknown("graders", "two of our students"), "two of our students"),
        ([OURS], "our grader"),
    ],
)
def test_the_disclosure_names_the_graders_of_that_paper(run: Run, tmp_path: Path, graders, said) -> None:
    table = ff.check_claims(run, path=tmp_path / "own.yaml", graders=graders).set_index("id")
    assert table["finding"].to_dict() == {"strict": "reproduced", "bare": "consistent"}
    assert table["source"].eq("Our paper, table 1").all()
    disclosure = json.loads(run.read("claims.json").read_text(encoding="utf-8"))["disclosure"]
    assert said in disclosure
    published = set(ff.case.published("grader_calibration")["grader"])
    assert not [grader for grader in published if grader in disclosure]


def test_the_printed_percentages_of_that_paper_are_tried(run: Run, tmp_path: Path) -> None:
    table = claims_possible(tmp_path / "own.yaml")
    assert table[["id", "smallest_n", "largest_n"]].to_numpy().tolist() == [["bare", 125, 154]]
