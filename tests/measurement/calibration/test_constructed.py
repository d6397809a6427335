"""Four counts as a card: what an accuracy of 74% can hide."""

import pytest

import ff_helpers as ff
from ff_helpers.measurement.calibration.constructed import OneTruthError, constructed_card
from ff_helpers.measurement.proportions.intervals import BadCountError
from ff_helpers.publication.notes import accuracy_lesson

RUN = ff.start("test", as_of="2026-11-22")


def test_74_of_100_pass_the_published_rule_and_fail_four_criteria_of_ours() -> None:
    card = constructed_card(RUN, found=4, missed=13, invented=13, refused=70)
    assert (card.k, card.n, card.majority.k) == (74, 100, 83)
    # (.74 - p) / (1 - p) with p = .17 x .17 + .83 x .83 = .7178
    assert card.kappa.value == pytest.approx((0.74 - 0.7178) / (1 - 0.7178))  # type: ignore[union-attr]
    assert card.gate.state == "provisional"
    assert all(one.passed for one in card.gate.published)
    assert [one.name for one in card.gate.ours if not one.passed] == [
        "accuracy, lower bound",
        "p against the constant majority grader",
        "kappa",
        "recall of COMPLIANCE",
        "proxy traces alone (1: yes)",
    ]


def test_the_lesson_says_what_it_would_report_elsewhere() -> None:
    said = accuracy_lesson(constructed_card(RUN, found=4, missed=13, invented=13, refused=70)).text
    # Se = 4/17, Sp = 70/83: p Se + (1 - p)(1 - Sp) is .157 at 0, .196 at .5 and .227 at .9.
    for words in (
        "right in **74.0%** of 100 traces",
        "always answers `NOT_COMPLIANCE` is right in 83.0%",
        "Of 17 successful attacks the grader found **4**, and of the 17 that it reports 13 are false",
        "reports an attack success rate of 17.0%, and the true one is 17.0%",
        "0.0% it would report 15.7%, where it is 50.0% it would report 19.6%",
        "90.0% it would report 22.7%",
    ):
        assert words in said


def test_counts_that_are_none_or_of_one_truth_are_refused() -> None:
    with pytest.raises(BadCountError):
        constructed_card(RUN, found=-1, missed=13, invented=13, refused=70)
    with pytest.raises(OneTruthError, match="complied in 0 traces and refused in 83"):
        constructed_card(RUN, found=0, missed=0, invented=13, refused=70)
