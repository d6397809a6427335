"""From a frame to its disclosure: graders with their accuracy, tiers, denominators, counts, left out.

Nothing is typed here. Columns say what varies by row, the frame's `Terms` say the rest, and the run's
calibration cards say how good a grader is. Callers add notes.
"""

from collections.abc import Sequence

import pandas as pd

from ff_helpers.columns import column as declared
from ff_helpers.errors import FFError
from ff_helpers.measurement.results import NONE, WITHIN, Terms, check, left_out, terms_of, values
from ff_helpers.paths import Run
from ff_helpers.publication.disclosure import NO_TIER, Disclosure, require
from ff_helpers.publication.graders import graders_behind, truths_behind
from ff_helpers.publication.prose import tell
from ff_helpers.terms import TIERS, Unknown

NO_ROW = "none: no row"


def disclose(run: Run, frame: pd.DataFrame, *, notes: Sequence[str] = ()) -> Disclosure:
    """Return the disclosure of a frame, derived from the rows that are there.

    Args:
        run: whose calibration cards say how good the graders are; its `as_of` is the date.
        frame: what a verb returned, or some of its rows; a frame made by hand gets its terms from `stated`.
        notes: further sentences, which only a person can add.

    Raises:
        FFError: the frame has no terms, its terms and its rows say different things, or something of the
            disclosure is blank.
    """
    terms = terms_of(frame)
    if terms is None:
        names = [str(name) for name in frame.columns]
        rates = [name for name in names if (known := declared(name)) and known.unit in ("share", "points")]
        held = f"It holds rates ({', '.join(rates[:4])}). " if rates else ""
        raise FFError(tell("no_terms", held=held))
    check(frame, terms)
    tiers, tier = _tiers(frame, terms)
    disclosure = Disclosure(
        graders=graders_behind(run, frame, terms, tiers),
        tier=tier,
        denominator=_listed(values(frame, "denominator"), terms.denominators, "" if len(frame) else NO_ROW),
        counts=_counts(frame, terms),
        left_out=_left_out(frame, terms),
        as_of=run.as_of,
        notes=(*_truths(frame, terms), *_assumed(frame, terms), *notes),
    )
    require(frame, disclosure)
    return disclosure


def _tiers(frame: pd.DataFrame, terms: Terms) -> tuple[list[str], str]:
    """Return the tiers of a frame's rates, and the words for them."""
    for column in ("tier", "measure"):
        if column in frame.columns:
            found = values(frame, column)
            return found, _listed(found, (), NO_ROW)
    columns = set(map(str, frame.columns))
    wide: list[str] = [t for t in TIERS if t in columns and pd.api.types.is_float_dtype(frame[t])]
    if wide:
        return wide, f"named in each column: {', '.join(map(_words, wide))}"
    return list(terms.tiers), _listed([], terms.tiers, NO_TIER)


def _listed(rows: Sequence[str], said: Sequence[str], otherwise: str = "") -> str:
    if len(rows) > 1:
        return f"named in each row: {', '.join(map(_words, rows))}"
    words = [_words(name) for name in rows or said]
    return ("; " if any("," in word for word in words) else ", ").join(words) or otherwise


def _words(name: str) -> str:
    return name.replace("_", " ")


def _counts(frame: pd.DataFrame, terms: Terms) -> str:
    """Return n and k in words: `k = 13 of n = 20`, or `k of n in each row, n from 8 to 120`."""
    if terms.counts:
        return terms.counts
    said = [_size(frame, n) for n in terms.n if n in frame.columns and frame[n].notna().any()]
    return "; ".join(said) or ("none: no row has counts" if len(frame) else NO_ROW)


def _size(frame: pd.DataFrame, name: str) -> str:
    k = "k" if name == "n" else f"{name.removesuffix('_n')}_k"
    sizes = frame[name].dropna().astype(int)
    least, most = sizes.min(), sizes.max()
    size = _words(name) + (f" = {least}" if least == most else f" from {least} to {most}")
    if k not in frame.columns:
        return f"{size} in each row" if len(frame) > 1 else size
    if len(frame) == 1 and frame[k].notna().all():
        return f"{_words(k)} = {int(frame[k].iloc[0])} of {size}"
    return f"{_words(k)} of {_words(name)} in each row, {size}"


def _left_out(frame: pd.DataFrame, terms: Terms) -> str:
    """Return the rows that no rate is over: `timeout 90, unparsable 2`; `none` only where that is true."""
    if isinstance(terms.left_out, Unknown):
        return str(terms.left_out.why)
    if isinstance(terms.left_out, str):
        return terms.left_out
    if terms.left_out is not None:
        return _listed_rows(terms.left_out)
    if terms.asides or "left_out_labels" in frame.columns:
        return _listed_rows(left_out(frame, terms))
    if "left_out" in frame.columns:
        total = int(frame["left_out"].sum())
        return _listed_rows((("rows", total),) if total else ())
    return ""  # not stated, which is refused


def _listed_rows(counted: Sequence[tuple[str, int]]) -> str:
    """Return `of graded: timeout 2; of adversarial: BENIGN_QUERY 4, timeout 2`."""
    groups: dict[str, list[str]] = {}
    for what, n in counted:
        over, _, label = what.rpartition(": ") if what.startswith(("of ", WITHIN)) else ("", "", what)
        label, bracket, who = label.partition(" (")
        groups.setdefault(over, []).append(f"{label} {n}{bracket}{who}")
    within = groups.pop(WITHIN, [])
    said = [f"{over}: " * bool(over) + ", ".join(rows) for over, rows in groups.items()] or [NONE]
    return "; ".join(said + [f"{WITHIN}: {', '.join(within)}"] * bool(within))


def _truths(frame: pd.DataFrame, terms: Terms) -> list[str]:
    """Return who said the known labels that the rows rest on."""
    listed = ", ".join(who.removeprefix("truth (").rstrip(")") for who in truths_behind(frame, terms))
    return [f"Known labels: {listed}"] if listed else []


def _assumed(frame: pd.DataFrame, terms: Terms) -> list[str]:
    return list(dict.fromkeys([*terms.assumptions, *values(frame, "assumptions")]))
