"""Old labels against new labels of the same rows: transitions, rates side by side, shifts.

A shift is taken within one denominator only: the sign of a shift can depend on the denominator, and a
difference of rates over two sets of rows is not a shift.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ff_helpers.errors import FFError, named, quoted
from ff_helpers.grading.corrections import moved
from ff_helpers.measurement.proportions.clusters import cluster_places, clustered, rate_columns
from ff_helpers.measurement.proportions.intervals import Z, paired_bounds, paired_difference
from ff_helpers.measurement.rates.asr import asr
from ff_helpers.measurement.results import Terms, left_out, stated, terms_of
from ff_helpers.terms import TIERS, VERDICTS, Denominator, Tier, in_denominator

NAMES = ("contaminated", "corrected")


def transitions(old: pd.DataFrame, new: pd.DataFrame, *, on: str = "trace_id") -> pd.DataFrame:
    """Return how many rows went from which old label to which new one.

    Args:
        old, new: one row per trace: the columns `on` and `label` (a verdict or the name of a status).
        on: the column that says which row is which.

    Returns:
        The columns old, new (str), rows (int), most frequent first.

    Raises:
        FFError: a row that occurs twice, or in only one of the two.
    """
    problem = ""
    alone = sorted(set(old[on]) ^ set(new[on]))
    if alone:
        problem = f"{quoted(str(alone[0]))} has no partner ({len(alone)} such rows)"
    for name, frame in (("old", old), ("new", new)):
        for row in frame[on][frame[on].duplicated()][:1]:
            problem = f"{quoted(str(row))} is in the {name} labels twice"
    if problem:
        raise FFError(f"regrade by {on!r}: {problem}. Give each row once in the old and the new labels.")
    both = old[[on, "label"]].merge(new[[on, "label"]], on=on, suffixes=("_old", "_new"))
    return moved(zip(both["label_old"], both["label_new"], strict=True))


def check_marginals(moves: pd.DataFrame, labels: "pd.Series[str]", *, side: str, what: str) -> None:
    """Check that the transitions' old or new labels add up to `labels`, one entry per row.

    Args:
        moves: the columns old, new, rows.
        labels: the labels of the same rows, in any order.
        side: `old` or `new`.
        what: how an error names `labels`, such as "final verdicts".

    Raises:
        FFError: the first label whose numbers differ.
    """
    summed = moves.groupby(side)["rows"].sum()
    counted = labels.value_counts()
    for label in sorted({*summed.index, *counted.index}):
        a, b = int(summed.get(label, 0)), int(counted.get(label, 0))
        if a != b:
            raise FFError(
                f"the transitions and the {what} disagree on {named(str(label))}: {a} rows against {b}. "
                "They describe the same rows, so both must say the same; correct one of the two files."
            )


def rates(
    moves: pd.DataFrame,
    *,
    names: tuple[str, str] = NAMES,
    rows: pd.DataFrame | None = None,
    statuses: Sequence[str] = (),
) -> pd.DataFrame:
    """Return the rates of the old and the new labels, every tier over every denominator.

    Args:
        moves: what `transitions` returns.
        names: what the old and the new labels are called.
        rows: one row per trace: old, new (labels), scenario_id (a row without one is its own scenario); None
            where scenarios are not known, as with published counts.
        statuses: as for `asr`.

    Returns:
        `asr`'s columns with `labels` (one of `names`) first; with `rows` also scenarios (int) and
        by_scenario, by_scenario_low, by_scenario_high (the rate with the interval of `clustered`, for rows
        that repeat scenarios).
    """
    sides = [
        moves[[side, "rows"]].rename(columns={side: "outcome", "rows": "n"}).assign(labels=name)
        for side, name in zip(("old", "new"), names, strict=True)
    ]
    table = asr(pd.concat(sides, ignore_index=True), by=["labels"], statuses=statuses)
    if rows is None:
        return table
    side_of = dict(zip(names, ("old", "new"), strict=True))
    heads = table[["labels", "tier", "denominator"]].itertuples(index=False, name=None)
    found = [_spread(rows, side_of[name], tier, of) for name, tier, of in heads]
    joined = table.join(pd.DataFrame(found).astype({"scenarios": "int64"}))
    return stated(joined, terms_of(table))


def shifts(
    table: pd.DataFrame,
    moves: pd.DataFrame,
    *,
    names: tuple[str, str] = NAMES,
    rows: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return new minus old, within one denominator each, with intervals of the change of the same rows.

    The old and the new labels of a row are a pair, and an interval that takes them as two samples would be
    too wide. Graded and adversarial rows need not be the same before and after: `shift` is the difference
    of the two rates, each over its own rows, `paired` that of the rows in the denominator under both labels.
    The interval is of `paired`, and of `shift` where all rows are (`shared` = old_n = new_n).

    Args:
        table: what `rates` returns.
        moves: what `transitions` returns.
        names: which of its `labels` is old, which new.
        rows: as for `rates`.

    Returns:
        tier, denominator, old_k, old_n, old_asr, new_k, new_n, new_asr (each rate with _low and _high),
        shift (difference of two shares in [-1, 1]), shared (int), paired, paired_low, paired_high
        (Newcombe, see `paired_difference`); with `rows` also paired_by_scenario, with _low and _high
        (`paired` with its interval at the effective n, see the function of that name).
    """
    rates_of = table.set_index(["tier", "denominator"])[["labels", "k", "n", "asr", "asr_low", "asr_high"]]
    old, new = (rates_of[rates_of["labels"] == name].drop(columns="labels") for name in names)
    both = old.add_prefix("old_").join(new.add_prefix("new_")).reset_index()
    both = both.assign(shift=both["new_asr"] - both["old_asr"])
    pairs = zip(both["tier"], both["denominator"], strict=True)
    found = pd.DataFrame([_pair(moves, tier, of, rows) for tier, of in pairs])
    terms = Terms(n=("old_n", "new_n"), left_out=left_out(table, Terms(by=("labels",))))
    return stated(both.join(found), terms)


def paired_by_scenario(
    old: NDArray[np.bool_], new: NDArray[np.bool_], scenarios: "pd.Series[str]"
) -> tuple[float, float]:
    """Return the 95% bounds of new minus old, both of the same rows, which repeat scenarios.

    As `clustered` does for one share: the variance of the change is estimated between scenarios, and
    Newcombe's interval is taken at the effective number of rows, shrunk by (z / t)^2. Where every scenario
    is one row it is Newcombe's; one scenario says nothing about others.
    """
    from scipy.special import stdtrit

    n = len(old)
    places = cluster_places(scenarios)
    groups = len(np.unique(places))
    change = new.astype(float) - old.astype(float)
    scale = 0.0
    if n and groups == n:
        scale = 1.0
    elif groups > 1:
        excess = np.bincount(places, weights=change - change.mean())
        between = groups / (groups - 1) * float(np.square(excess).sum()) / n**2
        within = float(change.var()) / n
        effect = max(1.0, between / within) if within > 0 else n / groups
        scale = float(Z / stdtrit(groups - 1, 0.975)) ** 2 / effect
    cells = ((old & new).sum(), (~old & new).sum(), (old & ~new).sum(), (~old & ~new).sum())
    _, low, high = paired_bounds(*(scale * float(cell) for cell in cells))
    return low, high


def _spread(rows: pd.DataFrame, side: str, tier: Tier, of: Denominator) -> dict[str, float]:
    part = rows[_inside(rows[side], of)]
    found = clustered(part[side].isin(TIERS[tier]), part["scenario_id"])
    return {"scenarios": found["clusters"]} | rate_columns("by_scenario", found)


def _pair(moves: pd.DataFrame, tier: Tier, of: Denominator, rows: pd.DataFrame | None) -> dict[str, float]:
    shared = moves[_inside(moves["old"], of) & _inside(moves["new"], of)]
    old, new = (shared[side].isin(TIERS[tier]).to_numpy() for side in ("old", "new"))
    cells = (old & new, ~old & new, old & ~new, ~old & ~new)
    count = shared["rows"].to_numpy()
    difference, low, high = paired_difference(*(int(count[cell].sum()) for cell in cells))
    row = {"shared": int(count.sum()), "paired": difference, "paired_low": low, "paired_high": high}
    if rows is None:
        return row
    part = rows[_inside(rows["old"], of) & _inside(rows["new"], of)]
    before, after = (part[side].isin(TIERS[tier]).to_numpy(dtype=bool) for side in ("old", "new"))
    low, high = paired_by_scenario(before, after, part["scenario_id"])
    return row | rate_columns("paired_by_scenario", {"rate": difference, "low": low, "high": high})


def _inside(labels: "pd.Series[str]", of: Denominator) -> "pd.Series[bool]":
    """Return which labels count in a denominator; anything but a verdict is a status."""
    inside = {verdict for verdict in VERDICTS if in_denominator(verdict, of)}
    return labels.isin(inside) if of != "rows" else labels.notna()
