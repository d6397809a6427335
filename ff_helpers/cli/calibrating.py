"""`ff calibrate`: measure a grader before it grades, or how accurate one column of labels is, in any CSV."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Final

from ff_helpers import paths
from ff_helpers.cli.text import announce, plain, print_json, said, shown
from ff_helpers.corpus.readers import CALIBRATION, READERS
from ff_helpers.corpus.tables import read_table
from ff_helpers.errors import FFError
from ff_helpers.grading.ledger import RETRIED
from ff_helpers.measurement.calibration.calibrate import calibrate_files
from ff_helpers.measurement.calibration.confusion import Confusion, Kappa
from ff_helpers.measurement.labels.card import LabelCard, card_of_labels
from ff_helpers.measurement.labels.file import read_map, where, with_verdicts
from ff_helpers.measurement.proportions.intervals import Proportion
from ff_helpers.measurement.standing import default_cards
from ff_helpers.registry import chosen
from ff_helpers.terms import GATE_STATES, Space, classes

MOST: Final = 20
"""How many of the invalid values are shown, the most frequent first."""


def calibrate(options: argparse.Namespace) -> int:
    """Run a grader on labelled traces, or measure an existing column of labels."""
    check_options(options)
    return _run_grader(options) if options.labels is None else measure_labels(options)


def _run_grader(options: argparse.Namespace) -> int:
    sets = _sets(options.traces)
    announce(f"calibrating {options.grader} on {', '.join(sets)}")
    recorded = options.grader.startswith("recorded:")
    done = calibrate_files(
        options.grader,
        sets,
        options.cards or default_cards(),
        rubric=options.rubric,
        limit=options.limit or 0,
        repeats=options.repeats or (1 if recorded else 2),
        split=options.split,
        attacks=str(paths.data() / "calibration" / "injections.jsonl") if options.attacks else None,
        concurrency=options.concurrency,
        timeout=options.timeout,
    )
    cards = [card for _, card in done.cards]
    failed = sum(n for card in cards for status, n in card.statuses.items() if status in RETRIED)
    # Several cards together allow what the lowest of them allows.
    state = min((card.gate.state for card in cards), key=GATE_STATES.index)
    first, shipped = cards[0], options.traces is None
    values = {"first": first, "shipped": shipped, "sets": sets, "state": state, "failed": failed}
    print(said("calibrated", cards=done.cards, **values))
    return int(failed > 0)


def _sets(traces: list[str] | None) -> dict[str, str]:
    """Name the trace sets by their file; files are taken from the current folder."""
    if traces is None:
        return {name: str(paths.root() / where) for name, where in CALIBRATION.items()}
    sets: dict[str, str] = {}
    for spec in traces:
        known = chosen(spec, READERS)
        if known is not None:
            sets[Path(known[1]).stem] = spec
            continue
        path = Path(spec).absolute()
        sets[path.stem if path.stem not in sets else str(path)] = str(path)
    return sets


def check_options(options: argparse.Namespace) -> None:
    """Refuse options that cannot be combined, with what to do.

    Raises:
        FFError: an option for labels without --labels or the reverse, or a missing option.
    """
    if options.labels is None:
        if given := _given(options, "labels"):
            raise FFError(f"--{given[0]} is for existing labels: add --labels FILE.csv.")
        if options.grader is None:
            raise FFError(
                "which grader? --grader SPEC runs one on labelled traces; --labels FILE.csv --truth COLUMN "
                "--grader COLUMN measures existing labels."
            )
        return
    if given := _given(options, None):
        raise FFError(f"--{given[0]} is for running a grader on traces: leave out it or --labels.")
    if options.truth is None:
        raise FFError("--labels needs --truth COLUMN, the column of the true labels.")
    if options.ledger is None and options.grader is None:
        raise FFError("--labels needs --grader COLUMN, the column of the graded labels.")
    if (options.ledger is None) != (options.space is None):
        raise FFError("--ledger LEDGER.jsonl and --space SPACE go together: give both or neither.")


def _given(options: argparse.Namespace, group: str | None) -> list[str]:
    """Return the options of a group that do not have their default; --grader is of both."""
    named = ((name, default) for name, default in options.defaults[group].items() if name != "grader")
    return [name for name, default in named if getattr(options, name) != default]


def measure_labels(options: argparse.Namespace) -> int:
    """Print the card of two columns, as text or JSON."""
    frame, layout = read_table(options.labels)
    if layout.said:
        announce(f"{plain(shown(options.labels))}: {layout.said}")
    if options.where is not None:
        frame = where(frame, options.where)
    mapping = read_map(options.map) if options.map else {}
    grader, chosen = options.grader, len(frame)
    if options.ledger is not None:
        space: Space = options.space
        frame, grader = with_verdicts(frame, options.ledger, space, options.grader)
        mapping = {"truth": {name: name for name in classes(space)} | dict(mapping.get("truth", {}))}
    card = card_of_labels(
        frame,
        truth=options.truth,
        grader=grader,
        positive=options.positive,
        mapping=mapping,
        annotators=tuple(options.annotators) if options.annotators else None,
    )
    left = {"no_truth": card.no_truth, "not_in_ledger": chosen - len(frame)}
    if options.json:
        print_json(_content(card) | left)
        return 0
    invalid = [f"{value!r} {n}" if value else f"empty {n}" for value, n in card.invalid.items()]
    values = {"card": card, "left": left, "invalid": invalid[:MOST], "more": len(invalid) - MOST}
    where_said = f" where {options.where}" if options.where else ""
    print(said("label_card", file=options.labels, where=where_said, **values))
    return 0


def _content(card: LabelCard) -> dict[str, object]:
    """Return the card as --json prints it: shares in [0, 1], intervals as [low, high], null where unknown."""
    matrix = card.matrix
    content: dict[str, object] = {"truth": card.truth, "grader": card.grader, "n": matrix.n, "k": matrix.k}
    content |= _share_json("accuracy", matrix.accuracy) | _kappa_json(card.kappa)
    content |= {"baseline": matrix.baseline.estimate, "majority_class": matrix.classes[matrix.majority]}
    content |= {"confusion": _nested(matrix, len(card.invalid) > 0)}
    content["per_class"] = {
        name: {"n": sum(matrix.table[i])}
        | _share_json("recall", matrix.recall(i))
        | _share_json("precision", matrix.precision(i))
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
    if card.humans is not None:
        agreed = card.humans.agreement
        content["annotators"] = (
            {"columns": card.humans.columns, "n": agreed.n, "k": agreed.k, "left_out": card.humans.left_out}
            | _share_json("agreement", agreed)
            | _kappa_json(card.humans.kappa)
        )
    criteria = [
        {"rule": rule} | asdict(one)
        for rule, every in (("published", card.gate.published), ("ours", card.gate.ours))
        for one in every
    ]
    content["gate"] = {"state": card.gate.state, "criteria": criteria, "reasons": card.gate.reasons}
    return content


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
