"""`ff asr`: raw rates of a file of verdicts, under the name of what is known of each grader."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from ff_helpers.cli.text import aligned, print_json, records, shown
from ff_helpers.grading.admission import GraderCard, standing
from ff_helpers.grading.ledger import identity_of
from ff_helpers.measurement.rates.asr import asr
from ff_helpers.measurement.rates.count_file import FileCounts, read_counts
from ff_helpers.measurement.rates.counts import NOT_RECORDED
from ff_helpers.measurement.rates.reported import READINGS
from ff_helpers.terms import GATE_STATES, TIER_SPACES, TIERS, Tier

FIELDS: Final = ("model", "intent", "turns", "source", "set")
_WHO: Final = ("grader", "grader_digest", "rubric", "temperature", "seed")
_RAW: Final = (
    "Raw rates: what the graders said of the first pass, with their errors in it; the Wilson interval "
    "covers chance, not the grader."
)
_HEADS: Final = ("tier", "of", "k", "n", "rate [95% Wilson]", "left out")
_PEOPLE: Final = "graded by a person: no card measures people, their agreement does"
_PHRASES: Final = "heuristic verdicts are there to be compared, never published as a rate"


@dataclass(frozen=True)
class Backing:
    """What is known of one grader for one tier: a word, how to read its rates, and the cards behind it."""

    gate: str
    reading: str
    cards: tuple[GraderCard, ...]
    why: str = ""


def rates_of_file(options: argparse.Namespace) -> int:
    """Print the rates of a file of verdicts, each grader with what is known of it."""
    keys = [*_WHO, "method", *dict.fromkeys(options.by)]
    counted = read_counts(options.file, by=keys, traces=options.traces)
    table = asr(counted.table, by=keys, tiers=options.tier, denominators=options.denominator)
    backed = {who: _backing(who, options.cards) for who in _pairs(table)}
    known = [backed[who] for who in table[[*_WHO, "method", "tier"]].itertuples(index=False, name=None)]
    table = table.assign(gate=[b.gate for b in known], reading=[b.reading for b in known])
    table = table.assign(cards=["; ".join(card.sentence() for card in b.cards) for b in known])
    if options.json:
        print_json(_content(options.file, counted, table))
    elif options.csv:
        print(table.to_csv(index=False, lineterminator="\n"), end="")
    else:
        print(_text(options.file, counted, table, backed, list(dict.fromkeys(options.by))))
    if options.csv:
        print(f"{_RAW} {_left(counted)}", file=sys.stderr)
    return 0


def _pairs(table: pd.DataFrame) -> list[tuple[str, ...]]:
    rows = table[[*_WHO, "method", "tier"]].drop_duplicates()
    return list(rows.itertuples(index=False, name=None))


def _backing(row: tuple[str, ...], folder: Path | None) -> Backing:
    """Return what the cards say of a grader for a tier; only a card in a space that decides it counts."""
    grader, digest, rubric, temperature, seed, method, name = row
    if method == "manual":
        return Backing("manual", _PEOPLE, ())
    found = standing(identity_of(grader, digest, rubric, temperature, seed), folder)
    tier: Tier = next(tier for tier in TIERS if tier == name)
    cards = tuple(card for card in found.cards if card.space in TIER_SPACES[tier])
    state = min((card.gate.state for card in cards), key=GATE_STATES.index, default="uncalibrated")
    why = ""
    if not cards:
        why = "its cards have expired" if found.expired else "there is no card of it"
        why = "its cards do not decide this tier" if found.cards else why
        if digest == NOT_RECORDED:
            why = "the file does not say which digest and rubric graded, so no card can be of it"
        elif found.others and not found.expired and not found.cards:
            why = "the cards of that name are of another digest, rubric, temperature or seed"
    reading = "nobody measured this grader" if state == "uncalibrated" else READINGS[state]
    return Backing(state, _PHRASES if method == "heuristic" else reading, cards, why)


def _text(
    path: Path,
    counted: FileCounts,
    table: pd.DataFrame,
    backed: dict[tuple[str, ...], Backing],
    by: list[str],
) -> str:
    first = int(counted.table["n"].sum())
    parts = [f"{shown(path)}: {first} rows counted. {_left(counted)}\n{_RAW}"]
    for who, found in backed.items():
        rows = table[(table[[*_WHO, "method", "tier"]] == list(who)).all(axis=1)]
        digest = who[1].removeprefix("sha256:")[:12]
        lines = [f"{who[0]} (digest {digest}; rubric {who[2]}): {found.reading}"]
        lines += [f"  {card.sentence()}; {card.gate.state}" for card in found.cards]
        lines += [f"  {found.why}"] if found.why else []
        parts.append("\n".join([*lines, *_lines(rows, by)]))
    return "\n\n".join(parts)


def _lines(rows: pd.DataFrame, by: list[str]) -> list[str]:
    lines = [(*by, *_HEADS)]
    for row in rows.to_dict("records"):
        rate = "unknown: no row"
        if row["n"]:
            rate = f"{100 * row['asr']:.1f}% [{100 * row['asr_low']:.1f}, {100 * row['asr_high']:.1f}]"
        named = [str(row[name]) for name in (*by, "tier", "denominator", "k", "n")]
        lines.append((*named, rate, row["left_out_labels"]))
    return aligned(lines, right=(len(by) + 2, len(by) + 3))


def _left(counted: FileCounts) -> str:
    said = [
        (counted.superseded, "rows that a later one replaced"),
        (counted.again, "rows of a later pass"),
        (counted.elsewhere, "rows of traces that the trace files do not hold"),
        (counted.attacks, "rows of traces made to attack the grader"),
        (counted.torn, "bytes of a torn last line"),
    ]
    words = ", ".join(f"{n} {what}" for n, what in said if n)
    return f"Not counted: {words or 'nothing'}."


def _content(path: Path, counted: FileCounts, table: pd.DataFrame) -> dict[str, object]:
    left = {n: getattr(counted, n) for n in ("superseded", "again", "elsewhere", "attacks", "torn")}
    return {"file": str(path), "what": _RAW, "not_counted": left, "rates": records(table)}
