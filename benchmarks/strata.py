"""Counts of double sampling for many corpora at once: by verdict, and by thirds of each verdict.

As `sampling.soft`, `sampling.draw` and `adjustment.patterns` do it row by row; a test holds them together.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.corpora import ROWS, Corpora, Flags, Numbers
from ff_helpers.measurement.adjustment.double import PRIOR
from ff_helpers.measurement.sampling.soft import ENOUGH, WEIGHTS

PARTS: Final = "abc"
Whole = NDArray[np.intp]


@dataclass(frozen=True)
class Counts:
    """Rows, true successes among labels, labels and prior of each cell, (draws, cells) each."""

    called: Numbers
    hits: Numbers
    size: Numbers
    prior: Numbers


def first(each: Corpora, n: int) -> Flags:
    """Return which rows a random sample holds: the first n."""
    return np.broadcast_to(np.arange(ROWS) < n, each.true.shape)


def drawn(each: Corpora, n: int, from_hits: Numbers) -> Flags:
    """Return which rows a draw by verdict holds: so many hits, the rest others."""
    take = np.stack([n - from_hits, from_hits], axis=1).astype(np.intp)
    return _taken(each.hit.astype(np.intp), take)


def by_verdict(each: Corpora, labelled: Flags) -> Counts:
    """Return the counts within each verdict."""
    sides = [each.hit, ~each.hit]
    called, size, hits = (
        np.stack([(side & kind).sum(axis=1) for side in sides], axis=1).astype(float)
        for kind in (np.ones_like(labelled), labelled, labelled & each.true)
    )
    return Counts(called, hits, size, np.full(called.shape, PRIOR))


def by_parts(each: Corpora, probability: Numbers, n: int, from_hits: Numbers | None = None) -> Counts:
    """Return the counts within thirds of each verdict, merged where labels are few.

    Args:
        each: the corpora.
        probability: of a success, by the judge.
        n: labels.
        from_hits: labels of each draw that are taken from hits, more of the less sure; None: at random.
    """
    part = thirds(each.hit, probability)
    cell = part + 3 * each.hit
    rows = _sums(cell, np.ones(cell.shape))
    if from_hits is None:
        labelled = first(each, n)
    else:
        parts = [
            _rounded(rows[:, side], many)
            for side, many in ((slice(0, 3), n - from_hits), (slice(3, 6), from_hits))
        ]
        labelled = _taken(cell, np.minimum(np.concatenate(parts, axis=1), rows.astype(np.intp)))
    size, hits = _sums(cell, labelled), _sums(cell, labelled & each.true)
    sides = [
        _merged(rows[:, side], hits[:, side], size[:, side], from_hits is not None)
        for side in (slice(0, 3), slice(3, 6))
    ]
    return Counts(*(np.concatenate(pair, axis=1) for pair in zip(*sides, strict=True)))


def thirds(hit: Flags, probability: Numbers) -> Whole:
    """Return 0 for the surest third of each row's verdict, 1, 2: as `soft.thirds` without ties."""
    sure = np.where(hit, 2 + probability, 1 - probability)
    order = np.argsort(sure, axis=1)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(ROWS), hit.shape), axis=1)
    others = (~hit).sum(axis=1, keepdims=True)
    place = np.where(hit, rank - others, rank)
    last = np.where(hit, ROWS - others, others) - 1
    return np.where(place >= np.ceil(last * 2 / 3), 0, np.where(place >= np.ceil(last / 3), 1, 2))


def _merged(
    rows: Numbers, hits: Numbers, size: Numbers, weighted: bool
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Return rows, hits, size and prior of the parts of one verdict, those merged into one empty."""
    group = np.broadcast_to(np.arange(3), size.shape).copy()
    least = size.argmin(axis=1)
    few = size.min(axis=1) < ENOUGH
    with_first = few & ((least == 0) | ((least == 1) & (size[:, 0] <= size[:, 2])))
    group[with_first] = (0, 0, 1)
    group[few & ~with_first] = (0, 1, 1)
    two = np.stack([np.where(group == place, size, 0).sum(axis=1) for place in (0, 1)], axis=1)
    group[few & (two.min(axis=1) < ENOUGH)] = 0
    weight = rows / np.maximum(size, 1) if weighted else np.ones(size.shape)
    called, total, squares, true = (
        np.stack([np.where(group == place, values, 0).sum(axis=1) for place in range(3)], axis=1)
        for values in (rows, size * weight, size * weight**2, hits * weight)
    )
    effective = total**2 / np.where(squares > 0, squares, 1.0)
    rate = true / np.where(total > 0, total, 1.0)
    many = (group.max(axis=1) + 1)[:, None]
    return called, rate * effective, effective, np.broadcast_to(PRIOR / many, size.shape)


def _sums(cell: Whole, values: Numbers | Flags) -> Numbers:
    return np.stack([np.where(cell == place, values, 0).sum(axis=1) for place in range(6)], axis=1).astype(
        float
    )


def _rounded(rows: Numbers, many: Numbers) -> Whole:
    """Return labels of each part of a verdict: `soft.shared_out` in whole numbers."""
    weight = np.where((many >= 3 * ENOUGH)[:, None], [WEIGHTS[name] for name in PARTS], 1.0) * rows
    wanted = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1) * many[:, None]
    found = np.floor(wanted)
    order = np.argsort(found - wanted, axis=1, kind="stable")
    more = np.zeros(found.shape)
    np.put_along_axis(more, order, (np.arange(3) < (many - found.sum(axis=1))[:, None]).astype(float), axis=1)
    return np.asarray(found + more, dtype=np.intp)


def _taken(cell: Whole, take: Whole) -> Flags:
    """Return the first rows of each cell, as many as it gets."""
    found = np.zeros(cell.shape, dtype=bool)
    for place in range(take.shape[1]):
        own = cell == place
        found |= own & (own.cumsum(axis=1) <= take[:, place, None])
    return found
