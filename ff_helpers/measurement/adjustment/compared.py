"""Do adjusted rates differ? Each row of a table against the other rows together, or against one of them.

A p-value is twice the chance that the row with the higher rate has the lower one. The two rates have the
posteriors of double sampling, matched by Beta distributions. With Jeffreys priors such a p-value is a little
too small where few labels are true successes, and exact confidence distributions (the melded ones of Fay,
Proschan and Brittain 2015, Biometrics 71:146-156) are far too cautious with few labels in a verdict; so
priors halfway between the two count against the difference. `python -m benchmarks compared` measures how
often rows of one rate are called different.

Rows are taken as independent. Where they share prompts that are hard for all alike, that is cautious.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from ff_helpers.errors import FFError, named
from ff_helpers.measurement.adjustment.double import Posterior
from ff_helpers.measurement.adjustment.groups import Group, groups_of, pooled
from ff_helpers.measurement.adjustment.labelled import LEAST
from ff_helpers.measurement.adjustment.rogan_gladen import Adjusted
from ff_helpers.measurement.proportions.intervals import benjamini_hochberg, difference_bounds, holm

Family = Literal["holm", "bh"]
FAMILIES: Final[Mapping[Family, str]] = {
    "holm": "Holm: the chance of any false difference is at most 5%",
    "bh": "Benjamini and Hochberg: at most 5% of the differences are false, on average",
}
"""How p-values are adjusted for their number, and what that keeps."""
LEVEL: Final = 0.05
REST: Final = "the rest"
_Rate = tuple[Adjusted, Posterior | None]
_CAUTIOUS: Final = 0.25
_NODES: Final = np.linspace(-10, 10, 401)


@dataclass(frozen=True)
class Against:
    """What each row is compared with, among rows that agree in all other columns.

    Attributes:
        column: whose values are compared.
        value: of the row to compare with; None: all other rows together.
    """

    column: str
    value: str | None = None


def compared(rows: pd.DataFrame, by: Sequence[str], against: Against, *, least: int = LEAST) -> pd.DataFrame:
    """Return for each row of `labelled_rates` how its adjusted rate differs from another.

    Rows with fewer than `least` labels are compared with none, but count among the rest.

    Args:
        rows, by, least: as for `labelled_rates`.
        against: what to compare with; its column is one of `by`.

    Returns:
        In the order of `labelled_rates`: compared_with (str: `the rest`, or a value; missing where nothing
        is compared), other (the adjusted rate compared with), difference (this rate minus the other, in
        [-1, 1]) with bounds (square and add: Zou and Donner 2008), p (not adjusted: `with_family`),
        not_compared (str: why; empty where it is).

    Raises:
        FFError: no row has that value.
    """
    place = list(by).index(against.column)
    groups = groups_of(rows, by)
    classes: dict[tuple[Hashable, ...], list[Group]] = {}
    for one in groups:
        classes.setdefault(_without(one.values, place), []).append(one)
    if against.value is not None and against.value not in {str(one.values[place]) for one in groups}:
        there = ", ".join(dict.fromkeys(str(one.values[place]) for one in groups))
        raise FFError(f"no row has {against.column} = {named(against.value)}. There are: {there}.")
    found: list[dict[str, object]] = []
    rates: dict[int, _Rate] = {}
    once: set[frozenset[int]] = set()
    for one in groups:
        beside = [other for other in classes[_without(one.values, place)] if other is not one]
        if against.value is not None:
            beside = [other for other in beside if str(other.values[place]) == against.value]
        why = _why_not(one, beside, against, place, least)
        if not why and len(beside) == 1:
            pair = frozenset((id(one), id(beside[0])))
            why = "the same two rows as above" if pair in once else ""
            once.add(pair)
        if why:
            found.append({"not_compared": why})
            continue
        found.append(
            _row(_rate([one], rates), _rate(beside, rates)) | {"compared_with": against.value or REST}
        )
    columns = ["compared_with", "other", *(f"difference{end}" for end in ("", "_low", "_high")), "p"]
    table = pd.DataFrame(found, columns=[*columns, "not_compared"])
    kinds = {"compared_with": "str", "not_compared": "str"} | dict.fromkeys(columns[1:], "float64")
    return table.astype(kinds)


def with_family(table: pd.DataFrame, family: Family = "holm") -> pd.DataFrame:
    """Return a table of comparisons with p_adjusted, over all of its p-values, and differ (at most .05)."""
    tested = table["p"].dropna()
    adjusted = (holm if family == "holm" else benjamini_hochberg)(tested)
    p = pd.Series(adjusted, tested.index, dtype="float64").reindex(table.index)
    return table.assign(p_adjusted=p, differ=(p <= LEVEL).astype(object).where(p.notna(), None))


def p_value(one: Posterior, other: Posterior) -> float:
    """Return the two-sided p-value that two rates by double sampling, of different rows, are the same."""
    low, high = _CAUTIOUS, 1 - _CAUTIOUS
    above, below = _below(one.beta(low), other.beta(high)), _below(other.beta(low), one.beta(high))
    return min(1.0, 2 * min(above, below))


def _below(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the chance that the first of two Beta variables is the smaller one."""
    from scipy.special import betainc, expit, log_expit, polygamma, psi

    (a, b), nodes = one, _NODES
    # On the scale of logits, where the density is smooth even if it is infinite at 0.
    logit = psi(a) - psi(b) + np.sqrt(polygamma(1, a) + polygamma(1, b)) * nodes
    log = a * log_expit(logit) + b * log_expit(-logit)
    weight = np.exp(log - log.max())
    return float(weight @ (1 - betainc(*other, expit(logit))) / weight.sum())


def _rate(side: Sequence[Group], known: dict[int, _Rate]) -> _Rate:
    """Return the rate of one group, each taken once, or of several together."""
    if len(side) > 1:
        return pooled(side).adjusted()
    if id(side[0]) not in known:
        known[id(side[0])] = side[0].adjusted()
    return known[id(side[0])]


def _without(values: tuple[Hashable, ...], place: int) -> tuple[Hashable, ...]:
    return (*values[:place], *values[place + 1 :])


def _why_not(one: Group, beside: Sequence[Group], against: Against, place: int, least: int) -> str:
    """Return why a row is compared with nothing, or an empty text."""
    if str(one.values[place]) == against.value:
        return "the others are compared with it"
    if one.labels < least:
        return f"too few labels: {one.labels}"
    other = sum(group.labels for group in beside)
    if not beside:
        return f"no {against.value or 'other row'} here"
    if other < least:
        return f"too few labels of {against.value or REST}: {other}"
    return ""


def _row(here: _Rate, there: _Rate) -> dict[str, object]:
    (one, counts), (other, others) = here, there
    if counts is None or others is None or one.estimate is None or other.estimate is None:
        return {"not_compared": "a rate is not identifiable"}
    low, high = difference_bounds(one.estimate, (one.low, one.high), other.estimate, (other.low, other.high))
    found: dict[str, object] = {"other": other.estimate, "difference": one.estimate - other.estimate}
    found["not_compared"] = ""
    found |= {"difference_low": float(low), "difference_high": float(high)}
    return found | {"p": p_value(counts, others)}
