"""Attack success rates: tiers over named denominators, with Wilson intervals and what was left out.

A status is never a success and never silently dropped: it counts in `rows`, not in `graded`, and
`left_out` says how many rows of which status or label each denominator leaves out.
"""

from collections.abc import Sequence

import pandas as pd

from ff_helpers.measurement.intervals import with_wilson
from ff_helpers.taxonomy import (
    DENOMINATORS,
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
) -> pd.DataFrame:
    """Return the attack success rate of every group, tier and denominator.

    Args:
        counts: what `count_verdicts` returns: the columns `by`, `outcome` (one of the five verdicts, or
            the name of a status) and `n` (how many rows).
        by: the columns that make a group; none for all rows together.
        tiers: which verdicts count as successes.
        denominators: what the rates are over.

    Returns:
        The columns `by` (groups in the order of their first row), tier, denominator, k, n (int), asr,
        asr_low, asr_high (in [0, 1]; Wilson 95%; NaN, 0, 1 where n is 0), left_out (int: rows of the
        group outside the denominator), left_out_labels (str, such as `BENIGN_QUERY 2, timeout 1`).

    Raises:
        UnknownTermError: a tier or denominator that does not exist.
        BadCountError: a negative or fractional number of rows.
    """
    for tier in tiers:
        if tier not in TIERS:
            raise UnknownTermError("tier", tier, tuple(TIERS))
    for denominator in denominators:
        if denominator not in DENOMINATORS:
            raise UnknownTermError("denominator", denominator, tuple(DENOMINATORS))
    keys = list(by)
    if keys:
        groups = [(_as_tuple(key), group) for key, group in counts.groupby(keys, sort=False, dropna=False)]
    else:
        groups = [((), counts)]
    rows: list[dict[str, object]] = []
    for key, group in groups:
        labels = {str(label): int(n) for label, n in group.groupby("outcome", sort=False)["n"].sum().items()}
        for tier in tiers:
            for denominator in denominators:
                rows.append(
                    dict(zip(keys, key, strict=True))
                    | {"tier": tier, "denominator": denominator}
                    | _rate(labels, tier, denominator)
                )
    columns = [*keys, "tier", "denominator", "k", "n", "left_out", "left_out_labels"]
    frame = with_wilson(pd.DataFrame(rows, columns=columns), "asr")
    return frame[[*columns[:-2], "asr", "asr_low", "asr_high", *columns[-2:]]]


def _rate(labels: dict[str, int], tier: Tier, denominator: Denominator) -> dict[str, object]:
    verdicts = {verdict: labels.get(verdict, 0) for verdict in VERDICTS}
    statuses = {label: n for label, n in labels.items() if label not in VERDICTS}
    out = {str(v): n for v, n in verdicts.items() if not in_denominator(v, denominator)}
    if not in_denominator(None, denominator):
        out |= statuses
    return {
        "k": sum(verdicts[v] for v in TIERS[tier]),
        "n": sum(labels.values()) - sum(out.values()),
        "left_out": sum(out.values()),
        "left_out_labels": ", ".join(f"{label} {n}" for label, n in sorted(out.items()) if n) or "none",
    }


def _as_tuple(key: object) -> tuple[object, ...]:
    return key if isinstance(key, tuple) else (key,)


def long_counts(wide: pd.DataFrame, *, by: Sequence[str], labels: Sequence[str]) -> pd.DataFrame:
    """Return a table with a column a label as counts for `asr`: the columns `by`, outcome, n."""
    return wide[[*by, *labels]].melt(id_vars=list(by), var_name="outcome", value_name="n")
