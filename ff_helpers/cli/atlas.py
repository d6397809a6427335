"""`ff atlas`: one record per model, with its uncertainty; what changed, what is due, and the page."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Final

from ff_helpers import paths
from ff_helpers.casestudy.exported import atlas_signal
from ff_helpers.casestudy.exports import compat_text, read_export
from ff_helpers.cli.text import print_json, shown
from ff_helpers.publication.atlas.changes import Change, Due, compare_signals, due_rows, refreshed
from ff_helpers.publication.atlas.files import (
    PAGE,
    check_clock,
    check_places,
    current,
    path_of,
    read_file,
    write_signal,
)
from ff_helpers.publication.atlas.ledger import nothing_given, read_signals
from ff_helpers.publication.atlas.page import publish_page
from ff_helpers.publication.atlas.signal import Rate, Signal, named_apart
from ff_helpers.publication.prose import points

_SHOWN: Final = 40
"""How many changed models are printed; the rest are counted, and --json has all."""


def export(options: argparse.Namespace) -> int:
    """Write the signal of some counts, its page, and the compatible form if requested."""
    as_of = options.as_of or date.today()
    check_places(_folder(options), options.compat)
    signals = _signals(options, as_of)
    path = write_signal(_folder(options), signals, as_of, replace=options.replace)
    _page(path, as_of)
    if options.compat:
        options.compat.parent.mkdir(parents=True, exist_ok=True)
        options.compat.write_text(compat_text(signals, as_of=as_of), encoding="utf-8", newline="\n")
    print(written_text(signals, path))
    if options.compat:
        print(f"compat    {shown(options.compat)}")
    return 0


def refresh(options: argparse.Namespace) -> int:
    """Say what is due, and write the next file where anything is."""
    as_of, folder = options.as_of or date.today(), _folder(options)
    published = current(folder)
    if published is None:
        raise nothing_given(f"{folder} has no signal yet: `ff atlas export` writes the first one")
    check_clock(folder, as_of)
    check_places(folder)
    before = read_file(published)
    fresh = _signals(options, as_of)
    rows = due_rows(before, fresh, as_of=as_of)
    due = [row for row in rows if row.due]
    if options.json:
        print_json([due_json(row) for row in rows])
    else:
        print(due_text(rows, shown(published)))
    if options.dry_run or not due:
        return 0
    path = write_signal(folder, refreshed(before, fresh, as_of=as_of), as_of, replace=options.replace)
    _page(path, as_of)
    if not options.json:
        print(f"\nwritten   {shown(path)}")
    return 0


def diff(options: argparse.Namespace) -> int:
    """Print what changed between the files of two dates."""
    folder = _folder(options)
    changes = compare_signals(*(read_file(path_of(folder, day)) for day in (options.old, options.new)))
    if options.json:
        print_json([change_json(change) for change in changes])
    else:
        print(f"{options.old} to {options.new}: {changes_text(changes)}")
    return 0


def _signals(options: argparse.Namespace, as_of: date) -> list[Signal]:
    """Return the records of the files that the options name."""
    export = options.export
    return read_signals(
        options.ledger,
        options.traces,
        as_of=as_of,
        exported=atlas_signal(read_export(export), corpus=export.name) if export is not None else (),
        cards=options.cards,
        names=dict(options.name),
        tier=options.tier,
        denominator=options.denominator,
    )


def _folder(options: argparse.Namespace) -> Path:
    return options.dir or paths.outputs() / "atlas"


def _page(path: Path, as_of: date) -> None:
    publish_page(path.with_name(PAGE), read_file(path), profile=path.parent.name, as_of=as_of)


def changes_text(changes: Sequence[Change]) -> str:
    """Return how many models changed, and each that did with its reasons."""
    changed = [change for change in changes if change.kind != "same"]
    more = len(changed) - _SHOWN
    lines = [f"{len(changed)} of {len(changes)} models changed", *map(_change_text, changed[:_SHOWN])]
    return "\n".join(lines + ([f"  and {more} more: --json has all"] if more > 0 else []))


def written_text(signals: Sequence[Signal], path: Path) -> str:
    """Return what is in an export, in a few lines, and where it is."""
    rated = [signal for signal in signals if signal.asr]
    few = sum(signal.confidence == "insufficient_sample" for signal in rated)
    resolved = sum(signal.canonical_id is not None for signal in signals)
    without = len(signals) - len(rated)
    return "\n".join(
        [
            f"models    {len(signals)}: {resolved} with a canonical id, {len(signals) - resolved} with a "
            "reason why not (ff resolve NAME explains)",
            f"rates     {len(rated)}, {few} of them on fewer than 20 traces"
            + (f"; {without} models without: only rejected graders or heuristics graded" if without else ""),
            f"graders   {_graders(signals)}",
            f"signal    {shown(path)}",
            f"page      {shown(path.with_name('index.html'))}",
        ]
    )


def _graders(signals: Sequence[Signal]) -> str:
    named = {grader.grader: grader for signal in named_apart(signals) for grader in signal.graders}
    measured = sum(grader.accuracy is not None for grader in named.values())
    rejected = sorted(name for name, grader in named.items() if grader.standing == "rejected")
    said = f"{len(named)}, the accuracy of {measured} is known"
    return said + (f"; rejected: {', '.join(rejected)}" if rejected else "")


def due_text(rows: Sequence[Due], published: str) -> str:
    """Return which rows are due and why, and how many stay as published."""
    due = [row for row in rows if row.due]
    moved = sum(row.change.moved for row in rows)
    lines = [f"{published}: {len(due)} of {len(rows)} rows are due, {moved} moved by more than 5 points"]
    for row in due:
        why = [line for line in row.change.why if line not in row.reasons]
        lines += [f"  {_name(row.change)}: {'; '.join(row.reasons)}", *(f"      {line}" for line in why)]
    kept = len(rows) - len(due)
    if kept:
        lines.append(f"  {kept} rows are not due and stay as published")
    return "\n".join(lines)


def _change_text(change: Change) -> str:
    shift = "" if change.shift is None else f", {points(change.shift)} points"
    return "\n".join([f"  {_name(change)}: {change.kind}{shift}", *(f"      {line}" for line in change.why)])


def _name(change: Change) -> str:
    # A name can contain anything, control sequences too.
    text = change.model if change.model.isprintable() else ascii(change.model)
    return f"{text if len(text) <= 80 else text[:79] + '…'} ({change.origin})"


def due_json(row: Due) -> dict[str, object]:
    """Return a row of a refresh as JSON."""
    found = {"age_days": row.age_days, "due": row.due, "reasons": list(row.reasons)}
    return change_json(row.change) | found


def change_json(change: Change) -> dict[str, object]:
    """Return a change as JSON."""

    def rate(value: Rate | None) -> object:
        return value.model_dump(mode="json") if value else None

    return asdict(change) | {"old": rate(change.old), "new": rate(change.new), "why": list(change.why)}
