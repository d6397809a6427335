"""What is published about graders: their accuracies, and how often two of them agree."""

import pandas as pd

from ff_helpers.casestudy.graders import published_graders
from ff_helpers.casestudy.record import published
from ff_helpers.measurement.agreement.pairs import LIMIT
from ff_helpers.measurement.calibration.confusion import binomial_tail
from ff_helpers.measurement.calibration.gate import published_state
from ff_helpers.measurement.proportions.intervals import with_wilson
from ff_helpers.measurement.results import EACH_ROW, Terms, stated
from ff_helpers.terms import Unknown

_UNPUBLISHED = Unknown("left out", "not published")


def published_calibration() -> pd.DataFrame:
    """Return the published accuracies with interval and the state that the published rule gives.

    Columns: grader, set, accuracy_kind, source (str), n, k (int), accuracy, accuracy_low,
    accuracy_high (float in [0, 1]), p_chance (float: exact binomial against 1/5; missing where the
    accuracy is relaxed, because chance is not 1/5 there), gate (str: `rejected` where the counts fail
    the published rule, otherwise `uncalibrated`: digest and confusion matrix are not published).
    """
    facts = published("grader_calibration").rename(columns={"correct": "k", "calibration_set": "set"})
    exact = facts["accuracy_kind"].str.startswith("exact")
    counts = list(zip(facts["k"].astype(int), facts["n"].astype(int), exact, strict=True))
    frame = with_wilson(facts, "accuracy").assign(
        p_chance=[binomial_tail(k, n, 0.2) if full else float("nan") for k, n, full in counts],
        gate=[published_state(k, n) for k, n, _ in counts],
    )
    keep = ["grader", "set", "accuracy_kind", "n", "k", "accuracy", "accuracy_low"]
    terms = Terms(
        graders=EACH_ROW,
        denominators=("rows of the set",),
        left_out=_UNPUBLISHED,
        assumptions=("Digests, rubric versions and label space of these graders are not published",),
    )
    return stated(frame[[*keep, "accuracy_high", "p_chance", "gate", "source"]], terms)


def published_agreement(*, limit: float = LIMIT) -> pd.DataFrame:
    """Return the published agreement of pairs of graders, with the flag of the published rule.

    Columns: grader_a, grader_b, source (str), flagged (boolean; missing where the agreement is not
    published), reason (str: why it is missing, else empty), n (int), kappa, kappa_low, kappa_high, agreement
    (float, as printed; missing where not published). No counts are published, so agreement has no interval.
    """
    facts = published("grader_agreement").rename(
        columns={"ci_low": "kappa_low", "ci_high": "kappa_high", "observed_agreement": "agreement"}
    )
    known = facts["agreement"].notna()
    facts["flagged"] = (1 - facts["agreement"] > limit).astype("boolean").mask(~known)
    facts["reason"] = known.map({True: "", False: "agreement not published"})
    columns = ["grader_a", "grader_b", "n", "kappa", "kappa_low", "kappa_high", "agreement", "flagged"]
    graders = published_graders(*dict.fromkeys([*facts["grader_a"], *facts["grader_b"]]))
    terms = Terms(graders=graders, denominators=("rows graded by both",), left_out=_UNPUBLISHED)
    return stated(facts[[*columns, "reason", "source"]], terms)
