"""Which whole numbers could have given a printed figure?

A printed percentage with its interval leaves few counts open, sometimes none: 58% of 20 rows is
impossible (11.6 rows). The digits matter as printed: 65.0 says more than 65.

Source of the idea: the GRIM test, Brown and Heathers 2017, doi:10.1177/1948550616673876; here with
the bounds of the interval as further witnesses.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ff_helpers.measurement.consistency.printed import BadFigureError, Printed, read_figure, unit
from ff_helpers.measurement.consistency.usual_intervals import METHODS, Method, bounds
from ff_helpers.measurement.proportions.intervals import Numbers, Z

Rounding = Literal["rounded", "half-up", "half-even", "cut-off"]
"""`rounded`: a tie may have gone either way, because the source does not say which."""
ROUNDINGS: Final[tuple[Rounding, ...]] = get_args(Rounding)
LARGEST_N: Final = 1000
"""How far the search goes at least when n is not known."""
_MOST: Final = {"n": 10_000_000, "max_n": 100_000, "max_n without an interval": 10_000}
_CHUNK: Final = 2000
_TIE: Final = 1e-9


@dataclass(frozen=True)
class Fit:
    """The counts that give a figure if its interval and its digits were computed this way."""

    method: Method
    rounding: Rounding
    possible: list[tuple[int, int]]


@dataclass(frozen=True)
class Consistency:
    """Which counts could give a printed figure.

    Attributes:
        printed: the figure.
        asked: the interval and the rounding that were asked for, with every (k, n) that gives the figure.
        ways: under which of `half-up`, `half-even` and `cut-off` some of these counts give it.
        first_n, last_n: which totals were tried.
        complete: whether these are all that can be meant: n or its limit was given, or the interval is too
            wide for a larger n. Without an interval a large enough n gives every percentage.
        otherwise: where nothing fits, the other intervals and roundings that do.
    """

    printed: Printed
    asked: Fit
    ways: tuple[Rounding, ...]
    first_n: int
    last_n: int
    complete: bool
    otherwise: list[Fit]

    @property
    def impossible(self) -> bool:
        """Whether no count gives the figure, as asked; not where only small totals could be tried."""
        return self.complete and not self.asked.possible


def consistent(
    value: str,
    low: str | None = None,
    high: str | None = None,
    *,
    n: int | None = None,
    max_n: int | None = None,
    digits: int | None = None,
    method: Method = "wilson",
    rounding: Rounding = "rounded",
) -> Consistency:
    """Return every (k, n) that could have given a printed percentage; none if it is impossible.

    Args:
        value, low, high: as printed, in percent, with or without `%`; trailing zeros count as digits.
        n: the total, where it is known; else every total up to `max_n` is tried. Without both the search
            ends at 1000, or with a narrow interval where its width says that n must end.
        digits: after the point, if trailing zeros were dropped in the text (65 was 65.0).
        method: which 95% interval was printed.
        rounding: how digits were dropped; `rounded` lets a tie go either way.

    Raises:
        BadFigureError: not a percentage from 0 to 100, an interval with one end, with its ends swapped,
            or that does not contain its percentage, or a total below 1.
    """
    printed = read_figure(value, low, high, digits=digits)
    ns = _totals(printed, n, max_n)
    asked = Fit(method, rounding, possible_counts(printed, ns, rounding=rounding, method=method))
    others = [] if asked.possible else list(_others(printed, ns, asked))
    complete = n is not None or max_n is not None or ns[-1] >= _width_says(printed)
    return Consistency(printed, asked, _ways(printed, asked), ns[0], ns[-1], complete, others)


def possible_counts(
    printed: Printed,
    ns: Iterable[int] = range(1, LARGEST_N + 1),
    *,
    rounding: Rounding = "rounded",
    method: Method = "wilson",
) -> list[tuple[int, int]]:
    """Return every (k, n), n in `ns`, whose percentage and bounds give what was printed.

    Returns:
        Pairs sorted by n, then k; empty if no counts can give the figure.

    Raises:
        BadFigureError: a total below 1.
    """
    totals = np.array(sorted(set(ns)), dtype=np.int64)
    if len(totals) and totals[0] < 1:
        raise BadFigureError(f"n = {totals[0]}", "a total must be 1 or more")
    found: list[tuple[int, int]] = []
    for start in range(0, len(totals), _CHUNK):
        k, n = _candidates(printed.value, totals[start : start + _CHUNK], rounding)
        if printed.low is not None and printed.high is not None:
            low, high = bounds(method, k.astype(float), n.astype(float))
            keep = _gives(100 * low, printed.low, rounding) & _gives(100 * high, printed.high, rounding)
            k, n = k[keep], n[keep]
        found += zip(k.tolist(), n.tolist(), strict=True)
    return found


def agrees(exact: float, printed: Decimal) -> bool:
    """Return whether `exact` (in the unit of `printed`) rounds to `printed`; a tie may go either way."""
    return bool(_gives(np.array([exact]), printed, "rounded")[0])


def below_chance(k: int, n: int, chance: float) -> float:
    """Return P(X <= k) for X ~ Binomial(n, chance): the one-sided exact test that a score is below chance."""
    from scipy.stats import binomtest

    return float(binomtest(k, n, chance, alternative="less").pvalue)


def _totals(printed: Printed, n: int | None, max_n: int | None) -> range:
    if n is not None and max_n is not None:
        raise BadFigureError(str(printed), "n and max_n exclude each other: n is the total itself")
    most = "n" if n is not None else "max_n" if printed.low is not None else "max_n without an interval"
    given = n if n is not None else max_n
    if given is None:
        reach = _width_says(printed)
        if math.isinf(reach):
            reach = LARGEST_N if printed.low is None else _MOST["max_n without an interval"]
        return range(1, int(min(reach, _MOST["max_n"])) + 1)
    if int(given) != given or not 1 <= given <= _MOST[most]:
        raise BadFigureError(f"{most} = {given}", f"must be a whole number from 1 to {_MOST[most]}")
    return range(given if n is not None else 1, given + 1)


def _width_says(printed: Printed) -> float:
    """Return how far n must be tried: the interval is at most as wide as two Wald halves are at that n."""
    if printed.low is None or printed.high is None:
        return math.inf
    narrowest = float(printed.high - printed.low) - max(unit(printed.low), unit(printed.high)) - _TIE
    nearest_half = min(max(50.0, float(printed.value) - 1), float(printed.value) + 1) / 100
    if narrowest <= 0:
        return math.inf
    largest = nearest_half * (1 - nearest_half) * (200 * Z / narrowest) ** 2
    return max(LARGEST_N, math.ceil(1.1 * largest))


def _ways(printed: Printed, asked: Fit) -> tuple[Rounding, ...]:
    if asked.rounding != "rounded":
        return (asked.rounding,) if asked.possible else ()
    ns = {n for _, n in asked.possible}
    both: tuple[Rounding, ...] = ("half-up", "half-even")
    return tuple(way for way in both if possible_counts(printed, ns, rounding=way, method=asked.method))


def _others(printed: Printed, ns: range, asked: Fit) -> Iterator[Fit]:
    """Yield the other intervals and roundings that fit: the asked interval first, then rounded digits."""
    names: list[Method] = sorted(METHODS, key=lambda name: name != asked.method)
    ways: tuple[Rounding, ...] = ("rounded", "cut-off")
    for method in names if printed.low is not None else names[:1]:
        for rounding in ways:
            if (method, rounding) != (asked.method, asked.rounding):
                found = possible_counts(printed, ns, rounding=rounding, method=method)
                if found:
                    yield Fit(method, rounding, found)


def _candidates(
    value: Decimal, ns: NDArray[np.int64], rounding: Rounding
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return k and n of every pair whose percentage gives `value`, in whole numbers: no tie is missed."""
    scale = 10 ** -int(value.as_tuple().exponent)
    printed, whole = int(value * scale), 100 * scale
    first = np.maximum((printed - 1) * ns // whole, 0)
    many = np.minimum((printed + 1) * ns // whole + 1, ns) - first + 1
    n = np.repeat(ns, many)
    k = np.arange(len(n)) - np.repeat(np.cumsum(many) - many - first, many)
    off = 2 * (whole * k - printed * n)  # in halves of the last printed place, times n
    if rounding == "cut-off":
        keep = (off >= 0) & (off < 2 * n)
    elif rounding == "half-up":
        keep = (off >= -n) & (off < n)
    elif rounding == "half-even" and printed % 2:
        keep = np.abs(off) < n
    else:
        keep = np.abs(off) <= n
    return k[keep], n[keep]


def _gives(exact: Numbers, printed: Decimal, rounding: Rounding) -> NDArray[np.bool_]:
    """Return which values give `printed`; bounds are not exact fractions, so a tie counts for both sides."""
    off, step = exact - float(printed), unit(printed)
    if rounding == "cut-off":
        return (off >= -_TIE) & (off < step - _TIE)
    return np.abs(off) <= step / 2 + _TIE
