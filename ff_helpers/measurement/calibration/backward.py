"""The label-free signal: how well the actual instruction can be read back out of the responses.

Mean word-level F1 of inferred against actual instruction (arXiv 2602.13551), recorded with each verdict
under the blind rubric. It needs no truth and is not an accuracy: a refusal names what it refuses, so a high
F1 does not say that a response complied.
"""

import math

import pandas as pd

from ff_helpers.columns import declared
from ff_helpers.grading.identities import told_apart
from ff_helpers.measurement.calibration.robustness import natural_first
from ff_helpers.measurement.results import stated, verdict_terms

_WHY = {
    "flip-reference": "not measured: the rubric shows the attack prompt, and a copy is not an inference",
    "flip-blind": "not measured: no instruction was inferred",
}


def backward_signal(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return the mean F1 of each grader on each set, by the truth of the response, first pass.

    Args:
        verdicts: the joined verdict frame (`grading.campaign.verdicts`); responses that attack the
            grader are left out.

    Returns:
        grader, rubric, set, truth (`all` first; `not known` where there is none), reason (why there is no
        value, else empty) (str), n (int: rows with an F1), f1, f1_low, f1_high (float in [0, 1]; t
        interval of the mean, rows taken as independent; bounds missing below two rows).
    """
    first = natural_first(told_apart(verdicts)[0])
    rows: list[tuple[object, ...]] = []
    for (grader, rubric, name), group in first.groupby(["grader", "rubric", "set"], sort=False):
        known = group[group["backward_f1"].notna()]
        why = _WHY.get(str(rubric).partition("@")[0], "not measured: this grader infers no instruction")
        rows.append((grader, rubric, name, "all", *_mean(known["backward_f1"]), "" if len(known) else why))
        for truth, part in known.groupby(known["truth"].fillna("not known")):
            rows.append((grader, rubric, name, truth, *_mean(part["backward_f1"]), ""))
    table, over = declared("backward_signal", rows), "rows with an inferred instruction"
    return stated(table, verdict_terms(verdicts), denominators=(over,), left_out="rows without one")


def _mean(values: "pd.Series[float]") -> tuple[int, float, float, float]:
    from scipy.stats import t

    n = len(values)
    if n < 2:
        return n, float(values.mean()) if n else math.nan, math.nan, math.nan
    mean, half = float(values.mean()), float(t.ppf(0.975, n - 1) * values.std() / math.sqrt(n))
    return n, mean, max(0.0, mean - half), min(1.0, mean + half)
