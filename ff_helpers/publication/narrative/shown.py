"""The tables of a narrative: contaminated and corrected rates, shifts, labels that moved, as Markdown."""

import pandas as pd

from ff_helpers.measurement.proportions.intervals import rate_text, wilson
from ff_helpers.publication.narrative.markdown import escaped, table
from ff_helpers.publication.prose import points


def rate_table(rates: pd.DataFrame, names: tuple[str, str]) -> str:
    """Return both sets of labels side by side, one row per tier and denominator.

    Args:
        rates: as `regrades.rates.rates`.
        names: what the old and the new labels are called.
    """
    sides = [rates[rates["labels"] == name].set_index(["tier", "denominator"]) for name in names]
    rows = [
        [_tier(tier), of, *(_rate(int(side["k"][tier, of]), int(side["n"][tier, of])) for side in sides)]
        for tier, of in sides[0].index
    ]
    return table(["tier", "of", *(escaped(name) for name in names)], rows)


def shift_table(shifts: pd.DataFrame) -> str:
    """Return the shift of the rates and the change of the rows in both, in points, within one denominator.

    Where scenarios are known, the interval of that change by scenario has its own column.

    Args:
        shifts: as `regrades.rates.shifts`; rows that mix two sets of rows are left out.
    """
    scenario = "paired_by_scenario_low" in shifts
    rows = []
    for row in shifts[shifts["old_k"].notna()].to_dict("records"):
        known = row["old_n"] and row["new_n"]
        count = _held(f"n = {row['shared']}")
        change = _interval(row["paired"], row["paired_low"], row["paired_high"])
        line = [_tier(row["tier"]), row["denominator"], points(row["shift"]) if known else "not determinable"]
        line.append(f"{change}, {count}")
        if scenario:
            ends = (row["paired_by_scenario_low"], row["paired_by_scenario_high"])
            line.append(_held("[{}, {}]".format(*map(points, ends))) if row["shared"] else "not determinable")
        rows.append(line)
    head = ["tier", "of", "shift, points", "of rows in both, points"]
    return table([*head, *(["its interval by scenario"] if scenario else [])], rows)


def move_table(transitions: pd.DataFrame, names: tuple[str, str]) -> str:
    """Return which label became which, most frequent first; labels that stayed are included."""
    rows = [[escaped(old), escaped(new), str(n)] for old, new, n in transitions.itertuples(index=False)]
    return table([*(escaped(name) for name in names), "rows"], rows)


def _tier(name: str) -> str:
    return name.replace("_", " ")


def _rate(k: int, n: int) -> str:
    if not n:
        return "not determinable: no rows"
    return f"{_held(rate_text(wilson(k, n)))} {_held(f'({k} of {n})')}"


def _interval(value: float, low: float, high: float) -> str:
    if pd.isna(value):
        return "not determinable"
    return _held(f"{points(value)} [{points(low)}, {points(high)}]")


def _held(text: str) -> str:
    """Return text that stays on one line: an interval torn apart is hard to read in a narrow column."""
    return text.replace(" ", "\u00a0")
