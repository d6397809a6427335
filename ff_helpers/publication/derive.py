"""From a frame to its disclosure: graders with their accuracy, tiers, denominators, counts, left out.

Nothing is typed here. Columns say what varies by row, the frame's `Terms` say the rest, and the run's
calibration cards say how good a grader is. Callers add notes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import pandas as pd

from ff_helpers.grading.campaign import graders
from ff_helpers.grading.identities import identities, identity_of, records, shown_names
from ff_helpers.measurement.calibration.cards import backing
from ff_helpers.measurement.rates.known import BY_CHECKER, TRUTHS
from ff_helpers.measurement.results import (
    LABELS,
    NONE,
    WITHIN,
    GraderNote,
    Terms,
    check,
    left_out,
    terms_of,
    values,
)
from ff_helpers.measurement.standing import run_cards
from ff_helpers.paths import MissingInputError, Run
from ff_helpers.publication.disclosure import NO_TIER, Disclosure, NoTermsError, require
from ff_helpers.publication.notes import checker_note
from ff_helpers.terms import IDENTITY, NOT_RECORDED, SPACES, TIER_SPACES, TIERS, Identity, Unknown

NO_ROW = "none: no row"
NOBODY = Unknown("grader", "none has a rate in this artifact")


def disclose(run: Run, frame: pd.DataFrame, *, notes: Sequence[str] = ()) -> Disclosure:
    """Return the disclosure of a frame, derived from the rows that are there.

    Args:
        run: whose calibration cards say how good the graders are; its `as_of` is the date.
        frame: what a verb returned, or some of its rows; a frame made by hand is told its terms by `stated`.
        notes: further sentences, which only a person can add.

    Raises:
        NoTermsError: the frame does not know what it is about.
        ContradictionError: its terms and its rows say different things.
        UndisclosedError: something of the disclosure is blank.
    """
    terms = terms_of(frame)
    if terms is None:
        raise NoTermsError(frame)
    check(frame, terms)
    tiers, tier = _tiers(frame, terms)
    disclosure = Disclosure(
        graders=_graders(run, frame, terms, tiers),
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
    """Return the tiers of a frame's rates, and how they are said."""
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
    size = (
        f"{name} = {sizes.min()}" if sizes.nunique() == 1 else f"{name} from {sizes.min()} to {sizes.max()}"
    )
    if k not in frame.columns:
        return f"{size} in each row" if len(frame) > 1 else size
    if len(frame) == 1 and frame[k].notna().all():
        return f"{k} = {int(frame[k].iloc[0])} of {size}"
    return f"{k} of {name} in each row, {size}"


def _left_out(frame: pd.DataFrame, terms: Terms) -> str:
    """Return the rows that no rate is over: `timeout 90, unparsable 2`; `none` only where it is true."""
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
    return ""  # nobody said, which is refused


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
    found = _who(frame, terms)
    return (
        [f"Known labels: {', '.join(who.removeprefix('truth (').rstrip(')') for who in found)}"]
        if found
        else []
    )


def _who(frame: pd.DataFrame, terms: Terms) -> list[str]:
    named = [name for column in ("grader_a", "grader_b") for name in values(frame, column)]
    if named:
        return [name for name in TRUTHS if name in named]
    if "grader" in frame.columns and LABELS not in values(frame, "grader"):
        shown = [c for c in ("labelled", "known", "truth") if c in frame.columns and frame[c].notna().any()]
        if not shown:
            return []
    sets = values(frame, "set") or [name for name, _ in terms.truth]
    return list(dict.fromkeys(who for name, who in terms.truth if name in sets))


def _assumed(frame: pd.DataFrame, terms: Terms) -> list[str]:
    return list(dict.fromkeys([*terms.assumptions, *values(frame, "assumptions")]))


def _graders(
    run: Run, frame: pd.DataFrame, terms: Terms, tiers: Sequence[str]
) -> tuple[GraderNote, ...] | Literal["each row"] | Unknown:
    if isinstance(terms.graders, Unknown | str):
        return terms.graders
    checked = (checker_note(),) if BY_CHECKER in _who(frame, terms) else ()
    told: list[GraderNote] = []
    if terms.graders is None:
        if not {"grader", "grader_a"} & set(frame.columns):
            return Unknown("", "")  # nobody said, which is refused
        told += _named(run, frame, terms, tiers)
    there = [grader for grader in terms.graders or () if _is_there(frame, terms, grader)]
    for grader in (*there, *(terms.beside if len(frame) else ())):
        if isinstance(grader, GraderNote):
            told.append(grader)
        else:
            told += _measured(run, grader, terms, tiers, sets=_sets(frame, terms))
    return (*checked, *told) if checked or told or (len(frame) and not tiers) else NOBODY


def _is_there(frame: pd.DataFrame, terms: Terms, grader: GraderNote | Identity) -> bool:
    """Return whether a row is of this grader: by the columns that name it; a card also by set and space."""
    if "grader" not in frame.columns:
        return True
    if isinstance(grader, Identity):
        return _shown(terms, grader) in values(frame, "grader")
    rows = frame["grader"] == grader.grader
    pairs = {"set": grader.calibration_set, "space": grader.space} if grader.card else {}
    for column, value in pairs.items():
        if column in frame.columns and isinstance(value, str):
            rows &= frame[column] == value
    return bool(rows.any())


def _shown(terms: Terms, who: Identity) -> str:
    """Return the name under which a grader stands in the rows."""
    return next((name for name, one in terms.who if one == who), who.name)


def _named(run: Run, frame: pd.DataFrame, terms: Terms, tiers: Sequence[str]) -> Iterator[GraderNote]:
    """Yield the notes of the graders that the rows name, each identity once."""
    known = dict(terms.who)
    pairs = [name for column in ("grader_a", "grader_b") for name in values(frame, column)]
    for name in dict.fromkeys(name for name in pairs if name not in TRUTHS):
        yield from _measured(run, known.get(name, name), terms, tiers, sets=_sets(frame, terms))
    if "grader" not in frame.columns:
        return
    keys = [column for column in IDENTITY if column in frame.columns]
    rows = frame[frame["grader"].notna() & (frame["grader"] != LABELS)]
    for one in records(rows.drop_duplicates(keys)[keys]):
        name = str(one["grader"])
        part = rows[rows["grader"] == name]
        who = known.get(name) or (identity_of(one) if len(keys) > 1 else name)
        yield from _measured(run, who, terms, tiers, sets=_sets(part, terms))


def _sets(rows: pd.DataFrame, terms: Terms) -> list[str]:
    found = [*values(rows, "set"), *values(rows, "card_set")] or list(terms.sets)
    return [name for name in found if name != NONE]


def _measured(
    run: Run, who: Identity | str, terms: Terms, tiers: Sequence[str], *, sets: Sequence[str]
) -> list[GraderNote]:
    """Return one note per card that counts for the tiers, else one note that says it was never measured.

    Where every set of the rows has a card of the grader, those cards are what is known of it here; else all.

    Args:
        who: the grader; a name alone means every grader of that name.
        terms: the terms of the frame: under which name each grader is shown, and what is measured of whom.
        tiers: what the rates count.
        sets: of which sets the rows are.
    """
    cards = terms.cards if terms.cards is not None else backing(run_cards(run))
    wanted = [tier for tier in TIERS if tier in tiers]
    spaces = {space for tier in wanted for space in TIER_SPACES[tier]} if wanted else set(SPACES)
    meant = [who] if isinstance(who, Identity) else _meant(run, who, cards)
    found: list[GraderNote] = []
    for one in meant:
        deciding = [note for card, note in cards if _same(card, one) and note.space in spaces]
        here = [note for note in deciding if note.calibration_set in sets]
        told = here if here and {note.calibration_set for note in here} >= set(sets) else deciding
        name = _shown(terms, one) if isinstance(who, Identity) else who
        found += [replace(note, grader=name) for note in told] or [_unmeasured(one, name, wanted)]
    return found


def _meant(run: Run, name: str, cards: Sequence[tuple[Identity, GraderNote]]) -> list[Identity]:
    """Return every grader that a name means: of the run, or of a card; else one of that name alone."""
    try:
        listed = identities(graders(run))
    except MissingInputError:
        listed = []
    names = shown_names([*listed, *(card for card, _ in cards)])
    meant = [one for one, shown in names.items() if shown == name]
    return meant or [one for one in names if one.name == name] or [Identity(name)]


def _same(card: Identity, who: Identity) -> bool:
    """Return whether a card is of this grader; parts that a row does not say are those of the card."""
    said = {part: getattr(who, part) for part in ("digest", "rubric", "temperature", "seed")}
    return card.name == who.name and all(
        value is None or getattr(card, part) == value for part, value in said.items()
    )


def _unmeasured(who: Identity, name: str, tiers: Sequence[str]) -> GraderNote:
    where = f"in a label space that decides the tier {_listed([], tiers)}" if tiers else "in this run"
    return GraderNote(
        grader=name,
        digest=who.digest.removeprefix("sha256:") if who.digest else Unknown("digest", NOT_RECORDED),
        rubric=who.rubric or Unknown("rubric", NOT_RECORDED),
        accuracy=Unknown("accuracy", f"never measured {where}"),
        calibration_set=Unknown("calibration set", f"none {where}"),
        space=Unknown("space", f"none {where}"),
        gate="uncalibrated",
    )
