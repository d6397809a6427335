"""Is a grader still as right as it was? Labels of each period in a control chart, and how many to draw."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.intervals import wilson_bounds
from ff_helpers.measurement.rates.drift import drift
from ff_helpers.measurement.rates.known import decided, hits
from ff_helpers.measurement.sampling.files import Sample
from ff_helpers.terms import TIER_SPACES, Tier

LEVEL = 0.05
"""False alarms of the one-sided test that the number of labels is planned for."""
LIMIT = 0.00135
"""Chance that a period of a grader that did not change falls below its limit: Shewhart's three sigma."""
LARGEST = 5000


def labels_to_see(accuracy: float, drop: float = 0.10, power: float = 0.9) -> int:
    """Return how many labels find a drop in accuracy: by a one-sided exact binomial test at 5%.

    The least number from which on, for every larger one too, the chance to find it is `power` or more: the
    chance is a saw-tooth in n. The normal approximation (Fleiss, Levin and Paik 2003, Statistical Methods for
    Rates and Proportions, 2.4) is (1.645 sqrt(p0 q0) + z sqrt(p1 q1))^2 / drop^2.

    Args:
        accuracy: so far, in (0, 1].
        drop: to be found, above 0 and below `accuracy`.
        power: in (0, 1).

    Raises:
        FFError: an argument out of range, or more than 5,000 labels are needed.
    """
    from scipy.stats import binom

    if not (0 < drop < accuracy <= 1 and 0 < power < 1):
        raise FFError(
            f"a drop of {drop:g} from an accuracy of {accuracy:g} cannot be looked for with power {power:g}. "
            "Allowed: a drop above 0 and below the accuracy, a power between 0 and 1."
        )
    n = np.arange(1, LARGEST + 1)
    most = binom.ppf(LEVEL, n, accuracy)
    most = np.where(binom.cdf(most, n, accuracy) <= LEVEL, most, most - 1)
    enough = binom.cdf(most, n, accuracy - drop) >= power
    if not enough[-1]:
        raise FFError(
            f"more than {LARGEST:,} labels are needed to find a drop of {drop:g}: look for a larger one."
        )
    short = np.flatnonzero(~enough)
    return int(n[short[-1]] + 1) if len(short) else 1


def periods(rows: pd.DataFrame, samples: Sequence[Sample], tier: Tier = "strict") -> pd.DataFrame:
    """Return a grader's accuracy in each sample of labels, in their order, with the limits of a p chart.

    The centre of a period is the accuracy of all earlier ones; its limits are the exact binomial quantiles at
    Shewhart's three sigma. Labels count by their inverse probabilities, at their effective number.

    Args:
        rows: graded rows of one grader, as `sampling.rows.graded_rows`.
        samples: labels of each period, the earliest first.
        tier: whose hits and truths are compared.

    Returns:
        One row per sample: period (str, the name of its file), labels (int), size (int, their effective
        number), accuracy, low, high (Wilson), centre, limit_low, limit_high (missing in the first period with
        labels), out (bool: below its limit); shares in [0, 1], missing without a label.

    Raises:
        FFError: the labels of a sample do not decide the tier.
    """
    from scipy.stats import binom

    graded = decided(rows[rows["verdict"].notna()], tier)
    hit = graded.set_index("trace_id")["verdict"].isin(hits("five", tier))
    found, right, size = [], 0.0, 0.0
    for sample in samples:
        if sample.space not in TIER_SPACES[tier]:
            raise FFError(f"{sample.path}: labels in the space {sample.space} do not decide the tier {tier}.")
        known = sample.frame[sample.frame["truth"].notna() & sample.frame["trace_id"].isin(hit.index)]
        row: dict[str, object] = {"period": sample.path.name, "labels": len(known), "size": 0, "out": False}
        if len(known):
            said = known["trace_id"].map(hit).astype("bool")
            same = (said == known["truth"].isin(hits(sample.space, tier))).to_numpy()
            weight = 1 / known["probability"].to_numpy()
            own, share = int(weight.sum() ** 2 / (weight**2).sum()), float(weight @ same / weight.sum())
            low, high = (float(b[0]) for b in wilson_bounds(np.array([share * own]), np.array([float(own)])))
            row |= {"size": own, "accuracy": share, "low": low, "high": high}
            if size:
                centre = right / size
                limits = [float(binom.ppf(end, own, centre)) / own for end in (LIMIT, 1 - LIMIT)]
                row |= {"centre": centre, "limit_low": limits[0], "limit_high": limits[1]}
                row["out"] = share < limits[0] - 1e-9
            right, size = right + share * own, size + own
        found.append(row)
    columns = [
        "period",
        "labels",
        "size",
        "accuracy",
        "low",
        "high",
        "centre",
        "limit_low",
        "limit_high",
        "out",
    ]
    return pd.DataFrame(found, columns=columns)


def asks(rows: pd.DataFrame, chart: pd.DataFrame) -> list[str]:
    """Return why a grader needs labels beyond the usual ones; nothing where it is as it was.

    Args:
        rows: its graded rows.
        chart: as `periods`.
    """
    if not chart["labels"].sum():
        return ["no label yet: its digest, rubric or options are new"]
    why = [
        f"accuracy of {100 * accuracy:.1f}% in {period}, below its limit of {100 * limit:.1f}%"
        for period, accuracy, limit, out in zip(
            chart["period"], chart["accuracy"], chart["limit_low"], chart["out"], strict=True
        )
        if out and period == chart.loc[chart["labels"] > 0, "period"].iloc[-1]
    ]
    moved = drift(rows)
    moved = moved[moved["flagged"]]
    if len(moved):
        last = moved.iloc[-1]
        why.append(
            f"drift: {last['verdict']} moved by {100 * last['shift']:+.0f} points in traces {last['first']} "
            f"to {last['last']}"
        )
    return why
