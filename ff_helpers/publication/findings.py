"""What a check finds: figures recomputed from the files of a run, and the status that follows.

`reproduced` and `contradicted` come from a comparison at the printed precision, `consistent` and
`impossible` from a search of whole numbers, `not_supported` from a test of the inference, and
`not_determinable` where the rows behind the figure are not published.
"""

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

import pandas as pd

from ff_helpers.errors import FFError
from ff_helpers.measurement.consistency.possible import (
    LARGEST_N,
    Printed,
    agrees,
    below_chance,
    possible_counts,
)
from ff_helpers.paths import Run
from ff_helpers.publication.checks import (
    Cell,
    Chance,
    Check,
    ClaimStatus,
    Figures,
    Order,
    Parts,
    Possible,
    Sign,
    Unpublished,
)
from ff_helpers.publication.directions import Finding, Read, order, sign
from ff_helpers.publication.prose import points

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class CheckError(FFError):
    """A check that cannot be carried out on the files of this run."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"check of claim {place}: {problem}. Correct `check` in the claims file.")


def find(check: Check, *, value: str, place: str, run: Run) -> Finding:
    """Carry out a check.

    Args:
        check: what to do.
        value: the figure as printed.
        place: the claim's id, for errors.
        run: whose files are read.

    Raises:
        MissingInputError: an earlier step has not written a table.
        CheckError: a cell is not exactly one row, a column does not exist, or the printed figure and
            the check differ in how many numbers they have.
    """
    match check:
        case Figures():
            found = _figures(check, value, place, run)
        case Possible():
            found = _possible(check, value)
        case Chance():
            found = _chance(check, place, run)
        case Parts():
            found = _parts(check, value, place, run)
        case Order():
            found = order(check, _reader(place, run))
        case Sign():
            found = sign(check, _reader(place, run))
        case Unpublished():
            found = _unpublished(check, place, run)
    return found


def printed_figures(value: str) -> Iterator[tuple[Decimal, Decimal | None, Decimal | None]]:
    """Yield percentage, low and high of each figure in a text such as `62% [54%, 70%]`."""
    pattern = re.compile(r"([\d.]+)%(?:\s*\[([\d.]+)%?,\s*([\d.]+)%?\])?")
    for percentage, low, high in pattern.findall(value):
        yield Decimal(percentage), Decimal(low) if low else None, Decimal(high) if high else None


def _figures(check: Figures, value: str, place: str, run: Run) -> Finding:
    scale = 100 if check.unit == "percent" else 1
    exact = [scale * number for cell in check.cells for number in _numbers(cell, cell.columns, place, run)]
    printed = [Decimal(text) for text in _NUMBER.findall(value)]
    if len(exact) != len(printed):
        raise CheckError(place, f"{value!r} has {len(printed)} numbers, the cells give {len(exact)}")
    same = [agrees(new, old) for new, old in zip(exact, printed, strict=True)]
    counts = [_numbers(cell, cell.counts, place, run) for cell in check.cells if cell.counts]
    of = ", ".join(f"{k:.0f} of {n:.0f}" for k, n in counts)
    status: ClaimStatus = "contradicted"
    reason = f"the published data give {_like(value, exact)}"
    if all(same):
        status = "reproduced" if check.printed_by == "source" else "consistent"
        reason = "follows from the published counts"
        if check.printed_by == "us":
            reason += "; the source prints the counts, this rate is taken from them"
    if check.not_of:
        total = int(_numbers(check.not_of, check.not_of.columns, place, run)[0])
        if not possible_counts(Printed(printed[0]), [total]):
            reason += f"; of {total} rows no whole number gives {value}"
    cells = [*check.cells, *([check.not_of] if check.not_of else [])]
    return Finding(
        _like(value, exact) + (f" ({of})" if of else ""),
        ", ".join(_difference(new - float(old), old) for new, old in zip(exact, printed, strict=True)),
        status,
        _with(reason, check.why),
        _files(cells),
    )


def _possible(check: Possible, value: str) -> Finding:
    found, cut, texts = [], [], []
    for percentage, low, high in printed_figures(value):
        figure = Printed(percentage, low, high)
        found.append(possible_counts(figure))
        cut.append(possible_counts(figure, rounding="cut-off"))
        if found[-1]:
            ns = [n for _, n in found[-1]]
            first = f"{found[-1][0][0]} of {found[-1][0][1]}"
            # Without an interval, only the end of the search bounds n from above.
            reach = f"n from {min(ns)} to {max(ns)}" if low is not None else f"smallest: {first}"
            texts.append(f"{percentage}%: {reach}")
        else:
            texts.append(f"{percentage}%: no k of n up to {LARGEST_N}")
    if not all(found):
        hints = [
            f"{k} of {n}" for pairs, none in zip(cut, found, strict=True) if not none for k, n in pairs[:1]
        ]
        hint = f"; only {hints[0]} comes close, with its digits cut off instead of rounded" if hints else ""
        reason = "no whole numbers round to the printed figures" + hint
        return Finding("; ".join(texts), "–", "impossible", _with(reason, check.why))
    reason = "whole numbers exist that give it, but the counts are not published"
    if check.times is not None:
        over, under = (float(p) for p, _, _ in printed_figures(value))
        texts.append(f"ratio {over / under:.1f}")
        if round(over / under) != check.times:
            reason = f"the printed percentages have the ratio {over / under:.1f}, not {check.times}"
            return Finding("; ".join(texts), "–", "contradicted", _with(reason, check.why))
    return Finding("; ".join(texts), "–", "consistent", _with(reason, check.why))


def _chance(check: Chance, place: str, run: Run) -> Finding:
    k, n = (int(number) for number in _numbers(check.cell, check.cell.columns, place, run))
    p = below_chance(k, n, check.chance)
    recomputed = f"{k} of {n} against {check.chance:g}: p = {p:.2f}"
    difference = f"{points(k / n - check.chance)} against chance"
    status: ClaimStatus = "not_supported"
    reason = f"the score is lower, but at n = {n} it cannot be told from chance (one-sided exact binomial)"
    if k / n >= check.chance:
        status, reason = "contradicted", "the score is not below chance"
    elif p < 0.05:
        status, reason = "reproduced", "below chance in a one-sided exact binomial test"
    return Finding(recomputed, difference, status, _with(reason, check.why), _files([check.cell]))


def _parts(check: Parts, value: str, place: str, run: Run) -> Finding:
    k, n = (int(number) for number in _numbers(check.cell, check.cell.columns, place, run))
    total, errors = sum(check.parts), n - k
    exact = [float(total), float(n), 100 * total / n]
    printed = [Decimal(text) for text in _NUMBER.findall(value)]
    same = len(printed) == 3 and all(agrees(new, old) for new, old in zip(exact, printed, strict=True))
    summed = " + ".join(str(part) for part in check.parts)
    status: ClaimStatus = "consistent"
    reason = f"{summed} = {total} fits into the {errors} errors of {n}; the rows are not published"
    if not same or total > errors:
        status, reason = "contradicted", f"{summed} = {total}, but only {errors} of {n} are errors"
    gaps = [_difference(new - float(old), old) for new, old in zip(exact, printed, strict=False)]
    text = f"{total} of {n} = {100 * total / n:.0f}%"
    return Finding(text, ", ".join(gaps), status, _with(reason, check.why), _files([check.cell]))


def _unpublished(check: Unpublished, place: str, run: Run) -> Finding:
    shown = []
    for related in check.related:
        texts = []
        for number in _numbers(related.cell, related.cell.columns, place, run):
            percent = f"{100 * number:.1f}%"
            texts.append({"percent": percent, "points": points(number)}.get(related.unit, f"{number:.3g}"))
        counts = related.cell.counts and _numbers(related.cell, related.cell.counts, place, run)
        of = f" ({counts[0]:.0f} of {counts[1]:.0f})" if counts else ""
        shown.append(f"{related.label}: {', '.join(texts)}{of}")
    recomputed = "not determinable" + (f"; for comparison: {'; '.join(shown)}" if shown else "")
    reason = f"not published: {check.needs}"
    return Finding(recomputed, "–", "not_determinable", reason, _files([r.cell for r in check.related]))


def _reader(place: str, run: Run) -> Read:
    return lambda cell, columns: _numbers(cell, columns, place, run)


def _numbers(cell: Cell, columns: list[str], place: str, run: Run) -> list[float]:
    table = pd.read_csv(run.read(f"tables/{cell.table}.csv"), dtype="str", keep_default_na=False)
    for column in [*cell.where, *columns]:
        if column not in table.columns:
            raise CheckError(place, f"tables/{cell.table}.csv has no column {column!r}")
    for column, wanted in cell.where.items():
        table = table[table[column] == wanted]
    if len(table) != 1:
        row = ", ".join(f"{column} = {wanted}" for column, wanted in cell.where.items()) or "no condition"
        raise CheckError(place, f"tables/{cell.table}.csv has {len(table)} rows with {row}, not one")
    try:
        return [float(table[column].iloc[0]) for column in columns]
    except ValueError:
        values = ", ".join(f"{column} = {table[column].iloc[0]!r}" for column in columns)
        raise CheckError(place, f"tables/{cell.table}.csv has no number there: {values}") from None


def _like(value: str, exact: list[float]) -> str:
    """Write recomputed numbers the way the published ones are printed, each at the same precision."""
    numbers = iter(exact)

    def replace(match: re.Match[str]) -> str:
        # Through nine decimals, so 4.75 stored as 4.7499999999 rounds like 4.75.
        held = Decimal(f"{next(numbers):.9f}")
        return str(held.quantize(Decimal(match[0]), rounding=ROUND_HALF_UP))

    return _NUMBER.sub(replace, value)


def _difference(gap: float, printed: Decimal) -> str:
    """Write recomputed minus published with one digit more than was printed; whole numbers as such."""
    digits = -int(printed.as_tuple().exponent) + 1
    if digits == 1 and float(gap).is_integer():
        digits = 0
    text = f"{gap:+.{digits}f}"
    return "0" if float(text) == 0 else text.replace("-", "−")


def _files(cells: list[Cell]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"tables/{cell.table}.csv" for cell in cells))


def _with(reason: str, why: str) -> str:
    return f"{reason}. {why}" if why else reason
