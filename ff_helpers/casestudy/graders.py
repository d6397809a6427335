"""The published graders: how they are disclosed, how accurate they are, how far they agree, their cards.

Typed unknowns where nothing is published.
"""

from collections.abc import Hashable

import pandas as pd

from ff_helpers.casestudy.record import published
from ff_helpers.measurement.agreement.pairs import LIMIT
from ff_helpers.measurement.calibration.confusion import binomial_tail
from ff_helpers.measurement.calibration.gate import published_state
from ff_helpers.measurement.proportions.intervals import wilson, with_wilson
from ff_helpers.measurement.results import EACH_ROW, GraderNote, Terms, stated
from ff_helpers.paths import PACKAGE, Run
from ff_helpers.publication.evaluator import EvaluatorCard, Measured
from ff_helpers.publication.pages import read_words
from ff_helpers.terms import Unknown

MANUAL = "manual regrade"
"""The name under which the 14 manual verdicts of the crescendo regrade are disclosed."""
_UNPUBLISHED = Unknown("left out", "not published")
_UNTOLD = "not determinable: which models it graded is not published in full"


def published_graders(*names: str) -> tuple[GraderNote, ...]:
    """Return the notes of graders known only from the published texts.

    An exact published accuracy is in the note with the set it is on; one that fails the published
    rule makes the grader `rejected`. Otherwise the state is `uncalibrated`, since it cannot be run
    here. `MANUAL` stands for the unnamed people of the crescendo regrade.
    """
    return tuple(_note(name) for name in names)


def _note(name: str) -> GraderNote:
    digest, rubric = Unknown("digest", "not published"), Unknown("rubric", "version not published")
    unmeasured = Unknown("accuracy", "never measured, as far as published")
    if name == MANUAL:
        digest = Unknown("digest", "graders unnamed")
        unmeasured = Unknown("accuracy", "never measured, agreement not published")
    facts = published("grader_calibration")
    facts = facts[facts["grader"] == name]
    exact = facts["accuracy_kind"].str.startswith("exact")
    if not exact.any():
        return GraderNote(name, digest, rubric, unmeasured, unmeasured, unmeasured, "uncalibrated")
    row = facts[exact].iloc[0]
    accuracy = wilson(int(row["correct"]), int(row["n"]))
    # Next to an accuracy on an easy set, the one on a hard set: alone the first would flatter.
    others = "".join(
        f"; {o.correct} of {o.n} {o.accuracy_kind} on {o.calibration_set}" for o in facts[~exact].itertuples()
    )
    where = f"{row['calibration_set']} (as published{others})"
    state = published_state(accuracy.k, accuracy.n)
    return GraderNote(name, digest, rubric, accuracy, where, "not published", state)


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
    keep = ["grader", "set", "accuracy_kind", "n", "k", "accuracy", "accuracy_low", "accuracy_high"]
    terms = Terms(
        graders=EACH_ROW,
        denominators=("rows of the set",),
        left_out=_UNPUBLISHED,
        assumptions=("Digests, rubric versions and label space of these graders are not published",),
    )
    return stated(frame[[*keep, "p_chance", "gate", "source"]], terms)


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


def published_evaluators(run: Run) -> list[EvaluatorCard]:
    """Return a card of each grader for which only an accuracy is published."""
    facts = published("grader_calibration")
    tested = published("crescendo_provenance").set_index("item")["statement"]["model under test"]
    words = read_words("evaluator", dict[str, str | tuple[str, ...]], PACKAGE / "casestudy")
    cards = []
    for grader, rows in facts.groupby("grader", sort=False):
        judged = f"yes: {tested}" if str(grader) in tested else _UNTOLD
        known = {
            "grader": str(grader),
            "provenance": "; ".join(dict.fromkeys(rows["source"])),
            "measured": tuple(map(_as_published, rows.to_dict("records"))),
            "conflict_of_interest": judged,
            "as_of": run.as_of,
        }
        cards.append(EvaluatorCard.model_validate(words | known))
    return cards


def _as_published(row: dict[Hashable, object]) -> Measured:
    accuracy, kind = wilson(int(str(row["correct"])), int(str(row["n"]))), str(row["accuracy_kind"])
    return Measured(
        set=str(row["calibration_set"]),
        space="not published",
        accuracy=accuracy,
        kind=kind,
        gate=published_state(accuracy.k, accuracy.n) if kind.startswith("exact") else "uncalibrated",
        reason=f"as published ({row['source']}); it cannot be run here",
    )
