"""What `ff atlas` prints: what was written, which rows are due, what changed."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ff_helpers.cli.options import shown

if TYPE_CHECKING:
    from ff_helpers.publication.atlas.changes import Change, Due
    from ff_helpers.publication.atlas.signal import Rate, Signal

_SHOWN: Final = 40
"""How many changed models a terminal gets; the rest is counted, and --json has all."""


def changes_text(changes: Sequence["Change"]) -> str:
    """Return how many models changed, and each that did with its reasons."""
    changed = [change for change in changes if change.kind != "same"]
    more = len(changed) - _SHOWN
    lines = [f"{len(changed)} of {len(changes)} models changed", *map(_change_text, changed[:_SHOWN])]
    return "\n".join(lines + ([f"  and {more} more: --json has all"] if more > 0 else []))


def written_text(signals: Sequence["Signal"], path: Path) -> str:
    """Return what an export holds, in a few lines, and where it is."""
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


def _graders(signals: Sequence["Signal"]) -> str:
    from ff_helpers.publication.atlas.signal import named_apart

    named = {grader.grader: grader for signal in named_apart(signals) for grader in signal.graders}
    measured = sum(grader.accuracy is not None for grader in named.values())
    rejected = sorted(name for name, grader in named.items() if grader.standing == "rejected")
    said = f"{len(named)}, the accuracy of {measured} is known"
    return said + (f"; rejected: {', '.join(rejected)}" if rejected else "")


def due_text(rows: Sequence["Due"], published: str) -> str:
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


def _change_text(change: "Change") -> str:
    from ff_helpers.publication.prose import points

    shift = "" if change.shift is None else f", {points(change.shift)} points"
    return "\n".join([f"  {_name(change)}: {change.kind}{shift}", *(f"      {line}" for line in change.why)])


def _name(change: "Change") -> str:
    # A name can hold anything; a terminal must not obey it.
    text = change.model if change.model.isprintable() else ascii(change.model)
    return f"{text if len(text) <= 80 else text[:79] + '…'} ({change.origin})"


def due_json(row: "Due") -> dict[str, object]:
    """Return a row of a refresh as JSON."""
    found = {"age_days": row.age_days, "due": row.due, "reasons": list(row.reasons)}
    return change_json(row.change) | found


def change_json(change: "Change") -> dict[str, object]:
    """Return a change as JSON."""

    def rate(value: "Rate | None") -> object:
        return value.model_dump(mode="json") if value else None

    return asdict(change) | {"old": rate(change.old), "new": rate(change.new), "why": list(change.why)}
