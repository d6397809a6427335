"""Which whole numbers could have given a printed figure?

A printed percentage with its interval leaves few counts open, sometimes none: 58% of 20 rows is
impossible (11.6 rows). The digits matter as printed: 65.0 says more than 65.

Source of the idea: the GRIM test, Brown and Heathers 2017, doi:10.1177/1948550616673876; here with
the bounds of the interval as further witnesses. Our own rates have Wilson's interval alone; the others in
common use are tried because others print them: Brown, Cai and DasGupta 2001, Statistical Science 16:101-133,
compares all five and gives their formulas.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.intervals import Numbers, Z, wilson_bounds

Method = Literal["wilson", "clopper-pearson", "wald", "jeffreys", "agresti-coull"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)
"""The 95% intervals of a proportion in common use."""
_STATSMODELS: Final = {"clopper-pearson": "beta", "wald": "normal", "agresti-coull": "agresti_coull"}

Rounding = Literal["rounded", "half-up", "half-even", "cut-off"]
"""`rounded`: a tie may have gone either way, because the source does not say which."""
ROUNDINGS: Final[tuple[Rounding, ...]] = get_args(Rounding)
LARGEST_N: Final = 1000
"""How far the search goes at least when n is not known."""
_MOST: Final = {"n": 10_000_000, "max_n": 100_000, "max_n without an interval": 10_000}
_DIGITS: Final = 6
_CHUNK: Final = 2000
_TIE: Final = 1e-9


@dataclass(frozen=True)
class Printed:
    """A figure as it was printed: in percent, digits as printed, interval where one was given."""

    value: Decimal
    low: Decimal | None = None
    high: Decimal | None = None

    def __str__(self) -> str:
        return f"{self.value}%" + (f" [{self.low}, {self.high}]" if self.low is not None else "")


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
        FFError: not a percentage from 0 to 100, an interval with one end, with its ends swapped,
            or that does not contain its percentage, or a total below 1.
    """
    printed = _read_figure(value, low, high, digits=digits)
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
        FFError: a total below 1.
    """
    totals = np.array(sorted(set(ns)), dtype=np.int64)
    if len(totals) and totals[0] < 1:
        raise bad_figure(f"n = {totals[0]}", "a total must be 1 or more")
    found: list[tuple[int, int]] = []
    for start in range(0, len(totals), _CHUNK):
        k, n = _candidates(printed.value, totals[start : start + _CHUNK], rounding)
        if printed.low is not None and printed.high is not None:
            low, high = _bounds(method, k.astype(float), n.astype(float))
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


def successes_within(k: int, n: int, part: int) -> tuple[int, int]:
    """Return the fewest and the most successes among `part` of n rows, where k of the n are successes.

    The other n - part rows hold at most n - part successes, so at least k - (n - part) are left for the
    part; and it holds at most k, and at most as many as it has rows. Every whole number between the two
    occurs in some arrangement of the rows: if they are 0 and `part`, the counts allow every rate.

    Source: Horowitz and Manski 1995, doi:10.2307/2951627 (bounds where it is not known which data are bad).

    Raises:
        ValueError: k is not from 0 to n, or part not from 1 to n.
    """
    if not (0 <= k <= n and 0 < part <= n):
        raise ValueError(f"k = {k}, n = {n}, part = {part}: k must be from 0 to n, part from 1 to n")
    return max(0, k - (n - part)), min(k, part)


def bad_figure(figure: str, problem: str) -> FFError:
    """Return the error of an impossible figure, or of a question that it cannot answer."""
    return FFError(
        f"{figure}: {problem}. A figure is a percentage from 0 to 100 as it was printed, alone or with "
        "the two ends of its interval, such as 58, 65.0% or 62 38 81."
    )


def _read_figure(
    value: str, low: str | None = None, high: str | None = None, *, digits: int | None = None
) -> Printed:
    """Return a figure as printed; arguments as for `consistent`."""
    text = " ".join(part for part in (value, low, high) if part is not None)
    if (low is None) != (high is None):
        raise bad_figure(text, "an interval has two ends")
    middle = _number(value, digits)
    if low is None or high is None:
        return Printed(middle)
    ends = _number(low, digits), _number(high, digits)
    if ends[0] > ends[1]:
        raise bad_figure(text, f"the interval begins at {ends[0]}, above its end {ends[1]}")
    # One end may be printed with fewer digits: a step of each may lie between it and the percentage.
    reach = [_unit(middle) + _unit(end) for end in ends]
    if float(middle - ends[0]) < -reach[0] or float(ends[1] - middle) < -reach[1]:
        raise bad_figure(text, f"the interval [{ends[0]}, {ends[1]}] does not hold {middle}")
    return Printed(middle, *ends)


def _totals(printed: Printed, n: int | None, max_n: int | None) -> range:
    if n is not None and max_n is not None:
        raise bad_figure(str(printed), "n and max_n exclude each other: n is the total itself")
    most = "n" if n is not None else "max_n" if printed.low is not None else "max_n without an interval"
    given = n if n is not None else max_n
    if given is None:
        reach = _width_says(printed)
        if math.isinf(reach):
            reach = LARGEST_N if printed.low is None else _MOST["max_n without an interval"]
        return range(1, int(min(reach, _MOST["max_n"])) + 1)
    if int(given) != given or not 1 <= given <= _MOST[most]:
        raise bad_figure(f"{most} = {given}", f"must be a whole number from 1 to {_MOST[most]}")
    return range(given if n is not None else 1, given + 1)


def _width_says(printed: Printed) -> float:
    """Return how far n must be tried: the interval is at most as wide as two Wald halves are at that n."""
    if printed.low is None or printed.high is None:
        return math.inf
    narrowest = float(printed.high - printed.low) - max(_unit(printed.low), _unit(printed.high)) - _TIE
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
    names = sorted(METHODS, key=lambda name: name != asked.method)
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
    off, step = exact - float(printed), _unit(printed)
    if rounding == "cut-off":
        return (off >= -_TIE) & (off < step - _TIE)
    return np.abs(off) <= step / 2 + _TIE


def _bounds(method: Method, k: Numbers, n: Numbers) -> tuple[Numbers, Numbers]:
    """Return the lower and upper 95% bounds of k of n, n above 0, in [0, 1]."""
    if method == "wilson":
        return wilson_bounds(k, n)
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(k, n, method=_STATSMODELS.get(method, method))
    if method == "jeffreys":  # where k is 0 or n the bound is 0 or 1 by convention
        low, high = np.where(k > 0, low, 0.0), np.where(k < n, high, 1.0)
    return low, high


def _unit(printed: Decimal) -> float:
    """Return one unit in the last printed place."""
    return 10.0 ** int(printed.as_tuple().exponent)


def _number(text: str, digits: int | None) -> Decimal:
    bare = text.strip().removesuffix("%").strip()
    if not re.fullmatch(r"\d+(\.\d+)?", bare, re.ASCII):
        negative = re.fullmatch(r"[-−]\s*\d+(\.\d+)?", bare)
        raise bad_figure(text, "a percentage cannot be negative" if negative else "not a percentage")
    number = Decimal(bare)
    if number > 100:
        raise bad_figure(text, "a percentage of a whole cannot exceed 100")
    there = len(bare.partition(".")[2])
    if max(there, digits or 0) > _DIGITS:
        raise bad_figure(text, f"at most {_DIGITS} digits after the point can be checked")
    if digits is not None and there > digits:
        raise bad_figure(text, f"it has more than {digits} digits after the point")
    return number if digits is None else number.quantize(Decimal(1).scaleb(-digits))
