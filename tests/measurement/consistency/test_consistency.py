"""Which counts can stand behind a printed figure: the figures of the posts, and every figure we print."""

import time
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from ff_helpers.errors import FFError
from ff_helpers.measurement.consistency.possible import (
    METHODS,
    ROUNDINGS,
    Printed,
    agrees,
    below_chance,
    consistent,
    possible_counts,
)
from ff_helpers.measurement.proportions.intervals import wilson

STATSMODELS = {
    "wilson": "wilson",
    "clopper-pearson": "beta",
    "wald": "normal",
    "jeffreys": "jeffreys",
    "agresti-coull": "agresti_coull",
}
WAYS = {"half-up": ROUND_HALF_UP, "half-even": ROUND_HALF_EVEN, "cut-off": ROUND_DOWN}


def printed(*shares: float, digits: int, way: str) -> list[str]:
    """Print shares in percent; through twelve decimals, so that 6.25 is the tie that it is."""
    place = Decimal(1).scaleb(-digits)
    return [str(Decimal(f"{100 * share:.12f}").quantize(place, rounding=WAYS[way])) for share in shares]


def test_62_with_54_to_70_leaves_125_to_154():
    ns = [n for _, n in consistent("62", "54", "70").asked.possible]
    assert (min(ns), max(ns), len(ns)) == (125, 154, 22)


def test_62_with_38_to_81_is_impossible_unless_digits_are_cut_off():
    result = consistent("62%", "38%", "81%")
    assert result.impossible
    assert [(f.method, f.rounding, f.possible) for f in result.otherwise] == [
        ("wilson", "cut-off", [(10, 16)]),
        ("agresti-coull", "cut-off", [(10, 16)]),
    ]
    assert consistent("62", "38", "81", rounding="cut-off").asked.possible == [(10, 16)]


def test_58_percent_of_20_is_impossible_and_of_33_is_19():
    assert consistent("58", n=20).impossible
    assert consistent("58", n=33).asked.possible == [(19, 33)]


def test_trailing_zeros_are_digits():
    assert consistent("65", n=200).asked.possible == [(129, 200), (130, 200), (131, 200)]
    assert consistent("65.0", n=200).asked.possible == [(130, 200)]
    assert consistent("65", n=200, digits=1).asked.possible == [(130, 200)]


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (13, 20, "43.29", "81.88"),
        (17, 20, "63.96", "94.76"),
        (81, 263, "25.53", "36.62"),
        (0, 20, "0.00", "16.11"),
        (20, 20, "83.89", "100.00"),
    ],
)
def test_worked_wilson_intervals_lead_back_to_their_counts(k, n, low, high):
    assert (k, n) in consistent(f"{100 * k / n:.2f}", low, high).asked.possible


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.integers(0, 3),
    st.sampled_from(sorted(WAYS)),
)
def test_the_counts_that_a_figure_was_printed_from_are_always_found(pair, digits, way):
    rate = wilson(*pair)
    figure = printed(rate.estimate, rate.low, rate.high, digits=digits, way=way)
    assert pair in consistent(*figure, rounding=way, max_n=300).asked.possible
    assert pair in consistent(figure[0], rounding=way, n=pair[1]).asked.possible
    asked = consistent(*figure, max_n=300)
    if way != "cut-off":
        assert pair in asked.asked.possible
        assert way in asked.ways


@settings(max_examples=40, deadline=None)
@given(
    st.integers(5, 120).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.sampled_from(sorted(METHODS)),
)
def test_every_usual_interval_is_recognised(pair, method):
    k, n = pair
    low, high = proportion_confint(k, n, method=STATSMODELS[method])
    figure = printed(k / n, max(low, 0), min(high, 1), digits=1, way="half-even")
    if method == "jeffreys" and k in (0, n):
        figure[1 if k == 0 else 2] = "0.0" if k == 0 else "100.0"  # by convention, which statsmodels lacks
    assert pair in consistent(*figure, method=method, max_n=200).asked.possible


def test_where_wilson_does_not_fit_the_interval_that_does_is_named():
    low, high = proportion_confint(13, 20, method="beta")
    result = consistent("65.0", f"{100 * low:.1f}", f"{100 * high:.1f}")
    assert result.impossible
    assert ("clopper-pearson", "rounded", [(13, 20)]) in [
        (f.method, f.rounding, f.possible) for f in result.otherwise
    ]


def test_a_tie_is_found_by_the_way_that_it_went():
    assert consistent("6.3", n=16).ways == ("half-up",)  # 1 of 16 is 6.25
    assert consistent("6.2", n=16).ways == ("half-even",)
    assert consistent("18.7", n=16).ways == ()  # 3 of 16 is 18.75: neither gives 18.7
    assert consistent("6.2", n=16, rounding="half-up").impossible
    assert consistent("6.3", n=16, rounding="half-even").impossible
    assert consistent("6.2", n=16, rounding="cut-off").asked.possible == [(1, 16)]


@pytest.mark.parametrize("way", ROUNDINGS)
def test_the_search_finds_what_trying_all_finds(way):
    ties = {"rounded": ("half-up", "half-even"), **{name: (name,) for name in WAYS}}[way]
    expected = [
        (k, n)
        for n in range(1, 60)
        for k in range(n + 1)
        if any(
            Decimal(100 * k) / n == Decimal("37.5") or printed(k / n, digits=0, way=tie) == ["38"]
            if way == "rounded"
            else printed(k / n, digits=0, way=tie) == ["38"]
            for tie in ties
        )
    ]
    assert possible_counts(Printed(Decimal(38)), range(1, 60), rounding=way) == expected


def test_a_narrow_interval_is_searched_as_far_as_it_can_reach():
    rate = wilson(4060, 11284)
    figure = [f"{100 * share:.2f}" for share in (rate.estimate, rate.low, rate.high)]
    result = consistent(*figure)
    assert result.last_n > 11284
    assert (4060, 11284) in result.asked.possible


@pytest.mark.parametrize("figure", [("50.00", "49.99", "50.01"), ("12.3459",)])
def test_what_only_a_huge_total_could_give_is_not_called_impossible(figure):
    result = consistent(*figure)
    assert not result.asked.possible
    assert not result.complete
    assert not result.impossible
    assert consistent(*figure, max_n=1000).impossible  # as asked: of at most 1000 rows


def test_ten_thousand_totals_take_a_moment():
    began = time.process_time()
    assert consistent("62", "38", "81", max_n=10_000).impossible
    assert len(consistent("62", max_n=10_000).asked.possible) > 400_000
    assert time.process_time() - began < 15


@pytest.mark.parametrize(
    ("figure", "options", "said"),
    [
        (("-5",), {}, "a percentage cannot be negative"),
        (("101",), {}, "a percentage of a whole cannot exceed 100"),
        (("6,5",), {}, "6,5: not a percentage"),
        (("62", "38"), {}, "an interval has two ends"),
        (("62", "81", "38"), {}, "begins at 81, above its end 38"),
        (("62", "65", "70"), {}, r"\[65, 70\] does not hold 62"),
        (("62",), {"n": 0}, "n = 0: must be a whole number from 1"),
        (("62",), {"n": -3}, "n = -3: must be a whole number from 1"),
        (("62",), {"n": 2.5}, "n = 2.5: must be a whole number from 1"),
        (("62",), {"n": 5, "max_n": 6}, "exclude each other"),
        (("62",), {"max_n": 10**6}, "without an interval"),
        (("62.55",), {"digits": 1}, "more than 1 digits"),
        (("62.5512345",), {}, "at most 6 digits"),
    ],
)
def test_what_cannot_be_asked(figure, options, said):
    with pytest.raises(FFError, match=said):
        consistent(*figure, **options)


def test_a_total_of_nothing_is_no_total():
    with pytest.raises(FFError, match="n = 0: a total must be 1 or more"):
        possible_counts(Printed(Decimal(50)), [0, 2])


@pytest.mark.parametrize(
    ("exact", "text", "same"),
    [
        (1.75, "1.8", True),
        (4.75, "4.8", True),
        (4.75, "4.7", True),
        (4.76, "4.7", False),
        (65.0, "65.0", True),
    ],
)
def test_a_tie_may_be_rounded_either_way(exact, text, same):
    assert agrees(exact, Decimal(text)) is same


def test_three_of_twenty_is_not_below_chance():
    assert below_chance(3, 20, 0.2) == pytest.approx(0.4114, abs=1e-4)


@pytest.mark.parametrize(
    ("method", "k", "n", "low", "high"),
    [
        ("wald", 81, 263, "25.22", "36.38"),
        ("clopper-pearson", 81, 263, "25.27", "36.76"),
        ("wilson", 81, 263, "25.53", "36.62"),
        ("wald", 15, 148, "5.27", "15.00"),
        ("clopper-pearson", 15, 148, "5.78", "16.17"),
        ("clopper-pearson", 0, 20, "0.00", "16.84"),
    ],
)
def test_the_intervals_are_those_that_newcombe_printed(method: str, k: int, n: int, low: str, high: str):
    """Newcombe 1998, Statistics in Medicine 17:857-872, Table I."""
    value = f"{100 * k / n:.2f}"
    assert (k, n) in consistent(value, low, high, n=n, method=method).asked.possible
