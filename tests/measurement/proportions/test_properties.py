"""What every interval of a rate must keep, whichever way it is computed.

It holds its estimate, stays in [0, 1], is never of zero width, narrows when the same rows come again in new
scenarios, turns around when successes and failures swap names, and does not depend on the order of rows.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ff_helpers.measurement.adjustment.double import double_sampling
from ff_helpers.measurement.adjustment.rogan_gladen import Adjusted, rogan_gladen
from ff_helpers.measurement.proportions.clusters import bootstrap_rates, clustered
from ff_helpers.measurement.proportions.intervals import wilson

Interval = tuple[float | None, float, float]
Measure = Callable[[pd.DataFrame], Interval]


def by_wilson(rows: pd.DataFrame) -> Interval:
    rate = wilson(int(rows["verdict"].sum()), len(rows))
    return rate.estimate, rate.low, rate.high


def by_scenario(rows: pd.DataFrame) -> Interval:
    found = clustered(rows["verdict"], rows["scenario"])
    return found["rate"], found["low"], found["high"]


def by_bootstrap(rows: pd.DataFrame) -> Interval:
    counts = pd.DataFrame(
        {"group": "m", "cluster": rows["scenario"], "k": rows["verdict"].astype(int), "n": 1}
    )
    found = bootstrap_rates(counts, resamples=200).iloc[0]
    return found["rate"], found["low"], found["high"]


def by_card(rows: pd.DataFrame) -> Interval:
    """Rows that are labelled measure the grader; all of them are corrected."""
    positive, negative = (
        rows[rows["labelled"] & (rows["truth"] == truth)]["verdict"] for truth in (True, False)
    )
    sensitivity, specificity = (int(positive.sum()), len(positive)), (int((~negative).sum()), len(negative))
    return _bounds(rogan_gladen(float(rows["verdict"].sum()), len(rows), sensitivity, specificity))


def by_sample(rows: pd.DataFrame, *, scenarios: bool = False) -> Interval:
    truth = rows["truth"].astype(float).where(rows["labelled"])
    chance = np.full(len(rows), max(float(rows["labelled"].mean()), 0.01))
    return _bounds(
        double_sampling(rows["verdict"], truth, list(chance), rows["scenario"] if scenarios else None)
    )


def by_sample_of_scenarios(rows: pd.DataFrame) -> Interval:
    return by_sample(rows, scenarios=True)


def _bounds(found: Adjusted) -> Interval:
    return found.estimate, found.low, found.high


MEASURES = (by_wilson, by_scenario, by_bootstrap, by_card, by_sample, by_sample_of_scenarios)
row = st.tuples(st.integers(0, 60), st.booleans(), st.booleans(), st.booleans())
samples = st.lists(row, min_size=1, max_size=25).flatmap(
    lambda rows: st.integers(1, 6).map(lambda times: frame(rows, times))
)


def frame(rows: list[tuple[int, bool, bool, bool]], times: int) -> pd.DataFrame:
    """The rows, `times` over, each time in scenarios of other names."""
    table = pd.DataFrame(rows, columns=["scenario", "verdict", "truth", "labelled"])
    return pd.concat(
        [table.assign(scenario=table["scenario"].map(f"{time}-{{}}".format)) for time in range(times)],
        ignore_index=True,
    )


measures = pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)


@measures
@given(rows=samples)
def test_it_holds_its_estimate_within_0_and_1_and_has_a_width(measure: Measure, rows: pd.DataFrame) -> None:
    estimate, low, high = measure(rows)
    assert 0 <= low < high <= 1
    if estimate is None:
        assert (low, high) == (0, 1)
    else:
        assert low - 1e-9 <= estimate <= high + 1e-9


@measures
@given(rows=samples)
def test_it_turns_around_when_successes_and_failures_swap(measure: Measure, rows: pd.DataFrame) -> None:
    estimate, low, high = measure(rows)
    swapped = measure(rows.assign(verdict=~rows["verdict"], truth=~rows["truth"]))
    # Quantiles of drawn samples turn around up to the error of the draws.
    drawn = {by_bootstrap: 0.1, by_sample: 0.1, by_sample_of_scenarios: 0.1}
    assert swapped[1:] == pytest.approx((1 - high, 1 - low), abs=drawn.get(measure, 1e-9))
    assert (swapped[0] is None) == (estimate is None)
    if estimate is not None:
        assert swapped[0] == pytest.approx(1 - estimate, abs=1e-9)


@measures
@given(rows=samples, random=st.randoms())
def test_it_knows_no_order(measure: Measure, rows: pd.DataFrame, random: object) -> None:
    order = random.sample(range(len(rows)), len(rows))  # type: ignore[attr-defined]
    estimate, low, high = measure(rows)
    shuffled = measure(rows.iloc[order].reset_index(drop=True))
    assert shuffled[1:] == pytest.approx((low, high), abs=1e-12)
    assert shuffled[0] == (None if estimate is None else pytest.approx(estimate, abs=1e-12))


@measures
@given(rows=st.lists(row, min_size=1, max_size=25), times=st.integers(2, 6))
def test_it_narrows_when_the_same_rows_come_again(
    measure: Measure, rows: list[tuple[int, bool, bool, bool]], times: int
) -> None:
    _, low, high = measure(frame(rows, 1))
    _, closer_low, closer_high = measure(frame(rows, times))
    assert closer_high - closer_low <= high - low + 1e-9
