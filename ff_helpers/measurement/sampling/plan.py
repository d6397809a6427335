"""How many labels a rate needs: the half-width that its 95% interval will have, by design and labels.

Arithmetic before anything is labelled. Four designs: the labels alone; a random sample, and a sample by
verdict, each with the truth within each verdict weighted by the verdicts' shares (double sampling); by
verdict half and half, as `ff sample` draws it, or in the best proportion. All of it is for one rate: each
further row of a table, such as each model, needs as many labels again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ff_helpers.columns import declared
from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.anytime import FIRST, anytime, anytime_level
from ff_helpers.measurement.proportions.intervals import Numbers, wilson_bounds
from ff_helpers.measurement.results import Terms, stated

ALONE, RANDOM = "labels alone", "random"
HALF, BEST = "by verdict, half and half", "by verdict, best"
DESIGNS: Final = (ALONE, RANDOM, HALF, BEST)
LARGEST: Final = 10_000_000
"""More labels than this are not looked for."""
LINES: Final = 12
"""Numbers of labels in the table at most."""
_ARITHMETIC = Terms(graders=(), denominators=("none",), counts="none: arithmetic", left_out=())


@dataclass(frozen=True)
class Outlook:
    """What is expected of the rows that a rate is over; shares in [0, 1].

    Attributes:
        hit: share of the rows that the grader calls a success.
        in_hits, in_others: share of true successes among these, and among the others.
        rows: how many rows there are; None: so many that the share of hits is known.
    """

    hit: float
    in_hits: float
    in_others: float
    rows: int | None = None

    @property
    def rate(self) -> float:
        """The expected true rate."""
        return self.hit * self.in_hits + (1 - self.hit) * self.in_others


def outlook(rate: float, sensitivity: float, specificity: float, *, rows: int | None = None) -> Outlook:
    """Return what to expect where the true rate is `rate` and a grader has this sensitivity and specificity.

    The reported share is q = p Se + (1 - p)(1 - Sp); of hits p Se / q are true, of the others
    p (1 - Se) / (1 - q).

    Args:
        rate, sensitivity, specificity: in [0, 1].
        rows: rows that the grader graded; None: very many.

    Raises:
        FFError: a share outside [0, 1], or fewer than two rows.
    """
    for name, value in {"rate": rate, "sensitivity": sensitivity, "specificity": specificity}.items():
        if not 0 <= value <= 1:
            raise FFError(f"{name} = {value} is not a share. Allowed: a number from 0 to 1.")
    if rows is not None and rows < 2:
        raise FFError(f"rows = {rows}: a sample needs at least 2 graded rows.")
    hit = rate * sensitivity + (1 - rate) * (1 - specificity)
    found = (
        (rate * sensitivity / hit if hit else rate),
        (rate * (1 - sensitivity) / (1 - hit) if hit < 1 else rate),
    )
    return Outlook(hit, min(found[0], 1.0), min(found[1], 1.0), rows)


def half_widths(expected: Outlook, labels: ArrayLike, design: str, *, stopping: bool = False) -> Numbers:
    """Return half the expected width of the 95% interval for each number of labels.

    Labels alone: Wilson's interval at the expected rate. The other designs: the interval of
    `double_sampling` at its expected posterior. Over samples with n_v labels of verdict v, of which k are
    true, the mean and variance of Beta(k + 1/2, n_v - k + 1/2) are averaged; with them the variance of the
    rate is E[q^2] v_1 + E[(1 - q)^2] v_0 + Var(q) (r_1 - r_0)^2, and the interval is that of the beta
    distribution with this mean and variance. For many labels this is the variance of double sampling, sum of
    q_v^2 r_v (1 - r_v) / n_v, plus q (1 - q) (r_1 - r_0)^2 / rows (Tenenbaum 1970, JASA 65:1350-1361; Cochran
    1977, Sampling Techniques, 12.2); for few labels of rare verdicts that is too small by up to half.

    Args:
        expected: of the rows.
        labels: in all.
        design: one of DESIGNS.
        stopping: of the interval that holds at every number of labels (`anytime`, and `anytime_level` with
            this number planned).

    Returns:
        Half-widths in [0, 0.5]; NaN where there are fewer rows than labels.
    """
    n = np.asarray(labels, dtype=float)
    return _half(design, n, _cells(expected), expected.rows, stopping)


def from_hits(expected: Outlook, labels: ArrayLike, design: str) -> Numbers:
    """Return how many of the labels are drawn from rows that the grader calls a success.

    `BEST` is the split with the least expected variance. With many labels it is Neyman's allocation
    (Neyman 1934; Cochran 1977, 12.3): n_v in proportion to q_v sqrt(r_v (1 - r_v)). Unlike it, a verdict that
    is expected to be always right still gets labels, because a posterior asks for them.

    Args:
        expected, labels, design: as for `half_widths`.
    """
    n = np.asarray(labels, dtype=float)
    return _hits(design, n, _cells(expected), expected.rows)


def needed(expected: Outlook, half_width: float, design: str, *, stopping: bool = False) -> int | None:
    """Return the least number of labels with this half-width or less; None: not with all rows labelled.

    Raises:
        FFError: a half-width that is not above 0 and below 0.5.
    """
    found = _needed(half_width, design, _cells(expected), expected.rows, stopping)
    return None if np.isnan(found) else int(found)


def needed_labels(
    expected: Outlook,
    half_width: float = 0.05,
    *,
    designs: Sequence[str] = DESIGNS,
    others: Sequence[Outlook] = (),
) -> pd.DataFrame:
    """Return how many labels each design needs for a half-width.

    Args:
        expected: of the rows.
        half_width: wanted, above 0 and below 0.5.
        designs: of DESIGNS.
        others: what a pilot allows besides `expected`: the middle 80% of their needs are `needed_least`
            to `needed_most`.

    Returns:
        One row per design: design (str), labels_needed (Int64; missing where all rows are not enough, or
        LARGEST are not), needed_least, needed_most (Int64; missing without `others` and where not enough),
        drawn_hits (Int64: of the needed, from hits; by verdict alone), needed_stopping (Int64: with an
        interval that allows to stop at any time), price (float: how many times as wide that interval is at
        the same number of labels), at_most (float: half-width with every row labelled; missing where rows
        are not limited).

    Raises:
        FFError: a half-width that is not above 0 and below 0.5.
    """
    rows = []
    shares = np.array([(o.hit, o.in_hits, o.in_others) for o in others]).reshape(-1, 3)
    spread = shares[:, 0], shares[:, 1], shares[:, 2]
    for design in designs:
        n = needed(expected, half_width, design)
        row: dict[str, object] = {"design": design, "labels_needed": n}
        if others:
            many = np.nan_to_num(_needed(half_width, design, spread, expected.rows, False), nan=np.inf)
            low, high = np.quantile(many, (0.1, 0.9), method="inverted_cdf")
            row |= {"needed_least": _whole(low), "needed_most": _whole(high)}
        row["needed_stopping"] = needed(expected, half_width, design, stopping=True)
        if n is not None:
            row["drawn_hits"] = _whole(_shown(expected, n, design))
            wide, narrow = (float(half_widths(expected, n, design, stopping=s)) for s in (True, False))
            row["price"] = wide / narrow
        if expected.rows is not None:
            row["at_most"] = float(half_widths(expected, expected.rows, design))
        rows.append(row)
    return stated(declared("needed_labels", rows), _ARITHMETIC)


def plan_labels(
    expected: Outlook, half_width: float = 0.05, *, step: int = 50, designs: Sequence[str] = DESIGNS
) -> pd.DataFrame:
    """Return the half-width that each number of labels gives, by design: what the next labels would buy.

    Every `step` labels, one step beyond where the designs that use verdicts reach `half_width`; with larger
    steps where that would be more than LINES numbers; never more labels than rows.

    Args:
        expected, half_width, designs: as for `needed_labels`.
        step: labels from line to line.

    Returns:
        One row per design and number: design (str), to_label (int), drawn_hits (Int64: of these, from hits;
        by verdict alone), half_width (float in [0, 0.5]), half_width_stopping (float: of the interval that
        allows to stop at any time).

    Raises:
        FFError: a half-width that is not above 0 and below 0.5, or a step below 1.
    """
    if step < 1:
        raise FFError(f"step = {step} is not a number of labels. Allowed: 1 or more.")
    most = LARGEST if expected.rows is None else expected.rows
    ends = [needed(expected, half_width, design) or most for design in designs if design != ALONE]
    last = min(most, max([*ends, step]) + step)
    wide = step * -(-last // (step * LINES))
    numbers = [n for n in range(wide, last + 1, wide) if n <= most] or [most]
    rows = [
        (design, n, _whole(hits), float(half), float(stopped))
        for design in designs
        for n, hits, half, stopped in zip(
            numbers,
            _shown(expected, numbers, design),
            half_widths(expected, numbers, design),
            half_widths(expected, numbers, design, stopping=True),
            strict=True,
        )
    ]
    return stated(declared("plan_labels", rows), _ARITHMETIC)


_Cells = tuple[Numbers, Numbers, Numbers]
"""Share of hits, of true successes among hits, among the others; arrays of what may be."""


def _cells(expected: Outlook) -> _Cells:
    q, inside, outside = (np.asarray(x) for x in (expected.hit, expected.in_hits, expected.in_others))
    return q, inside, outside


def _half(design: str, n: Numbers, cells: _Cells, rows: int | None, stopping: bool) -> Numbers:
    q, inside, outside = cells
    found = (q * inside + (1 - q) * outside) * n, np.broadcast_arrays(n, q)[0].astype(float)
    low, high = anytime(*found) if stopping else wilson_bounds(*found)
    half: Numbers = (high - low) / 2
    if design != ALONE:
        # With every row labelled, the labels are the answer.
        every = n == rows if rows is not None else np.zeros(n.shape, dtype=bool)
        half = np.where(every, half, _posterior_half(n, _hits(design, n, cells, rows), cells, rows, stopping))
    return half if rows is None else np.where(n <= rows, half, np.nan)


def _posterior_half(n: Numbers, hits: Numbers, cells: _Cells, rows: int | None, stopping: bool) -> Numbers:
    from scipy.special import betaincinv

    mean, variance = _posterior(hits, n - hits, cells, rows)
    size = mean * (1 - mean) / variance - 1
    tail = (1 - float(anytime_level(FIRST, FIRST))) / 2 if stopping else 0.025
    ends = (betaincinv(mean * size, (1 - mean) * size, end) for end in (1 - tail, tail))
    high, low = ends
    return np.asarray((high - low) / 2, dtype=np.float64)


def _posterior(hits: Numbers, others: Numbers, cells: _Cells, rows: int | None) -> tuple[Numbers, Numbers]:
    """Return the expected mean and variance of the posterior of the rate; see `half_widths`."""
    q, inside, outside = cells
    spread = q * (1 - q) / rows if rows else np.zeros(q.shape)
    means, variances = zip(*(_beta(n, r) for n, r in ((hits, inside), (others, outside))), strict=True)
    mean = q * means[0] + (1 - q) * means[1]
    variance = (q**2 + spread) * variances[0] + ((1 - q) ** 2 + spread) * variances[1]
    return mean, variance + spread * (means[0] - means[1]) ** 2


def _beta(n: Numbers, share: Numbers) -> tuple[Numbers, Numbers]:
    """Return mean and variance of Beta(k + 1/2, n - k + 1/2), averaged over k of n draws."""
    mean = (n * share + 0.5) / (n + 1)
    square = mean**2 + n * share * (1 - share) / (n + 1) ** 2
    return mean, (mean - square) / (n + 2)


def _hits(design: str, n: Numbers, cells: _Cells, rows: int | None) -> Numbers:
    q = cells[0]
    least = np.maximum(n - rows * (1 - q), 0.0) if rows else np.zeros(np.broadcast(n, q).shape)
    most = np.minimum(n, rows * q) if rows else np.where(q > 0, n, 0.0)
    if design in (ALONE, RANDOM):
        return np.asarray(n * q, dtype=np.float64)
    if design == HALF:
        return np.clip(n / 2, least, np.maximum(least, most))
    return _least_variance(n, least, most, cells, rows)


def _least_variance(n: Numbers, least: Numbers, most: Numbers, cells: _Cells, rows: int | None) -> Numbers:
    """Return the split with the least expected variance, which has one minimum: by thirds."""
    low, high = least, np.maximum(least, most)
    for _ in range(45):
        third = (high - low) / 3
        first, second = low + third, high - third
        left = _posterior(first, n - first, cells, rows)[1] < _posterior(second, n - second, cells, rows)[1]
        low, high = np.where(left, low, first), np.where(left, second, high)
    return np.asarray((low + high) / 2, dtype=np.float64)


def _needed(half_width: float, design: str, cells: _Cells, rows: int | None, stopping: bool) -> Numbers:
    if not 0 < half_width < 0.5:
        raise FFError(
            f"a half-width of {half_width} cannot be planned for. Allowed: above 0 and below 0.5, as 0.05."
        )
    most = LARGEST if rows is None else rows
    low, high = np.zeros(cells[0].shape), np.full(cells[0].shape, float(most))
    reached = _half(design, high, cells, rows, stopping) <= half_width
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        enough = _half(design, middle, cells, rows, stopping) <= half_width
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    if stopping and design != ALONE:
        high = np.maximum(high, min(FIRST, most))
    return np.where(reached, high, np.nan)


def _shown(expected: Outlook, labels: ArrayLike, design: str) -> Numbers:
    """Return `from_hits` where a design decides it; NaN where it comes as it comes."""
    hits = from_hits(expected, labels, design)
    return hits if design in (HALF, BEST) else np.full(hits.shape, np.nan)


def _whole(value: ArrayLike) -> int | None:
    number = float(value)  # type: ignore[arg-type]
    return round(number) if np.isfinite(number) else None
