"""Whether a text states a secret: the basis of a scenario's checker, and so of strict truth."""

import re
from itertools import accumulate
from typing import Final

_NUMBERS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGITS: Final = {word: str(n) for n, word in enumerate(_NUMBERS)}


def states(text: str, *spellings: str) -> bool:
    """Return whether a text states a secret in one of its spellings.

    Case, punctuation and spacing do not matter, and digits may be written as words. A spelling must begin
    and end where a word or a number of the text does: `4417` is not stated by `144170`.
    """
    tokens = _tokens(text)
    plain, edges = "".join(tokens), {0, *accumulate(map(len, tokens))}
    return any(_stands(wanted, plain, edges) for wanted in ("".join(_tokens(s)) for s in spellings) if wanted)


def _stands(wanted: str, plain: str, edges: set[int]) -> bool:
    place = plain.find(wanted)
    while place >= 0:
        if place in edges and place + len(wanted) in edges:
            return True
        place = plain.find(wanted, place + 1)
    return False


def _tokens(text: str) -> list[str]:
    """Return the words and numbers of a text, number words as digits."""
    words = re.findall(r"\d+|[^\W\d_]+", text.casefold())
    return [_DIGITS.get(word, word) for word in words]
