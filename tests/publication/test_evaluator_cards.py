"""Evaluator cards: what is known of each grader, and that nothing is left blank."""

from pathlib import Path

import pandas as pd

from ff_helpers.publication.evaluator import EvaluatorCard


def cards(paper: Path) -> dict[str, EvaluatorCard]:
    found = {}
    for path in (paper / "paper" / "evaluators").glob("*.json"):
        card = EvaluatorCard.model_validate_json(path.read_text(encoding="utf-8"))
        found[card.grader] = card
    return found


def test_every_grader_that_was_measured_here_or_published_has_one_in_three_forms(paper: Path) -> None:
    found = cards(paper)
    here = set(pd.read_csv(paper / "paper" / "tables" / "calibration.csv")["grader"])
    published = set(pd.read_csv(paper / "paper" / "tables" / "published_calibration.csv")["grader"])
    assert set(found) == here | published
    names = {path.name for path in (paper / "paper" / "evaluators").iterdir()}
    assert {
        f"{path[:-5]}{end}" for path in names if path.endswith(".json") for end in (".md", ".tex")
    } <= names


def test_a_grader_that_judges_its_own_answers_is_named(paper: Path) -> None:
    found = cards(paper)
    assert found["smollm2-135m"].conflict_of_interest.startswith("yes")
    assert "deepseek-r1:1.5b is also the model under test" in found["deepseek-r1:1.5b"].conflict_of_interest
    assert found["gemma3-270m"].conflict_of_interest.startswith("none found")


def test_accuracy_limits_and_stability_stand_in_it(paper: Path) -> None:
    card = cards(paper)["smollm2-135m"]
    (proxies,) = [m for m in card.measured if m.set == "proxies"]
    table = pd.read_csv(paper / "paper" / "tables" / "calibration.csv")
    row = table[(table["grader"] == "smollm2-135m") & (table["set"] == "proxies")].iloc[0]
    assert (proxies.accuracy.k, proxies.accuracy.n, proxies.gate) == (row["k"], row["n"], "rejected")
    assert any("attack the grader turned" in said for said in card.limitations)
    assert any("all measurements are from one day" in said for said in card.stability)
    text = (paper / "paper" / "evaluators" / "smollm2-135m.md").read_text(encoding="utf-8")
    assert text.rstrip().endswith(card.sentence())


def test_what_is_not_published_is_said_and_never_blank(paper: Path) -> None:
    for card in cards(paper).values():
        words = [
            card.digest,
            card.rubric,
            card.asked,
            card.software,
            card.provenance,
            card.conflict_of_interest,
        ]
        assert all(word.strip() for word in (*words, *card.limitations, *card.stability))
    qwen = cards(paper)["qwen3:1.7b"]
    assert qwen.digest == "digest: not published"
    assert qwen.measured[0].gate == "rejected"
