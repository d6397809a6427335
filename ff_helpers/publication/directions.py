"""Claims of order and of sign: which figure is larger, which way a rate moved, and do the rows show it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from ff_helpers.measurement.proportions.differences import independent_difference
from ff_helpers.publication.checks import Cell, ClaimStatus, Order, Sign
from ff_helpers.publication.prose import points

Read = Callable[[Cell, list[str]], list[float]]
"""Returns the numbers in some columns of a cell's row."""


@dataclass(frozen=True)
class Finding:
    """What a check found: recomputed and difference as text, the status and why, the files it read."""

    recomputed: str
    difference: str
    status: ClaimStatus
    reason: str
    files: tuple[str, ...] = ()


def order(check: Order, read: Read) -> Finding:
    """Return whether each cell is larger than the next, and whether the rows decide it.

    The status says whether the printed order holds. Whether the rows could show it is said in the reason:
    the 95% interval of the difference of two neighbours excludes zero, or contains it.
    """
    values = [read(cell, cell.columns)[0] for cell in check.cells]
    counts = [read(cell, cell.counts) if cell.counts else None for cell in check.cells]
    texts = [_text(value, pair) for value, pair in zip(values, counts, strict=True)]
    gaps = [a - b for a, b in pairwise(values)]
    status: ClaimStatus = "reproduced" if all(gap > 0 for gap in gaps) else "contradicted"
    reason = "the published counts are in this order"
    if status == "contradicted":
        reason = "the published counts are not in this order"
    marks = [">" if gap > 0 else "<" if gap < 0 else "=" for gap in gaps]
    found = texts[0] + "".join(f" {mark} {text}" for mark, text in zip(marks, texts[1:], strict=True))
    reason += _decided(counts)
    files = tuple(dict.fromkeys(f"tables/{cell.table}.csv" for cell in check.cells))
    return Finding(found, ", ".join(map(points, gaps)), status, _with(reason, check.why), files)


def sign(check: Sign, read: Read) -> Finding:
    """Return whether a difference has the printed sign in every denominator."""
    values = [(cell.label, read(cell.cell, cell.cell.columns)[0]) for cell in check.cells]
    wanted = [value > 0 if check.sign == "+" else value < 0 for _, value in values]
    texts = ", ".join(f"{label}: {points(value)}" for label, value in values)
    status: ClaimStatus = "not_determinable"
    reason = "the sign depends on the denominator, and the claim does not name one"
    if all(wanted):
        status, reason = "reproduced", "the sign is the same in every denominator"
    elif not any(wanted):
        status, reason = "contradicted", "the published data give the opposite sign, or no change"
    bounds = [
        (shift.label, low, high)
        for shift in check.cells
        if shift.interval
        for low, high in [read(shift.cell, shift.interval)]
    ]
    reason += _signed(bounds)
    files = tuple(dict.fromkeys(f"tables/{cell.cell.table}.csv" for cell in check.cells))
    return Finding(texts, "–", status, _with(reason, check.why), files)


def _decided(counts: list[list[float] | None]) -> str:
    """Say whether the rows decide each step of an order: those with named counts."""
    steps = [
        independent_difference(int(one[0]), int(one[1]), int(two[0]), int(two[1]))
        for one, two in pairwise(counts)
        if one and two
    ]
    undecided = [f"[{points(low)}, {points(high)}]" for _, low, high in steps if low <= 0 <= high]
    how = "(Newcombe, rows taken as independent)"
    if undecided:
        what = "it" if len(steps) == 1 else f"{len(undecided)} of {len(steps)} steps"
        listed = " and ".join(undecided)
        return (
            f"; the rows do not decide {what}: the 95% interval of the difference, {listed} points, "
            f"contains zero {how}"
        )
    each = "the" if len(steps) == 1 else "each"
    return f"; the 95% interval of {each} difference excludes zero {how}" if steps else ""


def _signed(bounds: list[tuple[str, float, float]]) -> str:
    """Say in which denominators the paired interval excludes zero."""
    clear = [label for label, low, high in bounds if not low <= 0 <= high]
    if bounds and not clear:
        return "; no paired 95% interval excludes zero: the rows do not decide the sign"
    return f"; the paired 95% interval excludes zero {', '.join(clear)}" if bounds else ""


def _text(value: float, counts: list[float] | None) -> str:
    return f"{100 * value:.1f}%" + (f" ({counts[0]:.0f} of {counts[1]:.0f})" if counts else "")


def _with(reason: str, why: str) -> str:
    return f"{reason}. {why}" if why else reason
