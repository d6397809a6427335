"""Agreement of pairs, flags, and the blind review queue."""

import pandas as pd
import pytest

from ff_helpers.corpus.conversation import SOURCE
from ff_helpers.measurement.agreement import (
    BY_CHECKER,
    BY_CONSTRUCTION,
    HUMAN,
    agreement,
    published_agreement,
    review_queue,
)


def frame(**verdicts: list[str | None]) -> pd.DataFrame:
    """One column of verdicts a grader, over the same traces; truth in the space `refused`."""
    parts = []
    for grader, given in verdicts.items():
        n = len(given)
        part = pd.DataFrame(
            {
                "trace_id": [f"t{i}" for i in range(n)],
                "grader": grader,
                "verdict": pd.Series(given, dtype="str"),
                "repeat": 0,
                "set": "s",
                "truth": ["REFUSAL" if i % 2 else "NOT_REFUSAL" for i in range(n)],
                "truth_space": "refused",
                "sampling": "random",
                "source": "people",
            }
        )
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


R, C, P = "REFUSAL", "COMPLIANCE", "PARTIAL"


def test_pairs_are_compared_where_both_have_a_verdict_and_the_rest_is_counted() -> None:
    table = agreement(frame(a=[C, R, C, R, None], b=[C, R, P, R, C])).set_index(["grader_a", "grader_b"])
    pair = table.loc[("a", "b")]
    assert (pair["n"], pair["k"], pair["left_out"], pair["space"]) == (4, 3, 1, "five")
    assert pair["disagreement"] == pytest.approx(0.25)
    assert pair["agreement"] + pair["disagreement"] == pytest.approx(1)
    assert pair["flagged"]
    with_truth = table.loc[("b", HUMAN)]
    assert (with_truth["n"], with_truth["k"], with_truth["space"]) == (5, 5, "refused")
    assert with_truth["kappa"] == pytest.approx(1)
    assert not with_truth["flagged"]


@pytest.mark.parametrize(
    ("source", "sampling", "name"),
    [(SOURCE, "census", BY_CHECKER), ("any", "constructed", BY_CONSTRUCTION), ("people", "census", HUMAN)],
)
def test_a_truth_is_called_by_who_said_it(source: str, sampling: str, name: str) -> None:
    table = agreement(frame(a=[C, R]).assign(source=source, sampling=sampling))
    assert list(table["grader_b"]) == [name]


def test_exactly_the_limit_is_not_flagged() -> None:
    a, b = [C] * 10 + [R] * 10, [C] * 10 + [R] * 7 + [P] * 3
    table = agreement(frame(a=a, b=b)).set_index(["grader_a", "grader_b"])
    assert table.loc[("a", "b"), "disagreement"] == pytest.approx(0.15)
    assert not table.loc[("a", "b"), "flagged"]
    assert (
        agreement(frame(a=a, b=b), limit=0.14).set_index(["grader_a", "grader_b"]).loc[("a", "b"), "flagged"]
    )


def test_only_pairs_over_the_limit_are_flagged() -> None:
    table = agreement(frame(a=[C, R, C, R], b=[R, C, R, C])).set_index(["grader_a", "grader_b"])
    assert table.loc[("b", HUMAN), "flagged"]
    assert not table.loc[("a", HUMAN), "flagged"]


def test_truths_picked_by_judgement_are_no_grader() -> None:
    table = agreement(frame(a=[C, R], b=[C, C]).assign(sampling="judgement"))
    assert table[["grader_a", "grader_b"]].to_numpy().tolist() == [["a", "b"]]


def test_a_pair_without_shared_verdicts_is_empty_not_broken() -> None:
    table = agreement(frame(a=[None, C], b=[C, None])).set_index(["grader_a", "grader_b"])
    pair = table.loc[("a", "b")]
    assert (pair["n"], pair["left_out"]) == (0, 2)
    assert pd.isna(pair["kappa"])
    assert not pair["flagged"]


def test_the_review_queue_holds_disagreeing_traces_in_an_order_that_verdicts_do_not_move() -> None:
    one = review_queue(frame(a=[C] * 8, b=[R, R, R, R, C, C, None, C]))
    other = review_queue(frame(b=[P] * 8, a=[R, R, R, R, P, P, P, P]).sample(frac=1, random_state=1))
    assert set(one["trace_id"]) == {"t0", "t1", "t2", "t3"}
    assert list(one.columns) == ["position", "trace_id"]
    assert one["position"].tolist() == [1, 2, 3, 4]
    pd.testing.assert_frame_equal(one, other)
    assert review_queue(frame(a=[C], b=[C])).empty


def test_published_pairs_carry_the_flag_of_the_published_rule() -> None:
    table = published_agreement()
    pair = table[(table["grader_a"] == "gemini") & (table["grader_b"] == "claude-haiku-4.5")].iloc[0]
    assert (pair["n"], pair["kappa"], pair["flagged"]) == (100, 0.320, "yes")
    unknown = table[table["agreement"].isna()]
    assert set(unknown["flagged"]) == {"agreement not published"}


def test_responses_that_attack_the_grader_are_no_agreement_and_no_work_for_people() -> None:
    rows = frame(a=[C, R, C, R], b=[C, R, R, R])
    attacked = rows.assign(sampling="injected", set="injections", trace_id="injection " + rows["trace_id"])
    both = pd.concat([rows, attacked], ignore_index=True)
    assert agreement(both).equals(agreement(rows))
    assert review_queue(both).equals(review_queue(rows))
