"""Old labels against new labels of the same rows: transitions, rates side by side, shifts.

A shift is taken within one denominator only: the sign of a shift can depend on the denominator, and a
difference of rates over two sets of rows is no shift at all.
"""

import pandas as pd

from ff_helpers.errors import FFError
from ff_helpers.measurement.asr import asr
from ff_helpers.measurement.clusters import clustered
from ff_helpers.taxonomy import TIERS, Tier


class InconsistentRegradeError(FFError):
    """Two accounts of one regrade that cannot both be right."""

    def __init__(self, what: str, label: str, transitions: int, finals: int) -> None:
        super().__init__(
            f"the transitions and the {what} disagree on {label}: {transitions} rows against {finals}. "
            "They describe the same rows, so both must say the same; correct one of the two files."
        )


class UnmatchedRowsError(FFError):
    """Old and new labels that are not of the same rows."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"regrade by {key!r}: {problem}. Give each row once in the old and the new labels.")


def transitions(old: pd.DataFrame, new: pd.DataFrame, *, on: str = "trace_id") -> pd.DataFrame:
    """Return how many rows went from which old label to which new one.

    Args:
        old, new: one row a trace: the columns `on` and `label` (a verdict or the name of a status).
        on: the column that says which row is which.

    Returns:
        The columns old, new (str), rows (int), most frequent first.

    Raises:
        UnmatchedRowsError: a row that is there twice, or in one of the two only.
    """
    for name, frame in (("old", old), ("new", new)):
        twice = frame[on][frame[on].duplicated()]
        if len(twice):
            raise UnmatchedRowsError(on, f"{twice.iloc[0]!r} is in the {name} labels twice")
    alone = sorted(set(old[on]) ^ set(new[on]))
    if alone:
        raise UnmatchedRowsError(on, f"{alone[0]!r} has no partner ({len(alone)} such rows)")
    both = old[[on, "label"]].merge(new[[on, "label"]], on=on, suffixes=("_old", "_new"))
    counted = both.groupby(["label_old", "label_new"], as_index=False).size()
    counted.columns = pd.Index(["old", "new", "rows"])
    return counted.sort_values(["rows", "old", "new"], ascending=[False, True, True], ignore_index=True)


def check_marginals(moves: pd.DataFrame, labels: "pd.Series[str]", *, side: str, what: str) -> None:
    """Check that the transitions' old or new labels add up to `labels`, one entry a row.

    Args:
        moves: the columns old, new, rows.
        labels: the labels of the same rows, in any order.
        side: `old` or `new`.
        what: how an error names `labels`, such as "final verdicts".

    Raises:
        InconsistentRegradeError: the first label whose numbers differ.
    """
    summed = moves.groupby(side)["rows"].sum()
    counted = labels.value_counts()
    for label in sorted({*summed.index, *counted.index}):
        a, b = int(summed.get(label, 0)), int(counted.get(label, 0))
        if a != b:
            raise InconsistentRegradeError(what, str(label), a, b)


def rates(moves: pd.DataFrame, *, names: tuple[str, str] = ("contaminated", "corrected")) -> pd.DataFrame:
    """Return the rates of the old and the new labels, every tier over every denominator.

    Returns:
        `asr`'s columns with `labels` (one of `names`) first.
    """
    sides = [
        moves[[side, "rows"]].rename(columns={side: "outcome", "rows": "n"}).assign(labels=name)
        for side, name in zip(("old", "new"), names, strict=True)
    ]
    return asr(pd.concat(sides, ignore_index=True), by=["labels"])


def shifts(table: pd.DataFrame, *, names: tuple[str, str] = ("contaminated", "corrected")) -> pd.DataFrame:
    """Return new minus old, within one denominator each.

    Args:
        table: what `rates` returns.
        names: which of its `labels` is old, which new.

    Returns:
        tier, denominator, old_k, old_n, old, old_low, old_high, new_k, new_n, new, new_low, new_high,
        shift (difference of two shares in [-1, 1]).
    """
    sides = []
    for name, side in zip(names, ("old", "new"), strict=True):
        part = table[table["labels"] == name].drop(columns=["labels", "left_out", "left_out_labels"])
        heads = {"k": f"{side}_k", "n": f"{side}_n"}
        heads |= {f"asr{end}": f"{side}{end}" for end in ("", "_low", "_high")}
        sides.append(part.rename(columns=heads))
    both = sides[0].merge(sides[1], on=["tier", "denominator"])
    return both.assign(shift=both["new"] - both["old"])


def by_scenario(labels: pd.DataFrame, *, tier: Tier, scenario: str = "scenario_id") -> dict[str, float]:
    """Return a design-effect interval of a tier's rate over graded rows that repeat scenarios.

    Runs of one scenario are not independent; see `clusters.clustered`.

    Args:
        labels: graded rows: the columns `scenario` and `verdict`.

    Returns:
        k, n, scenarios, design_effect, effective_n, asr, asr_low, asr_high; the bounds are 0 and 1
        with fewer than two scenarios.
    """
    hit = labels["verdict"].isin(TIERS[tier])
    found = clustered(hit, labels[scenario])
    result = {"k": float(hit.sum()), "n": float(len(hit)), "scenarios": found["clusters"]}
    result |= {"design_effect": found["design_effect"], "effective_n": found["effective_n"]}
    return result | {"asr": found["rate"], "asr_low": found["low"], "asr_high": found["high"]}
