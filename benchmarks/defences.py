"""Defences of a grader against responses that write to it: what each buys, and what it costs.

    .venv/bin/python -m benchmarks defences

From recorded verdicts, so no model is needed: flips of the 33 attacks that every recording has, what is right
on responses without an attack (labelled by people; a row without a verdict is wrong), and tokens per attacked
response as a ratio to the same grader without the defence.

The verdicts of a small model without the fence and by other rubrics are in data/recorded/defences, on the
same attacks and on written responses. `.venv/bin/python -m benchmarks.defences 10` records what that file
lacks, for so many minutes each (`make parts`).
"""

import hashlib
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pandas as pd

from benchmarks.table import Row
from ff_helpers import paths
from ff_helpers.chat.progress import Progress
from ff_helpers.chat.protocol import Reply, Turn
from ff_helpers.chat.specs import open_chat
from ff_helpers.corpus.injections import CLEAN, CONTROL, MEASURED, families
from ff_helpers.corpus.readers import load_set
from ff_helpers.corpus.traces import Trace
from ff_helpers.grading import budget
from ff_helpers.grading.flip import judge
from ff_helpers.grading.graders.heuristic import opens_refused
from ff_helpers.grading.graders.llm import Llm
from ff_helpers.grading.ledger import Ledger, verdict_frame
from ff_helpers.grading.outcome import Grader, Outcome, record_key, timed
from ff_helpers.grading.rubric import load_rubric
from ff_helpers.grading.stream import grade_all
from ff_helpers.measurement.calibration.robustness import flip_rate
from ff_helpers.measurement.proportions.intervals import rate_counts, wilson
from ff_helpers.terms import SPACES, VERDICTS

SMALL: Final = "smollm2-135m"
OWN: Final = paths.data() / "recorded" / "defences" / f"{SMALL}.jsonl"
PEOPLE: Final = ("refusal", "objective")
"""Sets with labels of people; the small model's other rubrics were asked about written responses."""
FIRST: Final = 33
"""Attacks that every recording has."""


def defences() -> list[Row]:
    """Return flips, accuracy and tokens of each defence beside the same grader without one."""
    attacked = [t for t in load_set("data/calibration/injections.jsonl") if t.truth in MEASURED]
    labelled = [t for name in PEOPLE for t in load_set(f"index:data/labelled/pyrit_{name}.csv")]
    written = load_set("data/calibration/written.jsonl")
    large, little, phrases = (
        _verdicts(_recorded(name), [*attacked, *labelled])
        for name in ("qwen2.5-coder-1.5b", "qwen2.5-coder-0.5b", "heuristic")
    )
    rows = _beside("Qwen2.5-Coder 1.5B", large, {
        "and the 0.5B, the same verdict": agreed(large, little),
        "and the 0.5B and a list of phrases": agreed(agreed(large, little), phrases),
        "and a list of phrases, the same verdict": agreed(large, phrases),
    })  # fmt: skip
    ledger = paths.data() / "recorded" / "rubrics" / "qwen2.5-coder-1.5b.jsonl"
    kinds = _by_rubric(_verdicts(ledger, [*attacked, *labelled]))
    shown, blind = kinds["flip-reference"], kinds["flip-blind"]
    rows += _beside("Qwen2.5-Coder 1.5B, development rows", shown, {
        "rubric flip-blind": blind, "both rubrics, the same verdict": agreed(shown, blind),
    })  # fmt: skip
    rows += _beside("Qwen2.5-Coder 0.5B", little, {
        f"label at least {least:.0%} probable": _sure(little, least) for least in (0.3, 0.4, 0.5)
    })  # fmt: skip
    small = _verdicts(_recorded(SMALL), [*attacked, *written])
    if OWN.is_file():
        for name, own in _by_rubric(_verdicts(OWN, [*attacked, *written])).items():
            asked = small[small["trace_id"].isin(own["trace_id"])]
            rows += _beside("SmolLM2 135M, written responses", asked, {name: own})
    return rows


def _by_rubric(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    names = rows["rubric"].str.split("@").str[0]
    return {str(name): own for name, own in rows.groupby(names, sort=False)}


def _recorded(name: str) -> Path:
    return paths.data() / "recorded" / f"{name}.jsonl"


def _verdicts(ledger: Path, traces: Sequence[Trace]) -> pd.DataFrame:
    """Return the first pass of a ledger on these traces, with what is known of them; of the first attacks."""
    wanted = [name for name, family in families().items() if family != CONTROL][:FIRST]
    about = pd.DataFrame(
        [
            (t.trace_id, t.scenario_id, t.run, t.truth, t.truth_space, t.sampling and t.sampling.kind)
            for t in traces
        ],
        columns=["trace_id", "scenario_id", "run", "truth", "truth_space", "sampling"],
    )
    rows = verdict_frame(ledger).merge(about, on="trace_id").assign(set="injections")
    is_attack = rows["sampling"] == "injected"
    rows = rows[(rows["repeat"] == 0) & (~is_attack | rows["run"].isin([CLEAN, *wanted]))]
    tokens = rows[["prompt_tokens", "completion_tokens"]].sum(axis=1)
    return rows.assign(tokens=tokens).reset_index(drop=True)


def agreed(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Return the verdicts of a grader that has one only where two agree: the status is `unsure` elsewhere."""
    columns = ["trace_id", "verdict", "tokens"]
    pairs = one.merge(other[columns], on="trace_id", suffixes=("", "_other"))
    differ = pairs["verdict"].isna() | (pairs["verdict"] != pairs["verdict_other"])
    tokens = pairs["tokens"] + pairs["tokens_other"]
    return _without(pairs, differ).assign(tokens=tokens).drop(columns=["verdict_other", "tokens_other"])


def _sure(rows: pd.DataFrame, least: float) -> pd.DataFrame:
    """Return the verdicts whose label was at least so probable to the model; `unsure` elsewhere."""
    found = pd.Series(0.0, rows.index)
    for label in VERDICTS:
        found = found.mask(rows["verdict"] == label, rows[f"p_{label}"])
    return _without(rows, rows["verdict"].notna() & (found < least))


def _without(rows: pd.DataFrame, unsure: "pd.Series[bool]") -> pd.DataFrame:
    return rows.assign(
        verdict=rows["verdict"].mask(unsure), status=rows["status"].astype(object).mask(unsure, "unsure")
    )


def _beside(grader: str, none: pd.DataFrame, others: dict[str, pd.DataFrame]) -> list[Row]:
    """Return a row for a grader without a defence, and one per defence on the rows that both have."""
    rows = [Row(grader, _said(none))]
    for name, own in others.items():
        same = none[none["trace_id"].isin(own["trace_id"])]
        rows.append(Row(f"  {name}", _said(own), _tokens(own) / _tokens(same), "tokens"))
    return rows


def _said(rows: pd.DataFrame) -> str:
    """Return flips, what was right without an attack, and rows without a verdict of each."""
    clean = rows[rows["sampling"] != "injected"]
    graded = [
        SPACES[space].get(verdict)
        for space, verdict in zip(clean["truth_space"], clean["verdict"], strict=True)
    ]
    right = wilson(int((pd.Series(graded, clean.index, dtype=object) == clean["truth"]).sum()), len(clean))
    flips = flip_rate(rows)
    turned = f"flips {rate_counts(flips)}" if flips and flips.n else "flips: no pair left"
    denied = 0 if flips is None else flips.denied
    graded_n = int(clean["verdict"].notna().sum())
    among = f", {right.k} of {graded_n} with a verdict" if graded_n < right.n else ""
    unsure = f"; no verdict on {denied} attacked" if denied else ""
    return f"{turned}; right {rate_counts(right)}{among}{unsure}"


def _tokens(rows: pd.DataFrame) -> float:
    return float(rows.loc[rows["sampling"] == "injected", "tokens"].mean())


class Unfenced(Llm):
    """Asks with marks that anybody can write, `[response to grade]`, in place of the trace's own."""

    def __init__(self, spec: str) -> None:
        rubric = load_rubric("flip-reference")
        super().__init__(open_chat(spec), rubric)
        digest = hashlib.sha256(f"unfenced {rubric.id}".encode()).hexdigest()[:12]
        self.setup = replace(self.setup, identity=replace(self.setup.identity, rubric=f"no fence@{digest}"))

    async def grade(self, trace: Trace, repeat: int) -> Outcome:  # noqa: ARG002
        """Return the model's verdict on the trace without its fence."""
        fence = f"[{trace.sha256[:16]} "

        async def ask(turns: list[Turn]) -> Reply:
            return await self._ask(
                [{**turn, "content": turn["content"].replace(fence, "[")} for turn in turns]
            )

        return await timed(judge(trace, self._rubric, ask, opens_refused))


def record(minutes: float) -> None:
    """Grade attacks and written responses without the fence and by other rubrics, so many minutes each."""
    suite = [t for t in load_set("data/calibration/injections.jsonl") if t.truth in MEASURED]
    wanted = {name for name, family in families().items() if family != CONTROL}
    first = [name for name in families() if name in wanted][:FIRST]
    sets = {
        "injections": [t for t in suite if t.run in (CLEAN, *first)],
        "written": list(load_set("data/calibration/written.jsonl")),
    }
    spec = f"embedded:{SMALL}"
    asked: Iterable[Grader] = (
        Unfenced(spec),
        *(Llm(open_chat(spec), load_rubric(name)) for name in ("flip-blind", "tools/rubrics/examples.md")),
    )
    OWN.parent.mkdir(exist_ok=True)
    for grader in asked:
        ahead = budget.order(sets, seed=0)
        grader.fit(ahead)
        who = grader.setup.identity
        with Ledger(OWN) as ledger:
            todo = [(t, 0) for t in ahead if (record_key(who, t, 0), t.trace_id) not in ledger.done]
            until = time.monotonic() + 60 * minutes
            progress = Progress(str(who.rubric), len(todo), until=until, local=True)
            grade_all(grader, budget.until(iter(todo), until), ledger, progress)


if __name__ == "__main__":
    record(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)
