"""Rows in clusters: the design effect by hand, what is never zero wide, and the bootstrap of many groups."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.clusters import (
    BOOTSTRAP,
    DESIGN,
    MIN_EACH,
    WILSON,
    bootstrap_rates,
    clustered,
)
from ff_helpers.measurement.proportions.intervals import wilson, wilson_bounds

Words = list[str]


def share(words: Words) -> dict[str, float]:
    """The interval of clusters that are written as words: `110` is two hits of three rows."""
    cells = [(letter == "1", f"c{place}") for place, word in enumerate(words) for letter in word]
    frame = pd.DataFrame(cells, columns=["hit", "cluster"]).astype({"hit": bool, "cluster": "str"})
    return clustered(frame["hit"], frame["cluster"])


def counts(words: Words, group: str = "m") -> pd.DataFrame:
    rows = [(group, f"c{place}", word.count("1"), len(word)) for place, word in enumerate(words)]
    return pd.DataFrame(rows, columns=["group", "cluster", "k", "n"])


def test_the_design_effect_by_hand() -> None:
    """Ten scenarios run twice, 8 hits of 20: three agree on a hit, five on a miss, two differ."""
    words = ["11"] * 3 + ["10"] * 2 + ["00"] * 5
    found = share(words)
    excess = 3 * (2 - 0.8) ** 2 + 2 * (1 - 0.8) ** 2 + 5 * 0.8**2
    effect = 10 / 9 * excess / 400 / (0.4 * 0.6 / 20)
    assert (found["rate"], found["clusters"]) == (0.4, 10)
    assert found["design_effect"] == pytest.approx(effect) == pytest.approx(1.7593, abs=1e-4)
    effective = 20 / effect * (1.959964 / 2.262157) ** 2
    assert found["effective_n"] == pytest.approx(effective, rel=1e-6)
    low, high = wilson_bounds(np.array([0.4 * effective]), np.array([effective]))
    assert (found["low"], found["high"]) == pytest.approx((low[0], high[0]), rel=1e-6)


def test_single_rows_are_independent() -> None:
    found, naive = share(["1", "0", "1", "1"]), wilson(3, 4)
    assert (found["low"], found["high"], found["effective_n"]) == (naive.low, naive.high, 4)


def test_rows_without_a_cluster_stand_alone() -> None:
    hits = pd.Series([True, False, True])
    assert clustered(hits, pd.Series([None, None, None], dtype="str"))["clusters"] == 3
    assert clustered(hits, pd.Series(["a", None, "a"], dtype="str"))["clusters"] == 2


@pytest.mark.parametrize("words", [[], ["1"], ["1111"], ["10"]])
def test_fewer_than_two_clusters_say_nothing(words: Words) -> None:
    found = share(words)
    assert (found["low"], found["high"], found["effective_n"]) == (0, 1, 0)
    assert np.isnan(found["design_effect"])
    assert np.isnan(found["rate"]) == (not words)


@pytest.mark.parametrize("words", [["11"] * 2, ["11"] * 10, ["000"] * 5, ["10"] * 10, ["1"] * 9, ["11"] * 40])
def test_no_variance_is_not_no_doubt(words: Words) -> None:
    found, table = share(words), bootstrap_rates(counts(words))
    assert found["high"] - found["low"] > 0.01
    assert (table["low"][0], table["high"][0]) == pytest.approx((found["low"], found["high"]))


many = st.lists(st.text("01", min_size=1, max_size=4), min_size=1, max_size=14)


@given(many, st.randoms())
def test_the_interval_holds_the_share_mirrors_and_knows_no_order(words: Words, random: object) -> None:
    found = share(words)
    assert 0 <= found["low"] <= found["rate"] + 1e-12 <= found["high"] + 2e-12 <= 1 + 1e-11
    assert found["high"] - found["low"] > 0
    mirror = share([word.translate(str.maketrans("01", "10")) for word in words])
    assert (mirror["low"], mirror["high"]) == pytest.approx((1 - found["high"], 1 - found["low"]), abs=1e-9)
    shuffled = random.sample(words, len(words))  # type: ignore[attr-defined]
    np.testing.assert_equal(share(["".join(sorted(word)) for word in shuffled]), found)
    naive = wilson("".join(words).count("1"), len("".join(words)))
    assert found["high"] - found["low"] >= naive.high - naive.low - 1e-12


@given(many, st.integers(2, 5))
def test_more_clusters_alike_say_more(words: Words, times: int) -> None:
    once, more = share(words), share(words * times)
    assert more["high"] - more["low"] <= once["high"] - once["low"]


@given(many)
def test_few_clusters_have_the_same_interval_by_either_way(words: Words) -> None:
    row, found = bootstrap_rates(counts(words)).iloc[0], share(words)
    names = ["rate", "clusters", "design_effect", "effective_n", "low", "high"]
    np.testing.assert_allclose(row[names].to_numpy(dtype=float), [found[name] for name in names])
    assert row["method"] == (WILSON if set(map(len, words)) == {1} else DESIGN)


def drawn(groups: int, clusters: int, runs: int, share: float, icc: float, seed: int = 1) -> pd.DataFrame:
    """Counts of groups whose scenarios have rates of their own: beta-binomial."""
    rng = np.random.default_rng(seed)
    odds = (1 - icc) / icc
    k = rng.binomial(runs, rng.beta(share * odds, (1 - share) * odds, (groups, clusters)))
    names = np.repeat([f"m{number:03}" for number in range(groups)], clusters)
    cluster = np.tile([f"s{number:03}" for number in range(clusters)], groups)
    return pd.DataFrame({"group": names, "cluster": cluster, "k": k.ravel(), "n": runs})


def test_the_bootstrap_covers_the_truth() -> None:
    table = bootstrap_rates(drawn(groups=600, clusters=50, runs=4, share=0.4, icc=0.5))
    assert (table["method"] == BOOTSTRAP).mean() > 0.99
    covered = ((table["low"] <= 0.4) & (table["high"] >= 0.4)).mean()
    naive_low, naive_high = wilson_bounds(table["k"].to_numpy(float), table["n"].to_numpy(float))
    assert 0.93 <= covered <= 0.98
    assert ((naive_low <= 0.4) & (naive_high >= 0.4)).mean() < 0.85


def test_it_is_close_to_the_design_effect_where_clusters_are_many() -> None:
    rows = drawn(groups=1, clusters=400, runs=3, share=0.3, icc=0.5)
    table = bootstrap_rates(rows, resamples=20_000).iloc[0]
    low, high = wilson_bounds(*(np.array([x]) for x in (table.rate * table.effective_n, table.effective_n)))
    assert table["method"] == BOOTSTRAP
    assert (table["low"], table["high"]) == pytest.approx((low[0], high[0]), abs=0.005)


def test_rare_hits_and_clusters_that_vary_less_than_rows_are_not_resampled() -> None:
    rare = counts(["11"] * (MIN_EACH - 1) + ["00"] * 91)
    even = counts(["10"] * 95 + ["11"] * 2 + ["00"] * 3)
    assert bootstrap_rates(rare)["method"].tolist() == [DESIGN]
    assert bootstrap_rates(even)["method"].tolist() == [DESIGN]
    assert bootstrap_rates(counts(["11"] * MIN_EACH + ["00"] * 90))["method"].tolist() == [BOOTSTRAP]


def test_a_group_knows_neither_order_nor_other_groups_nor_how_its_rows_are_split() -> None:
    rows = drawn(groups=4, clusters=60, runs=3, share=0.4, icc=0.6)
    table = bootstrap_rates(rows)
    pd.testing.assert_frame_equal(table, bootstrap_rates(rows.sample(frac=1, random_state=3)))
    alone = bootstrap_rates(rows[rows["group"] == "m002"])
    pd.testing.assert_frame_equal(table.iloc[[2]].reset_index(drop=True), alone)
    hits, misses = rows.assign(n=rows["k"]), rows.assign(n=rows["n"] - rows["k"], k=0)
    pd.testing.assert_frame_equal(table, bootstrap_rates(pd.concat([hits, misses])))
    assert not bootstrap_rates(rows, seed=1)["low"].equals(table["low"])


def test_a_group_without_rows_is_known_to_be_unknown() -> None:
    table = bootstrap_rates(pd.DataFrame({"group": ["m"], "cluster": ["c"], "k": [0], "n": [0]}))
    assert table[["k", "n", "clusters", "low", "high"]].iloc[0].tolist() == [0, 0, 0, 0, 1]
    assert table["rate"].isna().all()
    assert bootstrap_rates(counts([])).empty


@pytest.mark.parametrize(("k", "n"), [(3, 2), (-1, 2), (0.5, 2), (np.nan, 2)])
def test_counts_that_no_experiment_gives_are_refused(k: float, n: float) -> None:
    with pytest.raises(FFError, match="is not a proportion"):
        bootstrap_rates(pd.DataFrame({"group": ["m"], "cluster": ["c"], "k": [k], "n": [n]}))
