"""What several judges say without any label, if they err independently: an assumption, never a rate.

Dawid and Skene (1979, Applied Statistics 28:20-28): each trace has a true class that nobody sees, and given
it the judges err independently of each other. Then their verdicts alone say how often each class occurs and
how each judge errs. Judges of one kind err on the same traces, so the assumption is false as a rule, by an
unknown amount. Nothing here enters a card, a gate or a rate.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from ff_helpers.errors import FFError
from ff_helpers.measurement.adjustment.patterns import together
from ff_helpers.measurement.proportions.intervals import Numbers
from ff_helpers.measurement.rates.known import decided, hits
from ff_helpers.terms import Tier

_LEFT_OUT: Final = ("manual", "heuristic")
_STEPS: Final = 20_000
_CLOSE: Final = 1e-9
_TINY: Final = 1e-300
_EXPECTED: Final = 5
"""Traces per pattern below which verdicts do not tell whether judges err independently."""


@dataclass(frozen=True)
class Latent:
    """The maximum of the likelihood, as EM finds it.

    Attributes:
        share: of each true class; (classes,).
        errors: how often a judge says a class, given the true one; (judges, true classes, classes).
        classes: how probable each true class is for each trace; (traces, classes).
        fits: log-likelihood.
    """

    share: Numbers
    errors: Numbers
    classes: Numbers
    fits: float


@dataclass(frozen=True)
class Assumed:
    """What verdicts would mean if judges erred independently of each other.

    Attributes:
        judges: their names.
        traces: that all of them graded.
        low, high: rates of true successes that explain the verdicts; the same with three judges or more,
            None where none does.
        sensitivity, specificity: of each judge; empty with two, of whom these are not known either.
        p: how probable verdicts are that fit the assumption so badly; None: the verdicts cannot tell.
        why: why there is no rate, or what speaks against it.
    """

    judges: tuple[str, ...]
    traces: int
    low: float | None = None
    high: float | None = None
    sensitivity: tuple[float, ...] = ()
    specificity: tuple[float, ...] = ()
    p: float | None = None
    why: str = ""


def dawid_skene(counts: Numbers, often: Numbers | None = None) -> Latent:
    """Return the estimates of Dawid and Skene's model by EM, from the start of their section 3.

    Args:
        counts: how often each judge said each class of each trace; (traces, judges, classes).
        often: how often each row of `counts` occurs; None: once.

    Raises:
        FFError: a trace without a verdict, or no trace.
    """
    counts = np.asarray(counts, dtype=float)
    many = np.ones(len(counts)) if often is None else np.asarray(often, dtype=float)
    said = counts.sum(axis=1)
    if counts.ndim != 3 or not len(counts) or not (said.sum(axis=1) > 0).all():
        raise FFError("dawid_skene(): needed are traces, each with a verdict of at least one judge.")
    classes = said / said.sum(axis=1, keepdims=True)
    for _ in range(_STEPS):
        weighted = classes * many[:, None]
        share = weighted.sum(axis=0) / many.sum()
        errors = np.einsum("ij,ikl->kjl", weighted, counts)
        errors /= np.maximum(errors.sum(axis=2, keepdims=True), _TINY)
        log = np.log(share + _TINY) + np.einsum("ikl,kjl->ij", counts, np.log(errors + _TINY))
        top = log.max(axis=1, keepdims=True)
        likely = np.exp(log - top)
        before, classes = classes, likely / likely.sum(axis=1, keepdims=True)
        if float(np.abs(classes - before).max()) < _CLOSE:
            break
    fits = float(many @ (top[:, 0] + np.log(likely.sum(axis=1))))
    return Latent(share, errors, classes, fits)


def if_independent(rows: pd.DataFrame, tier: Tier) -> Assumed | None:
    """Return what the judges' verdicts would mean if they erred independently; None with fewer than two.

    People and heuristics are left out, and judges whose label space does not decide the tier.

    Args:
        rows: one per judge and trace: trace_id, grader, method, space, verdict.
        tier: which verdicts are successes.
    """
    told = decided(rows[~rows["method"].isin(_LEFT_OUT) & rows["trace_id"].notna()], tier)
    told = told[told["verdict"].notna()]
    if told["grader"].nunique() < 2 or told.duplicated(["grader", "trace_id"]).any():
        return None
    found, _ = together(told.assign(hit=told["verdict"].isin(hits("five", tier))))
    judges, patterns = tuple(sorted(told["grader"].unique())), found["pattern"].value_counts().sort_index()
    n = int(patterns.sum())
    if not n:
        return None
    hit = np.array([[int(letter) for letter in pattern] for pattern in patterns.index], dtype=float)
    often = np.array(patterns, dtype=np.float64)
    if len(judges) == 2:
        return _of_two(judges, hit, often)
    counts = np.stack([1 - hit, hit], axis=2)
    latent = dawid_skene(counts, often)
    rate = float(latent.share[1])
    sensitivity, specificity = latent.errors[:, 1, 1], latent.errors[:, 0, 0]
    p = _misfit(latent, often, len(judges))
    doubts = [name for name, gap in zip(judges, sensitivity + specificity - 1, strict=True) if gap <= 0.05]
    why = f"{', '.join(doubts)} would be no better than a coin" if doubts else ""
    if p is not None and p < 0.01:
        why = "; ".join(filter(None, (why, f"the verdicts contradict it (p = {p:.2g})")))
    return Assumed(
        judges, n, rate, rate, tuple(map(float, sensitivity)), tuple(map(float, specificity)), p, why
    )


def _of_two(judges: tuple[str, ...], hit: Numbers, often: Numbers) -> Assumed:
    """Return the rates that two judges' verdicts allow, if both are no worse than a coin.

    Two verdicts have three free shares and the model five parameters, so many rates fit (Hui and Walter 1980,
    Biometrics 36:167-171). With shares a and b of hits and covariance c, a rate p needs Youden indices whose
    product is c / (p (1 - p)), and each is at most min(a / p, (1 - a) / (1 - p)).
    """
    n = int(often.sum())
    a, b = (float(often @ hit[:, place]) / n for place in (0, 1))
    c = float(often @ hit.prod(axis=1)) / n - a * b
    if c < 0:
        return Assumed(judges, n, why="they agree less often than by chance, so one is worse than a coin")
    p = np.linspace(0, 1, 2001)[1:-1]
    most = [np.minimum(share / p, (1 - share) / (1 - p)) for share in (a, b)]
    fits = p[most[0] * most[1] * p * (1 - p) >= c - 1e-12]
    if not len(fits):
        return Assumed(judges, n, why="no rate explains their verdicts")
    return Assumed(judges, n, float(fits.min()), float(fits.max()))


def _misfit(latent: Latent, often: Numbers, judges: int) -> float | None:
    """Return the p-value of the likelihood ratio against any verdicts; None where they cannot tell."""
    from scipy.special import chdtrc

    free = 2**judges - 1 - (2 * judges + 1)
    if free < 1 or often.sum() < _EXPECTED * 2**judges:
        return None
    most = float(often @ np.log(often / often.sum()))
    return float(chdtrc(free, max(0.0, 2 * (most - latent.fits))))
