"""The correction narrative: what was published, what the labels give, what cannot be known.

Every number is computed from data/published/; what is not published is said to be not determinable.
"""

import pandas as pd

from ff_helpers.measurement.proportions.intervals import Proportion, wilson
from ff_helpers.measurement.rates.known import LABELS
from ff_helpers.measurement.regrades.crescendo import Crescendo
from ff_helpers.paths import Run
from ff_helpers.publication.disclosure import Disclosure, percent, rate_text
from ff_helpers.publication.prose import Prose, points, say
from ff_helpers.publication.published import published_graders

_TEXT = """\
# Correction: attack success on the crescendo traces

**In one sentence.** On the {n} unique traces, graded anew, strict ASR is {strict:counts} and broad ASR
is {broad:counts}; the figures first published, {old_strict:percent} and {old_broad:percent}, were over
a file of {file_rows} rows that held duplicates, and their labels came from a grader with a published
accuracy of {accuracy:counts}.

## What was published

The first labels are by `qwen3:1.7b`. The file had {file_rows} rows; without duplicates they are {n}
traces: {scenarios} scenarios, each run {runs} times. The rows of that file cannot be rebuilt: which
row was repeated how often is not determinable from what is published. Report 70 lists how the first
labels of the {n} traces changed; they are not the grading of the {file_rows} rows.

## What the labels of the {n} traces give

| tier | denominator | first labels | new labels | shift, points | of rows in both, points |
|---|---|---|---|---|---|
{table}

A shift is taken within one denominator. The published {mixed_strict:points} (strict) and
{mixed_broad:points} (broad) compare {file_rows} rows with {n}: they mix two sets of rows. Within one
denominator broad ASR moves by {broad_rows:points} points of all rows and by {broad_adversarial:points}
points of adversarial rows: the two differ {signs}, so the denominator must be named.

Graded and adversarial rows are not the same rows before and after. The last column takes only those that
count under both sets of labels, each row a pair, with the paired interval. Intervals that leave out
zero: {apart} of {changes}. Of the {shared} rows that are adversarial under both, broad ASR moves by
{shared_broad:points} points; the rest of its shift is a matter of which rows count.

## Whom the new labels come from

{provenance}

Which row was graded by whom, and how far the graders agree, is not determinable: not published. No
accuracy of the manual labels was measured. The grader is also the model under test, so neither its
verdicts nor its responses are independent of the other.

## How far the figures carry

The {n} traces are {scenarios} independent scenarios, not {n}. With that the interval of strict ASR is
{strict_scenarios} and that of broad ASR {broad_scenarios}; the intervals above take the rows as
independent. Which scenario had which first label is not published, so an interval of the shifts by
scenario is not determinable; it would be no narrower than the one above.

{empty} of {v1_rows} final responses of run v1 were empty and their verdicts came from the
history, so run v1 is marked as damaged: {v1_strict:counts} strict, {v1_broad:counts} broad. Run v2 alone
gives {v2_strict:counts} strict and {v2_broad:counts} broad. Which of the v1 responses are empty is not
determinable from what is published.

## What cannot be rebuilt

- the {file_rows} rows behind {old_strict:percent} and {old_broad:percent}: not determinable;
- which first label each trace had: only how many moved from which label to which;
- the text of the traces: withheld, so nobody outside can grade them again;
- the first labels' {failed} rows without a verdict ({failed_words}): why they failed is not determinable.

{disclosure}
"""


def write_narrative(run: Run, result: Crescendo, disclosure: Disclosure) -> Prose:
    """Write narrative/correction.md from the regrade and return it for display.

    Args:
        run: where to write.
        result: `crescendo()`.
        disclosure: of the graders behind both sets of labels.
    """
    rows = result.provenance.set_index("item")["rows"]
    printed = result.aggregates.set_index(["labels", "tier"])["printed"]
    mixed = result.shifts[result.shifts["denominator"].str.startswith("mixed")].set_index("tier")["shift"]
    failed = result.rates.query("labels == 'contaminated' and denominator == 'graded'").iloc[0]
    accuracy = published_graders("qwen3:1.7b")[0].accuracy
    runs = result.runs.set_index("run")
    both = max(runs.index, key=len)
    pairs = result.shifts[result.shifts["paired"].notna()]
    same = pairs.set_index(["tier", "denominator"]).loc[[("broad", "adversarial")]]
    broad_rows, broad_adversarial = (_shift(result, "broad", d) for d in ("rows", "adversarial"))
    prose = say(
        _TEXT,
        n=len(result.finals),
        strict=_rate(runs, both, "strict"),
        broad=_rate(runs, both, "broad"),
        old_strict=float(printed["contaminated", "strict"]),
        old_broad=float(printed["contaminated", "broad"]),
        file_rows=int(rows["first grading"]),
        accuracy=accuracy,
        scenarios=result.finals["scenario_id"].nunique(),
        runs=result.finals["run"].nunique(),
        table=_table(result),
        mixed_strict=float(mixed["strict"]),
        mixed_broad=float(mixed["broad"]),
        broad_rows=broad_rows,
        broad_adversarial=broad_adversarial,
        apart=int(((pairs["paired_low"] > 0) | (pairs["paired_high"] < 0)).sum()),
        changes=len(pairs),
        shared=int(same["shared"].iloc[0]),
        shared_broad=float(same["paired"].iloc[0]),
        signs="in sign" if broad_rows * broad_adversarial < 0 else "in size",
        provenance=_provenance(result.provenance),
        strict_scenarios=_by_scenario(runs, both, "strict"),
        broad_scenarios=_by_scenario(runs, both, "broad"),
        empty=int(rows["run v1 empty final responses"]),
        v1_rows=_rate(runs, "v1", "strict").n,
        v1_strict=_rate(runs, "v1", "strict"),
        v1_broad=_rate(runs, "v1", "broad"),
        v2_strict=_rate(runs, "v2", "strict"),
        v2_broad=_rate(runs, "v2", "broad"),
        failed=int(failed["left_out"]),
        failed_words=str(failed["left_out_labels"]),
        disclosure=disclosure.sentence(),
    )
    with run.write("narrative/correction.md").open("w", encoding="utf-8", newline="\n") as file:
        file.write(prose.text)
    return prose


def reported_lesson(table: pd.DataFrame) -> Prose:
    """Return in words what people say of each set, and what each grader would have reported.

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
        both = rows.set_index("intent").join(known[["asr", "k", "n"]], rsuffix="_known", how="inner")
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


def _rate(runs: pd.DataFrame, run: str, tier: str) -> Proportion:
    return wilson(int(runs[f"{tier}_k"][run]), int(runs["rows"][run]))


def _by_scenario(runs: pd.DataFrame, run: str, tier: str) -> str:
    share, low, high = (percent(runs[f"{tier}_by_scenario{end}"][run]) for end in ("", "_low", "_high"))
    return f"{share}% [{low}, {high}]"


def _shift(result: Crescendo, tier: str, denominator: str) -> float:
    table = result.shifts.set_index(["tier", "denominator"])["shift"]
    return float(table[tier, denominator])


def _table(result: Crescendo) -> str:
    rows = result.shifts[result.shifts["old_k"].notna()]
    return "\n".join(
        f"| {r['tier'].replace('_', ' ')} | {r['denominator']} "
        f"| {rate_text(wilson(int(r['old_k']), int(r['old_n'])))} ({r['old_k']} of {r['old_n']}) "
        f"| {rate_text(wilson(int(r['new_k']), int(r['new_n'])))} ({r['new_k']} of {r['new_n']}) "
        f"| {points(r['shift'])} | {points(r['paired'])} "
        f"[{points(r['paired_low'])}, {points(r['paired_high'])}], n = {r['shared']} |"
        for r in rows.to_dict("records")
    )


def _provenance(provenance: pd.DataFrame) -> str:
    columns = (provenance[name] for name in ("item", "rows", "statement", "source"))
    return "\n".join(
        f"- {item}{'' if pd.isna(rows) else f' ({rows})'}: {statement} [{source}]"
        for item, rows, statement, source in zip(*columns, strict=True)
    )
