"""Text for LaTeX: specials escaped, and without anything that pdflatex cannot set.

A name in a script that the fonts of a paper lack would stop the compilation or vanish. Letters with accents
stay, symbols that figures need are mapped, anything else becomes its code point, `[U+0634]`; the CSV and the
HTML keep the text as it is.
"""

import unicodedata
from typing import Final

from ff_helpers.publication.pages import read_words

_SPECIAL: Final = read_words("tex", dict[str, str])
_LATIN = ("\u00c0", "\u017f")
"""Accented Latin letters, which every LaTeX since 2018 reads and sets."""


def tex(text: str) -> str:
    """Return text that pdflatex sets as it is, or the code points it cannot set."""
    return "".join(_char(char) for char in unicodedata.normalize("NFC", text))


def _char(char: str) -> str:
    if char in _SPECIAL:
        return _SPECIAL[char]
    if " " <= char <= "~" or _LATIN[0] <= char <= _LATIN[1]:
        return char
    # A full-width letter or a ligature is still Latin underneath; a direction mark is not printed.
    plain = unicodedata.normalize("NFKD", char)
    if plain.isascii() and plain.isprintable():
        return "".join(_SPECIAL.get(c, c) for c in plain)
    return f"[U+{ord(char):04X}]"
