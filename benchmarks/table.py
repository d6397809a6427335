"""The result of a benchmark, in rows that read without its code."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_HEAD: Final = ("what", "measured", "ratio", "target", "")


@dataclass(frozen=True)
class Row:
    """One line: what was measured, the figure in words, its ratio, and the target if any.

    Args:
        what: the thing measured.
        figure: its value with unit.
        ratio: against the baseline that `of` names; None for a baseline or a plain figure.
        of: the baseline of the ratio.
        least, most: the bounds of the ratio.
        spread: the smallest and largest ratio of the rounds; None where it was measured once.
    """

    what: str
    figure: str
    ratio: float | None = None
    of: str = ""
    least: float | None = None
    most: float | None = None
    spread: tuple[float, float] | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without a target."""
        if self.ratio is None or (self.least is None and self.most is None):
            return None
        return (self.least is None or self.ratio >= self.least) and (
            self.most is None or self.ratio <= self.most
        )

    @property
    def target(self) -> str:
        """The bound of the ratio in words."""
        if self.most is not None:
            return f"<= {self.most:g}"
        return "" if self.least is None else f">= {self.least:g}"

    def cells(self) -> tuple[str, ...]:
        """Return the row as text."""
        ratio = "" if self.ratio is None else f"{_short(self.ratio)}{self._between()} of {self.of}"
        verdict = {None: "", True: "met", False: "MISSED"}[self.met]
        return self.what, self.figure, ratio, self.target, verdict

    def _between(self) -> str:
        return "" if self.spread is None else f" [{_short(self.spread[0])}, {_short(self.spread[1])}]"


def per_round(ours: Sequence[float], base: Sequence[float] | float) -> tuple[float, tuple[float, float]]:
    """Return the ratio of the medians, and the smallest and largest ratio within a round.

    Args:
        ours: one value per round.
        base: the baseline in the same rounds, or one number for all.
    """
    against = [base] * len(ours) if isinstance(base, (int, float)) else base
    each = [one / other for one, other in zip(ours, against, strict=True)]
    return statistics.median(ours) / statistics.median(against), (min(each), max(each))


def text(title: str, rows: Sequence[Row]) -> str:
    """Return a titled table in plain text."""
    lines = [_HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    return "\n".join([title, *(f"  {line}".rstrip() for line in shown)])


def _short(ratio: float) -> str:
    return f"{ratio:,.{0 if ratio >= 100 else 2}f}"
