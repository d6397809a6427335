"""The result of a benchmark, in rows that read without its code."""

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
    """

    what: str
    figure: str
    ratio: float | None = None
    of: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without a target."""
        if self.ratio is None or (self.least is None and self.most is None):
            return None
        return (self.least is None or self.ratio >= self.least) and (
            self.most is None or self.ratio <= self.most
        )

    def cells(self) -> tuple[str, ...]:
        """Return the row as text."""
        ratio = "" if self.ratio is None else f"{self.ratio:,.{0 if self.ratio >= 100 else 2}f} of {self.of}"
        target = f">= {self.least:g}" if self.least is not None else ""
        target = f"<= {self.most:g}" if self.most is not None else target
        return self.what, self.figure, ratio, target, {None: "", True: "met", False: "MISSED"}[self.met]


def text(title: str, rows: Sequence[Row]) -> str:
    """Return a titled table in plain text."""
    lines = [_HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    return "\n".join([title, *(f"  {line}".rstrip() for line in shown)])
