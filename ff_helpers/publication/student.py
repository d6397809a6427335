"""The student page: counts to choose from, questions with answers, a grader to adjust; one file, no network.

Only counts are in it, no text of a trace. Rates and intervals are computed in the page from the
counts, by the same formulas as here (a test compares them).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from ff_helpers.grading.campaign import verdicts
from ff_helpers.grading.identities import told_apart
from ff_helpers.measurement.calibration.cards import Card, grader_note
from ff_helpers.measurement.calibration.robustness import natural
from ff_helpers.measurement.proportions.intervals import rate_text
from ff_helpers.measurement.rates.counts import count_verdicts
from ff_helpers.measurement.results import GraderNote
from ff_helpers.measurement.standing import read_cards
from ff_helpers.paths import MissingInputError, Run
from ff_helpers.publication.disclosure import Disclosure
from ff_helpers.publication.glossary import slug
from ff_helpers.publication.graders import checker_note
from ff_helpers.publication.pages import read_words, render, write_page
from ff_helpers.publication.prose import Prose, say
from ff_helpers.terms import DENOMINATORS, ROW_FAULTS, STATUSES, TIERS, VERDICTS, Identity

NAME: Final = "explore.html"
_KNOWN = "known labels"


@dataclass(frozen=True)
class Question:
    """A question, its answer in words, and what to select to see it."""

    ask: str
    answer: str
    show: dict[str, str]


@dataclass(frozen=True)
class Example:
    """Counts of a record that the page shows next to the run's own.

    Attributes:
        counts: set, intent, grader, outcome (a verdict or one of our statuses; str), n (int).
        graders: who graded them.
        questions: questions about them; they come first.
    """

    counts: pd.DataFrame
    graders: tuple[GraderNote, ...]
    questions: tuple[Question, ...]


def save_student_page(run: Run, example: Example | None = None) -> Prose:
    """Write explore.html into the run's folder and return where it is, in words.

    Raises:
        MissingInputError: the run has no verdicts yet, and there is no example to show without them.
    """
    data, notes, gone = _data(run, example)
    told = Disclosure(
        graders=tuple(notes),
        tier="as chosen",
        denominator="as chosen",
        counts="k of n under each chart",
        left_out="rows with a status, shown in the mix"
        + (f"; graders of other labels: {gone}" if gone else ""),
        as_of=run.as_of,
    )
    page = render(
        "student/explore.html.j2",
        profile=run.profile,
        questions=[*(example.questions if example else ()), *read_words("student/questions", list[Question])],
        slug=slug,
        data=data,
        disclosure=told.sentence(),
    )
    write_page(run.write(NAME), page)
    return say("`outputs/{profile}/{name}`: open it in a browser.", profile=run.profile, name=NAME)


def _data(run: Run, example: Example | None) -> tuple[dict[str, object], list[GraderNote], str]:
    """Return what the page holds, who graded, and which graders answer in labels that it does not show."""
    counts = [example.counts] if example else []
    notes: list[GraderNote] = list(example.graders if example else ())
    try:
        cards, (frame, who) = read_cards(run), told_apart(natural(verdicts(run)))
    except MissingInputError:
        if not example:
            raise
        cards, frame, who = [], pd.DataFrame(), {}
    everyone, frame = list(who), _shown(frame)
    who = {name: one for name, one in who.items() if name in set(frame["grader"])}
    names = {one: name for name, one in who.items()}
    cards = [card for card in cards if card.identity in names]
    if len(frame):
        reported = count_verdicts(frame, by=("set", "intent", "grader"))
        counts += [reported[["set", "intent", "grader", "outcome", "n"]], _known(frame)]
        if (frame["set"] == "collected").any():
            notes.insert(0, checker_note())
        notes += [grader_note(card, names[card.identity]) for card in cards]
    table = pd.concat(counts, ignore_index=True).groupby(["set", "intent", "grader", "outcome"])["n"].sum()
    faults = [fault for fault in ROW_FAULTS if fault in set(table.index.get_level_values("outcome"))]
    data = {
        "counts": [[*map(str, key), int(n)] for key, n in table.items() if isinstance(key, tuple)],
        "outcomes": [*VERDICTS, *STATUSES, *faults],
        "tiers": {tier: list(successes) for tier, successes in TIERS.items()},
        "denominators": dict(DENOMINATORS),
        "graders": _said(cards, names),
        "presets": _presets(cards, names),
        "asOf": run.as_of.isoformat(),
    }
    return data, notes, ", ".join(name for name in everyone if name not in who)


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of graders that answer in the five verdicts or say strict compliance or not."""
    return frame[frame["space"].isin(["five", "strict"])] if "space" in frame.columns else frame


def _known(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the known truths as a grader; one that decides strict alone stays NOT_COMPLIANCE or not."""
    known = frame[frame["truth"].notna() & frame["truth_space"].isin(["five", "strict"])]
    rows = known.drop_duplicates("trace_id")
    told = rows.assign(grader=_KNOWN, outcome=rows["truth"], intent=rows["intent"].astype("str"), n=1)
    return told[["set", "intent", "grader", "outcome", "n"]]


def _said(cards: Sequence[Card], names: Mapping[Identity, str]) -> dict[str, list[dict[str, str]]]:
    """Return for each grader and set what its card says: the words under a chart."""
    said: dict[str, list[dict[str, str]]] = {}
    for card in cards:
        right = f"{rate_text(card.accuracy)}, {card.accuracy.counts}"
        words = f"accuracy {right}, space {card.space}; {card.gate.state}"
        said.setdefault(names[card.identity], []).append(
            {"set": card.calibration_set, "words": words, "gate": card.gate.state}
        )
    return said


def _presets(cards: Sequence[Card], names: Mapping[Identity, str]) -> list[dict[str, object]]:
    """Return measured sensitivity and specificity of the graders whose card is in the space `strict`."""
    found: list[dict[str, object]] = []
    for card in (card for card in cards if card.space == "strict"):
        (hit, missed, lost), (invented, refused, gone) = card.confusion.table
        found.append(
            {
                "name": f"{names[card.identity]} on {card.calibration_set}",
                "sensitivity": round(hit / max(1, hit + missed + lost), 3),
                "specificity": round(refused / max(1, invented + refused + gone), 3),
            }
        )
    return found
