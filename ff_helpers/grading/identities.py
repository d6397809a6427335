"""Who graded: the identities behind a frame of verdicts, and their display names where two share a name.

A name is not enough: two builds of one model, or one model under two rubrics, are two graders. A unique
name is shown alone; otherwise the part that distinguishes its identities follows in brackets.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ff_helpers.corpus.canonical import resolve
from ff_helpers.errors import FFError
from ff_helpers.terms import IDENTITY, IDENTITY_COLUMNS, NOT_RECORDED, Identity

if TYPE_CHECKING:
    import pandas as pd


def identity_of(row: Mapping[str, object]) -> Identity:
    """Return the identity in a row of a frame or of a table of text; what is missing is None."""
    said = {part: _cell(row.get(column)) for part, column in IDENTITY_COLUMNS.items()}
    name = said.pop("name") or NOT_RECORDED
    temperature, seed = _number(said.pop("temperature")), _number(said.pop("seed"))
    return Identity(name, temperature=temperature, seed=None if seed is None else int(seed), **said)


def identities(frame: "pd.DataFrame") -> list[Identity]:
    """Return the identities of a frame's rows, each once, in the order of their first row."""
    there = [column for column in IDENTITY_COLUMNS.values() if column in frame.columns]
    apart = [column for column in there if column in IDENTITY]
    heads = frame.drop_duplicates(apart)[there] if apart else frame.head(0)
    return list(dict.fromkeys(identity_of(row) for row in records(heads)))


def told_apart(frame: "pd.DataFrame") -> "tuple[pd.DataFrame, dict[str, Identity]]":
    """Return the rows with each grader under a unique name, and the identity behind each name.

    A frame in which no two identities share a name is returned unchanged.

    Args:
        frame: one row per verdict: `grader`, and those columns of `terms.IDENTITY` that exist.
    """
    apart = [column for column in IDENTITY if column in frame.columns]
    if "grader" not in apart:
        return frame, {}
    names = shown_names(identities(frame))
    who = {name: one for one, name in names.items()}
    if all(name == one.name for one, name in names.items()):
        return frame, who
    heads = frame.drop_duplicates(apart)[apart]
    shown = [names[identity_of(row)] for row in records(heads)]
    place = frame.groupby(apart, sort=False, dropna=False).ngroup()
    return frame.assign(grader=place.map(dict(enumerate(shown))).astype("str")), who


def judges_itself(grader: str, model: str) -> bool:
    """Return whether a grader is the model under test, by name or by what the two names resolve to."""
    if grader.lower() == model.lower():
        return True
    own = resolve(grader).canonical_id
    return own is not None and own == resolve(model).canonical_id


def shown_names(known: Iterable[Identity]) -> dict[Identity, str]:
    """Return the display name of each identity: its name, and in brackets how it differs from a namesake.

    That is the first 12 digits of the digest; if digests agree, the first other part that differs, such as
    `name (rubric flip-blind@0123456789ab)` or `name (temperature 0.7)`.
    """
    namesakes: dict[str, dict[Identity, None]] = {}
    for one in known:
        namesakes.setdefault(one.name, {})[one] = None
    names = {one: _shown(one, list(alike)) for alike in namesakes.values() for one in alike}
    taken = list(names.values())
    # Only a name written like another one's display name can collide with it.
    return {
        one: f"{name} #{identity_hash(one)}" if taken.count(name) > 1 else name for one, name in names.items()
    }


def chosen(known: Iterable[Identity], name: str, *, where: str = "here") -> Identity:
    """Return the identity that a name means: a display name, or a plain name that only one has.

    Raises:
        FFError: no identity has this name, or several have.
    """
    names = shown_names(known)
    found = [one for one, shown in names.items() if shown == name]
    if len(found) != 1:
        alike = [shown for shown in names.values() if shown.startswith(f"{name} (")]
        problem = (
            f"{len(alike)} graders {where} are called {name!r}" if alike else f"no grader {where} is {name!r}"
        )
        raise FFError(f"{problem}. Name one of: {', '.join(alike or names.values()) or 'none'}.")
    return found[0]


def _shown(one: Identity, alike: list[Identity]) -> str:
    said: list[str] = []
    for part, words in (
        ("digest", one.short_digest),
        ("rubric", f"rubric {one.rubric or NOT_RECORDED}"),
        ("temperature", f"temperature {NOT_RECORDED if one.temperature is None else f'{one.temperature:g}'}"),
        ("seed", f"seed {NOT_RECORDED if one.seed is None else one.seed}"),
    ):
        same = [other for other in alike if getattr(other, part) == getattr(one, part)]
        if len(same) == len(alike):
            continue
        cut = part == "digest" and any(o.short_digest == words for o in alike if o not in same)
        said.append(one.digest or NOT_RECORDED if cut else words)
        alike = same
    return f"{one.name} ({', '.join(said)})" if said else one.name


def identity_hash(one: Identity) -> str:
    """Return 8 digits that represent an identity in a file name."""
    parts = [one.name, one.digest, one.rubric, one.temperature, one.seed]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]


def records(frame: "pd.DataFrame") -> list[dict[str, object]]:
    """Return the rows of a frame, column names as text."""
    return [{str(name): cell for name, cell in row.items()} for row in frame.to_dict("records")]


def _cell(value: object) -> str | None:
    """Return a cell as text; None where it is missing."""
    import pandas as pd

    text = None if value is None or pd.isna(value) else str(value)  # type: ignore[call-overload]
    return None if text == NOT_RECORDED else text


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
