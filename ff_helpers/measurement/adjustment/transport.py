"""A rate adjusted by a grader's errors on other models or another set: errors do not travel by themselves.

What a grader gets wrong depends on whose answers it reads. On XSTest, GPT-4 clears 87% of the failures of one
model and 21% of another's. So errors that were measured elsewhere are taken as draws of what they may be
here: with three models or more the differences between them widen the interval, and with fewer nobody knows
how much errors differ, so there is a bracket over the observed errors and no estimate.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ff_helpers.measurement.adjustment.rogan_gladen import Adjusted, rogan_gladen
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.proportions.between import DIFFER, LOGITS, likelihood, predicted, shares_differ
from ff_helpers.measurement.proportions.intervals import Numbers
from ff_helpers.measurement.rates.known import hits
from ff_helpers.terms import Tier

CARRIED, BRACKET = "errors carried over", "bracket"
ENOUGH: Final = 3
"""Models below which nothing is known about how much errors differ between them."""
_LEAST, _RARE = 1e-3, 1e-8
"""Youden's index, and the chance of a pair of errors, below which they are left out."""
_BINS: Final = 5000
"""Rates that are told apart."""
_COIN: Final = 0.1
"""Above this chance that the grader is no better than a coin here there is no answer."""
_USELESS, _EXPLAINED = 0.025, 0.2
"""A warning is due above this chance that the grader is no better than a coin here, or below this chance
that its errors elsewhere can explain the reported rate."""


@dataclass(frozen=True)
class Errors:
    """What a grader got right on the labelled rows of one model under test, in one set.

    Attributes:
        model: under test.
        set: of the labelled traces; empty where all are of one table.
        sensitivity: (called a success, all) of the true successes; effective numbers may be fractional.
        specificity: (called a failure, all) of the true failures.
    """

    model: str
    sensitivity: tuple[float, float]
    specificity: tuple[float, float]
    set: str = ""


def carried_over(k: float, n: float, elsewhere: Sequence[Errors], *, here: Errors | None = None) -> Adjusted:
    """Return the true rate behind k of n that a grader called a success, by its errors elsewhere.

    With three models or more: the grader's sensitivity and specificity here are one more draw of those of
    the other models (`between.predicted`), and the rate is what Rogan and Gladen's equation gives for each
    pair of them, as far as it is possible: a grader that is better than chance, and a rate in [0, 1]. It is
    not identifiable where the grader is no better than chance too probably. Median
    and 95% interval of that posterior, with Jeffreys priors; `benchmarks.carried` measures its coverage.
    With fewer: the interval from the lowest to the highest bound of `rogan_gladen` under each model's errors.

    Args:
        k, n: successes among the graded rows without a label; may be fractional (effective numbers).
        elsewhere: what was measured on other models or in other sets.
        here: the labels of some more rows of this model, drawn at random: they pull its errors away from the
            others' and count for the rate themselves (partial pooling).
    """
    useful = [one for one in elsewhere if one.sensitivity[1] and one.specificity[1]]
    if not useful or not n:
        what = "errors were measured on no other model" if n else "no graded row"
        return Adjusted(method=CARRIED, note=f"not identifiable: {what}")
    if len(useful) < ENOUGH:
        return _bracket(k, n, useful)
    found = _posterior(k, n, useful, here)
    if found is None:
        why = f"the reported rate, {k / n:.1%}, is outside of what the grader's errors on others explain"
        return Adjusted(method=CARRIED, note=f"not identifiable: {why}")
    (estimate, low, high), useless, explained = found
    coin = f"a chance of {useless:.0%} that the grader is no better than a coin here"
    if useless > _COIN:
        return Adjusted(method=CARRIED, note=f"not identifiable: {coin}; {spread(useful)}")
    warning = ""
    if explained < _EXPLAINED:
        warning = "its errors elsewhere hardly explain such a reported rate: it errs differently here"
    elif useless > _USELESS:
        warning = coin
    return Adjusted(estimate, low, high, CARRIED, spread(useful), warning)


def card_errors(card: Card, tier: Tier) -> list[Errors]:
    """Return a card's errors for the tier's hit among its graded rows, one for each model under test.

    A card that does not know its models counts as one.
    """
    found = hits(card.space, tier)
    hit = np.array([name in found for name in card.confusion.classes])
    everything: tuple[tuple[float, ...], ...] = card.weighted or card.confusion.table
    tables = [(one.model, one.table) for one in card.by_model] or [("not recorded", everything)]
    errors = []
    for model, table in tables:
        counts = np.array(table)[:, : len(hit)]  # without the column of rows that have no verdict
        positive, negative = counts[hit], counts[~hit]
        success = (float(positive[:, hit].sum()), float(positive.sum()))
        failure = (float(negative[:, ~hit].sum()), float(negative.sum()))
        errors.append(Errors(model, success, failure, card.calibration_set))
    return errors


def covers(measured: Sequence[Errors], graded: Collection[tuple[str, str]]) -> bool:
    """Return whether errors were measured on all of these (set, model): then nothing is carried over."""
    return set(graded) <= {(one.set, one.model) for one in measured}


def spread(models: Sequence[Errors]) -> str:
    """Return in words how much errors differ between models: ranges, and the test where it tells."""
    sides = {"sensitivity": _counts(models, "sensitivity"), "specificity": _counts(models, "specificity")}
    several = len({one.set for one in models}) > 1
    words = [f"{len(models)} {'sets and models' if several else 'models' if len(models) > 1 else 'model'}"]
    for name, (found, all_of) in sides.items():
        some = all_of > 0
        shares, test = found[some] / all_of[some], shares_differ(found, all_of)
        if not len(shares):
            continue
        least, most = f"{shares.min():.0%}", f"{shares.max():.0%}"
        told = f"{name} {least}" + (f" to {most}" if most != least else "")
        words.append(told + (f" (they differ: I² {test.i2:.0%})" if test.p < DIFFER else ""))
    return ", ".join(words)


def _bracket(k: float, n: float, models: Sequence[Errors]) -> Adjusted:
    each = [rogan_gladen(k, n, _whole(one.sensitivity), _whole(one.specificity)) for one in models]
    note = f"{spread(models)}; with fewer than {ENOUGH} it is not known how much errors differ"
    return Adjusted(None, min(one.low for one in each), max(one.high for one in each), BRACKET, note)


def _whole(counts: tuple[float, float]) -> tuple[int, int]:
    return round(counts[0]), round(counts[1])


def _counts(models: Sequence[Errors], side: str) -> tuple[Numbers, Numbers]:
    pairs = np.array([getattr(one, side) for one in models], dtype=float)
    return pairs[:, 0], pairs[:, 1]


def _posterior(
    k: float, n: float, models: Sequence[Errors], here: Errors | None
) -> tuple[tuple[float, float, float], float, float] | None:
    """Return median and bounds; the chances that the grader is a coin here, and that k of n can be."""
    se, sp = (predicted(*_counts(models, side)) for side in ("sensitivity", "specificity"))
    successes = failures = 0.0
    if here is not None:
        se, sp = se * likelihood(*here.sensitivity), sp * likelihood(*here.specificity)
        successes, failures = here.sensitivity[1], here.specificity[1]
    share = 1 / (1 + np.exp(-LOGITS))
    se, sp = se / se.sum(), sp / sp.sum()
    likely, clear = se > _RARE, sp > _RARE  # whatever goes with the others is rare too
    chance = np.outer(se[likely], sp[clear]).ravel()
    false = 1 - np.tile(share[clear], int(likely.sum()))
    gap = np.add.outer(share[likely], share[clear]).ravel() - 1
    useless = float(chance[gap <= _LEAST].sum())
    some = (chance > _RARE) & (gap > _LEAST)
    chance, false, gap = chance[some], false[some], gap[some]
    # The reported rate is uncertain too: normal on the logit scale, as Beta(k + 1/2, n - k + 1/2) nearly is.
    far = np.linspace(-3.2, 3.2, 13)[:, None]
    center, error = np.log((k + 0.5) / (n - k + 0.5)), np.sqrt(1 / (k + 0.5) + 1 / (n - k + 0.5))
    rate = (1 / (1 + np.exp(-center - error * far)) - false) / gap
    weight = np.exp(-0.5 * far**2) * chance
    weight /= weight.sum()
    possible = (rate >= 0) & (rate <= 1)
    explained = float(weight[possible].sum())
    if explained < _RARE:
        return None
    place = np.minimum((rate[possible] * _BINS).astype(np.intp), _BINS - 1)
    middle = (np.arange(_BINS) + 0.5) / _BINS
    density = np.bincount(place, weights=(weight / gap)[possible], minlength=_BINS).astype(np.float64)
    density *= middle ** (successes - 0.5) * (1 - middle) ** (failures - 0.5)
    summed = np.concatenate([[0.0], np.cumsum(density)])
    median, low, high = np.interp(
        np.array([0.5, 0.025, 0.975]) * summed[-1], summed, np.linspace(0, 1, len(summed))
    )
    return (float(median), float(low), float(high)), useless, explained
