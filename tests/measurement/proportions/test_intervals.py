"""Wilson intervals against published numbers, and what must hold for any counts."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.intervals import wilson, wilson_bounds, with_wilson


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (13, 20, 43.3, 81.9),
        (17, 20, 64.0, 94.8),
        (12, 39, 18.6, 46.4),
        (16, 20, 58.4, 91.9),
        (5, 20, 11.2, 46.9),
    ],
)
def test_wilson_gives_the_published_intervals(k: int, n: int, low: float, high: float) -> None:
    rate = wilson(k, n)
    assert (round(100 * rate.low, 1), round(100 * rate.high, 1)) == (low, high)
    assert rate.estimate == k / n


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (13, 20, 0.4329, 0.8188),
        (17, 20, 0.6396, 0.9476),
        (81, 263, 0.2553, 0.3662),
        (0, 20, 0.0, 0.1611),
        (20, 20, 0.8389, 1.0),
    ],
)
def test_wilson_to_four_digits(k: int, n: int, low: float, high: float) -> None:
    rate = wilson(k, n)
    assert (round(rate.low, 4), round(rate.high, 4)) == (low, high)


def test_none_and_all_reach_the_edge_exactly() -> None:
    assert all(wilson(0, n).low == 0 < wilson(0, n).high < 1 for n in range(1, 400))
    assert all(wilson(n, n).high == 1 > wilson(n, n).low > 0 for n in range(1, 400))


def test_it_is_what_statsmodels_computes() -> None:
    from statsmodels.stats.proportion import proportion_confint

    n = np.repeat(np.arange(1, 60), np.arange(2, 61)).astype(float)
    k = np.concatenate([np.arange(size + 1) for size in range(1, 60)]).astype(float)
    expected = proportion_confint(k, n, method="wilson")
    np.testing.assert_allclose(wilson_bounds(k, n), expected, atol=1e-12)


def test_of_nothing_nothing_is_known() -> None:
    rate = wilson(0, 0)
    assert rate.estimate is None
    assert (rate.low, rate.high) == (0.0, 1.0)
    frame = with_wilson(pd.DataFrame({"k": [0, 1], "n": [0, 2]}), "asr")
    assert pd.isna(frame["asr"][0])
    assert frame["asr"][1] == 0.5


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (0, -1), (0.5, 2)])
def test_counts_that_no_experiment_gives_are_refused(k: float, n: int) -> None:
    with pytest.raises(FFError, match="is not a proportion"):
        wilson(k, n)  # type: ignore[arg-type]
    with pytest.raises(FFError, match="is not a proportion"):
        with_wilson(pd.DataFrame({"k": [k], "n": [n]}), "asr")


def test_a_missing_count_is_refused() -> None:
    with pytest.raises(FFError, match="is not a proportion"):
        with_wilson(pd.DataFrame({"k": [None, 1.0], "n": [1, 2]}), "asr")


@given(st.integers(0, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_estimate_and_mirrors(counts: tuple[int, int]) -> None:
    k, n = counts
    rate, mirror = wilson(k, n), wilson(n - k, n)
    assert 0 <= rate.low <= rate.high <= 1
    assert rate.low == pytest.approx(1 - mirror.high)
    if rate.estimate is not None:
        assert rate.low - 1e-12 <= rate.estimate <= rate.high + 1e-12


@given(st.integers(0, 50), st.integers(1, 50), st.integers(2, 20))
def test_more_rows_of_the_same_share_say_more(k: int, n: int, times: int) -> None:
    k = min(k, n)
    once, more = wilson(k, n), wilson(k * times, n * times)
    assert more.high - more.low < once.high - once.low


@given(st.floats(0, 1), st.floats(0.01, 500), st.floats(1.01, 20))
def test_so_it_is_at_an_effective_n_that_is_no_whole_number(share: float, n: float, times: float) -> None:
    sizes = np.array([n, n * times])
    low, high = wilson_bounds(share * sizes, sizes)
    assert (low <= share + 1e-12).all()
    assert (high >= share - 1e-12).all()
    assert high[1] - low[1] < high[0] - low[0] <= 1


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1), st.randoms())
def test_a_row_has_its_interval_wherever_it_stands(pairs: list[tuple[int, int]], random: object) -> None:
    frame = pd.DataFrame([(min(pair), max(pair)) for pair in pairs], columns=["k", "n"])
    table = with_wilson(frame, "asr")
    order = random.sample(range(len(frame)), len(frame))  # type: ignore[attr-defined]
    pd.testing.assert_frame_equal(with_wilson(frame.iloc[order], "asr"), table.iloc[order])
    for (k, n), low, high in zip(frame.to_numpy(), table["asr_low"], table["asr_high"], strict=True):
        assert (wilson(k, n).low, wilson(k, n).high) == (low, high)
