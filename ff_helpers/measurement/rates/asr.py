"""Attack success rates: tiers over named denominators, with Wilson intervals and what was left out.

A status is never a success and never silently dropped: it counts in `rows`, not in `graded`, and
`left_out` says how many rows of which status or label each denominator leaves out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ff_helpers import terms
from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.intervals import with_wilson
from ff_helpers.measurement.results import inherited, stated


def asr(
    counts: pd.DataFrame,
    *,
    by: Sequence[str] = (),
    tiers: Sequence[terms.Tier] = tuple(terms.TIERS),
    denominators: Sequence[terms.Denominator] = tuple(terms.DENOMINATORS),
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
        FFError: a tier, a denominator or an outcome that does not exist.
        FFError: a negative, fractional or missing number of rows.
    """
    for tier in tiers:
        if tier not in terms.TIERS:
            raise terms.unknown_term("tier", tier, tuple(terms.TIERS))
    return rates(
        counts,
        {tier: terms.TIERS[tier] for tier in tiers},
        by=by,
        denominators=denominators,
        statuses=statuses,
    )


def rates(
    counts: pd.DataFrame,
    hits: Mapping[str, Sequence[str]],
    *,
    by: Sequence[str] = (),
    denominators: Sequence[terms.Denominator] = tuple(terms.DENOMINATORS),
    statuses: Sequence[str] = (),
) -> pd.DataFrame:
    """Return the rate of any choice of verdicts, as `asr` does for its tiers.

    Args:
        counts, by, denominators, statuses: as for `asr`.
        hits: what to call a rate (in the column `tier`), and the verdicts that it counts.
    """
    for denominator in denominators:
        if denominator not in terms.DENOMINATORS:
            raise terms.unknown_term("denominator", denominator, tuple(terms.DENOMINATORS))
    heads, cells = _cells(counts, list(by), (*terms.VERDICTS, *terms.STATUSES, *statuses))
    without = _words(cells[[name for name in cells.columns if name not in terms.VERDICTS]])
    outside = {of: cells[[name for name in cells.columns if not _inside(name, of)]] for of in denominators}
    words, parts = {of: _words(rest) for of, rest in outside.items()}, []
    total = cells.sum(axis=1)
    for tier, wanted in hits.items():
        k = cells[[name for name in cells.columns if name in wanted]].sum(axis=1)
        for of in denominators:
            left = outside[of].sum(axis=1)
            part = heads.assign(tier=tier, denominator=of, k=k, n=total - left, left_out=left)
            parts.append(part.assign(left_out_labels=words[of], statuses=without))
    table = pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)
    said = table[["left_out", "left_out_labels", "statuses"]]
    table = with_wilson(table.drop(columns=said.columns), "asr").join(said)
    table = table.astype(
        {"tier": "str", "denominator": "str", "k": "int64", "n": "int64", "left_out": "int64"}
    )
    return stated(table, replace(inherited(counts), by=tuple(by)))


def _cells(
    counts: pd.DataFrame, keys: list[str], outcomes: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the groups, and how many rows each has of each outcome that occurs, one column per outcome."""
    unknown = counts.loc[~counts["outcome"].isin(outcomes), "outcome"]
    if len(unknown):
        raise terms.unknown_term("verdict or status", str(unknown.iloc[0]), outcomes)
    n = pd.to_numeric(counts["n"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    bad = np.flatnonzero(~((n >= 0) & (n == np.floor(n)) & np.isfinite(n)))
    if len(bad):
        outcome, given = counts["outcome"].iloc[bad[0]], counts["n"].iloc[bad[0]]
        raise FFError(
            f"{given!r} rows of {outcome}: the number must be a whole number, 0 or more. Correct the counts."
        )
    heads = counts[keys].drop_duplicates().reset_index(drop=True) if keys else pd.DataFrame(index=[0])
    group = counts.groupby(keys, sort=False, dropna=False).ngroup() if keys else 0
    rows = pd.DataFrame({"group": group, "outcome": counts["outcome"].astype("str"), "n": n.astype(np.int64)})
    cells = rows.pivot_table(index="group", columns="outcome", values="n", aggfunc="sum", fill_value=0)
    return heads, cells.reindex(heads.index, fill_value=0).astype("int64")


def _inside(label: str, denominator: terms.Denominator) -> bool:
    return terms.in_denominator(next((v for v in terms.VERDICTS if v == label), None), denominator)


def _words(cells: pd.DataFrame) -> "pd.Series[str]":
    """Return the numbers of each group in words, such as `BENIGN_QUERY 2, timeout 1`."""
    labels = sorted(map(str, cells.columns))
    rows = cells[labels].to_numpy().tolist()
    said = [", ".join(f"{name} {n}" for name, n in zip(labels, row, strict=True) if n) for row in rows]
    return pd.Series([words or "none" for words in said], cells.index, dtype="str")
