"""Our corrections of a judge's rate on the corpora of `benchmarks.corpora`, beside packages that do the same.

    .venv/bin/python -m benchmarks peers_correction             measure; exit code 1 if a target is missed
    .venv/bin/python -m benchmarks.corrections 1000 --write     more draws; write benchmarks/corrections.json

The packages live in `.parts/corrections`, installed on first use from the hashed lock `corrections.txt`
(compiled from `corrections.in` with the options of the Makefile's `lock`). glide-py needs Python 3.12: where
there is none it is left out. All see the same corpora, and but for the designs that draw their own the same
labels. Our interval is that of `double_sampling`, drawn from the posterior 1,000 times.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from benchmarks.corpora import ROWS, Cell, Corpora, Flags, Numbers, corpora, grid
from benchmarks.peer_python import ROOT, installed
from benchmarks.ppi import NEEDED, tuned_mean
from benchmarks.strata import Counts, by_parts, by_verdict, drawn, first
from benchmarks.table import Row, text
from ff_helpers.measurement.adjustment.double import bounds
from ff_helpers.measurement.proportions.intervals import wilson_bounds
from ff_helpers.measurement.sampling.plan import BEST, HALF, Outlook, from_hits, outlook

DRAWS: Final = 200
POSTERIOR: Final = 1000
KEPT: Final = ROOT / "benchmarks" / "corrections.json"
OURS, BEFORE, ALONE = "ours: double sampling", "ours until then: PPI++", "labels alone, Wilson"
BY_HALF, BY_BEST = "ours, by verdict half and half", "ours, best split"
SOFT, BEST_SOFT = "ours, --soft", "ours, best split, --soft"
NOISE, BEST_NOISE = "ours, --soft, probabilities of no use", "ours, best split, --soft, of no use"
UNIFORM, JEFFREYS = "Bayesian double sampling, uniform priors", "double sampling, Jeffreys priors"
"""The posterior with Beta(1, 1) (Raats and Moors 2003, J. Applied Statistics 30:899) or Beta(1/2, 1/2)."""


def ours() -> dict[str, Callable[[Cell, Corpora], tuple[Numbers, Numbers]]]:
    """Return what gives the bounds of every draw of a cell, by name."""
    return {
        OURS: lambda cell, each: _interval(by_verdict(each, first(each, cell.labels))),
        BY_HALF: lambda cell, each: _interval(by_verdict(each, _half(cell, each))),
        BY_BEST: lambda cell, each: _interval(by_verdict(each, _best(cell, each))),
        SOFT: lambda cell, each: _interval(by_parts(each, each.probability, cell.labels)),
        BEST_SOFT: lambda cell, each: _interval(
            by_parts(each, each.probability, cell.labels, _hits(cell, each))
        ),
        NOISE: lambda cell, each: _interval(by_parts(each, each.noise, cell.labels)),
        BEST_NOISE: lambda cell, each: _interval(by_parts(each, each.noise, cell.labels, _hits(cell, each))),
        UNIFORM: lambda cell, each: _interval(by_verdict(each, first(each, cell.labels)), prior=1.0),
        JEFFREYS: lambda cell, each: _interval(by_verdict(each, first(each, cell.labels)), prior=0.5),
        BEFORE: lambda cell, each: _ppi(each, first(each, cell.labels)),
        ALONE: lambda cell, each: _alone(each, first(each, cell.labels)),
    }


def peers_correction(draws: int = DRAWS) -> list[Row]:
    """Measure the grid with ours and theirs and return a row each, and the targets."""
    return rows_of(*measure(draws))


def measure(draws: int) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return one row per contender and cell (coverage, width, answered), and the versions of the packages."""
    said, theirs = _peers(draws)
    found = []
    for place, (cell, each) in enumerate(corpora(draws)):
        sides = {name: np.stack(method(cell, each), axis=1) for name, method in ours().items()}
        sides |= {name: values[place] for name, values in theirs.items()}
        base = sides[OURS][:, 1] - sides[OURS][:, 0]
        for name, side in sides.items():
            low, high = side.astype(float).T
            known = np.isfinite(low)
            width = high - low
            covered = (low <= cell.rate) & (cell.rate <= high)
            row = {"contender": name, "rate": cell.rate, "se": cell.se, "sp": cell.sp, "labels": cell.labels}
            row |= {"answered": known.mean(), "coverage": covered[known].mean() if known.any() else np.nan}
            row |= {"width": width[known].mean() if known.any() else np.nan}
            # On the same draws: a package that refuses the hard ones is not narrower for it.
            row["beside"] = width[known].mean() / base[known].mean() if known.any() else np.nan
            found.append(row)
    return pd.DataFrame(found), said


def rows_of(table: pd.DataFrame, said: dict[str, str]) -> list[Row]:
    """Return a row for each contender, and one for each target."""
    judged = table[table["answered"] >= 0.5]
    rows = [Row("versions", ", ".join(f"{name} {version}" for name, version in said.items()))]
    for name, own in table.groupby("contender", sort=False):
        held = judged.loc[judged["contender"] == name, "coverage"]
        words = (
            f"{held.mean():.3f}, lowest {held.min():.3f}, under .92 in {(held < 0.92).sum()} of {len(held)}"
        )
        words += f"; width {own['width'].mean():.3f}; refused {1 - own['answered'].mean():.1%}"
        rows.append(Row(str(name), words, float(own["beside"].mean()), "the width of ours"))
    return rows + targets(table)


def summary(table: pd.DataFrame) -> dict[str, list[dict[str, float | int | None]]]:
    """Return what is kept: for each contender, judge and number of labels, over the true rates."""
    found: dict[str, list[dict[str, float | int | None]]] = {}
    for (name, labels, se, sp), own in table.groupby(["contender", "labels", "se", "sp"], sort=False):
        row: dict[str, float | int | None] = {"labels": int(labels), "se": se, "sp": sp}
        row |= {
            "coverage": own["coverage"].mean(),
            "lowest": own["coverage"].min(),
            "width": own["width"].mean(),
        }
        row |= {"beside": own["beside"].mean(), "refused": 1 - own["answered"].mean()}
        found.setdefault(name, []).append({k: None if pd.isna(v) else round(v, 4) for k, v in row.items()})
    return found


def targets(table: pd.DataFrame) -> list[Row]:
    """Return the targets, each met or missed."""
    wide = table.pivot_table(index=["labels", "se", "sp", "rate"], columns="contender", values="width")
    held = table[table["contender"] == OURS]["coverage"]
    few = wide.index.get_level_values("labels") <= 100
    good = (wide.index.get_level_values("se") == 0.9) & (wide.index.get_level_values("sp") == 0.9)
    rare = (
        good & (wide.index.get_level_values("rate") <= 0.2) & (wide.index.get_level_values("labels") >= 100)
    )

    def ratio(name: str, to: str, where: Flags) -> float:
        return float((wide[name] / wide[to])[where].mean())

    every = np.ones(len(wide), dtype=bool)
    words, of = "mean width", "that of PPI++"
    asked = [
        ("double sampling, mean coverage", float(held.mean()), "all draws", 0.945, None),
        ("double sampling, lowest coverage", float(held.min()), "all draws", 0.92, None),
        (f"{words}, 30 to 100 labels", ratio(OURS, BEFORE, few), of, None, 0.90),
        (f"{words}, 30 to 100 labels, a .9/.9 judge", ratio(OURS, BEFORE, few & good), of, None, 0.85),
        (
            f"{words}, best split, .9/.9, rates to .2, 100 and 200",
            ratio(BY_BEST, BEFORE, rare),
            of,
            None,
            0.75,
        ),
        (f"{words} with probabilities, random", ratio(SOFT, OURS, every), "that without", None, 0.90),
        (
            f"{words} with probabilities, best split",
            ratio(BEST_SOFT, BY_BEST, every),
            "that without",
            None,
            0.90,
        ),
        (
            f"{words} with probabilities, best split, .9/.9",
            ratio(BEST_SOFT, BY_BEST, good),
            "that without",
            None,
            0.90,
        ),
        (
            f"{words}, probabilities of no use, best split",
            ratio(BEST_NOISE, BY_BEST, every),
            "that without",
            None,
            1.05,
        ),
    ]
    rows = [Row(what, f"{value:.3f}", value, of, least, most) for what, value, of, least, most in asked]
    return [*rows, _narrowest(table)]


def _narrowest(table: pd.DataFrame) -> Row:
    """Is any package that covers as well narrower on the same draws?"""
    every = table.groupby("contender")[["coverage", "beside"]].agg(
        {"coverage": ["mean", "min"], "beside": "mean"}
    )
    theirs = every[[": " in str(name) and not str(name).startswith("ours") for name in every.index]]
    own = every.loc[OURS]
    as_well = theirs[
        (theirs["coverage", "mean"] >= own["coverage", "mean"] - 0.005)
        & (theirs["coverage", "min"] >= own["coverage", "min"])
    ]
    if as_well.empty:
        return Row("packages that cover as well", "none")
    narrow = as_well["beside", "mean"].idxmin()
    value = float(as_well.loc[narrow, ("beside", "mean")])
    return Row("narrowest package that covers as well", str(narrow), value, "the width of ours", least=1.0)


def _peers(draws: int) -> tuple[dict[str, str], dict[str, Numbers]]:
    """Run the packages in their Python; return versions, and the bounds by package and method."""
    python = installed("corrections", least="3.12")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "bounds.npz"
        command = [str(python), "-m", "benchmarks.correction_peers", str(draws), str(out)]
        env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT, env=env)
        with np.load(out) as arrays:
            theirs = {name: arrays[name] for name in arrays.files}
    versions: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return versions, theirs


def _interval(counted: Counts, *, prior: float | None = None) -> tuple[Numbers, Numbers]:
    before = counted.prior if prior is None else prior
    return bounds(counted.called, counted.hits, counted.size, prior=before, draws=POSTERIOR)


def _outlook(cell: Cell, each: Corpora) -> Outlook:
    expected = outlook(cell.rate, cell.se, cell.sp)
    return Outlook(each.hit.mean(axis=1), expected.in_hits, expected.in_others, ROWS)


def _hits(cell: Cell, each: Corpora, design: str = BEST) -> Numbers:
    """Return the labels from hits in each draw; the rates within each verdict are guessed right."""
    calls = each.hit.sum(axis=1)
    asked = np.rint(from_hits(_outlook(cell, each), np.full(len(calls), float(cell.labels)), design))
    return np.clip(asked, np.maximum(cell.labels - (ROWS - calls), 1), np.minimum(calls, cell.labels - 1))


def _half(cell: Cell, each: Corpora) -> Flags:
    return drawn(each, cell.labels, _hits(cell, each, HALF))


def _best(cell: Cell, each: Corpora) -> Flags:
    return drawn(each, cell.labels, _hits(cell, each))


def _alone(each: Corpora, labelled: Flags) -> tuple[Numbers, Numbers]:
    return wilson_bounds((each.true & labelled).sum(axis=1).astype(float), labelled.sum(axis=1).astype(float))


def _ppi(each: Corpora, labelled: Flags) -> tuple[Numbers, Numbers]:
    """Return what the suite gave before double sampling: PPI++, or few labels alone."""
    kinds = [t & h & labelled for t in (each.true, ~each.true) for h in (each.hit, ~each.hit)]
    cells = np.stack([kind.sum(axis=1) for kind in kinds], axis=1).astype(float)
    n, called = labelled.sum(axis=1).astype(float), each.hit.sum(axis=1).astype(float)
    spread = cells * (1 - n / ROWS)[:, None]
    rate, size, _ = tuned_mean(cells, cells, spread, called, np.full(len(n), float(ROWS)))
    tuned, alone = wilson_bounds(rate * size, size), _alone(each, labelled)
    positives = cells[:, 0] + cells[:, 1]
    offered = np.minimum(positives, n - positives) >= NEEDED
    low, high = (np.where(offered, *pair) for pair in zip(tuned, alone, strict=True))
    return low, high


def main(arguments: list[str]) -> int:
    """Measure with so many draws, print, and write the table on request."""
    numbers = [word for word in arguments if word.isdigit()]
    draws = int(numbers[0]) if numbers else DRAWS
    table, said = measure(draws)
    rows = rows_of(table, said)
    print(text(f"Corrections beside other packages, {len(grid())} cells, {draws} draws each", rows))
    if "--write" in arguments:
        content = {"draws": draws, "versions": said, "contenders": summary(table)}
        KEPT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return int(any(row.met is False for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
