"""The 95% intervals of a proportion in common use, to recognise a printed one.

Our own rates have Wilson's alone. The others are here because others print them: Brown, Cai and DasGupta
2001, Statistical Science 16:101-133, compares all five and gives their formulas.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal

import numpy as np

from ff_helpers.measurement.proportions.intervals import Numbers, Z, wilson_bounds

Method = Literal["wilson", "clopper-pearson", "wald", "jeffreys", "agresti-coull"]


def bounds(method: Method, k: Numbers, n: Numbers) -> tuple[Numbers, Numbers]:
    """Return the lower and upper 95% bounds of k of n, n above 0, in [0, 1].

    Args:
        method: a name of `METHODS`.
        k, n: counts, as arrays of one length.
    """
    return METHODS[method](k, n)


def _wald(k: Numbers, n: Numbers) -> tuple[Numbers, Numbers]:
    share = k / n
    return _clipped(share, Z * np.sqrt(share * (1 - share) / n))


def _agresti_coull(k: Numbers, n: Numbers) -> tuple[Numbers, Numbers]:
    size = n + Z**2
    share = (k + Z**2 / 2) / size
    return _clipped(share, Z * np.sqrt(share * (1 - share) / size))


def _clopper_pearson(k: Numbers, n: Numbers) -> tuple[Numbers, Numbers]:
    from scipy.special import betaincinv

    # Where k is 0 or n the formula has a parameter of 0; the bound there is 0 or 1 by definition.
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), n - k + 1, 0.025), 0.0)
    return low, np.where(k < n, betaincinv(k + 1, np.maximum(n - k, 1), 0.975), 1.0)


def _jeffreys(k: Numbers, n: Numbers) -> tuple[Numbers, Numbers]:
    from scipy.special import betaincinv

    low = np.where(k > 0, betaincinv(k + 0.5, n - k + 0.5, 0.025), 0.0)
    return low, np.where(k < n, betaincinv(k + 0.5, n - k + 0.5, 0.975), 1.0)


def _clipped(middle: Numbers, half: Numbers) -> tuple[Numbers, Numbers]:
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)


METHODS: Final[Mapping[Method, Callable[[Numbers, Numbers], tuple[Numbers, Numbers]]]] = {
    "wilson": wilson_bounds,
    "clopper-pearson": _clopper_pearson,
    "wald": _wald,
    "jeffreys": _jeffreys,
    "agresti-coull": _agresti_coull,
}
