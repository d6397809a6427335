"""The published graders as a reader must know them: typed unknowns where nothing is published."""

import pandas as pd

from ff_helpers.corpus.published import published
from ff_helpers.measurement.confusion import Confusion, cohen_kappa
from ff_helpers.measurement.intervals import wilson, with_wilson
from ff_helpers.publication.disclosure import GraderNote, Unknown
from ff_helpers.taxonomy import TIERS, VERDICTS

MANUAL = "manual regrade"
"""The name under which the 14 manual verdicts of the crescendo regrade are disclosed."""


def published_graders(*names: str) -> tuple[GraderNote, ...]:
    """Return the notes of graders that only the published texts know.

    Nobody here can run them, so the gate's state is `uncalibrated`; an exact published accuracy stands
    in the note with the set it is on. `MANUAL` stands for the unnamed people of the crescendo regrade.
    """
    return tuple(_note(name) for name in names)


def published_counts() -> pd.DataFrame:
    """Return the counts that are published alone, with their share.

    Columns: id, what (str), k, n (int), share, share_low, share_high (in [0, 1], Wilson), source (str).
    """
    frame = with_wilson(published("other_counts"), "share")
    return frame[["id", "what", "k", "n", "share", "share_low", "share_high", "source"]]


def heuristic_agreement() -> pd.DataFrame:
    """Return how the heuristic compares with language-model graders on the published dual-graded rows.

    Columns: rows (int); observed (share of rows with the same verdict), kappa with ci_low and ci_high
    (Cohen's, from the published confusion matrix); heuristic_strict, llm_strict, llm_broad (shares);
    gap_strict, gap_broad (heuristic_strict minus the model's, in [-1, 1]).
    """
    facts = published("heuristic_vs_llm_confusion")
    labels = [v for v in VERDICTS if v in {*facts["heuristic"], *facts["llm"]}]
    cells = {(h, m): int(c) for h, m, c in facts.itertuples(index=False)}
    matrix = Confusion(tuple(labels), tuple((*(cells.get((h, m), 0) for m in labels), 0) for h in labels))
    kappa = cohen_kappa(matrix)
    total = int(facts["count"].sum())
    strict = int(facts["count"][facts["heuristic"].isin(TIERS["strict"])].sum()) / total
    llm = {tier: int(facts["count"][facts["llm"].isin(TIERS[tier])].sum()) / total for tier in TIERS}
    row: dict[str, float | None] = {"rows": total, "observed": matrix.k / total}
    for name, part in (("kappa", "value"), ("ci_low", "low"), ("ci_high", "high")):
        row[name] = getattr(kappa, part, None)
    row |= {"heuristic_strict": strict, "llm_strict": llm["strict"], "llm_broad": llm["broad"]}
    return pd.DataFrame([row | {"gap_strict": strict - llm["strict"], "gap_broad": strict - llm["broad"]}])


def _note(name: str) -> GraderNote:
    digest, rubric = Unknown("digest", "not published"), Unknown("rubric", "version not published")
    if name == MANUAL:
        unnamed = Unknown("digest", "graders unnamed")
        unmeasured = Unknown("accuracy", "never measured, agreement not published")
        return GraderNote(name, unnamed, rubric, unmeasured, unmeasured, unmeasured, "uncalibrated")
    facts = published("grader_calibration")
    facts = facts[facts["grader"] == name]
    exact = facts["accuracy_kind"].str.startswith("exact")
    if not exact.any():
        unmeasured = Unknown("accuracy", "never measured, as far as published")
        return GraderNote(name, digest, rubric, unmeasured, unmeasured, unmeasured, "uncalibrated")
    row = facts[exact].iloc[0]
    accuracy = wilson(int(row["correct"]), int(row["n"]))
    # Beside an accuracy on an easy set, the one on a hard set: alone the first would flatter.
    others = [
        f"{o.correct} of {o.n} {o.accuracy_kind} on {o.calibration_set}" for o in facts[~exact].itertuples()
    ]
    where = f"{row['calibration_set']} (as published{''.join(f'; {other}' for other in others)})"
    return GraderNote(name, digest, rubric, accuracy, where, "not published", "uncalibrated")
