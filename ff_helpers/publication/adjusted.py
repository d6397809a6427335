"""Raw and adjusted rates in words, each with its assumptions."""

import pandas as pd

from ff_helpers.measurement.proportions.intervals import percent, wilson
from ff_helpers.publication.prose import Prose, say


def adjusted_lesson(table: pd.DataFrame) -> Prose:
    """Return in words what adjustment leaves of each raw rate, and the statement of assumptions.

    Args:
        table: as `adjusted`.
    """
    lines = [
        say(
            "- `{set}`, {tier}: **{grader}** ({gate}) reports {raw:counts}. "
            "{adjusted}{known}{judged}{warning}",
            set=str(row["set"]),
            tier=str(row["tier"]).replace("_", " "),
            grader=str(row["grader"]),
            gate=str(row["gate"]),
            raw=wilson(int(row["k"]), int(row["n"])),
            adjusted=_adjusted(
                str(row["adjusted_by"]), str(row["card_set"]), str(row["note"] or row["errors"])
            )
            + _interval(*(float(row[f"adjusted{end}"]) for end in ("", "_low", "_high"))),
            known=_known(float(row["known"]), str(row["carries_over"])),
            judged=f" {row['labels_judgement']} labels picked by judgement are not used."
            if row["labels_judgement"]
            else "",
            warning=f" Warning: {row['warning']}." if row["warning"] else "",
        ).text
        for row in table.to_dict("records")
    ]
    if not lines:
        return Prose("No grader of this run has a rate to adjust.")
    stated = " ".join(f"{sentence}." for sentence in table["assumptions"].unique())
    return Prose("\n".join(lines) + f"\n\n**What is assumed.** {stated}")


def _adjusted(source: str, card: str, note: str) -> str:
    how = {
        "card": f"With the card of `{card}`",
        "sample": "With the labels of a random sample",
        "labels": "By the labels of every row",
        "none": "It was not measured for this tier",
    }
    return how[source] + (f", {note}" if note and source != "labels" else "")


def _interval(rate: float, low: float, high: float) -> str:
    if pd.isna(rate):
        return f": it may be anything from {percent(low)}% to {percent(high)}%."
    nothing = ", which excludes nothing" if high - low == 1 else ""
    return f": {percent(rate)}% [{percent(low)}, {percent(high)}]{nothing}."


def _known(rate: float, carries_over: str) -> str:
    said = {"yes": "the interval contains it", "no": "the interval **misses** it"}
    if pd.isna(rate):
        return ""
    return f" The labels say {percent(rate)}%" + (f"; {said[carries_over]}." if carries_over in said else ".")
