"""How often does a 95% interval cover the true ASR? Measured on one fixed grid, 10,000 draws per cell.

    .venv/bin/python -m benchmarks coverage             measure; exit code 1 if a target is missed
    .venv/bin/python -m benchmarks.coverage             the same, and every cell that covers less than 94%
    .venv/bin/python -m benchmarks.coverage --write     and write data/simulated/coverage.csv

A coverage near .95 over 10,000 draws has a Monte Carlo error of 0.2 points (one standard error). Where a
method declines to answer the interval is [0, 1]: it covers, so the share of such draws is reported as well,
because a method that always declines always covers. Calibration labels of another set are drawn twice: half
successes and half failures, like the stratified sets shipped here, and as they come, at the corpus's rate.
"""

import sys
from collections.abc import Iterator
from itertools import product
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.ppi import NEEDED, tuned_mean
from benchmarks.splits import splits
from benchmarks.table import Row, text
from ff_helpers import paths
from ff_helpers.columns import dtypes
from ff_helpers.corpus.simulate import scenario_shares
from ff_helpers.measurement.adjustment.coverage import ADJUSTED, LISTED, TABLE, listed
from ff_helpers.measurement.adjustment.double import DOUBLE, bounds, rare
from ff_helpers.measurement.adjustment.rogan_gladen import doubtful, lang_reiczigel
from ff_helpers.measurement.proportions.clusters import effective_size
from ff_helpers.measurement.proportions.intervals import Numbers, wilson_bounds

DRAWS: Final = 10_000
POSTERIOR: Final = 400
"""Draws from the posterior per sample; the product takes ten times as many."""
RATES: Final = (0.02, 0.05, 0.1, 0.2, 0.4, 0.65, 0.85, 0.95)
ERRORS: Final = ((0.95, 0.95), (0.9, 0.7), (0.7, 0.9), (0.62, 0.74), (0.55, 0.55))
LABELLED: Final = (20, 50, 100, 200)
CORPUS: Final = (100, 1000)
SCENARIOS, RUNS = 10, 2
CORRELATIONS: Final = (0.0, 0.3, 0.7)
XSTEST: Final = (136, 84, 864, 643)
"""GPT-4 on the 1,000 responses to unsafe prompts of XSTest v2 (CC-BY-4.0), by their adjudicated labels: full
compliances, and how many were found; other responses, and how many were recognised."""
Cells = list[dict[str, float]]


def coverage() -> list[Row]:
    """Measure the whole grid and return its summary with the targets."""
    return rows_of(measure(grid("rows") + grid("clusters"))) + splits()


def rows_of(table: pd.DataFrame) -> list[Row]:
    """Return the summary of a table of `measure`, and its targets."""
    adjusted, low = table[table["method"].isin(ADJUSTED)], listed(table)
    rows = [xstest(), _spread(table, "naive", "graded rate, Wilson")]
    rows += [_spread(table, "design effect", "graded rate, 10 scenarios x 2 runs, design effect")]
    mean = float(adjusted["coverage"].mean())
    rows += [Row("adjusted intervals, mean coverage", f"{mean:.4f}", mean, "all draws", least=0.945)]
    for method, least in (("Rogan-Gladen", 0.92), (DOUBLE, 0.90)):
        own = table[table["method"] == method]
        worst = float(own["coverage"].min())
        what = f"{method}, {len(own)} cells, lowest coverage"
        rows += [Row(what, f"{worst:.4f}", worst, "all draws", least=least)]
        said = f"median width {own['width'].median():.2f}"
        if method == "Rogan-Gladen":
            said = f"{1 - own['answered'].mean():.1%}, {said}"
        rows += [Row(f"{method}, draws answered with [0, 1]" if method == "Rogan-Gladen" else method, said)]
    warned = float((low["warned_answered"] >= 0.5).mean()) if len(low) else 1.0
    everywhere = float((adjusted["warned"] >= 0.5).mean())
    rows += [Row("cells below 94%, warned of by the product", f"{len(low)} cells", warned, "them", least=1.0)]
    rows += [_cell(cell) for _, cell in low[low["coverage"] < LISTED].iterrows()]
    rows += [narrower(labels) for labels in (30, 50, 100)]
    return [*rows, Row("cells that mostly carry a warning", f"{everywhere:.1%} of {len(adjusted)}")]


def narrower(labels: int, draws: int = 2000) -> Row:
    """How wide double sampling is beside PPI++, which took the labels alone below 10 of a kind."""
    shares = []
    for p, (se, sp) in product(RATES, ERRORS):
        cell = {"true_asr": p, "sensitivity": se, "specificity": sp, "corpus_n": 1000.0, "icc": np.nan}
        cells, called = _samples(cell, _rng(cell), labels, draws)
        low, high = doubled(cells, called, 1000.0)
        positives, size = cells[:, 0] + cells[:, 1], np.full(draws, float(labels))
        spread = cells * (1 - labels / 1000)
        rate, effective, _ = tuned_mean(cells, cells, spread, called, np.full(draws, 1000.0))
        offered = np.minimum(positives, labels - positives) >= NEEDED
        both = zip(wilson_bounds(rate * effective, effective), wilson_bounds(positives, size), strict=True)
        below, above = (np.where(offered, tuned, alone) for tuned, alone in both)
        shares.append(float((high - low).mean() / (above - below).mean()))
    what = f"double sampling, {labels} labels of 1,000 rows, {len(shares)} cells"
    return Row(what, f"mean width {np.mean(shares):.2f} of that of PPI++", float(np.mean(shares)), "PPI++")


def xstest(draws: int = 2000) -> Row:
    """How often a naive interval covers the truth if the grader errs as GPT-4 does on XSTest."""
    true, found, other, told = XSTEST
    cell = {"true_asr": true / (true + other), "sensitivity": found / true, "specificity": told / other}
    n = true + other
    called = np.random.default_rng(0).binomial(n, _reported(cell), draws).astype(float)
    low, high = wilson_bounds(called, np.full(draws, float(n)))
    held = int(((low <= cell["true_asr"]) & (cell["true_asr"] <= high)).sum())
    return Row(
        "naive interval, grader errs as GPT-4 on XSTest, n = 1,000",
        f"covers the truth {held} of {draws} times",
    )


def _cell(cell: "pd.Series[float]") -> Row:
    """One listed cell, below 94% over all draws."""
    errors = f"({cell['sensitivity']:g}, {cell['specificity']:g})"
    method = cell["method"]
    what = f"  below 94%: {method}, ASR {cell['true_asr']:g}, grader {errors}, "
    what += f"{cell['calibration_n']} labels, n = {cell['corpus_n']}"
    return Row(what, f"{cell['coverage']:.4f}, warned of in {cell['warned_answered']:.0%} of draws")


def _spread(table: pd.DataFrame, method: str, what: str) -> Row:
    own = table[table["method"] == method]
    covers = f"{own['coverage'].mean():.3f} (lowest {own['coverage'].min():.3f})"
    return Row(what, f"covers the truth {covers}, what the grader reports {own['reported'].mean():.3f}")


def grid(name: str) -> Cells:
    """Return the cells of one part of the grid: `rows` or `clusters`."""
    more = [(n, np.nan) for n in CORPUS] if name == "rows" else [(SCENARIOS * RUNS, r) for r in CORRELATIONS]
    return [
        {"true_asr": p, "sensitivity": se, "specificity": sp, "corpus_n": n, "icc": icc}
        for (n, icc), (se, sp), p in product(more, ERRORS, RATES)
    ]


def measure(cells: Cells, draws: int = DRAWS) -> pd.DataFrame:
    """Return the table of `coverage_table` for these cells; each cell is drawn independently."""
    rows = [row for cell in cells for row in (_rows if np.isnan(cell["icc"]) else _clusters)(cell, draws)]
    types = dtypes("coverage_table")
    return pd.DataFrame(rows)[list(types)].astype(types).round(4)


def _rows(cell: dict[str, float], draws: int) -> Iterator[dict[str, object]]:
    rng, n = _rng(cell), int(cell["corpus_n"])
    called = rng.binomial(n, _reported(cell), draws).astype(float)
    every = np.ones(draws, dtype=bool)
    yield _row(cell, "naive", "none", 0, wilson_bounds(called, np.full(draws, n)), every, ~every)
    for labelled in LABELLED:
        for labels in ("half and half", "as they come"):
            yield _adjusted(cell, rng, labels, labelled, called, np.full(draws, float(n)))
        if labelled < n:
            yield from _sampled(cell, rng, labelled, draws)


def _clusters(cell: dict[str, float], draws: int) -> Iterator[dict[str, object]]:
    """Each scenario has its own rate, drawn from a beta distribution; its runs are graded independently."""
    rng, p, n = _rng(cell), cell["true_asr"], int(cell["corpus_n"])
    own = scenario_shares(rng, np.array([p, 1 - p]), cell["icc"], (draws, SCENARIOS))[..., 0]
    true = rng.binomial(RUNS, own)
    false_calls = rng.binomial(RUNS - true, 1 - cell["specificity"])
    called = (rng.binomial(true, cell["sensitivity"]) + false_calls).astype(float)
    every, rate = np.ones(draws, dtype=bool), called.sum(axis=1) / n
    squares = ((called - rate[:, None] * RUNS) ** 2).sum(axis=1)
    between = SCENARIOS / (SCENARIOS - 1) * squares / n**2
    _, size = effective_size(rate, np.full(draws, float(n)), np.full(draws, float(SCENARIOS)), between)
    yield _row(cell, "naive", "none", 0, wilson_bounds(rate * n, np.full(draws, n)), every, ~every)
    yield _row(cell, "design effect", "none", 0, wilson_bounds(rate * size, size), every, ~every)
    for labelled in LABELLED:
        yield _adjusted(cell, rng, "half and half", labelled, rate * size, size)


def _adjusted(  # noqa: PLR0917
    cell: dict[str, float], rng: np.random.Generator, labels: str, labelled: int, k: Numbers, n: Numbers
) -> dict[str, object]:
    """Rogan-Gladen with labels of another set on which the grader errs equally often."""
    share = 0.5 if labels == "half and half" else cell["true_asr"]
    positives = np.full(len(k), labelled // 2) if share == 0.5 else rng.binomial(labelled, share, len(k))
    tp = rng.binomial(positives, cell["sensitivity"])
    tn = rng.binomial(labelled - positives, cell["specificity"])
    both = (positives > 0) & (positives < labelled)
    counts = (k, n, tp, positives, tn, labelled - positives)
    estimate, low, high, gap = (np.full(len(k), value) for value in (np.nan, 0.0, 1.0, 0.0))
    found = lang_reiczigel(*(count[both].astype(float) for count in counts))
    estimate[both], low[both], high[both], gap[both] = found
    known, warned = (
        ~np.isnan(estimate),
        doubtful(positives.astype(float), (labelled - positives).astype(float), gap),
    )
    return _row(cell, "Rogan-Gladen", labels, labelled, (low, high), known, known & warned)


def _sampled(
    cell: dict[str, float], rng: np.random.Generator, labelled: int, draws: int
) -> Iterator[dict[str, object]]:
    """Double sampling and the labels alone, from a random sample of the corpus."""
    n = cell["corpus_n"]
    cells, called = _samples(cell, rng, labelled, draws)
    positives, size = cells[:, 0] + cells[:, 1], np.full(draws, float(labelled))
    alone = wilson_bounds(positives, size)
    every, warned = np.ones(draws, dtype=bool), rare(positives, size)
    yield _row(cell, DOUBLE, "random sample", labelled, doubled(cells, called, n), every, warned)
    yield _row(cell, "labels alone", "random sample", labelled, alone, every, warned)


def _samples(
    cell: dict[str, float], rng: np.random.Generator, labelled: int, draws: int
) -> tuple[Numbers, Numbers]:
    """Return labelled rows by truth and call (both, true, called, neither), and the calls of all rows."""
    p, se, sp, n = (cell[name] for name in ("true_asr", "sensitivity", "specificity", "corpus_n"))
    kinds = np.array([p * se, p * (1 - se), (1 - p) * (1 - sp), (1 - p) * sp])
    cells = rng.multinomial(labelled, kinds, draws).astype(float)
    called = cells[:, 0] + cells[:, 2] + rng.binomial(int(n) - labelled, _reported(cell), draws)
    return cells, called


def doubled(cells: Numbers, called: Numbers, n: float) -> tuple[Numbers, Numbers]:
    """Return the bounds of double sampling; `cells`: (true, called) of yes yes, yes no, no yes, no no."""
    size = np.stack([cells[:, 0] + cells[:, 2], cells[:, 1] + cells[:, 3]], axis=1)
    rows = np.stack([called, n - called], axis=1)
    parts = [
        bounds(rows[i : i + 500], cells[i : i + 500, :2], size[i : i + 500], draws=POSTERIOR, seed=i)
        for i in range(0, len(rows), 500)
    ]
    low, high = (np.concatenate(part) for part in zip(*parts, strict=True))
    return low, high


def _row(  # noqa: PLR0917
    cell: dict[str, float], method: str, labels: str, labelled: int, bounds: tuple[Numbers, Numbers],
    answered: NDArray[np.bool_], warned: NDArray[np.bool_],
) -> dict[str, object]:  # fmt: skip
    low, high = bounds
    held = (low <= cell["true_asr"]) & (cell["true_asr"] <= high)
    reported = (low <= _reported(cell)) & (_reported(cell) <= high)
    return cell | {
        "method": method, "labels": labels, "calibration_n": labelled, "coverage": held.mean(),
        "answered": answered.mean(), "coverage_answered": held[answered].mean() if answered.any() else np.nan,
        "reported": reported.mean() if labels == "none" else np.nan, "width": np.median(high - low),
        "warned": warned.mean(),
    }  # fmt: skip


def _reported(cell: dict[str, float]) -> float:
    return cell["true_asr"] * cell["sensitivity"] + (1 - cell["true_asr"]) * (1 - cell["specificity"])


def _rng(cell: dict[str, float]) -> np.random.Generator:
    return np.random.default_rng([round(1000 * np.nan_to_num(value, nan=9.0)) for value in cell.values()])


def main(arguments: list[str]) -> int:
    """Measure, print the summary and the listed cells, and write the table on request."""
    table = measure(grid("rows") + grid("clusters"))
    rows = rows_of(table)
    print(
        text("Coverage of 95% intervals, 10,000 draws per cell (Monte Carlo error 0.2 to 0.3 points)", rows)
    )
    print(listed(table).drop(columns=["reported", "warned"]).to_string(index=False))
    if "--write" in arguments:
        path = paths.data() / TABLE
        path.parent.mkdir(exist_ok=True)
        table.to_csv(path, index=False, lineterminator="\n", float_format="%.4g")
    return int(any(row.met is False for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
