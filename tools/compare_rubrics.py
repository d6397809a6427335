"""Grade the development rows of the human-labelled sets, and some attacks, by several rubrics.

    python -m tools.compare_rubrics GRADER LEDGER RUBRIC...
    python -m tools.compare_rubrics embedded:qwen2.5-coder-1.5b data/recorded/rubrics/qwen2.5-coder-1.5b.jsonl

RUBRIC: a shipped one, or a file such as tools/rubrics/examples.md; `two-steps`: the inferred instruction
first, then the verdict as a letter, by its log-probability against that of a content-free prompt (Zhao et al.
2021, arXiv 2102.09690). The ledger keeps what was graded, so the tool continues after an interrupt; the table
is over all that it holds, also where no rubric is named, as in the second line: the comparison that ships.
"""

import sys
from pathlib import Path

import pandas as pd

from ff_helpers.chat.progress import Progress
from ff_helpers.corpus.readers import load_set
from ff_helpers.corpus.split import in_development
from ff_helpers.corpus.traces import Trace, stratified
from ff_helpers.grading.graders import open_grader
from ff_helpers.grading.ledger import Ledger, verdict_frame
from ff_helpers.grading.outcome import Grader, record_key
from ff_helpers.grading.stream import grade_all
from ff_helpers.measurement.calibration.confusion import cohen_kappa, confusion
from ff_helpers.measurement.calibration.robustness import flip_rate
from ff_helpers.measurement.proportions.intervals import mcnemar, rate_text
from ff_helpers.terms import SPACES, classes
from tools.two_steps import TwoSteps

SETS = {"refusal": "pyrit:refusal", "objective": "pyrit:objective"}
SAMPLE = {"refusal": 0, "objective": 200}
ATTACKED = ("COMPLIANCE", "PARTIAL", "REFUSAL")


def development() -> list[Trace]:
    """Return the development rows of the rows that the shipped recordings have."""
    sets = (stratified(load_set(spec), SAMPLE[name], seed=0, name=name) for name, spec in SETS.items())
    return [trace for rows in sets for trace in rows if in_development(trace.trace_id)]


def attacks() -> list[Trace]:
    """Return development injections around three classes of response, and their clean twins."""
    suite = [t for t in load_set("data/calibration/injections.jsonl") if t.truth in ATTACKED]
    return [trace for trace in suite if trace.run == "clean" or in_development(trace.trace_id)]


def open_rubric(spec: str, rubric: str) -> Grader:
    """Return the grader that grades by a rubric, or in two steps."""
    if rubric == "two-steps":
        return TwoSteps(spec)
    return open_grader(spec, rubric=rubric)


def main(words: list[str]) -> None:
    """Grade what is missing; print a table of all rubrics."""
    spec, ledger, *rubrics = words
    rows = development()
    everything = [*rows, *attacks()]
    for rubric in rubrics:
        grader = open_rubric(spec, rubric)
        grader.fit(everything)
        who = grader.setup.identity
        with Ledger(Path(ledger)) as open_ledger:
            todo = [t for t in everything if (record_key(who, t, 0), t.trace_id) not in open_ledger.done]
            progress = Progress(rubric, len(todo), local=True)
            grade_all(grader, [(t, 0) for t in todo], open_ledger, progress)
    print(table(verdict_frame(Path(ledger)), everything).to_string(index=False))


def table(verdicts: pd.DataFrame, traces: list[Trace]) -> pd.DataFrame:
    """Return what each rubric got right of the rows that it graded, beside the first one on the same rows.

    Columns: rubric; a set's accuracy and kappa; rows (of both sets, graded by both), right, first (right by
    the first rubric), p (two-sided exact McNemar); agree (right where the two agree: the two together, with
    no verdict where they do not); flips; read, written (mean tokens per trace: what a rubric costs on any
    machine).
    """
    about = pd.DataFrame(
        [
            (t.trace_id, t.scenario_id, t.run, t.truth, t.truth_space, t.sampling and t.sampling.kind)
            for t in traces
        ],
        columns=["trace_id", "scenario_id", "run", "truth", "truth_space", "sampling"],
    )
    joined = verdicts.merge(about, on="trace_id").assign(set="injections")
    graded = [
        SPACES[space].get(verdict)
        for space, verdict in zip(joined["truth_space"], joined["verdict"], strict=True)
    ]
    joined = joined.assign(graded=graded, right=graded == joined["truth"])
    human = joined[joined["trace_id"].str.startswith(tuple(SETS))]
    right = human.pivot(index="trace_id", columns="rubric", values="right")
    said = human.pivot(index="trace_id", columns="rubric", values="graded")
    first = human["rubric"].iloc[0]
    found = []
    for rubric, own in joined.groupby("rubric", sort=False):
        row: dict[str, object] = {"rubric": rubric}
        for name in SETS:
            rows = own[own["trace_id"].str.startswith(name)]
            if len(rows):
                matrix = confusion(
                    list(rows["truth"]), list(rows["graded"]), classes(rows["truth_space"].iloc[0])
                )
                kappa = cohen_kappa(matrix)
                row[name] = f"{rate_text(matrix.accuracy)}, {matrix.k} of {matrix.n}"
                row[f"{name} kappa"] = f"{kappa.value:.2f}" if kappa else ""
        both = right[[first, rubric]].dropna().astype(bool).to_numpy()
        only = int((~both[:, 0] & both[:, -1]).sum()), int((both[:, 0] & ~both[:, -1]).sum())
        row |= {"rows": len(both), "right": both[:, -1].sum(), "first": both[:, 0].sum()}
        row |= {"p": f"{mcnemar(*only):.2f}"}
        alike = (said[first] == said[rubric]) & said[[first, rubric]].notna().all(axis=1)
        together = right.loc[alike, first].astype(bool)
        row |= {"agree": f"{together.sum()} of {len(together)}"}
        flipped = flip_rate(own)
        row["flips"] = f"{rate_text(flipped)}, {flipped.k} of {flipped.n}" if flipped else ""
        row |= {"read": round(own["prompt_tokens"].mean()), "written": round(own["completion_tokens"].mean())}
        found.append(row)
    return pd.DataFrame(found)


if __name__ == "__main__":
    main(sys.argv[1:])
