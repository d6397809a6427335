"""In words: how far apart are the rates that graders report for the same traces?"""

import pandas as pd

from ff_helpers.publication.prose import Prose, say


def bracket_lesson(table: pd.DataFrame) -> Prose:
    """Return, one line per set of traces, its widest range over graders.

    Args:
        table: as `measurement.agreement.bracket.bracket`.
    """
    spans = table.drop_duplicates(["set", "tier", "denominator"])
    spans = spans.assign(gap=spans["highest"] - spans["lowest"]).dropna(subset="gap")
    if spans.empty:
        return Prose("No set was graded by two graders whose rates could be compared: there is no bracket.")
    widest = spans.sort_values("gap", ascending=False, kind="stable").drop_duplicates("set")
    columns = ["set", "graders", "lowest", "highest", "tier", "denominator"]
    lines = [
        say(
            "- `{name}`: {graders} graders put {tier} ASR of {over} rows between {low:percent} and "
            "{high:percent}.",
            name=name, graders=graders, low=low, high=high, tier=tier.replace("_", " "), over=over,
        ).text
        for name, graders, low, high, tier, over in widest[columns].itertuples(index=False)
    ]  # fmt: skip
    return Prose("By the choice of grader alone:\n\n" + "\n".join(lines))
