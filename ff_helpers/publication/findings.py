"""What a check finds: figures recomputed from the files of a run, and the status that follows.

`reproduced` and `contradicted` come from a comparison at the printed precision, `consistent` and
`impossible` from a search of whole numbers, `not_supported` from a test of the inference, and
`not_determinable` where the rows behind the figure are not published.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

import pandas as pd

from ff_helpers.errors import FFError, named, quoted
from ff_helpers.measurement.consistency import possible
from ff_helpers.measurement.proportions.intervals import independent_difference
from ff_helpers.paths import Run
from ff_helpers.publication import checks
from ff_helpers.publication.prose import points

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


Read = Callable[[checks.Cell, list[str]], list[float]]
"""Returns the numbers in some columns of a cell's row."""


@dataclass(frozen=True)
class Finding:
    """What a check found: recomputed and difference as text, the status and why, the files it read."""

    recomputed: str
    difference: str
    status: checks.ClaimStatus
    reason: str
    files: tuple[str, ...] = ()


def find(check: checks.Check, *, value: str, place: str, run: Run) -> Finding:
    """Carry out a check.

    Args:
        check: what to do.
        value: the figure as printed.
        place: the claim's id, for errors.
        run: whose files are read.

    Raises:
        MissingInputError: an earlier step has not written a table.
        FFError: a cell is not exactly one row, a column does not exist, or the printed figure and
            the check differ in how many numbers they have.
    """
    files: dict[str, None] = {}

    def read(cell: checks.Cell, columns: list[str]) -> list[float]:
        files[f"tables/{cell.table}.csv"] = None
        return _numbers(cell, columns, place, run)

    match check:
        case checks.Figures():
            found = _figures(check, value, place, read)
        case checks.Possible():
            found = _possible(check, value)
        case checks.Chance():
            found = _chance(check, read)
        case checks.Parts():
            found = _parts(check, value, read)
        case checks.Order():
            found = _order(check, read)
        case checks.Sign():
            found = sign(check, read)
        case checks.Unpublished():
            found = _unpublished(check, read)
    why = "" if isinstance(check, checks.Unpublished) else check.why
    return replace(found, reason=f"{found.reason}. {why}" if why else found.reason, files=tuple(files))


def printed_figures(value: str) -> Iterator[tuple[Decimal, Decimal | None, Decimal | None]]:
    """Yield percentage, low and high of each figure in a text such as `62% [54%, 70%]`."""
    pattern = re.compile(r"([\d.]+)%(?:\s*\[([\d.]+)%?,\s*([\d.]+)%?\])?")
    for percentage, low, high in pattern.findall(value):
        yield Decimal(percentage), Decimal(low) if low else None, Decimal(high) if high else None


def _figures(check: checks.Figures, value: str, place: str, read: Read) -> Finding:
    scale = 100 if check.unit == "percent" else 1
    exact = [scale * number for cell in check.cells for number in read(cell, cell.columns)]
    printed = [Decimal(text) for text in _NUMBER.findall(value)]
    if len(exact) != len(printed):
        raise _unfit(place, f"its figure has {len(printed)} numbers, the cells give {len(exact)}")
    counts = [read(cell, cell.counts) for cell in check.cells if cell.counts]
    of = ", ".join(f"{k:.0f} of {n:.0f}" for k, n in counts)
    status: checks.ClaimStatus = "contradicted"
    reason = f"the published data give {_like(value, exact)}"
    if all(map(possible.agrees, exact, printed)):
        status = "reproduced" if check.printed_by == "source" else "consistent"
        reason = "follows from the published counts"
        if check.printed_by == "us":
            reason += "; the source prints the counts, this rate is taken from them"
    if check.not_of:
        total = int(read(check.not_of, check.not_of.columns)[0])
        if not possible.possible_counts(possible.Printed(printed[0]), [total]):
            reason += f"; of {total} rows no whole number gives {value}"
    gaps = ", ".join(map(_difference, exact, printed))
    return Finding(_like(value, exact) + (f" ({of})" if of else ""), gaps, status, reason)


def _possible(check: checks.Possible, value: str) -> Finding:
    found, cut, texts = [], [], []
    for percentage, low, high in printed_figures(value):
        figure = possible.Printed(percentage, low, high)
        found.append(possible.possible_counts(figure))
        cut.append(possible.possible_counts(figure, rounding="cut-off"))
        if found[-1]:
            ns = [n for _, n in found[-1]]
            first = f"{found[-1][0][0]} of {found[-1][0][1]}"
            # Without an interval, only the end of the search bounds n from above.
            reach = f"n from {min(ns)} to {max(ns)}" if low is not None else f"smallest: {first}"
            texts.append(f"{percentage}%: {reach}")
        else:
            texts.append(f"{percentage}%: no k of n up to {possible.LARGEST_N}")
    if not all(found):
        hints = [
            f"{k} of {n}" for pairs, none in zip(cut, found, strict=True) if not none for k, n in pairs[:1]
        ]
        hint = f"; only {hints[0]} comes close, with its digits cut off instead of rounded" if hints else ""
        reason = "no whole numbers round to the printed figures" + hint
        return Finding("; ".join(texts), "–", "impossible", reason)
    reason = "whole numbers exist that give it, but the counts are not published"
    if check.times is not None:
        over, under = (float(p) for p, _, _ in printed_figures(value))
        texts.append(f"ratio {over / under:.1f}")
        if round(over / under) != check.times:
            reason = f"the printed percentages have the ratio {over / under:.1f}, not {check.times}"
            return Finding("; ".join(texts), "–", "contradicted", reason)
    return Finding("; ".join(texts), "–", "consistent", reason)


def _chance(check: checks.Chance, read: Read) -> Finding:
    k, n = map(int, read(check.cell, check.cell.columns))
    p = possible.below_chance(k, n, check.chance)
    recomputed = f"{k} of {n} against {check.chance:g}: p = {p:.2f}"
    difference = f"{points(k / n - check.chance)} against chance"
    status: checks.ClaimStatus = "not_supported"
    reason = f"the score is lower, but at n = {n} it cannot be told from chance (one-sided exact binomial)"
    if k / n >= check.chance:
        status, reason = "contradicted", "the score is not below chance"
    elif p < 0.05:
        status, reason = "reproduced", "below chance in a one-sided exact binomial test"
    return Finding(recomputed, difference, status, reason)


def _parts(check: checks.Parts, value: str, read: Read) -> Finding:
    k, n = map(int, read(check.cell, check.cell.columns))
    total, errors = sum(check.parts), n - k
    exact = [float(total), float(n), 100 * total / n]
    printed = [Decimal(text) for text in _NUMBER.findall(value)]
    same = len(printed) == 3 and all(map(possible.agrees, exact, printed))
    summed = " + ".join(str(part) for part in check.parts)
    status: checks.ClaimStatus = "consistent"
    reason = f"{summed} = {total} fits into the {errors} errors of {n}; the rows are not published"
    if not same or total > errors:
        status, reason = "contradicted", f"{summed} = {total}, but only {errors} of {n} are errors"
    gaps = ", ".join(map(_difference, exact, printed))
    return Finding(f"{total} of {n} = {100 * total / n:.0f}%", gaps, status, reason)


def _order(check: checks.Order, read: Read) -> Finding:
    """Return whether each cell is larger than the next, and whether the rows decide it.

    The status says whether the printed order holds. Whether the rows could show it is said in the reason:
    the 95% interval of the difference of two neighbours excludes zero, or contains it.
    """
    values = [read(cell, cell.columns)[0] for cell in check.cells]
    counts = [read(cell, cell.counts) if cell.counts else None for cell in check.cells]
    texts = [_text(value, pair) for value, pair in zip(values, counts, strict=True)]
    gaps = [a - b for a, b in pairwise(values)]
    held = all(gap > 0 for gap in gaps)
    status: checks.ClaimStatus = "reproduced" if held else "contradicted"
    reason = f"the published counts are {'in' if held else 'not in'} this order{_decided(counts)}"
    marks = [">" if gap > 0 else "<" if gap < 0 else "=" for gap in gaps]
    found = texts[0] + "".join(f" {mark} {text}" for mark, text in zip(marks, texts[1:], strict=True))
    return Finding(found, ", ".join(map(points, gaps)), status, reason)


def sign(check: checks.Sign, read: Read) -> Finding:
    """Return whether a difference has the printed sign in every denominator."""
    values = [(cell.label, read(cell.cell, cell.cell.columns)[0]) for cell in check.cells]
    wanted = [value > 0 if check.sign == "+" else value < 0 for _, value in values]
    texts = ", ".join(f"{label}: {points(value)}" for label, value in values)
    status: checks.ClaimStatus = "not_determinable"
    reason = "the sign depends on the denominator, and the claim does not name one"
    if all(wanted):
        status, reason = "reproduced", "the sign is the same in every denominator"
    elif not any(wanted):
        status, reason = "contradicted", "the published data give the opposite sign, or no change"
    bounds = [(shift.label, read(shift.cell, shift.interval)) for shift in check.cells if shift.interval]
    return Finding(texts, "–", status, reason + _signed(bounds))


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


def _signed(bounds: list[tuple[str, list[float]]]) -> str:
    """Say in which denominators the paired interval excludes zero."""
    clear = [label for label, (low, high) in bounds if not low <= 0 <= high]
    if bounds and not clear:
        return "; no paired 95% interval excludes zero: the rows do not decide the sign"
    return f"; the paired 95% interval excludes zero {', '.join(clear)}" if bounds else ""


def _text(value: float, counts: list[float] | None) -> str:
    return f"{100 * value:.1f}%" + (f" ({counts[0]:.0f} of {counts[1]:.0f})" if counts else "")


def _unpublished(check: checks.Unpublished, read: Read) -> Finding:
    shown = []
    for related in check.related:
        texts = []
        for number in read(related.cell, related.cell.columns):
            percent = f"{100 * number:.1f}%"
            texts.append({"percent": percent, "points": points(number)}.get(related.unit, f"{number:.3g}"))
        counts = related.cell.counts and read(related.cell, related.cell.counts)
        of = f" ({counts[0]:.0f} of {counts[1]:.0f})" if counts else ""
        shown.append(f"{related.label}: {', '.join(texts)}{of}")
    recomputed = "not determinable" + (f"; for comparison: {'; '.join(shown)}" if shown else "")
    return Finding(recomputed, "–", "not_determinable", f"not published: {check.needs}")


def _numbers(cell: checks.Cell, columns: list[str], place: str, run: Run) -> list[float]:
    table = pd.read_csv(run.read(f"tables/{cell.table}.csv"), dtype="str", keep_default_na=False)
    for column in [*cell.where, *columns]:
        if column not in table.columns:
            raise _unfit(place, f"tables/{cell.table}.csv has no column {quoted(column)}")
    for column, wanted in cell.where.items():
        table = table[table[column] == wanted]
    if len(table) != 1:
        row = ", ".join(f"{named(column)} = {named(wanted)}" for column, wanted in cell.where.items())
        rows = f"{len(table)} rows with {row or 'no condition'}"
        raise _unfit(place, f"tables/{cell.table}.csv has {rows}, not one")
    try:
        return [float(table[column].iloc[0]) for column in columns]
    except ValueError:
        raise _unfit(place, f"tables/{cell.table}.csv has no number there: {', '.join(columns)}") from None


def _like(value: str, exact: list[float]) -> str:
    """Write recomputed numbers the way the published ones are printed, each at the same precision."""
    numbers = iter(exact)

    def replace(match: re.Match[str]) -> str:
        # Through nine decimals, so 4.75 stored as 4.7499999999 rounds like 4.75.
        held = Decimal(f"{next(numbers):.9f}")
        return str(held.quantize(Decimal(match[0]), rounding=ROUND_HALF_UP))

    return _NUMBER.sub(replace, value)


def _difference(exact: float, printed: Decimal) -> str:
    """Write recomputed minus published with one digit more than was printed; whole numbers as such."""
    gap = exact - float(printed)
    digits = -int(printed.as_tuple().exponent) + 1
    if digits == 1 and gap.is_integer():
        digits = 0
    text = f"{gap:+.{digits}f}"
    return "0" if float(text) == 0 else text.replace("-", "−")


def _unfit(place: str, problem: str) -> FFError:
    return FFError(f"check of claim {named(place)}: {problem}. Correct `check` in the claims file.")
