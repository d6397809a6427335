"""Lessons in words: what each grader would have reported, and on which class it is furthest off."""

import pandas as pd

from ff_helpers.measurement.proportions.intervals import wilson
from ff_helpers.measurement.results import LABELS
from ff_helpers.publication.prose import Prose, say


def reported_lesson(table: pd.DataFrame) -> Prose:
    """Return in words what people say about each set, and what each grader would have reported.

    Args:
        table: as `would_have_reported`.
    """
    lines = [
        say(
            "- `{set}`, {measure}: the labels give {labelled:counts}; **{grader}** ({gate}) would have "
            "reported {reported:counts}, {difference:points} points off.",
            set=str(row["set"]),
            measure=str(row["measure"]).replace("_", " "),
            labelled=wilson(int(row["labelled_k"]), int(row["labelled_n"])),
            grader=str(row["grader"]),
            gate=str(row["gate"]),
            reported=wilson(int(row["reported_k"]), int(row["reported_n"])),
            difference=float(row["difference"]),
        ).text
        for row in table.to_dict("records")
    ]
    return Prose("\n".join(lines) or "No set of this run has labels to compare with.")


def class_lesson(table: pd.DataFrame) -> Prose:
    """Return in words on which attack class each grader is furthest from the known truth.

    Args:
        table: as `asr_by` by intent; only strict over graded rows is read.
    """
    strict = table[(table["tier"] == "strict") & (table["denominator"] == "graded")]
    known = strict[strict["grader"] == LABELS].set_index("intent")
    lines = []
    for grader, rows in strict[strict["grader"] != LABELS].groupby("grader", sort=False):
        both = rows.set_index("intent").join(known[["asr", "k", "n"]].add_suffix("_known"), how="inner")
        if both.empty:
            continue
        both["gap"] = both["asr"] - both["asr_known"]
        worst = both.sort_values("gap", key=abs, kind="stable").iloc[-1]
        lines.append(
            say(
                "- **{grader}** is furthest off on *{intent}*: the checker says {known:counts}, the grader "
                "{reported:counts}, {gap:points} points off. Over all {classes} classes it is between "
                "{low:points} and {high:points} points off.",
                grader=str(grader),
                intent=str(worst.name).replace("_", " "),
                known=wilson(int(worst["k_known"]), int(worst["n_known"])),
                reported=wilson(int(worst["k"]), int(worst["n"])),
                gap=float(worst["gap"]),
                classes=len(both),
                low=float(both["gap"].min()),
                high=float(both["gap"].max()),
            ).text
        )
    return Prose("\n".join(lines) or "No collected trace of this run was graded.")
