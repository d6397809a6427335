"""How often the same scenario, run again, ends the same way."""

import pandas as pd

from ff_helpers.measurement.collected import ALL, ordered
from ff_helpers.measurement.intervals import with_wilson


def outcome_stability(frame: pd.DataFrame) -> pd.DataFrame:
    """Return how many scenarios had the same strict outcome in all of their repeats.

    A model that never states the secret is stable too: `always` and `never` say which of the two it is.

    Args:
        frame: one arm of one model, as `collected_frame`; scenarios with one run are left out.

    Returns:
        intent (last row: `ALL`), k (the same in all repeats), n (scenarios with two or more repeats),
        always, never, mixed (int), stable, stable_low, stable_high (Wilson over scenarios).
    """
    runs = frame.groupby("scenario_id")["run"].transform("nunique")
    again = frame[runs >= 2]
    hit = (again["truth"] == "COMPLIANCE").groupby([again["intent"], again["scenario_id"]]).mean()
    rows = [{"intent": str(intent)} | _counted(shares) for intent, shares in hit.groupby(level=0)]
    if rows:
        rows.append({"intent": ALL} | _counted(hit))
    table = pd.DataFrame(rows, columns=["intent", "k", "n", "always", "never", "mixed"])
    return ordered(with_wilson(table, "stable"), "stable")


def _counted(shares: "pd.Series[bool]") -> dict[str, int]:
    always, never = int((shares == 1).sum()), int((shares == 0).sum())
    counts = {"k": always + never, "n": len(shares), "always": always, "never": never}
    return counts | {"mixed": len(shares) - always - never}
