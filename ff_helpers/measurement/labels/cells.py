"""What a cell of a table of labels may be besides a label: nothing, an error, a score, another spelling.

Nothing here decides. Which value an error, a score or another spelling stands for is suggested, shown and
taken by the user (`questions`).
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

NOTHING: Final = frozenset(
    {"", "nan", "NaN", "NAN", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaT", "None", "null", "NULL"}
)
"""How programs write an empty cell; a map may name one of them as a label."""
_PAIRS: Final = (("yes", "no"), ("true", "false"), ("1", "0"), ("y", "n"), ("t", "f"))
SPELLINGS: Final = tuple(frozenset(words) for words in zip(*_PAIRS, strict=True))
"""Spellings of yes and no, once trimmed, in lower case, numbers parsed."""
_WHOSE: Final = (
    "api|server|internal|parse|parsing|json|request|connection|network|judge|grader|scorer|model|target|"
    "value|runtime|http|key|type|timeout|system|unknown|validation|decoding"
)
_ERROR: Final = re.compile(
    rf"\s*(\W{{0,2}}(?:(?:(?:{_WHOSE})[ _-])?errors?\b|(?-i:[A-Z]\w*(?:Error|Exception))\b|exception\b|"
    r"traceback\b|timed?[ _-]?out\b|http[ _-]?[45]\d\d\b|rate[ _-]?limit(?:ed)?\b|unparsable\b|"
    r"\#(?:REF|VALUE|DIV/0|NAME)!)[\]:]{0,2}(?: [45]\d\d\b)?)",
    re.IGNORECASE,
)
_MOST_CLASSES: Final = 4
"""Numbers of more values than this are scores, not classes."""


def is_nothing(value: str) -> bool:
    """Return whether a cell holds no label."""
    return value.strip() in NOTHING


def error_in(value: str) -> str | None:
    """Return the words with which a cell begins that looks like an error, such as `ERROR: 429`; or None.

    They are of a fixed vocabulary, or the name of a program's exception, so they may be shown whatever the
    rest of the cell says.
    """
    found = _ERROR.match(value)
    return found[1] if found else None


def matches(patterns: Iterable[str], value: str) -> bool:
    """Return whether a cell is one of these values; `VALUE*` stands for every cell that begins so."""
    return any(
        value.strip() == one.strip() or (one.endswith("*") and value.strip().startswith(one[:-1].strip()))
        for one in patterns
    )


def number(value: str) -> float | None:
    """Return a finite number, or None."""
    try:
        found = float(value)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def look_like_scores(values: Iterable[str]) -> bool:
    """Return whether the different values of a column are scores: numbers with fractions, or five or more."""
    numbers = [number(value) for value in values]
    known = {one for one in numbers if one is not None}
    if not numbers or len(known) == 0 or any(one is None for one in numbers):
        return False
    return len(known) > _MOST_CLASSES or any(one != int(one) for one in known)


def by_threshold(values: Iterable[str], threshold: float, above: str, below: str) -> dict[str, str]:
    """Return the class of every value that is a number: `above` from the threshold on."""
    numbers = ((value, number(value)) for value in values)
    return {value: above if n >= threshold else below for value, n in numbers if n is not None}


def spelled_alike(truths: Mapping[str, int], graded: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return, under `truth` and `grader`, the class of each value that differs from it in spelling alone.

    Values are one class where they are equal once trimmed, in lower case and parsed as numbers; where every
    truth is yes or no in some spelling, these are one class too. A class is called what the truth says most
    often, yes and no by one pair of words.

    Args:
        truths: the true labels, with their counts.
        graded: the graded labels.
    """
    keys = {value: _key(value) for value in (*truths, *graded)}
    counted = Counter(truths)
    if all(any(keys[value] in words for words in SPELLINGS) for value in truths):
        usual = max(_PAIRS, key=lambda pair: sum(n for value, n in truths.items() if keys[value] in pair))
        most = sum(truths.values())
        counted = Counter({value: n + most * (keys[value] in usual) for value, n in truths.items()})
        keys = {value: _yes_or_no(key) for value, key in keys.items()}
    often: dict[str, Counter[str]] = {}
    for value, n in counted.items():
        often.setdefault(keys[value], Counter())[value.strip()] += n
    names = {key: max(sorted(found), key=found.__getitem__) for key, found in often.items()}
    return {
        "truth": {value: names[keys[value]] for value in truths},
        "grader": {value: names[keys[value]] for value in graded if keys[value] in names},
    }


def _key(value: str) -> str:
    text = value.strip().casefold()
    found = number(text)
    return text if found is None else f"{found:.12g}"


def _yes_or_no(key: str) -> str:
    return "yes" if key in SPELLINGS[0] else "no" if key in SPELLINGS[1] else key
