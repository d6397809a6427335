"""What changed between two signals, why, and which rows are due: the published refresh rule.

A row is due when its rate moved by more than 5 points since its published record, when that record is 7 days
old, or when its graders have changed since. A refresh takes the new record where a row is due and
keeps the published one elsewhere, so slow drift adds up until it counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from ff_helpers.publication.atlas.signal import Rate, Signal, named_apart
from ff_helpers.publication.prose import points

MOVED: Final = 0.05
"""A shift of the rate above which a row is due; the published rule."""
MAX_AGE_DAYS: Final = 7
"""The age at which a row is due; the published rule."""


@dataclass(frozen=True)
class Change:
    """One model in two signals.

    Attributes:
        model: canonical id, or the name that did not resolve.
        origin: `export` or `ledger`.
        kind: `new`, `gone`, `changed` or `same`.
        old, new: its rates; None where there is no record or no rate.
        shift: new minus old, in [-1, 1]; None where one of the two is missing.
        moved: the shift is more than `MOVED`.
        why: what changed, in words; empty where nothing did.
    """

    model: str
    origin: str
    kind: str
    old: Rate | None
    new: Rate | None
    shift: float | None
    moved: bool
    why: tuple[str, ...]


@dataclass(frozen=True)
class Due:
    """A model's row as a refresh sees it: its change, its age, whether it is due and why."""

    change: Change
    age_days: int | None
    due: bool
    reasons: tuple[str, ...]


def compare_signals(old: Sequence[Signal], new: Sequence[Signal]) -> list[Change]:
    """Return every model of two signals with what changed, largest shift first."""
    before, after = _by_key(old), _by_key(new)
    homes = {alias: key[1] for key, signal in after.items() for alias in signal.aliases}
    changes = [_change(key, before.get(key), after.get(key), homes) for key in {**before, **after}]
    return sorted(changes, key=lambda c: (-abs(c.shift or 0.0), c.kind == "same", c.model, c.origin))


def due_rows(published: Sequence[Signal], fresh: Sequence[Signal], *, as_of: date) -> list[Due]:
    """Return every row with whether it is due on a day, those that are due first.

    Args:
        published: the current file's records; their `as_of` says how old they are.
        fresh: the same models counted now.
        as_of: the day.
    """
    before = _by_key(published)
    rows = []
    for change in compare_signals(published, fresh):
        record = before.get((change.origin, change.model))
        age = (as_of - record.as_of).days if record and record.as_of else None
        reasons = _reasons(change, age)
        rows.append(Due(change, age, bool(reasons), reasons))
    return sorted(rows, key=lambda row: not row.due)


def refreshed(published: Sequence[Signal], fresh: Sequence[Signal], *, as_of: date) -> list[Signal]:
    """Return the records of the next file: fresh where a row is due, as published elsewhere."""
    rows = due_rows(published, fresh, as_of=as_of)
    kept = {(row.change.origin, row.change.model) for row in rows if not row.due}
    before = _by_key(published)
    return [before[_key(signal)] if _key(signal) in kept else signal for signal in fresh]


def _key(signal: Signal) -> tuple[str, str]:
    return signal.origin, signal.label


def _by_key(signals: Sequence[Signal]) -> dict[tuple[str, str], Signal]:
    return {_key(signal): signal for signal in signals}


def _change(key: tuple[str, str], old: Signal | None, new: Signal | None, homes: dict[str, str]) -> Change:
    origin, model = key
    shift = None
    if old is None:
        kind, why = "new", ["no record before"]
    elif new is None:
        kind, why = "gone", [_moved_to(old, homes)]
    else:
        why = _why(old, new)
        kind = "changed" if why else "same"
        if old.asr and new.asr and old.asr.overall is not None and new.asr.overall is not None:
            shift = round(new.asr.overall - old.asr.overall, 6)
    rates = (old.asr if old else None, new.asr if new else None)
    moved = shift is not None and abs(shift) > MOVED + 1e-9
    return Change(model, origin, kind, *rates, shift, moved, tuple(why))


def _moved_to(old: Signal, homes: dict[str, str]) -> str:
    now = sorted({homes[alias] for alias in old.aliases if alias in homes} - {old.label})
    return f"its names are counted as {', '.join(now)} now" if now else "no record now"


def _why(old: Signal, new: Signal) -> list[str]:
    said = []
    if old.asr != new.asr:
        said.append(f"{_rate(old.asr)} before, {_rate(new.asr)} now")
    if old.confidence != new.confidence:
        said.append(f"confidence {old.confidence} before, {new.confidence} now")
    said += _sets("names", set(old.aliases), set(new.aliases))
    before, after = ({grader.grader: grader for grader in s.graders} for s in named_apart((old, new)))
    said += _sets("graders", set(before), set(after))
    for name in sorted(set(before) & set(after)):
        one, other = before[name], after[name]
        if (one.gate, one.standing) != (other.gate, other.standing):
            now = f"{other.gate}, {other.standing} now"
            said.append(f"grader {name}: {one.gate}, {one.standing} before, {now}")
        elif (one.accuracy, one.n) != (other.accuracy, other.n):
            said.append(f"grader {name} was measured again")
        if one.headline != other.headline:
            said.append(f"the rate {'rests' if other.headline else 'no longer rests'} on {name}")
    for field in ("by_intent", "refusal_stability", "multi_turn", "no_verdict", "last_graded", "corpus"):
        if getattr(old, field) != getattr(new, field):
            said.append(f"{field.replace('_', ' ')} changed")
    return said


def _sets(what: str, old: set[str], new: set[str]) -> list[str]:
    parts = [f"+ {name}" for name in sorted(new - old)] + [f"− {name}" for name in sorted(old - new)]
    return [f"{what}: {', '.join(parts)}"] if parts else []


def _rate(rate: Rate | None) -> str:
    if rate is None or rate.overall is None:
        return "no rate"
    return f"{100 * rate.overall:.1f}% ({rate.k} of {rate.n} {rate.denominator})"


def _reasons(change: Change, age: int | None) -> tuple[str, ...]:
    if change.kind in ("new", "gone"):
        return change.why if change.kind == "gone" else ("new",)
    reasons = []
    if change.moved and change.shift is not None:
        reasons.append(f"moved by {points(change.shift)} points")
    if age is None or age >= MAX_AGE_DAYS:
        reasons.append(f"{age} days old" if age is not None else "of unknown age")
    if (change.old is None) != (change.new is None):
        reasons.append("has a rate now" if change.new else "has no rate now")
    stands = [line for line in change.why if line.startswith(("grader ", "graders: ", "the rate "))]
    return (*reasons, *stands)
