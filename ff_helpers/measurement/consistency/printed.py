"""A figure as it was printed: a percentage with its digits, and the ends of its interval."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ff_helpers.errors import FFError

_DIGITS: Final = 6


class BadFigureError(FFError):
    """An impossible figure, or a question that it cannot answer."""

    def __init__(self, figure: str, problem: str) -> None:
        super().__init__(
            f"{figure}: {problem}. A figure is a percentage from 0 to 100 as it was printed, alone or with "
            "the two ends of its interval, such as 58, 65.0% or 62 38 81."
        )


@dataclass(frozen=True)
class Printed:
    """A figure as it was printed: in percent, digits as printed, interval where one was given."""

    value: Decimal
    low: Decimal | None = None
    high: Decimal | None = None

    def __str__(self) -> str:
        return f"{self.value}%" + (f" [{self.low}, {self.high}]" if self.low is not None else "")


def read_figure(
    value: str, low: str | None = None, high: str | None = None, *, digits: int | None = None
) -> Printed:
    """Return a figure as printed; arguments as for `consistency.possible.consistent`.

    Raises:
        BadFigureError: not a percentage from 0 to 100, or an interval that cannot belong to it.
    """
    text = " ".join(part for part in (value, low, high) if part is not None)
    if (low is None) != (high is None):
        raise BadFigureError(text, "an interval has two ends")
    middle = _number(value, digits)
    if low is None or high is None:
        return Printed(middle)
    ends = _number(low, digits), _number(high, digits)
    if ends[0] > ends[1]:
        raise BadFigureError(text, f"the interval begins at {ends[0]}, above its end {ends[1]}")
    # One end may be printed with fewer digits: a step of each may lie between it and the percentage.
    reach = [unit(middle) + unit(end) for end in ends]
    if float(middle - ends[0]) < -reach[0] or float(ends[1] - middle) < -reach[1]:
        raise BadFigureError(text, f"the interval [{ends[0]}, {ends[1]}] does not hold {middle}")
    return Printed(middle, *ends)


def unit(printed: Decimal) -> float:
    """Return one unit in the last printed place."""
    return 10.0 ** int(printed.as_tuple().exponent)


def _number(text: str, digits: int | None) -> Decimal:
    bare = text.strip().removesuffix("%").strip()
    if not re.fullmatch(r"\d+(\.\d+)?", bare, re.ASCII):
        negative = re.fullmatch(r"[-−]\s*\d+(\.\d+)?", bare)
        raise BadFigureError(text, "a percentage cannot be negative" if negative else "not a percentage")
    number = Decimal(bare)
    if number > 100:
        raise BadFigureError(text, "a percentage of a whole cannot exceed 100")
    there = len(bare.partition(".")[2])
    if max(there, digits or 0) > _DIGITS:
        raise BadFigureError(text, f"at most {_DIGITS} digits after the point can be checked")
    if digits is not None and there > digits:
        raise BadFigureError(text, f"it has more than {digits} digits after the point")
    return number if digits is None else number.quantize(Decimal(1).scaleb(-digits))
