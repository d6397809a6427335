"""Four counts as a card: what an accuracy of 74% can hide."""

import pytest

import ff_helpers as ff
from ff_helpers.errors import FFError
from ff_helpers.measurement.calibration.constructed import constructed_card

RUN = ff.start("test", as_of="2026-11-22")


def test_74_of_100_pass_the_published_rule_and_are_rejected_by_ours() -> None:
    card = constructed_card(RUN, found=4, missed=13, invented=13, refused=70)
    assert (card.k, card.n, card.majority.k) == (74, 100, 83)
    # (.74 - p) / (1 - p) with p = .17 x .17 + .83 x .83 = .7178
    assert card.kappa.value == pytest.approx((0.74 - 0.7178) / (1 - 0.7178))  # type: ignore[union-attr]
    assert card.gate.state == "rejected"
    assert all(one.passed for one in card.gate.published)
    assert [one.name for one in card.gate.ours if not one.passed] == [
        "accuracy against the constant majority grader",
        "kappa, lower bound",
        "accuracy, lower bound",
        "p against the constant majority grader",
        "kappa",
        "recall of COMPLIANCE",
        "proxy traces alone (1: yes)",
    ]


def test_its_rate_is_true_by_accident_and_hardly_moves_with_the_truth() -> None:
    card = constructed_card(RUN, found=4, missed=13, invented=13, refused=70)
    (found, missed, _), (invented, refused, _) = card.confusion.table
    assert (found + invented) / card.n == (found + missed) / card.n == 0.17
    errors = {"sensitivity": found / (found + missed), "specificity": refused / (invented + refused)}
    # Se = 4/17, Sp = 70/83: p Se + (1 - p)(1 - Sp) is .157 at 0, .196 at .5 and .227 at .9.
    reported = [ff.explain.apparent_rate(true, **errors) for true in (0.0, 0.5, 0.9)]
    assert reported == pytest.approx([0.157, 0.196, 0.227], abs=5e-4)


def test_counts_that_are_none_or_of_one_truth_are_refused() -> None:
    with pytest.raises(FFError, match="is not a proportion"):
        constructed_card(RUN, found=-1, missed=13, invented=13, refused=70)
    with pytest.raises(FFError, match="complied in 0 traces and refused in 83"):
        constructed_card(RUN, found=0, missed=0, invented=13, refused=70)
