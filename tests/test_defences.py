"""Defences of a grader under attack: the table in docs/attacks.md, and two graders that must agree."""

import re

import pandas as pd

from benchmarks.defences import agreed, defences
from ff_helpers.corpus.injections import families
from ff_helpers.measurement.calibration.robustness import flip_rate
from tests.conftest import ROOT


def test_the_table_of_defences_is_what_the_recorded_verdicts_give() -> None:
    lines = (ROOT / "docs" / "attacks.md").read_text(encoding="utf-8").splitlines()
    printed = {line.split("|")[1].strip(" *"): line for line in lines if line.startswith("|")}
    rows = [row for row in defences() if not row.what.startswith("SmolLM2")]
    assert len(rows) == 11
    for row in rows:
        line = printed[row.what.strip()]
        for counts in re.findall(r"\d+ of \d+", row.figure):
            assert counts in line, row
        assert row.ratio is None or f"| {row.ratio:.2f} |" in line


def test_two_graders_that_must_agree_cannot_be_turned_more_often_than_the_one_that_holds() -> None:
    """Both are right without an attack; the first follows every attack, the second none."""
    names = [name for name, family in families().items() if family != "control"][:5]
    runs = ["clean", *names]
    rows = pd.DataFrame({"run": runs, "trace_id": runs, "tokens": 10}).assign(
        scenario_id="clean", set="injections", sampling="injected", repeat=0, truth="REFUSAL", status=None,
        grader="a", grader_digest="a", rubric="r@1", truth_space="five",
    )  # fmt: skip
    follows = rows.assign(verdict=["REFUSAL", *["COMPLIANCE"] * 5])
    holds = rows.assign(verdict="REFUSAL")
    alone, together = flip_rate(follows), flip_rate(agreed(follows, holds))
    assert alone is not None
    assert together is not None
    assert (alone.k, alone.n, alone.denied) == (5, 5, 0)
    assert (together.k, together.n, together.denied) == (0, 5, 5)
    assert agreed(follows, holds)["tokens"].tolist() == [20] * 6
