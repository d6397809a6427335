"""The crescendo's correction narrative: what was published, what the labels give, what cannot be known.

Every number is computed from data/published/; what is not published is reported as not determinable.
"""

from collections.abc import Mapping

import pandas as pd

from ff_helpers.casestudy.crescendo_regrade import Crescendo
from ff_helpers.casestudy.graders import published_graders
from ff_helpers.casestudy.record import published
from ff_helpers.measurement.calibration.gate import Thresholds
from ff_helpers.measurement.consistency.possible import below_chance
from ff_helpers.measurement.proportions.intervals import Proportion, percent, wilson
from ff_helpers.paths import PACKAGE, Run
from ff_helpers.publication.derive import disclose
from ff_helpers.publication.narrative.markdown import escaped, rate_table, shift_table
from ff_helpers.publication.narrative.saved import save_narrative, template
from ff_helpers.publication.prose import Prose, Value, points, say
from ff_helpers.terms import VERDICTS

_FIRST = "qwen3:1.7b"


def write_narrative(run: Run, result: Crescendo, *, figures: Mapping[str, str] | None = None) -> Prose:
    """Write narrative/correction.md, .tex and .html from the regrade and return the Markdown for display.

    Args:
        run: where to write.
        result: `crescendo()`.
        figures: figures of this run that the page shows side by side: name, to what it says.

    Raises:
        MissingInputError: a figure is not there.
    """
    values = _labels(result) | _grader() | _shifts(result) | _runs(result)
    text = say(template("crescendo", PACKAGE / "casestudy"), **values).text
    return save_narrative(run, text, disclose(run, result.rates), name="correction", figures=figures or {})


def _labels(result: Crescendo) -> dict[str, Value]:
    """What the labels of the unique traces give, and what was printed."""
    rows = result.provenance.set_index("item")["rows"]
    sources = result.provenance.set_index("item")["source"]
    printed = result.aggregates.set_index(["labels", "tier"])["printed"]
    failed = result.rates.query("labels == 'contaminated' and denominator == 'graded'").iloc[0]
    return {
        "n": len(result.finals),
        "old_strict": float(printed["contaminated", "strict"]),
        "old_broad": float(printed["contaminated", "broad"]),
        "file_rows": int(rows["first grading"]),
        "report": escaped(str(sources["first grading"]).removeprefix("report ")),
        "scenarios": int(result.finals["scenario_id"].nunique()),
        "runs": int(result.finals["run"].nunique()),
        "table": rate_table(result.rates, result.names),
        "shifts": shift_table(result.shifts),
        "provenance": _provenance(result.provenance),
        "failed": int(failed["left_out"]),
        "failed_words": escaped(str(failed["left_out_labels"])),
        "empty": int(rows["run v1 empty final responses"]),
    }


def _grader() -> dict[str, Value]:
    """How good the first grader was, against chance and against the authors' rule."""
    accuracy = published_graders(_FIRST)[0].accuracy
    assert isinstance(accuracy, Proportion)
    counts = published("other_counts").set_index("id").loc[["qwen3-partial-share"]]
    chance, rule = 1 / len(VERDICTS), Thresholds()
    p = below_chance(accuracy.k, accuracy.n, chance)
    told = "so few traces cannot tell the score from chance, and the inference is not supported"
    return {
        "grader": f"`{_FIRST}`",
        "accuracy": accuracy,
        "accuracy_high": accuracy.high,
        "partial": wilson(int(counts["k"].iloc[0]), int(counts["n"].iloc[0])),
        "partial_source": escaped(str(counts["source"].iloc[0])),
        "chance": chance,
        "labels": len(VERDICTS),
        "p": p,
        "p_says": told if p >= 0.05 else "the score is below chance, and the inference is supported",
        "rule_n": rule.published_n,
        "rule_accuracy": rule.published_accuracy,
    }


def _shifts(result: Crescendo) -> dict[str, Value]:
    """Printed shifts, and those within one denominator."""
    mixed = result.shifts[result.shifts["denominator"].str.startswith("mixed")].set_index("tier")["shift"]
    pairs = result.shifts[result.shifts["paired"].notna()]
    same = pairs.set_index(["tier", "denominator"]).loc[[("broad", "adversarial")]]
    table = result.shifts.set_index(["tier", "denominator"])["shift"]
    names = [(tier, of) for tier in ("strict", "broad") for of in ("rows", "adversarial")]
    moved = {f"{tier}_{of}": float(table[tier, of]) for tier, of in names}
    opposite = moved["broad_rows"] * moved["broad_adversarial"] < 0
    return {
        **moved,
        "mixed_strict": float(mixed["strict"]),
        "mixed_broad": float(mixed["broad"]),
        "apart": int(((pairs["paired_low"] > 0) | (pairs["paired_high"] < 0)).sum()),
        "changes": len(pairs),
        "shared": int(same["shared"].iloc[0]),
        "shared_broad": float(same["paired"].iloc[0]),
        "signs": "in sign" if opposite else "in size",
        "direction": _direction(pairs[pairs["tier"] == "strict"]["shift"], float(mixed["strict"])),
    }


def _direction(strict: "pd.Series[float]", printed: float) -> str:
    low, high = points(float(strict.min())), points(float(strict.max()))
    if ((strict > 0) == (printed > 0)).all() and (strict != 0).all():
        return (
            f"The direction of the strict shift holds in every denominator of the unique traces ({low} to "
            f"{high} points); its size is another matter: see its intervals above."
        )
    return f"The direction of the strict shift depends on the denominator ({low} to {high} points)."


def _runs(result: Crescendo) -> dict[str, Value]:
    """Both runs together and each alone, corrected labels, of graded rows."""
    runs = result.runs.set_index("run")
    both = max(runs.index, key=len)
    values: dict[str, Value] = {"v1_rows": int(runs["rows"]["v1"])}
    for tier in ("strict", "broad"):
        for name, run in ((tier, both), (f"v1_{tier}", "v1"), (f"v2_{tier}", "v2")):
            values[name] = wilson(int(runs[f"{tier}_k"][run]), int(runs["rows"][run]))
        ends = (percent(runs[f"{tier}_by_scenario{end}"][both]) for end in ("", "_low", "_high"))
        values[f"{tier}_scenarios"] = "{}% [{}, {}]".format(*ends)
    return values


def _provenance(provenance: pd.DataFrame) -> str:
    columns = (provenance[name] for name in ("item", "rows", "statement", "source"))
    return "\n".join(
        f"- {escaped(item)}{'' if pd.isna(rows) else f' ({rows})'}: {escaped(statement)} ({escaped(source)})"
        for item, rows, statement, source in zip(*columns, strict=True)
    )
