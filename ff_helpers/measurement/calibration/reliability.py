"""How sure a grader was, against how often it was right: reliability, Brier score, abstention.

For graders whose records carry the probability of each label (`grading.probabilities`). In a coarser label
space the probability of a class is the sum over its labels. A grader is reliable where of the verdicts that
it gave with 80% some 80% are right (DeGroot and Fienberg 1983, The Statistician 32:12-22).
"""

import pandas as pd

from ff_helpers.columns import declared
from ff_helpers.grading.identities import told_apart
from ff_helpers.measurement.calibration.robustness import natural_first
from ff_helpers.measurement.proportions.intervals import triple, wilson
from ff_helpers.measurement.results import stated, verdict_terms
from ff_helpers.terms import SPACES, VERDICTS, Space, classes

BINS = 10
LEAST = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9)
_OVER = "rows with a known truth and a verdict whose probability is recorded"


def reliability(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return, by tenths of the probability that a grader gave its own class, how often it was right.

    Args:
        verdicts: the joined verdict frame (`grading.campaign.verdicts`); rows without truth, of a later pass,
            or that attack the grader are left out.

    Returns:
        One row per grader, set, space and tenth with a verdict: grader, set, space (str), sure (float in
        [0, 1]: mean probability of the class given), n, k (int), accuracy with bounds (Wilson).
    """
    rows: list[dict[str, object]] = []
    for (grader, name, space), group in _sure(verdicts).groupby(["grader", "set", "truth_space"], sort=False):
        tenth = (group["sure"] * BINS).astype(int).clip(upper=BINS - 1)
        for _, part in group.groupby(tenth):
            right = wilson(int(part["right"].sum()), len(part))
            about = {"grader": grader, "set": name, "space": space, "sure": part["sure"].mean()}
            rows.append(about | {"n": right.n, "k": right.k} | triple("accuracy", right))
    return _stated(declared("reliability", rows), verdicts)


def abstention(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return what a grader is right on if it says nothing below a probability, and the Brier score.

    Args:
        verdicts: as for `reliability`.

    Returns:
        One row per grader, set, space and least probability: grader, set, space (str), least (float in
        [0, 1]), n (int: verdicts at least so sure), k (int: right), accuracy with bounds (Wilson), unsure
        (int: verdicts below), brier (float in [0, 2], 0 is best: mean over rows of the sum over classes of
        the squared difference of probability and truth, Brier 1950, Monthly Weather Review 78:1-3),
        brier_base (the same for always giving the share of each class in the truth).
    """
    rows: list[dict[str, object]] = []
    for (grader, name, space), group in _sure(verdicts).groupby(["grader", "set", "truth_space"], sort=False):
        shares = group["truth"].value_counts(normalize=True)
        scores = {"brier": group["brier"].mean(), "brier_base": 1 - float((shares**2).sum())}
        for least in LEAST:
            kept = group[group["sure"] >= least]
            right = wilson(int(kept["right"].sum()), len(kept))
            about = {"grader": grader, "set": name, "space": space, "least": least}
            counted = {"n": right.n, "k": right.k, "unsure": len(group) - right.n}
            rows.append(about | counted | triple("accuracy", right) | scores)
    return _stated(declared("abstention", rows), verdicts)


def _stated(table: pd.DataFrame, verdicts: pd.DataFrame) -> pd.DataFrame:
    left = "rows without truth, verdict or recorded probability"
    return stated(table, verdict_terms(verdicts), denominators=(_OVER,), left_out=left)


def _sure(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that count, with `sure`, `right` and `brier` in the space of their truth."""
    rows = natural_first(told_apart(verdicts)[0])
    known = rows["truth"].notna() & rows["verdict"].notna() & rows[f"p_{VERDICTS[0]}"].notna()
    parts = []
    for space in dict.fromkeys(rows.loc[known, "truth_space"]):
        group = rows[known & (rows["truth_space"] == space)]
        shares = pd.DataFrame(
            {name: group[_labels(space, name)].sum(axis=1) for name in classes(space)}, index=group.index
        )
        given = group["verdict"].map(SPACES[space])
        true = pd.DataFrame({name: group["truth"] == name for name in shares}, index=group.index)
        sure = pd.Series({i: shares.at[i, name] for i, name in given.items()}, dtype=float)
        parts.append(
            group.assign(sure=sure, right=given == group["truth"], brier=((shares - true) ** 2).sum(axis=1))
        )
    empty = rows.iloc[:0].assign(sure=0.0, right=False, brier=0.0)
    return pd.concat(parts) if parts else empty


def _labels(space: Space, name: str) -> list[str]:
    return [f"p_{label}" for label in VERDICTS if SPACES[space][label] == name]
