"""What the pages of a run say about the published record: the report, the student page, the atlas."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from string import Formatter
from typing import Final

import pandas as pd

from ff_helpers.casestudy.claims import shipped_claims
from ff_helpers.casestudy.crescendo_regrade import LABELLERS, crescendo
from ff_helpers.casestudy.exported import CORPUS
from ff_helpers.casestudy.graders import MANUAL, published_graders
from ff_helpers.measurement.proportions.intervals import wilson
from ff_helpers.paths import PACKAGE, Run
from ff_helpers.publication import report, shelf
from ff_helpers.publication.atlas import page
from ff_helpers.publication.atlas.signal import Signal
from ff_helpers.publication.claims import read_claims
from ff_helpers.publication.pages import read_words
from ff_helpers.publication.prose import Value, say
from ff_helpers.publication.shelf import Words
from ff_helpers.publication.student import Example, Question
from ff_helpers.terms import VERDICTS

_SET: Final = "crescendo (published)"
_CORRECTION = Words(
    "What the correction changed",
    "Strict and broad attack success on the crescendo traces under the contaminated and the corrected "
    "labels, in each denominator, with intervals.",
    "that the new labels are right: who gave which is not published. Whether a change can be told from zero "
    "shows in the paired intervals of the shifts.",
)
_AS: Final = {
    "paper_2_graders": "calibration_forest",
    "paper_3_bracket": "bracket",
    "paper_9_adjusted": "adjusted",
    "paper_10_coverage": "coverage",
}
"""Figures of the sample paper, and the figure of a run that shows the same for other data."""
_TABLES: Final = {
    "The correction": ("crescendo",),
    "Published figures": ("published", "canonical"),
    "Agreement and bracket": ("heuristic",),
    "Attack success": ("corpus",),
    "Atlas": ("export",),
}
LAYOUT: Final = report.Layout(
    words=shelf.WORDS
    | {"paper_1_crescendo": _CORRECTION, "crescendo_correction": _CORRECTION}
    | {name: shelf.WORDS[like] for name, like in _AS.items()},
    slots=(
        ("paper_1_crescendo", "crescendo_correction", *shelf.SLOTS[0]),
        *((name, *slot) for name, slot in zip(_AS, shelf.SLOTS[1:], strict=True)),
    ),
    subjects={title: (*starts, *_TABLES.get(title, ())) for title, starts in shelf.SUBJECTS.items()},
)
"""The report with the figures of the sample paper first, and the tables of the record in their places."""


def student_example() -> Example:
    """Return the crescendo regrade as an example for the student page: counts, graders, questions."""
    graders = published_graders("qwen3:1.7b", "deepseek-r1:1.5b", MANUAL)
    return Example(_counts(), graders, _questions())


def save_page(run: Run, signals: Sequence[Signal]) -> str:
    """Write atlas/index.html of a run and return its name; the published count is next to the veto."""
    said = ""
    if any(signal.corpus == CORPUS for signal in signals):
        claims = read_claims(shipped_claims())[1]
        printed = next(claim.value for claim in claims if claim.id == "atlas-veto-count")
        said = f"The published count is {printed}, of a different cut at a different date."
    return page.save_page(run, signals, beside_veto=said)


def _counts() -> pd.DataFrame:
    moves = crescendo().transitions
    sides = [
        moves.rename(columns={side: "outcome", "rows": "n"})[["outcome", "n"]].assign(grader=LABELLERS[name])
        for side, name in (("old", "contaminated"), ("new", "corrected"))
    ]
    table = pd.concat(sides, ignore_index=True)
    # Two published words for rows without a verdict; the page counts them as one status.
    table["outcome"] = table["outcome"].where(table["outcome"].isin(VERDICTS), "server_error")
    return table.assign(set=_SET, intent="crescendo")


def _questions() -> tuple[Question, ...]:
    rates = crescendo().rates
    keys = rates["labels"] + "_" + rates["tier"] + "_" + rates["denominator"]
    counts = zip(keys, rates["k"], rates["n"], strict=True)
    values: dict[str, Value] = {key: wilson(int(k), int(n)) for key, k, n in counts}
    values["accuracy"] = published_graders("qwen3:1.7b")[0].accuracy
    return tuple(
        replace(question, answer=_filled(question.answer, values))
        for question in read_words("questions", tuple[Question, ...], PACKAGE / "casestudy")
    )


def _filled(answer: str, values: Mapping[str, Value]) -> str:
    named = [name for _, name, _, _ in Formatter().parse(answer) if name]
    return say(answer, **{name: values[name] for name in named}).text
