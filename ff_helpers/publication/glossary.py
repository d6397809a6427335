"""The glossary page: every word of `terms`, what it means, and where the code defines it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Final

from markupsafe import Markup

from ff_helpers import terms
from ff_helpers.columns import UNITS, Column, columns
from ff_helpers.errors import FFError, quoted
from ff_helpers.publication.disclosure import NO_TIER, Disclosure
from ff_helpers.publication.pages import read_words, render, write_page

NAME: Final = "glossary.html"


@dataclass(frozen=True)
class Entry:
    """One word: what it means, the module that defines it, and the label space or column that it is."""

    term: str
    meaning: str
    where: str
    space: Mapping[str, Sequence[str]] = field(default_factory=dict)
    column: Column | None = None


_MODULES: Final = read_words("glossary", dict[str, tuple[str, ...]])
"""Words to which a module below ff_helpers/ gives their meaning; all others are `terms.py`'s own."""
_WHERE: Final = {term: module for module, words in _MODULES.items() for term in words}


def slug(term: str) -> str:
    """Return the anchor of a term: lower case, other characters than letters and digits as `-`."""
    return re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


def term_link(term: str, text: str = "", *, up: str = "") -> Markup:
    """Return a link to a term's entry, for a page next to the glossary (`up="../"` for one a folder below).

    Raises:
        FFError: no such term.
    """
    if slug(term) not in map(slug, terms.GLOSSARY):  # `not determinable` is `not_determinable`
        raise FFError(
            f"the glossary has no term {quoted(term)}, so nothing can link to it. Add it to "
            "ff_helpers/glossary.csv, or name one of its terms."
        )
    return Markup('<a href="{}{}#{}">{}</a>').format(up, NAME, slug(term), text or term.replace("_", " "))


def sections() -> dict[str, list[Entry]]:
    """Return all words by kind, each word of GLOSSARY once, and the label spaces and columns."""
    claims = _MODULES["publication/checks.py"]
    kinds = (terms.VERDICTS, terms.STATUSES, terms.TIERS, terms.DENOMINATORS, terms.INTENTS)
    placed = set(chain(*kinds, terms.GATE_STATES, claims))
    rest = sorted((term for term in terms.GLOSSARY if term not in placed), key=str.lower)
    return {
        "Verdicts: the five labels": _entries(terms.VERDICTS),
        "Statuses: why a row has no verdict": _entries(terms.STATUSES),
        "Tiers: what counts as success": _entries(terms.TIERS),
        "Denominators: what a rate is over": _entries(terms.DENOMINATORS),
        "Intents: what an attack tries": _entries(terms.INTENTS),
        "Label spaces: what each verdict becomes": [_space(name) for name in terms.SPACES],
        "Gate: states of a grader": _entries(terms.GATE_STATES),
        "Claims: published figures and their status": _entries(claims),
        "Words: traces, graders, rates": _entries(term for term in rest if term not in _WHERE),
        "Methods: how it is measured and shown": _entries(term for term in rest if term in _WHERE),
        "Columns: what published tables hold": [
            Entry(f"column {name}", one.meaning, "columns.csv", column=one) for name, one in columns().items()
        ],
    }


def write_glossary(folder: Path, profile: str, as_of: date) -> str:
    """Write glossary.html into a run's folder and return its name."""
    note = Disclosure((), NO_TIER, "none: definitions", "none", "nothing", as_of)
    page = render(
        "glossary.html.j2",
        profile=profile,
        sections=sections(),
        slug=slug,
        tiers=terms.TIERS,
        verdicts=terms.VERDICTS,
        units=UNITS,
        disclosure=note.sentence(),
    )
    write_page(folder / NAME, page)
    return NAME


def _entries(words: Iterable[str]) -> list[Entry]:
    return [Entry(term, terms.GLOSSARY[term], _WHERE.get(term, "terms.py")) for term in words]


def _space(name: terms.Space) -> Entry:
    term = f"space {name}"
    if name == "five":
        return Entry(term, "the five verdicts as they are", "terms.py")
    space = terms.SPACES[name]
    became = {label: [v for v in terms.VERDICTS if space[v] == label] for label in terms.classes(name)}
    return Entry(term, f"{len(became)} classes", "terms.py", space=became)
