"""Sentences whose numbers are computed: the prose of notebooks and of the correction narrative.

`say("Corrected strict ASR is {asr}.", asr=wilson(13, 20))` reads "Corrected strict ASR is 65.0%
[43.3, 81.9]." A number in prose is a value that a step computed, never a typed one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from string import Formatter

import pandas as pd

from ff_helpers.errors import FFError, quoted
from ff_helpers.measurement.proportions.intervals import Proportion, percent, rate_counts, rate_text, wilson
from ff_helpers.publication.pages import read_words
from ff_helpers.terms import Unknown

Value = str | int | float | Proportion | Unknown | None


@dataclass(frozen=True)
class Prose:
    """Markdown text as a notebook shows it."""

    text: str

    def _repr_markdown_(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def say(template: str, **values: Value) -> Prose:
    """Return `template` with its `{names}` filled in, as Markdown.

    A Proportion reads `65.0% [43.3, 81.9]`; `{x:counts}` adds its counts, `{x:k}` and `{x:n}` give one
    of them. A float in [0, 1] with `{x:percent}` reads `65.0%`, with `{x:bare}` `65.0`; a difference with
    `{x:points}` reads `+22.2` (percentage points, a true minus sign), a name with `{x:words}` has spaces for
    its underscores, a p-value with `{x:p}` reads `p = 0.018` or `p < 0.001`. Other format specs are Python's;
    None reads `not determinable`.

    Raises:
        FFError: a name without its value, a value that the template does not use, or a format that the
            value does not know.
    """
    filler = _Filler(values)
    text = filler.vformat(template, (), {})
    unused = sorted(set(values) - filler.used)
    if unused:
        raise FFError(f"say(): the template does not use {', '.join(unused)}.")
    return Prose(text)


def fill(template: str, values: Mapping[str, Value]) -> str:
    """Return a template filled in as by `say`, from those of the values that it names."""
    named = dict.fromkeys(name for _, name, _, _ in Formatter().parse(template) if name)
    return say(template, **{name: values[name] for name in named}).text


def tell(sentence: str, /, **values: Value) -> str:
    """Return a sentence of templates/sentences.yaml, by its key there, filled in as by `say`.

    Raises:
        FFError: as `say`.
    """
    return say(read_words("sentences", dict[str, str])[sentence], **values).text


def tell_rows(sentence: str, /, table: pd.DataFrame) -> list[str]:
    """Return a sentence of templates/sentences.yaml once per row, filled in from the columns that it names.

    Raises:
        FFError: as `say`.
    """
    template = read_words("sentences", dict[str, str])[sentence]
    return [fill(template, {str(name): row[name] for name in row}) for row in table.to_dict("records")]


def with_rate(table: pd.DataFrame, name: str, k: str = "k", n: str = "n") -> pd.DataFrame:
    """Return a table with the column `name` for `tell_rows`: Wilson proportions of two columns of counts."""
    rates = [wilson(hits, rows) for hits, rows in zip(table[k], table[n], strict=True)]
    return table.assign(**{name: pd.Series(rates, index=table.index, dtype="object")})


class _Filler(Formatter):
    def __init__(self, values: dict[str, Value]) -> None:
        self.values = values
        self.used: set[str] = set()

    def get_field(self, field_name: str, *_: object, **__: object) -> tuple[Value, str]:
        if field_name not in self.values:
            known = ", ".join(sorted(self.values)) or "none"
            raise FFError(f"say(): no value for {{{field_name}}}; values given: {known}.")
        self.used.add(field_name)
        return self.values[field_name], field_name

    def format_field(self, value: Value, format_spec: str) -> str:
        try:
            return _text(value, format_spec)
        except (TypeError, ValueError):
            shown = quoted(value) if isinstance(value, str) else repr(value)
            raise FFError(f"say(): {shown} cannot be written as {format_spec!r}.") from None


def _text(value: Value, spec: str) -> str:
    if value is None:
        return "not determinable"
    if isinstance(value, Unknown):
        return str(value)
    if isinstance(value, Proportion):
        named = {
            "": rate_text(value),
            "k": str(value.k),
            "n": str(value.n),
            "counts": rate_counts(value),
            "percent": f"{percent(value.estimate)}%",
        }
        return named[spec] if spec in named else format(value.estimate, spec)
    if spec == "words":
        return str(value).replace("_", " ")
    if spec in _SHARES:
        return _SHARES[spec](float(value))
    return format(value, spec)


def points(difference: float) -> str:
    """Return a difference of two shares in percentage points, rounded half up: `+22.2`, `−5.6`, `0.0`."""
    # Through nine decimals, so a share read from a file (6 digits) rounds like the original.
    held = Decimal(f"{100 * difference:.9f}").quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    return "0.0" if not held else f"{held:+}".replace("-", "−")


_SHARES: Mapping[str, Callable[[float], str]] = {
    "bare": percent,
    "percent": lambda share: f"{percent(share)}%",
    "points": points,
    "p": lambda p: "p < 0.001" if p < 0.0005 else f"p = {p:.3f}",
}
