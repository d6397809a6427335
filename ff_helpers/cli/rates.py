"""`ff asr`: raw rates of a file of verdicts, with what is known about each grader."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from ff_helpers.cli.assuming import assumed, assumed_json, assumed_text, measured, sampled
from ff_helpers.cli.carrying import carry
from ff_helpers.cli.text import aligned, json_rows, percent, plain, print_json, said
from ff_helpers.columns import dtypes
from ff_helpers.errors import FFError, named
from ff_helpers.grading.identities import identity_of, records, shown_names
from ff_helpers.measurement.calibration.cards import Card
from ff_helpers.measurement.proportions.intervals import ENDS
from ff_helpers.measurement.rates.asr import WHY, asr
from ff_helpers.measurement.rates.count_file import FileCounts, read_counts
from ff_helpers.measurement.rates.reported import READINGS
from ff_helpers.measurement.standing import saved_cards, standing
from ff_helpers.terms import GATE_STATES, IDENTITY, NOT_DETERMINABLE, Identity

FIELDS: Final = ("model", "intent", "turns", "source", "set")
_RAW: Final = (
    "Raw rates: what the graders said in the first pass, errors included; the Wilson interval "
    "covers chance, not the grader."
)
_LEFT: Final = ("superseded", "again", "elsewhere", "attacks", "torn")
_RATE: Final = ("tier", "denominator", "k", "n", "asr", "asr_low", "asr_high", "gate", "reading", "cards")
_LEFT_OUT: Final = ("left_out", "left_out_labels", "statuses", WHY)
_ROWS: Final = ("outcome", "graded", "scenario_id", "sampling")
_TAKEN: Final = frozenset((*dtypes("verdicts"), *_RATE, *_LEFT_OUT, *_ROWS))
"""Columns of the table of rates, or of the rows it is counted from: no tag has such a name there."""
_HEADS: Final = ("tier", "of", "k", "n", "rate [95% Wilson]", "left out")
_PEOPLE: Final = "graded by a person: people have no card; see their agreement"
_PHRASES: Final = "heuristic verdicts are for comparison, never published as a rate"


@dataclass(frozen=True)
class Backing:
    """What is known about one grader for one tier: a word, how to read its rates, and the cards behind it."""

    gate: str
    reading: str
    cards: tuple[Card, ...]
    why: str = ""


def rates_of_file(options: argparse.Namespace) -> int:
    """Print the rates of a file of verdicts, each grader with what is known about it."""
    by, tags = fields_and_tags(options.by, options.traces)
    keys = [*IDENTITY, "method", *by]
    counted = _counted(options, keys, tags)
    table = asr(counted.table, by=[*keys, *tags], tiers=options.tier, denominators=options.denominator)
    cards = saved_cards(options.cards)
    graders = [identity_of(row) for row in records(table)]
    whys = list(table[WHY]) if WHY in table.columns else [""] * len(table)
    pairs = list(zip(graders, table["tier"], strict=True))
    backed = {pair: _backing(*pair, cards) for pair in dict.fromkeys(pairs)}
    known, names = [backed[pair] for pair in pairs], shown_names(graders)
    readings = [_undecided(why) if why else b.reading for why, b in zip(whys, known, strict=True)]
    table = table.assign(grader=[names[who] for who in graders])
    table = table.assign(gate=[b.gate for b in known], reading=readings)
    table = table.assign(cards=["; ".join(card.sentence() for card in b.cards) for b in known])
    places = carry(options, table, pairs, {pair: one.cards for pair, one in backed.items()})
    table = places.beside(table)
    left = _left(counted)
    judges = {who for who in graders if who.method not in ("manual", "heuristic")}
    guess = assumed(options) if len(judges) > 1 and not options.csv and not options.cluster else []
    if options.json:
        print_json(_content(options.file, counted, table) | assumed_json(guess))
    elif options.csv:
        print(table.to_csv(index=False, lineterminator="\n"), end="")
        print(f"{_RAW} {left}", file=sys.stderr)
    else:
        parts = []
        for (who, tier), found in backed.items():
            place = [pair == (who, tier) for pair in pairs]
            said_of = set(table["reading"][place])
            # Some rows may have a rate where others of the same tier have none (`adversarial`).
            reading = said_of.pop() if len(said_of) == 1 else found.reading
            more = [*sorted(said_of - {found.reading}), *places.words.get((who, tier), ())]
            parts.append((who, found, reading, more, _lines(table[place], list(dict.fromkeys(options.by)))))
        values = {"raw": _RAW, "left": left, "names": names, "parts": parts}
        values["assumed"] = assumed_text(guess, options)
        unmeasured = {who for (who, _), found in backed.items() if found.gate == "uncalibrated"} & judges
        alone = len(set(graders)) == 1 and options.file.suffix == ".jsonl"
        values["measure"] = measured(options) if alone else "ff calibrate"
        values["draw"] = sampled(options) if unmeasured and not guess else ""
        print(said("rates", file=options.file, counted=counted, **values))
    return int(any(not reaches(one.gate, options.require) for one in known))


def _counted(options: argparse.Namespace, keys: list[str], tags: list[str]) -> FileCounts:
    if options.cluster is None:
        return read_counts(options.file, by=keys, traces=options.traces, tags=tags)
    from ff_helpers.measurement.rates.cluster import counts_on_cluster

    return counts_on_cluster(options.file, options.cluster, by=keys, traces=options.traces, tags=tags)


def reaches(gate: str, least: str | None) -> bool:
    """Return whether a state of the gate is at least another one; people have no card and need none."""
    return least is None or gate == "manual" or GATE_STATES.index(gate) >= GATE_STATES.index(least)


def fields_and_tags(wanted: Sequence[str], traces: Sequence[Path]) -> tuple[list[str], list[str]]:
    """Return what to count by: fields that every trace has, and tags, which the trace files hold.

    Raises:
        FFError: a tag without a trace file, or one called like a column of the table.
    """
    names = list(dict.fromkeys(wanted))
    tags = [name for name in names if name not in FIELDS]
    if tags and not traces:
        raise FFError(
            f"--by {named(tags[0])}: it is none of {', '.join(FIELDS)}, so it must be a tag of the traces, "
            "and verdicts do not hold tags. Name the trace file too: `--traces TRACES.jsonl`."
        )
    taken = [tag for tag in tags if tag in _TAKEN]
    if taken:
        raise FFError(
            f"--by {taken[0]}: a column of the table of rates has this name, so a tag of this name cannot be "
            "counted by. Give the tag another name in the trace file."
        )
    return [name for name in names if name in FIELDS], tags


def _undecided(why: str) -> str:
    return f"{NOT_DETERMINABLE}: {why}"


def _backing(who: Identity, tier: str, cards: Sequence[Card]) -> Backing:
    """Return what the cards say about a grader for a tier."""
    if who.method == "manual":
        return Backing("manual", _PEOPLE, ())
    found = standing(who, cards, tier=tier)
    why = ""
    if not found.cards:
        why = "its cards have expired" if found.expired else "it has no card"
        why = "its cards do not decide this tier" if found.beside else why
        if who.digest is None:
            why = "the file does not say which digest and rubric graded, so no card can be matched"
        elif found.others and not found.expired and not found.beside:
            why = "the cards under that name have another digest, rubric, temperature or seed"
    reading = "nobody measured this grader" if found.state == "uncalibrated" else READINGS[found.state]
    return Backing(found.state, _PHRASES if who.method == "heuristic" else reading, found.cards, why)


def _lines(rows: pd.DataFrame, by: list[str]) -> list[str]:
    carried = "adjusted_low" in rows.columns and bool(rows["adjusted_low"].notna().any())
    lines = [(*by, *_HEADS[:5], *(["carried over [95%]"] if carried else []), _HEADS[5])]
    for row in rows.to_dict("records"):
        rate = "unknown: no row"
        if row.get(WHY):
            rate = NOT_DETERMINABLE
        elif row["n"]:
            rate = percent(row["asr"], row["asr_low"], row["asr_high"])
        counts = ["–" if pd.isna(row[name]) else str(row[name]) for name in ("k", "n")]
        heads = [plain(row[name]) for name in (*by, "tier", "denominator")]
        fixed = [_fixed(*(row[f"adjusted{end}"] for end in ENDS))] if carried else []
        lines.append((*heads, *counts, rate, *fixed, row["left_out_labels"]))
    return aligned(lines, right=(len(by) + 2, len(by) + 3))


def _fixed(rate: float, low: float, high: float) -> str:
    if pd.isna(low):
        return "–"
    return f"[{100 * low:.1f}, {100 * high:.1f}]" if pd.isna(rate) else percent(rate, low, high)


def _left(counted: FileCounts) -> str:
    left = [
        (counted.superseded, "rows that a later one replaced"),
        (counted.again, "rows of a later pass"),
        (counted.elsewhere, "rows of traces not in the trace files"),
        (counted.attacks, "rows of traces made to attack the grader"),
        (counted.failed, "failed rows of the trace files that have no record here"),
        (counted.torn, "bytes of a torn last line"),
    ]
    words = ", ".join(f"{n} {what}" for n, what in left if n)
    cut = (
        f" Of the counted rows {counted.truncated} were cut at the token limit." if counted.truncated else ""
    )
    return f"Not counted: {words or 'nothing'}.{cut}"


def _content(path: Path, counted: FileCounts, table: pd.DataFrame) -> dict[str, object]:
    left = {n: getattr(counted, n) for n in _LEFT}
    left |= {n: getattr(counted, n) for n in ("failed", "truncated") if getattr(counted, n)}
    return {"file": str(path), "what": _RAW, "not_counted": left, "rates": json_rows(table)}
