"""Stratified samples: proportional, reproducible, with the right probabilities."""

import pandas as pd
import pytest

from ff_helpers.corpus.traces import Message, Sampling, Trace, stratified


def trace(n, truth, **fields):
    messages = (Message(role="user", content="Code?"), Message(role="assistant", content=f"No. {n}"))
    return Trace(
        trace_id=f"t{n:03d}",
        model="m",
        source="s",
        messages=messages,
        truth=truth,
        truth_space="refused",
        **fields,
    )


TRACES = [trace(n, "REFUSAL" if n % 3 else "NOT_REFUSAL") for n in range(90)]  # 60 and 30


def test_a_sample_is_proportional_by_truth_with_its_probability():
    drawn = stratified(TRACES, 31, seed=0, name="a")
    counts = pd.Series([t.truth for t in drawn]).value_counts()
    assert counts.to_dict() == {"REFUSAL": 21, "NOT_REFUSAL": 10}
    for t in drawn:
        assert t.sampling.kind == "random"
        assert t.sampling.probability == pytest.approx(21 / 60 if t.truth == "REFUSAL" else 10 / 30)


def test_a_sample_depends_on_the_seed_alone_and_not_on_the_order_of_the_file():
    ids = [t.trace_id for t in stratified(TRACES, 30, seed=0, name="a")]
    assert ids == [t.trace_id for t in stratified(TRACES[::-1], 30, seed=0, name="a")]
    assert ids != [t.trace_id for t in stratified(TRACES, 30, seed=1, name="a")]
    assert ids != sorted(ids)


def test_a_rare_truth_is_never_left_out():
    rare = [*TRACES[:40], trace(999, "NOT_REFUSAL")]
    rare = [t for t in rare if t.truth == "REFUSAL"] + [rare[-1]]
    drawn = stratified(rare, 5, seed=0, name="a")
    assert len(drawn) == 5
    assert {t.trace_id: t.sampling.probability for t in drawn}["t999"] == 1.0


def test_over_many_seeds_every_row_is_drawn_as_often_as_its_probability_says():
    seeds = 400
    times = pd.Series([t.trace_id for s in range(seeds) for t in stratified(TRACES, 30, seed=s, name="a")])
    share = times.value_counts() / seeds
    assert len(share) == 90
    assert abs(share - 1 / 3).max() < 5 * (2 / 9 / seeds) ** 0.5


@pytest.mark.parametrize("rows", [0, 90, 500])
def test_all_rows_are_a_census(rows):
    drawn = stratified(TRACES, rows, seed=0, name="a")
    assert {t.trace_id for t in drawn} == {t.trace_id for t in TRACES}
    assert {t.sampling.kind for t in drawn} == {"census"}


def test_constructed_and_judged_rows_stay_so_and_random_ones_multiply():
    kinds = [
        Sampling(kind="constructed"),
        Sampling(kind="judgement"),
        Sampling(kind="random", probability=0.5),
    ]
    rows = [trace(n, "REFUSAL", sampling=kinds[n % 3]) for n in range(30)]
    drawn = stratified(rows, 15, seed=0, name="a")
    by_kind = {t.sampling.kind: t.sampling.probability for t in drawn}
    assert by_kind == {"constructed": None, "judgement": None, "random": 0.25}


def test_a_sample_of_attacks_on_the_grader_holds_their_clean_twins():
    injected = Sampling(kind="injected")
    rows = [
        trace(10 * base + n, "REFUSAL", scenario_id=f"b{base}", run=run, sampling=injected)
        for base in range(3)
        for n, run in enumerate(["clean", *(f"attack-{a}" for a in range(9))])
    ]
    drawn = stratified(rows, 8, seed=0, name="injections")
    assert len(drawn) == 8
    assert {t.scenario_id for t in drawn if t.run == "clean"} == {"b0", "b1", "b2"}
