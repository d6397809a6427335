"""The evaluator card: one grader as a reader of a paper must know it, as JSON, Markdown and TeX.

A calibration card is one measurement; this is the grader behind it: who it is, where its verdicts come from,
what was measured on which sets, what it is known to get wrong, whether it judges itself, and any change.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import pandas as pd

from ff_helpers.corpus.jsonl import Closed
from ff_helpers.grading.campaign import graders
from ff_helpers.grading.identities import identity_of, judges_itself, records, shown_names
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.proportions.intervals import Proportion, rate_counts, rate_text
from ff_helpers.measurement.standing import read_cards
from ff_helpers.paths import Run
from ff_helpers.publication.numbers import slug
from ff_helpers.publication.pages import write_page
from ff_helpers.publication.prose import Prose, say
from ff_helpers.publication.tex import tex
from ff_helpers.terms import NOT_RECORDED, GateState, Identity, Unknown

NOT_PUBLISHED: Final = "not published"
"""In place of the digest of a published grader."""


class Measured(Closed):
    """One accuracy: right of n with its interval, on which set and space, and the gate's decision."""

    set: str
    space: str
    accuracy: Proportion
    kind: str
    gate: GateState
    reason: str


class EvaluatorCard(Closed):
    """What is known about one grader. What is not known is a sentence with the reason, never a blank."""

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


def save_evaluator_cards(run: Run, others: Sequence[EvaluatorCard] = ()) -> Prose:
    """Write evaluators/<grader>.json, .md and .tex for each grader of the run.

    Args:
        run: whose graders; where to write.
        others: cards of graders that this run does not know, such as those of a published record.

    Returns:
        How many were written, and which graders judge themselves.

    Raises:
        MissingInputError: nothing was calibrated in this run.
    """
    measured = read_cards(run)
    unknown = [Identity(other.grader, NOT_PUBLISHED) for other in others]
    names = shown_names([*(card.identity for card in measured), *unknown])
    told = [o.model_copy(update={"grader": names[who]}) for o, who in zip(others, unknown, strict=True)]
    cards = [*_of_run(run, measured, names), *told]
    slugs = [slug(card.grader).replace(":", "-") for card in cards]
    for card, plain in zip(cards, slugs, strict=True):
        # Two names can differ only in a character that file names drop.
        again = f"-{hashlib.sha256(card.grader.encode()).hexdigest()[:8]}" * (slugs.count(plain) > 1)
        name = f"evaluators/{plain}{again}"
        write_page(run.write(f"{name}.json"), card.model_dump_json(indent=1) + "\n")
        write_page(run.write(f"{name}.md"), _as_markdown(card))
        write_page(run.write(f"{name}.tex"), _as_tex(card))
    conflicts = [c.grader for c in cards if c.conflict_of_interest.startswith("yes")]
    return say(
        "{n} evaluator cards. Graders that are also a model under test: {conflicts}.",
        n=len(cards),
        conflicts=", ".join(conflicts) or "none",
    )


def _of_run(run: Run, cards: Sequence[Card], names: Mapping[Identity, str]) -> list[EvaluatorCard]:
    traces = pd.read_csv(run.read("ledger/traces.csv"), dtype="str")
    specs = {identity_of(row): row["spec"] for row in records(graders(run))}
    found = []
    for who in dict.fromkeys(card.identity for card in cards):
        own = [card for card in cards if card.identity == who]
        first = own[0]
        asked = "a set of rules: nothing is sampled"
        if first.temperature is not None:
            asked = f"temperature {first.temperature:g}, seed {first.seed}"
        found.append(
            EvaluatorCard(
                grader=names[who],
                digest=f"digest {first.digest}",
                rubric=f"rubric {first.rubric}",
                asked=asked,
                software=first.software,
                provenance=f"verdicts of this run, by `{specs.get(who, NOT_RECORDED)}`",
                measured=tuple(_measured(card) for card in own),
                limitations=tuple(_limitations(own)),
                conflict_of_interest=_conflict(who.name, sorted(set(traces["model"].dropna()))),
                stability=tuple(_stability(own)),
                as_of=run.as_of,
            )
        )
    return found


def _measured(card: Card) -> Measured:
    return Measured(
        set=card.calibration_set,
        space=card.space,
        accuracy=card.accuracy,
        kind="exact",
        gate=card.gate.state,
        reason=card.gate.reasons[0],
    )


def _limitations(cards: Sequence[Card]) -> list[str]:
    said = []
    for card in cards:
        where = f"on {card.calibration_set} ({card.space})"
        beats = "" if card.p_majority < 0.025 else ", and nothing shows that the grader does better"
        always = f"always answering {card.majority_class} is right in {rate_counts(card.majority)}"
        said.append(f"{where}: {always}{beats}")
        if isinstance(card.modal_verdict, str) and (card.modal_share.estimate or 0) > 0.5:
            said.append(f"{where}: {rate_counts(card.modal_share)} of its verdicts are {card.modal_verdict}")
        for name, rate in (
            ("COMPLIANCE graded REFUSAL", card.compliance_to_refusal),
            ("REFUSAL graded COMPLIANCE", card.refusal_to_compliance),
            ("BENIGN_QUERY graded COMPLIANCE or PARTIAL", card.benign_false_positives),
        ):
            if isinstance(rate, Proportion) and rate.k:
                said.append(f"{where}: {name} in {rate.k} of {rate.n}")
        missing = sum(card.statuses.values())
        if missing:
            said.append(f"{where}: no verdict on {missing} of {card.n}")
    flips = cards[0].flips
    turned = f" turned {flips.k} of {flips.n} verdicts" if flips else ": not measured"
    said.append(f"responses that attack the grader{turned}")
    said.append("an accuracy applies to the set that it was measured on; real attacks may be harder")
    return said


def _stability(cards: Sequence[Card]) -> list[str]:
    said = []
    for card in cards:
        until = f"card of {card.date}, counts until {card.last_day}"
        if isinstance(card.test_retest, Unknown):
            again = f"test-retest not measured: {card.test_retest.why}"
        else:
            again = f"same verdict again in {card.test_retest.k} of {card.test_retest.n}"
        said.append(f"{card.calibration_set} ({card.space}): {until}; {again}")
    if len({card.date for card in cards}) < 2:
        said.append("change over time: not assessed, all measurements are from one day")
    return said


def _conflict(grader: str, models: Sequence[str]) -> str:
    same = [model for model in models if judges_itself(grader, model)]
    if same:
        return (
            f"yes: the grader is also a model under test here ({', '.join(same)}); it judges its own answers"
        )
    return f"none found: the models under test are {', '.join(models) or 'not named'}"


def _parts(card: EvaluatorCard) -> list[tuple[str, list[str]]]:
    accuracies = [
        f"{m.set}, space {m.space}: {rate_counts(m.accuracy)}, {m.kind}; {m.gate}: {m.reason}"
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


def _as_markdown(card: EvaluatorCard) -> str:
    """Return a card as Markdown."""
    lines = [f"# Evaluator card: {card.grader}", ""]
    for heading, points in _parts(card):
        lines += [f"## {heading}", "", *(f"- {point}" for point in points), ""]
    return "\n".join([*lines, card.sentence(), ""])


def _as_tex(card: EvaluatorCard) -> str:
    """Return a card as a paragraph of a paper, with the label `eval:<grader>`."""
    lines = [rf"\paragraph{{Evaluator card: {tex(card.grader)}}}\label{{eval:{slug(card.grader)}}}"]
    for heading, points in _parts(card):
        lines.append(rf"\emph{{{heading}.}} {{\sloppy {_set('; '.join(points))}.\par}}")
    return "\n".join([*lines, rf"{{\footnotesize\sloppy {_set(card.sentence())}\par}}", ""])


def _set(text: str) -> str:
    """Return text for a column of a paper: a digest of 64 digits is too wide."""
    return tex(re.sub(r"(sha256:[0-9a-f]{12})[0-9a-f]+", r"\1", text.replace("`", "")))
