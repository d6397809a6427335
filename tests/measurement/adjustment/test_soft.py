"""Label probabilities: verdicts split by how sure the grader was, from the draw to the adjusted rate."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.corpora import corpora
from benchmarks.strata import by_parts
from ff_helpers.errors import FFError
from ff_helpers.measurement.adjustment.double import double_sampling
from ff_helpers.measurement.adjustment.patterns import merged_parts
from ff_helpers.measurement.sampling.draw import draw
from ff_helpers.measurement.sampling.files import Within
from ff_helpers.measurement.sampling.soft import ENOUGH, UNKNOWN, success_probability, thirds

ROWS, LABELS, RATE, DRAWS = 600, 120, 0.3, 50


def graded(rng, *, informative):
    """A judge that is right on 90% of either kind; its probability says how likely, or nothing."""
    true = rng.random(ROWS) < RATE
    score = rng.standard_normal(ROWS) + np.where(true, 1.28, -1.28)
    hit = score > 0
    if not informative:
        score = np.where(hit, 1, -1) * rng.random(ROWS)
    rows = pd.DataFrame({"trace_id": [f"t{n}" for n in range(ROWS)], "grader": "g", "space": "five"})
    rows = rows.assign(true=true, hit=hit, verdict=np.where(hit, "COMPLIANCE", "REFUSAL"))
    return rows.assign(p_COMPLIANCE=1 / (1 + np.exp(-2.5 * score)))


def adjusted(rows, seed, *, soft):
    """Draw in the best split, label, and adjust; return whether the interval holds the rate; its width."""
    expected = Within(in_hits=0.8, in_others=0.05)
    sample, _ = draw(rows, LABELS, design="best", expected=expected, soft=soft, seed=seed)
    known = sample.set_index("trace_id")
    rows = rows.assign(chance=rows["trace_id"].map(known["probability"]))
    rows["true"] = rows["true"].astype("float64").where(rows["chance"].notna())
    if soft:
        side = rows["hit"].map({True: "hit", False: "other"})
        rows["part"] = thirds(rows["p_COMPLIANCE"], side, rows["hit"])
    part = merged_parts(rows["part"], rows["hit"], rows["true"].notna()) if soft else None
    found = double_sampling(rows["hit"], rows["true"], rows["chance"], part=part)
    return found.low <= RATE <= found.high, found.high - found.low


@pytest.mark.parametrize(("informative", "most"), [(True, 0.96), (False, 1.05)])
def test_intervals_hold_the_truth_and_are_narrower_where_probabilities_say_something(informative, most):
    rng, found = np.random.default_rng(1), []
    for seed in range(DRAWS):
        rows = graded(rng, informative=informative)
        found.append([adjusted(rows, seed, soft=soft) for soft in (False, True)])
    held, width = np.array(found, dtype=float).mean(axis=0).T
    assert held.min() >= 0.88
    assert width[1] <= most * width[0]


def test_the_least_sure_third_is_drawn_twice_as_often_as_the_surest():
    rows = graded(np.random.default_rng(2), informative=True)
    expected = Within(in_hits=0.8, in_others=0.05)
    sample, design = draw(rows, 180, design="best", expected=expected, soft=True)
    chance = sample.groupby("stratum")["probability"].first()
    for side in ("hit", "other"):
        a, b, c = (chance[f"all rows / {side} / {part}"] for part in "abc")
        assert c / a == pytest.approx(2, rel=0.1)
        assert b / a == pytest.approx(1.5, rel=0.1)
    assert design.soft
    assert sum(one.drawn for one in design.strata) == 180


@given(st.lists(st.tuples(st.floats(0, 1) | st.none(), st.booleans()), min_size=1))
def test_every_row_has_a_part_and_the_surer_one_never_a_later_one(rows):
    probability = pd.Series([p for p, _ in rows], dtype="float64")
    hit = pd.Series([h for _, h in rows])
    found = thirds(probability, hit.astype(str), hit)
    assert set(found) <= {"a", "b", "c", UNKNOWN}
    assert (found == UNKNOWN).equals(probability.isna())
    sure = probability.where(hit, 1 - probability)
    for _, own in pd.DataFrame({"sure": sure, "part": found}).dropna().groupby(hit):
        assert own.sort_values("sure", ascending=False, kind="stable")["part"].is_monotonic_increasing


def test_parts_with_few_labels_are_merged_within_their_verdict():
    rows = pd.DataFrame({"part": list("abc") * 40, "hit": [True] * 60 + [False] * 60})
    rows["true"] = [1.0] * 60 + [0.0] * 20 + [None] * 40
    found = merged_parts(rows["part"], rows["hit"], rows["true"].notna())
    assert set(found[:60]) == {"a", "b", "c"}
    assert set(found[60:]) == {"a/b/c"}
    assert rows["true"].notna().groupby([rows["hit"], found]).sum().min() >= ENOUGH


def test_the_benchmark_counts_as_the_product_does():
    each = next(own for cell, own in corpora(4) if cell.labels == 100)
    counted = by_parts(each, each.probability, 100)
    for i in range(4):
        rows = pd.DataFrame(
            {"hit": each.hit[i], "true": each.true[i].astype(float), "p": each.probability[i]}
        )
        rows["part"] = thirds(rows["p"], rows["hit"].astype(str), rows["hit"])
        rows.loc[100:, "true"] = np.nan
        part = merged_parts(rows["part"], rows["hit"], rows["true"].notna())
        found = rows.groupby(["hit", part])["true"].agg(["size", "count", "sum"])
        some = counted.called[i] > 0
        theirs = np.stack([counted.called[i], counted.size[i], counted.hits[i]], axis=1)[some]
        assert theirs.tolist() == found.to_numpy().tolist()


def test_the_parts_of_a_verdict_share_its_prior():
    """No success among 60 labels says the same of a verdict, split in three alike parts or not."""
    verdict, truth = [True] * 20 + [False] * 600, [1.0] * 20 + [0.0] * 60 + [None] * 540
    whole = double_sampling(verdict, truth, [0.1] * 620)
    split = double_sampling(verdict, truth, [0.1] * 620, part=["a"] * 20 + ["a", "b", "c"] * 200)
    assert split.high == pytest.approx(whole.high, rel=0.1)
    assert "4 strata by verdict and label probability" in split.note


def test_where_nothing_is_recorded_there_is_one_part():
    rows = graded(np.random.default_rng(3), informative=True).drop(columns="p_COMPLIANCE")
    assert success_probability(rows, "strict").isna().all()
    with pytest.raises(FFError, match="no row has label probabilities"):
        draw(rows, 100, design="by-verdict", soft=True)
    with pytest.raises(FFError, match="Add --design by-verdict or best"):
        draw(rows, 100, soft=True)
