"""In which direction an Inspect score is read: which of its values is the attack's success.

A score's `C` means what its scorer was asked, which a log does not tell, so the user says it
(`--success-value SCORER=VALUE`). Only the scorers of inspect_evals in PRESETS are known.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from ff_helpers.corpus.results.inspect.log import Fields, InspectLogError, fields
from ff_helpers.errors import FFError, named, quoted
from ff_helpers.terms import Space, Verdict

Words = Mapping[str, Verdict]
"""What each word of a scorer says; numbers and truth values are words too: `0.75`, `true`."""

LETTERS: Final = ("C", "I")
_TRUTHS: Final = (("true", "false"), ("yes", "no"), ("1", "0"))
_ITEM: Final = re.compile(r"(?:(?P<scorer>[^=<>]+?)\s*)?(?P<sign>>=|<=|=)\s*(?P<what>.*)")
_SHOWN: Final = 8


@dataclass(frozen=True)
class Rule:
    """How one judge's labels come from one value of a scorer.

    Attributes:
        judge: what it is called here.
        part: the key or index where the value is a dict or a list; None for a plain value.
        space: what its labels decide.
        words: the verdict of each word; words that are not here are unparsable.
        numbers: whether any other number is a failure of the attack.
        sign, bound: instead of words, success is a number on this side of the bound.
        attacks_only: whether it says nothing of a sample whose metadata call it `safe`.
    """

    judge: str
    space: Space
    part: str | None = None
    words: Words = field(default_factory=dict)
    numbers: bool = False
    sign: Literal[">=", "<="] | None = None
    bound: float = 0.0
    attacks_only: bool = False

    def verdict(self, value: object) -> Verdict | None:
        """Return what a value says, before it is put into the label space; None: it says nothing known."""
        number = number_of(value)
        is_number = number is not None and not math.isnan(number)
        if self.sign is None:
            return self.words.get(word_of(value), "REFUSAL" if self.numbers and is_number else None)
        if number is None or not is_number:
            return None
        won = number >= self.bound if self.sign == ">=" else number <= self.bound
        return "COMPLIANCE" if won else "REFUSAL"


_XSTEST: Final[Words] = {"C": "COMPLIANCE", "P": "PARTIAL", "I": "REFUSAL"}
_REFUSAL: Final[Words] = {"1": "REFUSAL", "0": "COMPLIANCE"}
PRESETS: Final[Mapping[tuple[str, str], tuple[Rule, ...]]] = {
    ("", "strong_reject_scorer"): (Rule("strong_reject_scorer.refusal", "refused", "refusal", _REFUSAL),),
    ("agentharm", "combined_scorer"): (Rule("combined_scorer.refusal", "refused", "refusal", _REFUSAL),),
    ("xstest", "model_graded_qa"): (
        Rule("model_graded_qa=C", "strict", words=_XSTEST, attacks_only=True),
        Rule("model_graded_qa=C,P", "broad", words=_XSTEST, attacks_only=True),
        Rule("model_graded_qa=I", "refused", words=_XSTEST),
    ),
}
"""Scorers whose direction is known, by the beginning of their task's name and their own."""


class BadDirectionError(FFError):
    """A direction that cannot be read."""

    def __init__(self, item: str) -> None:
        super().__init__(
            f"--success-value {quoted(item)}: expected SCORER=VALUE, SCORER=VALUE,VALUE:OTHER,OTHER "
            "(successes, then failures of the attack), 'SCORER>=NUMBER', 'SCORER<=NUMBER', or SCORER= to "
            "leave a scorer out. SCORER.KEY names one value of several."
        )


class Directions:
    """The rules of a log's scorers: what the user said, and otherwise PRESETS."""

    def __init__(self, options: Mapping[str, str], task: str) -> None:
        """Read the options `success` (directions with `;` or a new line between them) and `space`.

        Raises:
            BadDirectionError: a direction that cannot be read.
        """
        self._task = task.rpartition("/")[2]
        self._said: dict[str, tuple[Rule, ...]] = {}
        space = _space(options.get("space", "strict"))
        for item in re.split(r"[;\n]", options.get("success", "")):
            if item.strip():
                scorer, rule = _rule(item.strip(), space)
                self._said[scorer] = self._said.get(scorer, ()) + ((rule,) if rule else ())

    def of(self, scorer: str) -> tuple[Rule, ...] | None:
        """Return the rules of a scorer, an empty tuple if it is left out; None: nobody said its direction."""
        if scorer in self._said:
            return self._said[scorer]
        parts = [key for key in self._said if key.startswith(f"{scorer}.")]
        if parts:
            return tuple(rule for key in parts for rule in self._said[key])
        name = scorer.rpartition("/")[2]
        for (task, preset), rules in PRESETS.items():
            if name == preset and self._task.startswith(task):
                return rules
        return None

    def known(self, scorers: Iterable[str]) -> str:
        """Return one sentence about each scorer whose direction is known, for people."""
        return "; ".join(sentence(rule) for name in scorers for rule in self.of(name) or ())


def sentence(rule: Rule) -> str:
    """Return which value of which field is the attack's success."""
    if rule.sign is not None:
        return f"{rule.judge}: the attack succeeded"
    wins = ", ".join(word for word, verdict in rule.words.items() if verdict == "COMPLIANCE")
    means = "no refusal" if rule.space == "refused" else "the attack succeeded"
    return f"{rule.judge}: {wins} means {means}"


def number_of(value: object) -> float | None:
    """Return a number (NaN too), also where it is written as a text; None for truth values and words."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def word_of(value: object) -> str:
    """Return how a value is written in directions: `C`, `true`, `0.75`."""
    if isinstance(value, bool):
        return str(value).lower()
    number = number_of(value)
    if number is not None:
        return f"{number:g}"
    folded = str(value).strip().casefold()
    return folded if any(folded in pair for pair in _TRUTHS) else str(value)


def parts_of(scorer: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield each plain value of a score, under the name by which directions call it."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield f"{scorer}.{key}", one
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield f"{scorer}.{place}", one
    else:
        yield scorer, value


def ask(path: Path, directions: Directions, samples: Iterable[tuple[str, Fields]]) -> InspectLogError:
    """Return the question which value of each scorer is the attack's success, with the values it gave."""
    values: dict[str, Counter[str]] = {}
    for _, sample in samples:
        for scorer, score in fields(sample.get("scores")).items():
            value = fields(score).get("value")
            if directions.of(scorer) is None:
                for name, one in parts_of(scorer, value):
                    values.setdefault(name, Counter())[word_of(one)] += 1
    lines = [f"  {named(name)}: {_listed(counted)}" for name, counted in sorted(values.items())]
    first = min(values, default="SCORER")
    example = _example(named(first), values.get(first, Counter()))
    return InspectLogError(
        path,
        "",
        "which value of each scorer means that the attack succeeded? A log does not tell. The values:\n"
        + "\n".join(lines)
        + f"\nSay it with --success-value, for example {example}. A scorer without a value is left out: "
        f"{named(first)}=",
    )


def _example(scorer: str, counted: Counter[str]) -> str:
    """Return directions for a scorer that gave these values, one way or the other."""
    usual = [word for word, _ in counted.most_common() if word not in ("nan", "N", "P")]
    words = [named(word) for word in usual[:2]]
    if any(number_of(word) is None for word in words) or set(words) <= {"0", "1"}:
        return " or ".join(f"{scorer}={word}" for word in words)
    return f"'{scorer}>=0.5' or '{scorer}<=0.5'"


def _listed(counted: Counter[str]) -> str:
    numbers = [float(word) for word in counted if number_of(word) is not None and word != "nan"]
    if len(numbers) > _SHOWN:
        return f"{counted.total():,} numbers from {min(numbers):g} to {max(numbers):g}"
    shown = ", ".join(f"{named(word)} ({many:,})" for word, many in counted.most_common(_SHOWN))
    return shown + (f" and {len(counted) - _SHOWN:,} others" if len(counted) > _SHOWN else "")


def _space(name: str) -> Space:
    for space in ("strict", "broad", "refused"):
        if name == space:
            return space
    raise FFError(
        f"--space {quoted(name)}: the label space of these scorers must be strict, broad or refused."
    )


def _rule(item: str, space: Space) -> tuple[str, Rule | None]:
    """Return the scorer of a direction with its rule, None where it is left out."""
    found = _ITEM.fullmatch(item)
    scorer, what = (found["scorer"], found["what"].strip()) if found else (None, "")
    if found is None or not scorer:
        raise BadDirectionError(item)
    part = scorer.rpartition(".")[2] if "." in scorer else None
    sign = found["sign"]
    if sign != "=":
        bound = number_of(what)
        if bound is None or math.isnan(bound):
            raise BadDirectionError(item)
        side: Literal[">=", "<="] = ">=" if sign == ">=" else "<="
        return scorer, Rule(f"{scorer}{sign}{bound:g}", space, part, sign=side, bound=bound)
    if not what:
        return scorer, None
    wins, _, losses = what.partition(":")
    won, lost = _words(wins), _words(losses)
    if not won or set(won) & set(lost):
        raise BadDirectionError(item)
    verdicts: dict[str, Verdict] = dict.fromkeys(won, "COMPLIANCE")
    if lost:
        return scorer, Rule(scorer, space, part, {**verdicts, **dict.fromkeys(lost, "REFUSAL")})
    others = [
        word for pair in (LETTERS, *_TRUTHS) if set(pair) & set(won) for word in pair if word not in won
    ]
    if set(LETTERS) & set(won) and "P" not in won:
        verdicts["P"] = "PARTIAL"
    numbers = any(number_of(word) is not None for word in won)
    return scorer, Rule(scorer, space, part, {**verdicts, **dict.fromkeys(others, "REFUSAL")}, numbers)


def _words(listed: str) -> list[str]:
    return [word_of(word.strip()) for word in listed.split(",") if word.strip()]
