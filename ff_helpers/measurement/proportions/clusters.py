"""Shares of rows that come in clusters: repeated runs of one scenario are not independent."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ff_helpers.measurement.proportions.intervals import ENDS, Numbers, Z, check_counts, wilson_bounds

Places = NDArray[np.intp]
WILSON, DESIGN, BOOTSTRAP = "wilson", "design effect", "cluster bootstrap"
MIN_CLUSTERS = 30
"""A group with fewer clusters is not resampled."""
MIN_EACH = 10
"""A group with fewer clusters that hold a hit, or fewer that hold a miss, is not resampled either."""


def clustered(hits: "pd.Series[bool]", clusters: "pd.Series[str]") -> dict[str, float]:
    """Return a design-effect interval of a share whose rows come in clusters, and are not independent.

    The variance of the share is estimated between the G clusters, the effective n is n / max(1, design
    effect), shrunk by (z / t)^2 with t on G - 1 degrees of freedom, and Wilson's interval is taken at
    that n (Korn and Graubard 1998, Survey Methodology 24:193-201, do so for the exact interval). A design
    effect below 1 is taken as 1: with few clusters it is luck. Where all rows agree no variance can be
    seen, and each cluster counts once. Where every cluster is one row the rows are independent, and the
    interval is Wilson's. One cluster says nothing about others: the effective n is 0 and the interval
    [0, 1], as it is without rows. The width is never zero.

    Args:
        hits: one value per row.
        clusters: the cluster of each row; a row without one is its own cluster.

    Returns:
        k, n, rate (NaN without rows), clusters, design_effect (NaN with fewer than two), effective_n, low,
        high (in [0, 1]).
    """
    places = cluster_places(clusters)
    k, n = _summed(places, np.asarray(hits, dtype=float)), _summed(places, np.ones(len(places)))
    found = _design(np.zeros(len(n), dtype=np.intp), k, n, groups=1)
    return {name: float(value[0]) for name, value in found.items()}


def rate_columns(name: str, found: Mapping[str, float]) -> dict[str, float]:
    """Return the rate that `clustered` found as the columns `name`, `name_low`, `name_high`."""
    return {f"{name}{end}": found[part] for end, part in zip(ENDS, ("rate", "low", "high"), strict=True)}


def bootstrap_rates(counts: pd.DataFrame, *, resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Return the rate of every group with an interval that takes its rows in clusters.

    Whole clusters are drawn with replacement, as many as there are. Clusters with the same k and n are
    alike, so a multinomial draw of how often each kind appears is the same draw, and hundreds of groups
    take a fraction of a second. The interval is Hesterberg's expanded percentile interval (2015, American
    Statistician 69:371-386): its quantiles lie as far out as t with G - 1 degrees of freedom requires.

    It is fit for 30 clusters or more, 10 of them with a hit and 10 with a miss: with fewer, the resampled
    rates are too coarse. There, and where clusters vary no more than single rows would, the interval is
    that of `clustered`, and the column `method` says so. No interval has zero width. A group's interval
    depends neither on the order of the rows nor on the other groups.

    Args:
        counts: group, cluster (a row without one is its own cluster), k, n (whole numbers, 0 <= k <= n);
            rows of one cluster are added up.
        resamples: how many draws.
        seed: of the draws.

    Returns:
        One row per group, sorted: group, k, n, clusters (int), rate (missing without rows), low, high (float
        in [0, 1]), design_effect (missing with fewer than two clusters), effective_n (float), method (str:
        `wilson`, `design effect`, `cluster bootstrap`).

    Raises:
        FFError: a row with impossible counts.
    """
    found = design_rates(counts)
    names, group, k, n = _grouped(counts)
    some, less = (_summed(group, np.where(x, 1.0, 0.0), len(names)) for x in (k > 0, k < n))
    fit = (found["clusters"] >= MIN_CLUSTERS) & (np.minimum(some, less) >= MIN_EACH)
    fit &= found["design_effect"] > 1
    kinds, often = np.unique(np.column_stack([group, k, n]), axis=0, return_counts=True)
    for one in np.flatnonzero(fit):
        mine = kinds[:, 0] == one
        found.loc[one, ["low", "high"]] = _resampled(kinds[mine, 1:], often[mine], resamples, seed)
    return found.assign(method=found["method"].mask(fit, BOOTSTRAP))


def design_rates(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the rate of every group with the interval of `clustered`, from counts.

    Args:
        counts: group, cluster (a row without one is its own cluster), k, n, as for `bootstrap_rates`.

    Returns:
        One row per group, sorted: the columns of `bootstrap_rates`.

    Raises:
        FFError: a row with impossible counts.
    """
    names, group, k, n = _grouped(counts)
    found = _design(group, k, n, groups=len(names))
    method = np.where(found["clusters"] == found["n"], WILSON, DESIGN)
    table = pd.DataFrame({"group": names} | found | {"method": method})
    return table.astype(dict.fromkeys(("k", "n", "clusters"), int))


def _grouped(counts: pd.DataFrame) -> tuple["pd.Series[str]", Places, Numbers, Numbers]:
    """Return the groups' names, and group, k and n of each cluster that has rows."""
    check_counts(counts[["k", "n"]])
    names, group = np.unique(counts["group"].to_numpy(), return_inverse=True)
    cluster = cluster_places(counts["cluster"])
    width = int(cluster.max(initial=0)) + 1
    keys, place = np.unique(group * width + cluster, return_inverse=True)
    k, n = (_summed(place, counts[name].to_numpy(dtype=float)) for name in ("k", "n"))
    return pd.Series(names), (keys // width)[n > 0], k[n > 0], n[n > 0]


def cluster_places(clusters: "pd.Series[str]") -> Places:
    """Return a number for each cluster; every row without one gets its own."""
    codes = np.array(pd.factorize(clusters)[0], dtype=np.intp)
    alone = np.flatnonzero(codes < 0)
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(len(alone))
    return codes


def _design(group: Places, k: Numbers, n: Numbers, *, groups: int) -> dict[str, Numbers]:
    """Return the columns of `clustered` for every group, from its clusters' counts."""
    # Sums of floats depend on their order: sorted, they depend on neither rows nor names.
    order = np.lexsort((n, k, group))
    group, k, n = group[order], k[order], n[order]
    clusters, hits, rows = (_summed(group, x, groups) for x in (np.ones_like(n), k, n))
    size = np.maximum(rows, 1)
    share = hits / size
    squares = _summed(group, (k - share[group] * n) ** 2, groups)
    between = clusters / np.maximum(clusters - 1, 1) * squares / size**2
    effect, effective = effective_size(share, rows, clusters, between)
    low, high = wilson_bounds(share * effective, effective)
    return {
        "k": hits, "n": rows, "clusters": clusters, "rate": np.where(rows > 0, share, np.nan),
        "low": low, "high": high, "design_effect": effect, "effective_n": effective,
    }  # fmt: skip


def effective_size(
    share: Numbers, rows: Numbers, clusters: Numbers, between: Numbers
) -> tuple[Numbers, Numbers]:
    """Return the design effect (NaN with fewer than two clusters) and the effective n; see `clustered`.

    Args:
        share, rows, clusters: of each group; the groups are the places of the arrays.
        between: the variance of the share, as estimated between the clusters.
    """
    from scipy.special import stdtrit

    seen = (share > 0) & (share < 1)
    within = np.where(seen, share * (1 - share), 1.0) / np.maximum(rows, 1)
    effect = np.where(seen, np.maximum(1.0, between / within), rows / np.maximum(clusters, 1))
    shrink = (Z / stdtrit(np.maximum(clusters - 1, 1), 0.975)) ** 2
    alone = clusters == rows
    effect, shrink = np.where(alone, 1.0, effect), np.where(alone, 1.0, shrink)
    several = clusters > 1
    effective = np.where(several, rows / np.maximum(effect, 1) * shrink, 0.0)
    return np.where(several, effect, np.nan), effective


def clustering(part: Numbers, cluster: Places, drawn: NDArray[np.bool_]) -> float:
    """Return by what the effective n of an estimate from some labelled rows shrinks as rows come in clusters.

    As in `clustered`: the variance of the estimate between clusters over that between rows, at least 1, and
    t on one less than the clusters that hold a label. 0 where there is one cluster of several rows.

    Args:
        part: what each row adds to the estimate, less its expectation.
        cluster: of each row.
        drawn: which rows are labelled.
    """
    from scipy.special import stdtrit

    labelled, groups = int(drawn.sum()), int((np.bincount(cluster[drawn]) > 0).sum())
    if np.bincount(cluster).max(initial=0) <= 1:
        return 1.0
    if groups < 2:
        return 0.0
    alone, together = float((part**2).sum()), float((np.bincount(cluster, weights=part) ** 2).sum())
    # Where all labels agree no variance can be seen (but rounding errors), and each cluster counts once.
    seen = alone > 1e-24
    effect = max(1.0, groups / (groups - 1) * together / alone) if seen else labelled / groups
    return float((Z / stdtrit(groups - 1, 0.975)) ** 2) / effect


def _summed(places: Places, values: Numbers, length: int = 0) -> Numbers:
    return np.bincount(places, weights=values, minlength=length).astype(np.float64)


def _resampled(kinds: Numbers, often: Places, resamples: int, seed: int) -> tuple[float, float]:
    """Return the expanded percentile interval; `kinds`: k and n of each kind of cluster, `often` of each."""
    from scipy.special import ndtr, stdtrit

    clusters = int(often.sum())
    drawn = np.random.default_rng(seed).multinomial(clusters, often / clusters, size=resamples)
    sums = drawn @ kinds
    tail = float(ndtr(-math.sqrt(clusters / (clusters - 1)) * stdtrit(clusters - 1, 0.975)))
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [tail, 1 - tail])
    return float(low), float(high)
