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
from ff_helpers.cli.text import print_json, said, shown
from ff_helpers.publication.atlas import files
from ff_helpers.publication.atlas.changes import Change, Due, compare_signals, due_rows, refreshed
from ff_helpers.publication.atlas.ledger import nothing_given, read_signals
from ff_helpers.publication.atlas.page import publish_page
from ff_helpers.publication.atlas.signal import Rate, Signal, named_apart

_SHOWN: Final = 40
"""How many changed models are printed; the rest are counted, and --json has all."""


def export(options: argparse.Namespace) -> int:
    """Write the signal of some counts, its page, and the compatible form if requested."""
    as_of = options.as_of or date.today()
    files.check_places(_folder(options), options.compat)
    signals = _signals(options, as_of)
    path = files.write_signal(_folder(options), signals, as_of, replace=options.replace)
    _page(path, as_of)
    if options.compat:
        options.compat.parent.mkdir(parents=True, exist_ok=True)
        options.compat.write_text(compat_text(signals, as_of=as_of), encoding="utf-8", newline="\n")
    print(_written_text(signals, path, options.compat))
    return 0


def refresh(options: argparse.Namespace) -> int:
    """Say what is due, and write the next file where anything is."""
    as_of, folder = options.as_of or date.today(), _folder(options)
    published = files.current(folder)
    if published is None:
        raise nothing_given(f"{folder} has no signal yet: `ff atlas export` writes the first one")
    files.check_clock(folder, as_of)
    files.check_places(folder)
    before = files.read_file(published)
    fresh = _signals(options, as_of)
    rows = due_rows(before, fresh, as_of=as_of)
    due = [row for row in rows if row.due]
    if options.json:
        print_json([_due_json(row) for row in rows])
    else:
        moved = sum(row.change.moved for row in rows)
        print(said("atlas_due", published=published, rows=rows, due=due, moved=moved))
    if options.dry_run or not due:
        return 0
    path = files.write_signal(folder, refreshed(before, fresh, as_of=as_of), as_of, replace=options.replace)
    _page(path, as_of)
    if not options.json:
        print(f"\nwritten   {shown(path)}")
    return 0


def diff(options: argparse.Namespace) -> int:
    """Print what changed between the files of two dates."""
    folder = _folder(options)
    old, new = (files.read_file(files.path_of(folder, day)) for day in (options.old, options.new))
    changes = compare_signals(old, new)
    if options.json:
        print_json([_change_json(change) for change in changes])
    else:
        changed = [change for change in changes if change.kind != "same"]
        days = {"old": options.old, "new": options.new}
        print(said("atlas_changes", changes=changes, changed=changed, most=_SHOWN, **days))
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
    publish_page(path.with_name(files.PAGE), files.read_file(path), profile=path.parent.name, as_of=as_of)


def _written_text(signals: Sequence[Signal], path: Path, compat: Path | None) -> str:
    """Return what is in an export, in a few lines, and where it is."""
    rated = [signal for signal in signals if signal.asr]
    named = {grader.grader: grader for signal in named_apart(signals) for grader in signal.graders}
    return said(
        "atlas_written",
        signals=signals,
        rated=rated,
        few=sum(signal.confidence == "insufficient_sample" for signal in rated),
        resolved=sum(signal.canonical_id is not None for signal in signals),
        graders=list(named.values()),
        rejected=sorted(name for name, grader in named.items() if grader.standing == "rejected"),
        path=path,
        compat=compat,
    )


def _due_json(row: Due) -> dict[str, object]:
    """Return a row of a refresh as JSON."""
    found = {"age_days": row.age_days, "due": row.due, "reasons": list(row.reasons)}
    return _change_json(row.change) | found


def _change_json(change: Change) -> dict[str, object]:
    """Return a change as JSON."""

    def rate(value: Rate | None) -> object:
        return value.model_dump(mode="json") if value else None

    return asdict(change) | {"old": rate(change.old), "new": rate(change.new), "why": list(change.why)}
