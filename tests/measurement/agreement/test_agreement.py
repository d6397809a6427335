"""Agreement of pairs and panels, graders against the truth, flags, and the blind review queue."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar

from ff_helpers.corpus.collect import SOURCE
from ff_helpers.measurement.agreement.pairs import (
    agreement,
    compare_graders,
    kappa_paradox,
    panel_agreement,
    review_queue,
)
from ff_helpers.measurement.proportions.intervals import paired_difference, wilson
from ff_helpers.measurement.rates.counts import TwiceGradedError
from ff_helpers.measurement.rates.known import BY_CHECKER, BY_CONSTRUCTION, HUMAN


def frame(**verdicts: list[str | None]) -> pd.DataFrame:
    """One column of verdicts a grader, over the same traces; truth in the space `refused`."""
    parts = []
    for grader, said in verdicts.items():
        n = len(said)
        part = pd.DataFrame(
            {
                "trace_id": [f"t{i}" for i in range(n)],
                "grader": grader,
                "verdict": pd.Series(said, dtype="str"),
                "repeat": 0,
                "set": "s",
                "truth": ["REFUSAL" if i % 2 else "NOT_REFUSAL" for i in range(n)],
                "truth_space": "refused",
                "sampling": "random",
                "source": "people",
                "scenario_id": None,
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
    assert pair[["agreement", "kappa", "ac1"]].isna().all()
    assert pair[["agreement_low", "agreement_high", "ac1_low", "ac1_high"]].tolist() == [0, 1, -1, 1]
    assert pair["note"] == "no trace has a verdict of both"
    assert not pair["flagged"]


def test_the_review_queue_holds_disagreeing_traces_in_an_order_that_verdicts_do_not_move() -> None:
    one = review_queue(frame(a=[C] * 8, b=[R, R, R, R, C, C, None, C]))
    other = review_queue(frame(b=[P] * 8, a=[R, R, R, R, P, P, P, P]).sample(frac=1, random_state=1))
    assert set(one["trace_id"]) == {"t0", "t1", "t2", "t3"}
    assert list(one.columns) == ["position", "trace_id"]
    assert one["position"].tolist() == [1, 2, 3, 4]
    pd.testing.assert_frame_equal(one, other)
    assert review_queue(frame(a=[C], b=[C])).empty


def test_responses_that_attack_the_grader_are_no_agreement_and_no_work_for_people() -> None:
    rows = frame(a=[C, R, C, R], b=[C, R, R, R])
    attacked = rows.assign(sampling="injected", set="injections", trace_id="injection " + rows["trace_id"])
    both = pd.concat([rows, attacked], ignore_index=True)
    assert agreement(both).equals(agreement(rows))
    assert review_queue(both).equals(review_queue(rows))


@pytest.mark.parametrize(
    ("a", "b", "kappa", "ac1", "note"),
    [
        ([C] * 20, [C, R] * 10, 0, 0.4482759, "one of the two always says the same"),
        ([C] * 20, [C] * 20, 0, 1, "no kappa can be measured"),
        ([C] * 20, [R] * 20, 0, -0.1428571, "one of the two always says the same"),
        ([C, R] * 10, [R, C] * 10, -1, -0.1428571, "the two never agree"),
        ([C, R] * 10, [C, R] * 10, 1, 1, "the two always agree"),
        ([C], [C], 0, 1, "no kappa can be measured"),
    ],
)
def test_pairs_at_the_edge_have_values_widths_and_a_note(a, b, kappa, ac1, note) -> None:
    pair = agreement(frame(a=a, b=b)).set_index(["grader_a", "grader_b"]).loc[("a", "b")]
    assert [pair["kappa"], pair["ac1"]] == pytest.approx([kappa, ac1], abs=1e-6)
    assert note in pair["note"]
    for name in ("agreement", "disagreement", "kappa", "ac1"):
        assert pair[f"{name}_low"] <= pair[name] <= pair[f"{name}_high"]
        assert pair[f"{name}_low"] < pair[f"{name}_high"]


def test_where_scenarios_repeat_the_agreement_is_by_scenario_and_the_note_says_so() -> None:
    rows = frame(a=[C] * 20, b=[C] * 10 + [R] * 10)
    alone = agreement(rows).set_index("grader_b").loc["b"]
    rows["scenario_id"] = [f"s{i // 5}" for i in range(20)] * 2
    runs = agreement(rows).set_index("grader_b").loc["b"]
    assert (alone["scenarios"], runs["scenarios"]) == (20, 4)
    assert (alone["agreement_low"], alone["agreement_high"]) == (wilson(10, 20).low, wilson(10, 20).high)
    assert runs["agreement_low"] < alone["agreement_low"] < 0.5 < runs["agreement_high"]
    assert "scenarios repeat" in runs["note"]
    assert "scenarios repeat" not in alone["note"]


def test_a_trace_twice_in_one_pass_is_refused_with_both_verdicts() -> None:
    rows = frame(a=[C, R], b=[C, R])
    twice = pd.concat([rows, rows.iloc[[0]].assign(verdict=P)], ignore_index=True)
    for verb in (agreement, panel_agreement, compare_graders, review_queue):
        with pytest.raises(TwiceGradedError, match=r"trace t0 .* grader a: COMPLIANCE and PARTIAL"):
            verb(twice)
    assert agreement(twice.assign(repeat=[0] * 4 + [1])).equals(agreement(rows))


def test_the_paradox_is_that_of_feinstein_and_cicchetti() -> None:
    table = kappa_paradox()
    assert table["agreement"].tolist() == [0.85, 0.85]
    assert table["kappa"].round(2).tolist() == [0.70, 0.32]
    assert table["ac1"].round(2).tolist() == [0.70, 0.81]


def test_a_panel_counts_what_two_rated_and_what_all_rated() -> None:
    verdicts = {"a": [C, R] * 6, "b": [C, R] * 6, "c": [C, R] * 5 + [None, None]}
    row = panel_agreement(frame(**verdicts)).iloc[0]
    assert row[["graders", "traces", "n", "complete", "scenarios"]].tolist() == [3, 12, 12, 10, 12]
    assert row["alpha"] == row["fleiss"] == 1
    assert row["alpha_low"] < 1
    assert panel_agreement(frame(a=[C])).empty


def test_graders_against_the_truth_by_hand() -> None:
    # Truth: NOT_REFUSAL, REFUSAL in turn; one row has no verdict of b.
    rows = frame(a=[C, R, C, R, R, C, C], b=[C, R, R, C, C, C, None])
    row = compare_graders(rows).iloc[0]
    assert row[["n", "left_out", "both_right", "only_a", "only_b", "neither"]].tolist() == [6, 1, 2, 2, 1, 1]
    assert (row["space"], row["truth"]) == ("refused", HUMAN)
    gap = row[["difference", "difference_low", "difference_high"]].tolist()
    assert gap == list(paired_difference(2, 2, 1, 1))
    assert row["p"] == 1
    assert compare_graders(frame(a=[C] * 12, b=[C, R] * 6)).iloc[0]["p"] == pytest.approx(2 / 2**6)
    assert compare_graders(rows.assign(truth=None)).empty
    nothing = compare_graders(frame(a=[None], b=[C])).iloc[0]
    assert (nothing["n"], nothing["difference_low"], nothing["difference_high"], nothing["p"]) == (
        0,
        -1,
        1,
        1,
    )


def test_the_pairs_that_differ_give_mcnemars_published_chi2() -> None:
    """The worked table of 101, 121, 59 and 33 pairs: chi2 without continuity correction, and the exact p."""
    right = {"a": [True] * 222 + [False] * 92, "b": [True] * 101 + [False] * 121 + [True] * 59 + [False] * 33}
    rows = frame(
        **{name: [(C, R)[i % 2 == one] for i, one in enumerate(ones)] for name, ones in right.items()}
    )
    row = compare_graders(rows).iloc[0]
    cells = row[["both_right", "only_a", "only_b", "neither"]].tolist()
    assert cells == [101, 121, 59, 33]
    test = mcnemar([cells[:2], cells[2:]], exact=False, correction=False)
    assert round(test.statistic, 4) == 21.3556
    assert row["p"] == pytest.approx(4.434e-6, rel=1e-3)


given_by_two = st.lists(st.tuples(*[st.sampled_from([C, R, P, None])] * 2), min_size=1, max_size=25)


@given(given_by_two, st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_neither_row_order_nor_which_grader_is_first_matters(pairs, random) -> None:
    rows = frame(a=[x for x, _ in pairs], b=[y for _, y in pairs])
    places = list(range(len(rows)))
    random.shuffle(places)
    one = agreement(rows).set_index("grader_b").loc["b"]
    other = agreement(rows.iloc[places])
    pair = other[~other["grader_b"].str.startswith("truth")].iloc[0]
    names = [f"{n}{end}" for n in ("agreement", "kappa", "ac1") for end in ("", "_low", "_high")]
    assert [pair[c] for c in names] == pytest.approx([one[c] for c in names], nan_ok=True)
    assert (pair["n"], pair["k"], pair["left_out"]) == (one["n"], one["k"], one["left_out"])
