"""What the pages of a run say about the published record: the report, the student page, the atlas."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pandas as pd

from ff_helpers.casestudy.claims import shipped_claims
from ff_helpers.casestudy.crescendo_regrade import LABELLERS, crescendo
from ff_helpers.casestudy.exported import CORPUS
from ff_helpers.casestudy.graders import MANUAL, published_graders
from ff_helpers.measurement.proportions.intervals import wilson
from ff_helpers.paths import PACKAGE, Run
from ff_helpers.publication import shelf
from ff_helpers.publication.atlas.files import PAGE
from ff_helpers.publication.atlas.page import publish_page
from ff_helpers.publication.atlas.signal import Signal
from ff_helpers.publication.claims import read_claims
from ff_helpers.publication.pages import read_words
from ff_helpers.publication.prose import Value, fill
from ff_helpers.publication.shelf import Layout
from ff_helpers.publication.student import Example, Question
from ff_helpers.terms import VERDICTS

_SET: Final = "crescendo (published)"
_OWN: Final = read_words("layout", Layout, PACKAGE / "casestudy")
_ANY: Final = shelf.LAYOUT
_PLACES: Final = list(zip(_OWN.slots, _ANY.slots, strict=True))
LAYOUT: Final = Layout(
    words={name: _ANY.words[slot[0]] for own, slot in _PLACES for name in own} | _ANY.words | _OWN.words,
    slots=tuple((*own, *slot) for own, slot in _PLACES),
    subjects={title: (*starts, *_OWN.subjects.get(title, ())) for title, starts in _ANY.subjects.items()},
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
    name = f"atlas/{PAGE}"
    publish_page(run.write(name), signals, profile=run.profile, as_of=run.as_of, beside_veto=said)
    return name


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
        replace(question, answer=fill(question.answer, values))
        for question in read_words("questions", tuple[Question, ...], PACKAGE / "casestudy")
    )
