"""Packages that correct a judge's rate by labels, on `benchmarks.corpora`; in their own Python.

    .parts/corrections/bin/python -m benchmarks.correction_peers DRAWS OUT.npz

Writes for each package and method the bounds of every draw, (cells, draws, 2), cut to [0, 1], NaN where it
raises or gives no number, and prints the versions. Each is called as its documentation shows, at 95%.
"""

import importlib.metadata
import json
import sys
import warnings
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from cigate.stats import estimate_axis
from evalproof.calibration import ppi_estimate as evalproof_ppi
from fewhumans.estimators import ppi_plus_mean
from ppi_py import ppi_mean_ci
from truescore import ppi_estimate, rogan_gladen_estimate

from benchmarks.corpora import ROWS, Corpora, Flags, Numbers, corpora, grid

try:
    from glide.estimators import ASIMeanEstimator, PPIMeanEstimator, StratifiedPPIMeanEstimator
except ImportError:  # it needs Python 3.12
    ASIMeanEstimator = None

PACKAGES: Final = ("ppi-python", "truescore", "glide-py", "fewhumans", "evalproof", "cigate")
Bounds = tuple[float, float]


class Draw(NamedTuple):
    """One corpus: see `Corpora`; the first n rows are labelled."""

    true: Flags
    hit: Flags
    probability: Numbers
    luck: Numbers
    n: int

    @property
    def labels(self) -> Numbers:
        """The truth of the labelled rows."""
        return self.true[: self.n].astype(float)

    @property
    def said(self) -> Numbers:
        """The verdict of every row."""
        return self.hit.astype(float)

    @property
    def known(self) -> Numbers:
        """The truth of every row, NaN without a label."""
        return np.where(np.arange(ROWS) < self.n, self.true, np.nan)


def peers() -> dict[str, Callable[[Draw], Bounds]]:
    """Return package and method -> what gives bounds for one draw."""
    found = {
        "ppi-python: PPI++": _ppi_python,
        "ppi-python: PPI++ of the probability": _ppi_python_soft,
        "truescore: PPI++": _truescore,
        "truescore: Rogan-Gladen": _truescore_rg,
        "fewhumans: PPI++": _fewhumans,
        "evalproof: PPI": _evalproof,
        "cigate: Rogan-Gladen": _cigate,
    }
    if ASIMeanEstimator is not None:
        found |= {
            "glide: PPI++": _glide,
            "glide: stratified PPI++ of the probability": _glide_stratified,
            "glide: active inference": _glide_active,
        }
    return found


def _ppi_python(draw: Draw) -> Bounds:
    low, high = ppi_mean_ci(draw.labels, draw.said[: draw.n], draw.said[draw.n :], alpha=0.05)
    return float(low[0]), float(high[0])


def _ppi_python_soft(draw: Draw) -> Bounds:
    low, high = ppi_mean_ci(draw.labels, draw.probability[: draw.n], draw.probability[draw.n :], alpha=0.05)
    return float(low[0]), float(high[0])


def _truescore(draw: Draw) -> Bounds:
    found = ppi_estimate(draw.said, draw.labels, np.arange(draw.n))
    return found.low, found.high


def _truescore_rg(draw: Draw) -> Bounds:
    found = rogan_gladen_estimate(draw.said, draw.labels, np.arange(draw.n))
    return found.low, found.high


def _fewhumans(draw: Draw) -> Bounds:
    found = ppi_plus_mean(draw.said[draw.n :], draw.labels, draw.said[: draw.n])
    return found.lo, found.hi


def _evalproof(draw: Draw) -> Bounds:
    found = evalproof_ppi(
        draw.hit[draw.n :].tolist(), draw.hit[: draw.n].tolist(), draw.true[: draw.n].tolist()
    )
    return found.low, found.high


def _cigate(draw: Draw) -> Bounds:
    found = estimate_axis("rate", draw.hit[draw.n :], draw.hit[: draw.n], draw.true[: draw.n])
    return (found.ci_low, found.ci_high) if found.gateable else (np.nan, np.nan)


def _glide(draw: Draw) -> Bounds:
    return _interval(PPIMeanEstimator().estimate(draw.known, draw.said))


def _glide_stratified(draw: Draw) -> Bounds:
    """Fisch and others (2024, arXiv:2406.04291): strata are thirds of the probability."""
    third = np.searchsorted(np.quantile(draw.probability, (1 / 3, 2 / 3)), draw.probability)
    return _interval(StratifiedPPIMeanEstimator().estimate(draw.known, draw.probability, third))


def _glide_active(draw: Draw) -> Bounds:
    """Zrnic and Candès (2024, arXiv:2403.03208): half by uncertainty, half uniform; n labels are expected."""
    p = draw.probability
    unsure = 2 * np.minimum(p, 1 - p)
    chance = np.minimum(draw.n * (0.5 * unsure / unsure.sum() + 0.5 / ROWS), 1.0)
    known = np.where(draw.luck < chance, draw.true, np.nan)
    return _interval(ASIMeanEstimator().estimate(known, draw.probability, chance))


def _interval(found: object) -> Bounds:
    interval = found.confidence_interval
    return interval.lower_bound, interval.upper_bound


def bounds_of(each: Corpora, n: int, ask: Callable[[Draw], Bounds]) -> Numbers:
    """Return the bounds of each draw, cut to [0, 1]; NaN where there are none."""
    found = np.full((len(each.true), 2), np.nan)
    for i, columns in enumerate(zip(each.true, each.hit, each.probability, each.luck, strict=True)):
        try:
            found[i] = ask(Draw(*columns, n))
        except (ValueError, ZeroDivisionError, TypeError):  # a refusal; None as a bound is a TypeError
            continue
    found[~np.isfinite(found).all(axis=1)] = np.nan
    return np.clip(found, 0.0, 1.0)


def main(draws: int, out: str) -> None:
    """Run every method on every cell; print what is installed."""
    asked = peers()
    found = {name: np.full((len(grid()), draws, 2), np.nan, dtype=np.float32) for name in asked}
    for place, (cell, each) in enumerate(corpora(draws)):
        for name, ask in asked.items():
            found[name][place] = bounds_of(each, cell.labels, ask)
    np.savez_compressed(out, **found)
    installed = {name: importlib.metadata.version(name) for name in PACKAGES if _there(name)}
    print(json.dumps({"python": sys.version.split()[0], "numpy": np.__version__} | installed))


def _there(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(int(sys.argv[1]), sys.argv[2])
