"""Wilson intervals against published numbers."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.measurement.intervals import BadCountError, wilson, with_wilson


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


def test_of_nothing_nothing_is_known() -> None:
    rate = wilson(0, 0)
    assert rate.estimate is None
    assert (rate.low, rate.high) == (0.0, 1.0)
    frame = with_wilson(pd.DataFrame({"k": [0, 1], "n": [0, 2]}), "asr")
    assert pd.isna(frame["asr"][0])
    assert frame["asr"][1] == 0.5


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (0, -1), (0.5, 2)])
def test_counts_that_no_experiment_gives_are_refused(k: float, n: int) -> None:
    with pytest.raises(BadCountError, match="is no proportion"):
        wilson(k, n)  # type: ignore[arg-type]
    with pytest.raises(BadCountError):
        with_wilson(pd.DataFrame({"k": [k], "n": [n]}), "asr")


def test_a_missing_count_is_refused() -> None:
    with pytest.raises(BadCountError):
        with_wilson(pd.DataFrame({"k": [None, 1.0], "n": [1, 2]}), "asr")


@given(st.integers(0, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_estimate_and_mirrors(counts: tuple[int, int]) -> None:
    k, n = counts
    rate, mirror = wilson(k, n), wilson(n - k, n)
    assert 0 <= rate.low <= rate.high <= 1
    assert rate.low == pytest.approx(1 - mirror.high)
    if rate.estimate is not None:
        assert rate.low - 1e-12 <= rate.estimate <= rate.high + 1e-12
