"""The glossary: every word of `taxonomy` on one page, so that figures, tables and notebooks can link to it."""

import re
from datetime import date
from pathlib import Path
from typing import Final

from ff_helpers.publication.disclosure import NO_TIER, Disclosure
from ff_helpers.taxonomy import DENOMINATORS, GATE_STATES, GLOSSARY, INTENTS, STATUSES, TIERS, VERDICTS

NAME: Final = "glossary.html"
_GROUPS: Final = {
    "Verdicts": VERDICTS,
    "Statuses: why a row has no verdict": STATUSES,
    "Tiers: what counts as success": tuple(TIERS),
    "Denominators: what a rate is over": tuple(DENOMINATORS),
    "Attack classes": INTENTS,
    "States of a grader": GATE_STATES,
}


def slug(term: str) -> str:
    """Return the anchor of a term: lower case, each run of other characters a `-`."""
    return re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


def meaning(term: str) -> str:
    """Return what a term means: from the glossary, or from the denominators, which say it themselves.

    Raises:
        KeyError: no such term.
    """
    return GLOSSARY[term] if term in GLOSSARY else {str(k): v for k, v in DENOMINATORS.items()}[term]


def groups() -> dict[str, list[tuple[str, str]]]:
    """Return the terms with their meaning, group by group; what is in none stands under `Words`, sorted."""
    found = {name: [(str(term), meaning(str(term))) for term in terms] for name, terms in _GROUPS.items()}
    grouped = {term for terms in found.values() for term, _ in terms}
    others = sorted((term for term in GLOSSARY if term not in grouped), key=str.lower)
    return found | {"Words": [(term, GLOSSARY[term]) for term in others]}


def write_glossary(folder: Path, profile: str, as_of: date) -> str:
    """Write glossary.html into a run's folder and return its name."""
    from ff_helpers.publication.pages import render

    note = Disclosure((), NO_TIER, "none: definitions", "none", "nothing", as_of)
    page = render("glossary.html.j2", profile=profile, groups=groups(), slug=slug, disclosure=note.sentence())
    with (folder / NAME).open("w", encoding="utf-8", newline="\n") as file:
        file.write(page)
    return NAME
