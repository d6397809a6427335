"""The glossary page: every word of `terms`, what it means, and where the code defines it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from markupsafe import Markup

from ff_helpers.columns import UNITS, Column, columns
from ff_helpers.errors import FFError
from ff_helpers.publication.disclosure import NO_TIER, Disclosure
from ff_helpers.publication.pages import read_words, render, write_page
from ff_helpers.terms import (
    DENOMINATORS,
    GATE_STATES,
    GLOSSARY,
    INTENTS,
    SPACES,
    STATUSES,
    TIERS,
    VERDICTS,
    Space,
    classes,
)

NAME: Final = "glossary.html"


@dataclass(frozen=True)
class Entry:
    """One word: its anchor, what it means, its details, and the module that defines it."""

    term: str
    slug: str
    meaning: str
    detail: Markup
    where: str


@dataclass(frozen=True)
class Section:
    """Words of one kind."""

    title: str
    entries: tuple[Entry, ...]


_MODULES: Final = read_words("glossary", dict[str, tuple[str, ...]])
"""Words to which a module below ff_helpers/ gives their meaning; all others are `terms.py`'s own."""
_WHERE: Final = {term: module for module, terms in _MODULES.items() for term in terms}


def slug(term: str) -> str:
    """Return the anchor of a term: lower case, other characters than letters and digits as `-`."""
    return re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


def term_link(term: str, text: str = "", *, up: str = "") -> Markup:
    """Return a link to a term's entry, for a page next to the glossary (`up="../"` for one a folder below).

    Raises:
        FFError: no such term.
    """
    if slug(term) not in map(slug, GLOSSARY):  # `not determinable` is `not_determinable`
        raise FFError(
            f"the glossary has no term {term!r}, so nothing can link to it. Add it to "
            "ff_helpers/glossary.csv, or name one of its terms."
        )
    return Markup('<a href="{}{}#{}">{}</a>').format(up, NAME, slug(term), text or term.replace("_", " "))


def sections() -> list[Section]:
    """Return all words by kind, each word of GLOSSARY once, and the label spaces."""
    kinds: dict[str, Iterable[str]] = {
        "Verdicts: the five labels": VERDICTS,
        "Statuses: why a row has no verdict": STATUSES,
        "Tiers: what counts as success": TIERS,
        "Denominators: what a rate is over": DENOMINATORS,
        "Intents: what an attack tries": INTENTS,
        "Gate: states of a grader": GATE_STATES,
        "Claims: published figures and their status": _MODULES["publication/checks.py"],
    }
    placed = {term for terms in kinds.values() for term in terms}
    rest = sorted((term for term in GLOSSARY if term not in placed), key=str.lower)
    kinds["Words: traces, graders, rates"] = [term for term in rest if term not in _WHERE]
    kinds["Methods: how it is measured and shown"] = [term for term in rest if term in _WHERE]
    shown = [Section(title, tuple(_entry(term) for term in terms)) for title, terms in kinds.items()]
    spaces = Section("Label spaces: what each verdict becomes", tuple(_space(name) for name in SPACES))
    table = Section("Columns: what published tables hold", tuple(_column(one) for one in columns().values()))
    return [*shown[:5], spaces, *shown[5:], table]


def write_glossary(folder: Path, profile: str, as_of: date) -> str:
    """Write glossary.html into a run's folder and return its name."""
    note = Disclosure((), NO_TIER, "none: definitions", "none", "nothing", as_of)
    page = render("glossary.html.j2", profile=profile, sections=sections(), disclosure=note.sentence())
    write_page(folder / NAME, page)
    return NAME


def _entry(term: str) -> Entry:
    return Entry(term, slug(term), GLOSSARY[term], _detail(term), _WHERE.get(term, "terms.py"))


def _detail(term: str) -> Markup:
    """The details of a word: the verdicts of a tier, the tiers that count a verdict."""
    for tier, counted in TIERS.items():
        if tier == term:
            return Markup("Successes: {}.").format(_links(counted))
    if term in VERDICTS:
        tiers = [tier for tier, counted in TIERS.items() if term in counted]
        return Markup("A success in: {}.").format(_links(tiers) if tiers else "no tier")
    return Markup()


def _space(name: Space) -> Entry:
    term = f"space {name}"
    if name == "five":
        return Entry(term, slug(term), "the five verdicts as they are", Markup(), "terms.py")
    became = Markup("; ").join(
        Markup("<code>{}</code> from {}").format(
            label, _links(v for v in VERDICTS if SPACES[name][v] == label)
        )
        for label in classes(name)
    )
    meaning = f"{len(classes(name))} classes"
    return Entry(term, slug(term), meaning, became + ".", "terms.py")


def _column(one: Column) -> Entry:
    name = f"column {one.name}"
    heading = Markup("Heading: {}; {}.").format(one.heading, UNITS[one.unit])
    return Entry(name, slug(name), one.meaning, heading, "columns.csv")


def _links(terms: Iterable[str]) -> Markup:
    return Markup(", ").join(Markup('<a href="#{}">{}</a>').format(slug(term), term) for term in terms)
