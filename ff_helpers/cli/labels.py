"""`ff calibrate --labels`: how right one column of labels is, in any table, and the card of its judge."""

import argparse
import datetime
import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import pandas as pd

from ff_helpers.cli.text import announce, plain, print_json, said, shown
from ff_helpers.corpus.tables import read_table
from ff_helpers.errors import FFError
from ff_helpers.grading.external import external_identity
from ff_helpers.grading.identities import identity_hash
from ff_helpers.measurement.adjustment.labelled_cards import dated_card
from ff_helpers.measurement.adjustment.sample_card import card_of_sample
from ff_helpers.measurement.calibration.cards import Card, write_card
from ff_helpers.measurement.calibration.confusion import Confusion, Kappa
from ff_helpers.measurement.calibration.humans import Humans
from ff_helpers.measurement.labels.card import Coded, LabelCard, card_of_labels, texts
from ff_helpers.measurement.labels.file import Mapped, column_of, read_map, where, with_verdicts
from ff_helpers.measurement.labels.measured import measured_card, onto_space, space_of, unequal_chances
from ff_helpers.measurement.labels.people import by_majority, only_space, pairs_of_people
from ff_helpers.measurement.labels.questions import SUGGESTED, Answers, reading_of, repeats_of
from ff_helpers.measurement.labels.signs import signs
from ff_helpers.measurement.proportions.intervals import Proportion
from ff_helpers.measurement.rates.known import measures
from ff_helpers.measurement.sampling.files import design_path, read_sample
from ff_helpers.measurement.standing import default_cards
from ff_helpers.terms import ROW_FAULTS, Identity, Space, classes

MOST: Final = 20
"""How many of the invalid values are shown, the most frequent first."""


LONGEST: Final = 60
"""Characters of a query that stand in the name of a set; a longer one is hashed."""


@dataclass(frozen=True)
class Measured:
    """What was measured: the labels, their space where it is known, and who graded."""

    card: LabelCard
    frame: pd.DataFrame
    mapping: dict[str, Mapped]
    space: Space | None
    identity: Identity
    notes: tuple[str, ...]
    not_in_ledger: int


def measure_labels(options: argparse.Namespace) -> int:
    """Print the card of two columns, as text or JSON, and write it where its label space is known."""
    if is_sample(options):
        return _measure_sample(options)
    frame = table_of(options.labels)
    if options.where is not None:
        frame = where(frame, options.where)
    found = _measured(frame, options)
    card, why = _card(found, options)
    return _print(found, card, why, options)


def is_sample(options: argparse.Namespace) -> bool:
    """Return whether the labels are a sample that `ff sample` drew, to be measured against a ledger."""
    drawn = options.truth in (None, "truth") and design_path(options.labels).is_file()
    return drawn and options.ledger is not None


def _measure_sample(options: argparse.Namespace) -> int:
    """Print and write the card of a grader by the labels of a sample of its rows, weighted by its design.

    Raises:
        FFError: no traces; or as `read_sample` and `card_of_sample`.
    """
    if not options.traces:
        raise FFError(
            f"{options.labels} is a sample that `ff sample` drew: add --traces TRACES.jsonl, which name the "
            "scenarios and models of its rows."
        )
    sample = read_sample(options.labels, space=options.space)
    made = card_of_sample(
        sample, options.ledger, [Path(path) for path in options.traces], grader=options.grader
    )
    notes = [f"{made.drawn}.", *signs(made.label)]
    if sample.disputed:
        notes.append(f"{len(sample.disputed)} traces in dispute have no truth: `ff label --adjudicate`.")
    mapping: dict[str, Mapped] = {"truth": {name: name for name in made.label.matrix.classes}}
    found = Measured(made.label, made.frame, mapping, made.space, made.identity, tuple(notes), 0)
    why = "--no-card" if options.no_card else "people have no card"
    card = None
    if not options.no_card and made.identity.method != "manual":
        card = dated_card(made, datetime.date.today())
    return _print(found, card, "" if card else why, options)


def _print(found: Measured, card: Card | None, why: str, options: argparse.Namespace) -> int:
    path = None if card is None else _write(card, options)
    left = {"no_truth": found.card.no_truth, "not_in_ledger": found.not_in_ledger}
    if options.json:
        more = {"errors": found.card.errors, "notes": found.notes, "space": found.space}
        written = {"card": None if path is None else str(path), "card_why": why}
        print_json(_content(found.card) | left | more | written)
        return 0
    invalid = [f"{value!r} {n}" if value else f"empty {n}" for value, n in found.card.invalid.items()]
    values = {"card": found.card, "left": left, "invalid": invalid[:MOST], "more": len(invalid) - MOST}
    values |= {
        "made": card,
        "notes": found.notes,
        "path": path,
        "why": why,
        "space": found.space,
        "who": found.identity,
        "sampled": is_sample(options),
    }
    values |= {"backs": [] if found.space is None else measures(found.space)}
    where_said = f" where {options.where}" if options.where else ""
    print(said("label_card", file=options.labels, where=where_said, **values))
    return 0


def table_of(path: Path) -> pd.DataFrame:
    """Return a table of text, and say how it is written where that is not the usual way."""
    frame, layout = read_table(path)
    if layout.said:
        announce(f"{plain(shown(path))}: {layout.said}")
    return frame


def answers(options: argparse.Namespace) -> Answers:
    """Return what the options say about two columns of labels."""
    is_suggested = str(options.map) == SUGGESTED
    return Answers(
        mapping=read_map(options.map) if options.map is not None and not is_suggested else {},
        suggested=is_suggested,
        threshold=options.threshold,
        positive=options.positive,
        errors=tuple(options.errors or ()),
    )


def _measured(frame: pd.DataFrame, options: argparse.Namespace) -> Measured:
    given = answers(options)
    mapping = dict(given.mapping)
    space: Space | None = options.space
    if options.ledger is not None and space is None:
        space = only_space(frame)
    grader, notes, chosen, positive = options.grader, [], len(frame), options.positive
    pairs: tuple[Humans, ...] = ()
    if options.ledger is not None and space is not None:
        pairs = pairs_of_people(frame, options.truth, space)
        frame, people = by_majority(frame, options.truth, space)
        chosen, notes = len(frame), [people] if people else []
    items, hint = repeats_of(frame) if options.item is None else (options.item, "")
    notes += [hint] if hint else []
    if options.ledger is not None and space is not None:
        frame, grader, identity = with_verdicts(frame, options.ledger, space, options.grader)
        mapping = {"truth": {name: name for name in classes(space)} | dict(mapping.get("truth", {}))}
    else:
        reading = reading_of(frame, options.truth, grader, given)
        mapping, notes = reading.mapping, [*notes, *reading.notes]
        frame, grader = _named(frame, grader, reading.grader)
        identity = external_identity(options.name or grader)

    def measured(positive: str | None) -> LabelCard:
        return card_of_labels(
            frame,
            truth=options.truth,
            grader=grader,
            positive=positive,
            mapping=mapping,
            annotators=tuple(options.annotators) if options.annotators else None,
            errors=options.errors or (() if options.ledger is None else ROW_FAULTS),
            items=items,
            model=options.model,
        )

    card = measured(None if space else positive)
    space = space or space_of(card.matrix.classes)
    if space is not None and options.ledger is None:
        graded = Coded.of(texts(column_of(frame, grader))).values
        mapping = onto_space(space, card.matrix.classes, graded, mapping, positive)
        positive = classes(space)[0] if positive and positive not in classes(space) else positive
    if space is not None:
        card = measured(positive)
    card = card if card.humans else replace(card, humans=pairs)
    notes += signs(card)
    return Measured(card, frame, mapping, space, identity, tuple(notes), chosen - len(frame))


def _named(frame: pd.DataFrame, column: str, name: str) -> tuple[pd.DataFrame, str]:
    """Return the table with a column of the grader's name, where a threshold is part of it."""
    return (frame, name) if name == column else (frame.assign(**{name: column_of(frame, column)}), name)


def _card(found: Measured, options: argparse.Namespace) -> tuple[Card | None, str]:
    """Return the card to write, or why none is."""
    if options.no_card:
        return None, "--no-card"
    if found.space is None:
        return None, "which label space the classes belong to is not known: name it with --space"
    if found.identity.method == "manual":
        return None, "people have no card"
    if unequal_chances(found.frame):
        return None, (
            "the rows were drawn with different probabilities, which these figures do not weight: give the "
            "file that `ff sample` wrote, with its design beside it, and --ledger VERDICTS --traces TRACES"
        )
    card = measured_card(
        found.card,
        frame=found.frame,
        mapped=found.mapping.get("truth"),
        identity=found.identity,
        space=found.space,
        calibration_set=_set(options),
        day=datetime.date.today(),
    )
    return card, ""


def _set(options: argparse.Namespace) -> str:
    """Return the name of the set: a choice of rows is another set than the whole table."""
    query = options.where
    if query is None:
        return str(options.labels.stem)
    chose = query if len(query) <= LONGEST else hashlib.sha256(query.encode()).hexdigest()[:8]
    return f"{options.labels.stem} where {chose}"


def _write(card: Card, options: argparse.Namespace) -> Path:
    folder = options.cards or default_cards()
    return write_card(folder / f"{card.slug}_{identity_hash(card.identity)}.json", card)


def _content(card: LabelCard) -> dict[str, object]:
    """Return the card as --json prints it: shares in [0, 1], intervals as [low, high], null where unknown."""
    matrix, worth = card.matrix, card.evidence
    content: dict[str, object] = {"truth": card.truth, "grader": card.grader, "n": worth.n, "k": matrix.k}
    content |= {"rows": matrix.n, "items": card.items}
    content |= _share_json("accuracy", worth.accuracy) | _kappa_json(worth.kappa)
    content |= {"baseline": worth.baseline.estimate, "majority_class": matrix.classes[worth.majority]}
    content |= {"confusion": _nested(matrix, len(card.invalid) > 0)}
    content["per_class"] = {
        name: {"n": sum(matrix.table[i])}
        | _share_json("recall", worth.recalls[i])
        | _share_json("precision", worth.precisions[i])
        for i, name in enumerate(matrix.classes)
    }
    content |= {
        "invalid": sum(card.invalid.values()),
        "invalid_values": dict(list(card.invalid.items())[:MOST]),
    }
    if card.positive is not None:
        one = card.positive
        content |= {"positive": one.name, "f1": one.f1}
        content |= _share_json("precision", one.precision) | _share_json("recall", one.sensitivity)
        content |= _share_json("sensitivity", one.sensitivity) | _share_json("specificity", one.specificity)
    people = [humans_json(pair) for pair in card.humans]
    content |= {"annotators": people[0], "people": people} if people else {}
    criteria = [
        {"rule": rule} | asdict(one)
        for rule, every in (("published", card.gate.published), ("ours", card.gate.ours))
        for one in every
    ]
    content["gate"] = {"state": card.gate.state, "criteria": criteria, "reasons": card.gate.reasons}
    return content


def humans_json(pair: Humans) -> dict[str, object]:
    """Return how far two people agree, for JSON."""
    said = {"columns": pair.columns, "n": pair.agreement.n, "k": pair.agreement.k, "left_out": pair.left_out}
    return said | _share_json("agreement", pair.agreement) | _kappa_json(pair.kappa)


def judge_json(card: LabelCard) -> dict[str, object]:
    """Return how right a judge is, for JSON: as `ff calibrate --labels --json` names it."""
    content = _content(card)
    kept = ("truth", "grader", "n", "k", "rows", "items", "accuracy", "accuracy_ci", "kappa", "kappa_ci")
    gate = {"state": card.gate.state, "reasons": card.gate.reasons}
    return {name: content[name] for name in (*kept, "baseline", "majority_class")} | {"gate": gate}


def _share_json(name: str, share: Proportion) -> dict[str, object]:
    return {name: share.estimate, f"{name}_ci": [share.low, share.high]}


def _kappa_json(kappa: Kappa | None) -> dict[str, object]:
    if kappa is None:
        return {"kappa": None, "kappa_ci": [-1.0, 1.0], "kappa_note": "no row"}
    return {"kappa": kappa.value, "kappa_ci": [kappa.low, kappa.high], "kappa_note": kappa.note}


def _nested(matrix: Confusion, invalid: bool) -> dict[str, dict[str, int]]:
    """Return truth -> graded class -> count; the column `invalid` only where some label is invalid."""
    last = "invalid" if "invalid" not in matrix.classes else "no label"
    columns = (*matrix.classes, last) if invalid else matrix.classes
    return {
        name: dict(zip(columns, row, strict=False))
        for name, row in zip(matrix.classes, matrix.table, strict=True)
    }
