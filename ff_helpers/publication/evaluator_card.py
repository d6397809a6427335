"""What an evaluator card holds, and how it reads as Markdown and in a paper."""

import re
from datetime import date

from pydantic import BaseModel, ConfigDict

from ff_helpers.measurement.proportions.intervals import Proportion, rate_text
from ff_helpers.publication.numbers import slug
from ff_helpers.publication.tex import tex
from ff_helpers.terms import GateState


class Measured(BaseModel):
    """One accuracy: right of n with its interval, on which set and space, and the gate's decision."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    set: str
    space: str
    accuracy: Proportion
    kind: str
    gate: GateState
    reason: str


class EvaluatorCard(BaseModel):
    """What is known about one grader. What is not known is a sentence with the reason, never a blank."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    grader: str
    digest: str
    rubric: str
    asked: str
    software: str
    provenance: str
    measured: tuple[Measured, ...]
    limitations: tuple[str, ...]
    conflict_of_interest: str
    stability: tuple[str, ...]
    as_of: date

    def sentence(self) -> str:
        """Return the card's own disclosure."""
        said = [f"{rate_text(m.accuracy)} on {m.set}, space {m.space}; {m.gate}" for m in self.measured]
        accuracy = "accuracy " + ", ".join(said) if said else "accuracy: never measured, as far as published"
        return f"Grader: {self.grader} ({self.digest}; {self.rubric}): {accuracy}. As of {self.as_of}."


def percent_counts(rate: Proportion) -> str:
    """Return `65.0% [43.3, 81.9] (13 of 20)`."""
    return f"{rate_text(rate)} ({rate.k} of {rate.n})"


def _parts(card: EvaluatorCard) -> list[tuple[str, list[str]]]:
    accuracies = [
        f"{m.set}, space {m.space}: {percent_counts(m.accuracy)}, {m.kind}; {m.gate}: {m.reason}"
        for m in card.measured
    ]
    return [
        ("Identity", [card.digest, card.rubric, card.asked, card.software]),
        ("Provenance", [card.provenance]),
        ("Measured accuracy", accuracies or ["never measured, as far as published"]),
        ("Known limitations", list(card.limitations)),
        ("Conflict of interest", [card.conflict_of_interest]),
        ("Stability over time", list(card.stability)),
    ]


def as_markdown(card: EvaluatorCard) -> str:
    """Return a card as Markdown."""
    lines = [f"# Evaluator card: {card.grader}", ""]
    for heading, points in _parts(card):
        lines += [f"## {heading}", "", *(f"- {point}" for point in points), ""]
    return "\n".join([*lines, card.sentence(), ""])


def as_tex(card: EvaluatorCard) -> str:
    """Return a card as a paragraph of a paper, with the label `eval:<grader>`."""
    lines = [rf"\paragraph{{Evaluator card: {tex(card.grader)}}}\label{{eval:{slug(card.grader)}}}"]
    for heading, points in _parts(card):
        lines.append(rf"\emph{{{heading}.}} {{\sloppy {_set('; '.join(points))}.\par}}")
    return "\n".join([*lines, rf"{{\footnotesize\sloppy {_set(card.sentence())}\par}}", ""])


def _set(text: str) -> str:
    """Return text for a column of a paper: a digest of 64 digits is too wide."""
    return tex(re.sub(r"(sha256:[0-9a-f]{12})[0-9a-f]+", r"\1", text.replace("`", "")))
