"""The rule tables about model names (CSV, one row a rule, each with its reason), and how to ask them."""

import csv
import re
from functools import cache

from ff_helpers.paths import PACKAGE


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of one rule table."""
    with (PACKAGE / "corpus" / "rules" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def kind_of(token: str, kinds: tuple[str, ...] | None = None) -> str | None:
    """Return what a word of a name is by its shape (version, size, ...), or None."""
    for kind, pattern in _patterns():
        if (kinds is None or kind in kinds) and pattern.fullmatch(token):
            return kind
    return None


def longest(tokens: list[str], phrases: list[str]) -> tuple[str, int]:
    """Return the longest phrase that the words begin with, and its length in words (0: none)."""
    best, width = "", 0
    for phrase in phrases:
        words = phrase.split("-")
        if len(words) > width and tokens[: len(words)] == words:
            best, width = phrase, len(words)
    return best, width


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((row["kind"], re.compile(row["pattern"])) for row in table("tokens"))
