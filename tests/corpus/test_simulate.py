"""Simulated corpora have the truth, the errors, the clusters and the drift that they are told to have."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ff_helpers.corpus.simulate import SimulatedGrader, binary, scenario_shares, simulate
from ff_helpers.errors import FFError

GOOD = SimulatedGrader("good", binary(0.9, 0.7))


def test_truth_and_errors_are_as_told():
    frame = simulate(0.3, [GOOD], scenarios=20_000, seed=1)
    hit, called = frame["truth"] == "COMPLIANCE", frame["verdict"] == "COMPLIANCE"
    assert hit.mean() == pytest.approx(0.3, abs=0.01)
    assert called[hit].mean() == pytest.approx(0.9, abs=0.015)
    assert called[~hit].mean() == pytest.approx(0.3, abs=0.015)
    assert set(frame["truth_space"]) == {"strict"}


def test_five_labels_and_their_confusion():
    mix = {"COMPLIANCE": 0.5, "PARTIAL": 0.2, "REFUSAL": 0.3}
    confusion = {
        "COMPLIANCE": {"COMPLIANCE": 1.0},
        "PARTIAL": {"REFUSAL": 0.5, "PARTIAL": 0.5},
        "REFUSAL": {"BENIGN_QUERY": 1.0},
    }
    frame = simulate(mix, [SimulatedGrader("g", confusion)], scenarios=5000)
    cells = pd.crosstab(frame["truth"], frame["verdict"], normalize="index")
    assert cells.loc["COMPLIANCE", "COMPLIANCE"] == cells.loc["REFUSAL", "BENIGN_QUERY"] == 1
    assert cells.loc["PARTIAL", "REFUSAL"] == pytest.approx(0.5, abs=0.05)
    assert frame["truth"].value_counts(normalize=True).to_dict() == pytest.approx(mix, abs=0.025)
    assert set(frame["truth_space"]) == {"five"}


@pytest.mark.parametrize("icc", [0.0, 0.3, 0.7])
def test_runs_of_a_scenario_are_correlated_by_the_icc(icc):
    frame = simulate(0.4, [GOOD], scenarios=8000, runs=2, icc=icc, seed=2)
    runs = frame.assign(hit=frame["truth"] == "COMPLIANCE").pivot(
        index="scenario_id", columns="run", values="hit"
    )
    assert runs.astype(float).corr().iloc[0, 1] == pytest.approx(icc, abs=0.04)


def test_a_grader_that_drifts_changes_after_its_trace():
    turned = SimulatedGrader("turned", binary(1.0, 1.0), then=binary(0.0, 0.0), after=70)
    frame = simulate(0.5, [turned], scenarios=100)
    right = (frame["truth"] == "COMPLIANCE") == (frame["verdict"] == "COMPLIANCE")
    assert right[:70].all()
    assert not right[70:].any()


def test_every_grader_grades_the_same_traces_and_another_one_changes_no_truth():
    one = simulate(0.3, [GOOD], scenarios=30, runs=2)
    both = simulate(0.3, [GOOD, SimulatedGrader("other", binary(0.6, 0.6))], scenarios=30, runs=2)
    pd.testing.assert_frame_equal(both.iloc[:60], one)
    assert both["trace_id"][60:].tolist() == one["trace_id"].tolist()
    assert both["truth"][60:].tolist() == one["truth"].tolist()
    assert one["trace_id"].is_unique


@settings(max_examples=10)
@given(seed=st.integers(0, 99), icc=st.sampled_from([0.0, 0.5]))
def test_the_same_seed_gives_the_same_frame(seed, icc):
    one, again = (simulate(0.2, [GOOD], scenarios=5, runs=2, icc=icc, seed=seed) for _ in range(2))
    pd.testing.assert_frame_equal(one, again)


@pytest.mark.parametrize(("rate", "verdict"), [(0.0, "REFUSAL"), (1.0, "COMPLIANCE")])
def test_rates_of_0_and_1_are_exact(rate, verdict):
    frame = simulate(rate, [SimulatedGrader("g", binary(1.0, 1.0))], scenarios=50, runs=2, icc=0.5)
    assert set(frame["verdict"]) == {verdict}


def test_scenario_shares_keep_the_mean_and_sum_to_1():
    shares = scenario_shares(np.random.default_rng(0), np.array([0.1, 0.9]), 0.7, (4000, 3))
    assert shares.shape == (4000, 3, 2)
    assert shares.sum(axis=-1) == pytest.approx(1.0)
    assert shares[..., 0].mean() == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"truth": 1.2}, "truth is"),
        ({"truth": {"COMPLIANCE": 0.5}}, "sum to 1"),
        ({"truth": {"HARMFUL": 1.0}}, "of COMPLIANCE, PARTIAL"),
        ({"scenarios": 0}, "scenarios = 0"),
        ({"runs": 0}, "runs = 0"),
        ({"icc": 1.0}, "0 <= icc < 1"),
        ({"graders": []}, "graders = 0"),
        (
            {"graders": [SimulatedGrader("g", {"COMPLIANCE": {"REFUSAL": 1.0}})]},
            "no mix for the truth NOT_COMPLIANCE",
        ),
        ({"graders": [SimulatedGrader("g", binary(1.5, 0.5))]}, "grader g on COMPLIANCE"),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments, problem):
    given_ = {"truth": 0.5, "graders": [GOOD], "scenarios": 20} | arguments
    with pytest.raises(FFError, match=problem):
        simulate(given_.pop("truth"), given_.pop("graders"), **given_)
