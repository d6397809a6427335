"""Attack success rates: tiers over named denominators, with Wilson intervals and what was left out.

A status is never a success and never silently dropped: it counts in `rows`, not in `graded`, and
`left_out` says how many rows of which status or label each denominator leaves out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.intervals import with_wilson
from ff_helpers.measurement.results import inherited, stated
from ff_helpers.terms import (
    DENOMINATORS,
    STATUSES,
    TIERS,
    VERDICTS,
    Denominator,
    Tier,
    UnknownTermError,
    in_denominator,
)


def asr(
    counts: pd.DataFrame,
    *,
    by: Sequence[str] = (),
    tiers: Sequence[Tier] = tuple(TIERS),
    denominators: Sequence[Denominator] = tuple(DENOMINATORS),
    statuses: Sequence[str] = (),
) -> pd.DataFrame:
    """Return the attack success rate of every group, tier and denominator.

    Args:
        counts: what `count_verdicts` or `long_counts` returns: the columns `by`, `outcome` (one of the
            five verdicts, or the name of a status) and `n` (how many rows).
        by: the columns that make a group; none for all rows together.
        tiers: which verdicts count as successes.
        denominators: what the rates are over.
        statuses: further words for rows without a verdict, as counts of others spell them.

    Returns:
        The columns `by` (groups in the order of their first row), tier, denominator, k, n (int), asr,
        asr_low, asr_high (in [0, 1]; Wilson 95%; NaN, 0, 1 where n is 0), left_out (int: rows of the
        group outside the denominator), left_out_labels (str, such as `BENIGN_QUERY 2, timeout 1`), statuses
        (str: the group's rows without a verdict, which `rows` holds and counts as no success).

    Raises:
        UnknownTermError: a tier, a denominator or an outcome that does not exist.
        FFError: a negative, fractional or missing number of rows.
    """
    for tier in tiers:
        if tier not in TIERS:
            raise UnknownTermError("tier", tier, tuple(TIERS))
    return rates(
        counts, {tier: TIERS[tier] for tier in tiers}, by=by, denominators=denominators, statuses=statuses
    )


def rates(
    counts: pd.DataFrame,
    hits: Mapping[str, Sequence[str]],
    *,
    by: Sequence[str] = (),
    denominators: Sequence[Denominator] = tuple(DENOMINATORS),
    statuses: Sequence[str] = (),
) -> pd.DataFrame:
    """Return the rate of any choice of verdicts, as `asr` does for its tiers.

    Args:
        counts, by, denominators, statuses: as for `asr`.
        hits: what to call a rate (in the column `tier`), and the verdicts that it counts.
    """
    for denominator in denominators:
        if denominator not in DENOMINATORS:
            raise UnknownTermError("denominator", denominator, tuple(DENOMINATORS))
    heads, labels, cells = _cells(counts, list(by), (*VERDICTS, *STATUSES, *statuses))
    total = cells.sum(axis=1)
    outside = [[i for i, name in enumerate(labels) if not _inside(name, d)] for d in denominators]
    left = np.stack([cells[:, out].sum(axis=1) for out in outside], axis=1)
    words = np.array([[_words(row, labels, out) for out in outside] for row in cells.tolist()], dtype=object)
    found = [[i for i, name in enumerate(labels) if name in wanted] for wanted in hits.values()]
    k = np.stack([cells[:, hit].sum(axis=1) for hit in found], axis=1)
    shape = (len(heads), len(hits), len(denominators))
    table = heads.loc[heads.index.repeat(shape[1] * shape[2])].reset_index(drop=True)
    table = table.assign(
        tier=np.tile(np.repeat(list(hits), shape[2]), shape[0]),
        denominator=np.tile(list(denominators), shape[0] * shape[1]),
        k=np.broadcast_to(k[:, :, None], shape).ravel(),
        n=np.broadcast_to((total[:, None] - left)[:, None, :], shape).ravel(),
    ).astype({"tier": "str", "denominator": "str"})
    table = with_wilson(table, "asr").assign(
        left_out=np.broadcast_to(left[:, None, :], shape).ravel(),
        left_out_labels=pd.Series(
            np.broadcast_to(words.reshape(shape[0], 1, shape[2]), shape).ravel(), dtype="str"
        ),
    )
    without = [i for i, name in enumerate(labels) if name not in VERDICTS]
    words_of = pd.Series([_words(row, labels, without) for row in cells.tolist()], dtype="str")
    table = table.assign(statuses=words_of.repeat(shape[1] * shape[2]).to_numpy())
    return stated(table, replace(inherited(counts), by=tuple(by)))


def _cells(
    counts: pd.DataFrame, keys: list[str], outcomes: tuple[str, ...]
) -> tuple[pd.DataFrame, list[str], NDArray[np.int64]]:
    """Return the groups, the outcomes that occur, and how many rows each group has of each outcome."""
    unknown = counts.loc[~counts["outcome"].isin(outcomes), "outcome"]
    if len(unknown):
        raise UnknownTermError("verdict or status", str(unknown.iloc[0]), outcomes)
    n = pd.to_numeric(counts["n"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    bad = np.flatnonzero(~((n >= 0) & (n == np.floor(n)) & np.isfinite(n)))
    if len(bad):
        outcome, given = counts["outcome"].iloc[bad[0]], counts["n"].iloc[bad[0]]
        raise FFError(
            f"{given!r} rows of {outcome}: the number must be a whole number, 0 or more. Correct the counts."
        )
    heads = counts[keys].drop_duplicates().reset_index(drop=True) if keys else pd.DataFrame(index=[0])
    group = np.zeros(len(counts), dtype=np.int64)
    if keys:
        group = counts.groupby(keys, sort=False, dropna=False).ngroup().to_numpy().astype(np.int64)
    place, labels = pd.factorize(counts["outcome"])
    cells = np.zeros((len(heads), len(labels)), dtype=np.int64)
    np.add.at(cells.ravel(), group * len(labels) + place, n.astype(np.int64))
    return heads, [str(label) for label in labels], cells


def _inside(label: str, denominator: Denominator) -> bool:
    return in_denominator(next((v for v in VERDICTS if v == label), None), denominator)


def _words(row: list[int], labels: Sequence[str], out: Sequence[int]) -> str:
    return ", ".join(sorted(f"{labels[i]} {row[i]}" for i in out if row[i])) or "none"
