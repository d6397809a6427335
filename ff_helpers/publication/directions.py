"""Claims of order and of sign: which figure is larger, which way a rate moved, and do the rows decide it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from ff_helpers.measurement.proportions.differences import independent_difference
from ff_helpers.publication.checks import Cell, Order, Sign, Status
from ff_helpers.publication.prose import points

Read = Callable[[Cell, list[str]], list[float]]
"""Returns the numbers in some columns of a cell's row."""


@dataclass(frozen=True)
class Finding:
    """What a check found: recomputed and difference as text, the status and why, the files it read."""

    recomputed: str
    difference: str
    status: Status
    reason: str
    files: tuple[str, ...] = ()


def order(check: Order, read: Read) -> Finding:
    """Return whether each cell is larger than the next, and whether the rows decide it."""
    values = [read(cell, cell.columns)[0] for cell in check.cells]
    counts = [read(cell, cell.counts) if cell.counts else None for cell in check.cells]
    texts = [_text(value, pair) for value, pair in zip(values, counts, strict=True)]
    gaps = [a - b for a, b in pairwise(values)]
    status: Status = "reproduced" if all(gap > 0 for gap in gaps) else "contradicted"
    reason = "the published counts stand in this order"
    if status == "contradicted":
        reason = "the published counts do not stand in this order"
    undecided = [
        f"[{points(low)}, {points(high)}]"
        for one, two in pairwise(counts)
        if one and two
        for _, low, high in [independent_difference(int(one[0]), int(one[1]), int(two[0]), int(two[1]))]
        if low <= 0 <= high
    ]
    if undecided:
        reason += (
            "; the rows do not decide it: the 95% interval of the difference, "
            f"{' and '.join(undecided)} points, holds zero (Newcombe, rows taken as independent)"
        )
    return Finding(
        " > ".join(texts), ", ".join(map(points, gaps)), status, _with(reason, check.why), _files(check)
    )


def sign(check: Sign, read: Read) -> Finding:
    """Return whether a difference has the printed sign in every denominator."""
    values = [(cell.label, read(cell.cell, cell.cell.columns)[0]) for cell in check.cells]
    wanted = [value > 0 if check.sign == "+" else value < 0 for _, value in values]
    texts = ", ".join(f"{label}: {points(value)}" for label, value in values)
    status: Status = "not_determinable"
    reason = "the sign depends on the denominator, and the claim names none"
    if all(wanted):
        status, reason = "reproduced", "the sign is the same in every denominator"
    elif not any(wanted):
        status, reason = "contradicted", "the published data give the other sign, or none"
    files = tuple(dict.fromkeys(f"tables/{cell.cell.table}.csv" for cell in check.cells))
    return Finding(texts, "–", status, _with(reason, check.why), files)


def _text(value: float, counts: list[float] | None) -> str:
    return f"{100 * value:.1f}%" + (f" ({counts[0]:.0f} of {counts[1]:.0f})" if counts else "")


def _files(check: Order) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"tables/{cell.table}.csv" for cell in check.cells))


def _with(reason: str, why: str) -> str:
    return f"{reason}. {why}" if why else reason
