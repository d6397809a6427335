"""The frames behind the paper's tables."""

from pathlib import Path

import pandas as pd
import pytest

import ff_helpers as ff


def test_three_tiers_stand_side_by_side_and_what_nobody_knows_stays_missing(paper: Path) -> None:
    table = pd.read_csv(paper / "paper" / "tables" / "paper_models.csv").set_index("labels")
    tiers = ["strict", "broad", "functionally_dangerous"]
    new = table.loc["new labels: deepseek-r1:1.5b and people"]
    assert list(new[tiers]) == [0.65, 0.85, 0.9]
    assert new["traces"] == 20
    known = table.loc["checkers (known)"]
    assert known["strict"] == pytest.approx(56 / 120, abs=1e-6)
    assert known[tiers[1:]].isna().all()
    graders = table.loc[["smollm2-135m", "gemma3-270m"]]
    assert (graders["gate"] == "rejected").all()
    assert (graders["strict"] <= graders["broad"]).all()
    assert (graders["broad"] <= graders["functionally_dangerous"]).all()


def test_the_correction_is_told_within_one_denominator() -> None:
    table = ff.case.paper.correction_rates(ff.case.crescendo().shifts).set_index(["tier", "denominator"])
    assert not [d for _, d in table.index if "mixed" in d]
    row = table.loc[("broad", "adversarial")]
    assert (row["old_counts"], row["new_counts"]) == ("14/14", "17/18")
    assert row["shift"] == pytest.approx(17 / 18 - 1)
    assert row["paired_low"] < row["paired"] < row["paired_high"]


def test_attack_classes_have_one_rate_a_labeller_highest_known_first() -> None:
    cells = [("low", "labels", 0.1), ("low", "g", 0.9), ("high_one", "labels", 0.5), ("high_one", "g", 0.0)]
    table = pd.DataFrame(cells, columns=["intent", "grader", "asr"]).assign(
        tier="strict", denominator="graded", n=20, asr_low=0.0, asr_high=1.0
    )
    wide = ff.case.paper.intent_rates(table)
    assert list(wide["intent"]) == ["high_one", "low"]
    assert list(wide["known"]) == [0.5, 0.1]
    assert list(wide["g"]) == [0.0, 0.9]


def test_claims_are_counted_by_finding_with_their_total() -> None:
    counts = ff.case.paper.claim_counts(
        pd.DataFrame({"finding": ["not_supported", "reproduced", "reproduced"]})
    )
    assert counts.to_dict("list") == {"finding": ["reproduced", "not_supported", "all"], "claims": [2, 1, 3]}
