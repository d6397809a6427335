"""The rule tables about model names (CSV, one row per rule, each with its reason), and their lookups."""

import re
from functools import cache, lru_cache
from typing import NamedTuple

from ff_helpers.columns import packaged


def table(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of one rule table."""
    return packaged(f"corpus/rules/{name}.csv")


@cache
def index(name: str, *columns: str) -> dict[tuple[str, ...], dict[str, str]]:
    """Return the rows of one rule table by the values of some columns, which are unique."""
    return {tuple(row[column] for column in columns): row for row in table(name)}


@cache
def lines(base: str) -> dict[str, None]:
    """Return the lines of a family (nano, coder, ...) in the order in which an id names them."""
    rows = [row for row in table("families") if row["base"] == base]
    return dict.fromkeys(line for row in rows for line in row["lines"].split("|") if line)


@cache
def families(letter: str) -> tuple[tuple[list[str], str, dict[str, str]], ...]:
    """Return the known beginnings of names by first letter, the longest first: words, last word, rule."""
    rows = [row for row in table("families") if row["words"][0] == letter]
    found = [(row["words"].split("-"), row) for row in sorted(rows, key=lambda row: -len(row["words"]))]
    return tuple((words[:-1], words[-1], row) for words, row in found)


@cache
def affixes(end: str) -> tuple[str, ...]:
    """Return the parts that only say who served a model, at one end of a name: `prefix` or `suffix`."""
    return tuple(row["text"] for row in table("serving") if row["end"] == end)


@cache
def makers() -> frozenset[str]:
    """Return everyone who may publish some family."""
    return frozenset(maker for row in table("families") for maker in row["publishers"].split("|"))


class Meaning(NamedTuple):
    """What a word or a phrase of a name says: its role, its word in the id, and the rule."""

    phrase: list[str]
    role: str
    word: str
    why: str
    synonym: dict[str, str] | None


@cache
def meanings(family: str, base: str) -> dict[str, tuple[Meaning, ...]]:
    """Return the meanings of words that have a rule in the names of a family, by their first word.

    The longest phrase comes first; a line of the family comes before the same word as a variant.
    """
    variants = index("variants", "spelling")
    found = [Meaning(line.split("-"), "line", line, "", None) for line in lines(base)]
    for row in table("synonyms"):
        if row["family"] in ("", family):
            means = variants[(row["means"],)]
            words = row["word"].split("-")
            found.append(Meaning(words, means["kind"], row["means"], means["meaning"], row))
    for (spelling,), row in variants.items():
        found.append(Meaning(spelling.split("-"), row["kind"], spelling, row["meaning"], None))
    found.sort(key=lambda meaning: -len(meaning.phrase))
    firsts = dict.fromkeys(meaning.phrase[0] for meaning in found)
    return {first: tuple(meaning for meaning in found if meaning.phrase[0] == first) for first in firsts}


@lru_cache(maxsize=4096)
def kind_of(word: str) -> str | None:
    """Return what kind of word it is by its shape (version, size, ...), or None."""
    found = _shapes().fullmatch(word)
    return found.lastgroup if found else None


@cache
def _shapes() -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{row['kind']}>{row['pattern']})" for row in table("tokens")))
