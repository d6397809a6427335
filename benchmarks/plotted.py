"""`python -m benchmarks plot`: what is kept in `benchmarks/results`, as one table and as a plot over commits.

It also writes the newest results into the pages of the documentation that show them, between the comments
`<!-- not run: python -m benchmarks NAME takes minutes -->` and `<!-- end -->`.

outputs/bench/table.md      the newest result of each benchmark, with date and commit
outputs/bench/ratios.svg    each ratio that has a target, run by run (and .png)
"""

import re
from pathlib import Path
from typing import Final

import altair as alt
import pandas as pd

from benchmarks.record import RESULTS, ROOT, Run, read
from benchmarks.table import text
from ff_helpers.errors import FFError

BILLION: Final = ROOT / "docs" / "billion.md"
OUT: Final = ROOT / "outputs" / "bench"
_HEAD: Final = ("benchmark", "what", "measured", "ratio [of the rounds]", "target", "", "date", "commit")
_END: Final = "<!-- end -->"
_SHOWN: Final = re.compile(
    rf"(?P<begin><!-- not run: python -m benchmarks (?P<name>\w+) takes minutes -->\n).*?{_END}", re.DOTALL
)
_COLOURS: Final = {"met": "#0072B2", "missed": "#D55E00"}  # Okabe-Ito


def draw(results: Path = RESULTS, out: Path = OUT) -> list[Path]:
    """Write the table and the plot; return the files.

    Raises:
        FFError: nothing has been measured yet.
    """
    runs = read(results)
    if not runs:
        raise FFError(f"{results} holds no results yet. Measure some first: `make bench-quick`.")
    out.mkdir(parents=True, exist_ok=True)
    table = out / "table.md"
    table.write_text(newest(runs), encoding="utf-8")
    if results == RESULTS:
        BILLION.write_text(filled(BILLION.read_text(encoding="utf-8"), runs), encoding="utf-8")
    frame = ratios(runs)
    if frame.empty:
        return [table]
    drawn = plot(frame)
    drawn.save(out / "ratios.svg")
    drawn.save(out / "ratios.png", scale_factor=2)
    return [table, out / "ratios.svg", out / "ratios.png"]


def newest(runs: list[Run]) -> str:
    """Return the newest result of each benchmark in one Markdown table."""
    last = {bench.name: (run, bench) for run in runs for bench in run.benches if not bench.error}
    lines = [_HEAD, ("---",) * len(_HEAD)]
    for run, bench in last.values():
        commit = run.commit[:7] + ("+" if run.changed else "")
        lines += [(bench.name, *row.cells(), f"{run.date:%Y-%m-%d}", commit) for row in bench.rows]
    body = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
    return body + "\n\nA commit with + had changes that were not committed.\n"


def filled(page: str, runs: list[Run]) -> str:
    """Return a page of the documentation with the newest results of the benchmarks that it shows."""
    last = {bench.name: (run, bench) for run in runs for bench in run.benches if not bench.error}

    def table(found: re.Match[str]) -> str:
        run, bench = last[found["name"]]
        cores, load = run.machine["cores"], run.machine["load"]
        told = f"{run.date:%Y-%m-%d}, {cores} cores, beside {load} busy processes per core"
        said = text(f"python -m benchmarks {bench.name}, {told}", bench.rows)
        return f"{found['begin']}\n```text\n{said}\n```\n\n{_END}"

    return _SHOWN.sub(table, page)


def ratios(runs: list[Run]) -> pd.DataFrame:
    """Return the ratios that have a target, one row per run.

    Columns: panel (benchmark and row), run (date and commit), ratio, low, high (of the rounds; the ratio
    itself where it was measured once), bound (the target), met.
    """
    found = [
        {
            "panel": f"{bench.name}: {row.what}",
            "run": f"{run.date:%m-%d %H:%M} {run.commit[:7]}",
            "ratio": row.ratio,
            "low": row.spread[0] if row.spread else row.ratio,
            "high": row.spread[1] if row.spread else row.ratio,
            "bound": row.most if row.most is not None else row.least,
            "met": "met" if row.met else "missed",
        }
        for run in runs
        for bench in run.benches
        for row in bench.rows
        if row.met is not None
    ]
    return pd.DataFrame(found)


def plot(frame: pd.DataFrame) -> alt.FacetChart:
    """Return one small panel per ratio: its runs from left to right, the spread of the rounds, the target."""
    x = alt.X("run:N", title=None, sort=sorted(frame["run"].unique()), axis=alt.Axis(labelAngle=-60))
    verdict = alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values()))
    base = alt.Chart(frame).encode(x=x)
    bound = base.mark_tick(thickness=1, color="#555555").encode(y="bound:Q")
    spread = base.mark_rule(color=_COLOURS["met"]).encode(y=alt.Y("low:Q", title="ratio"), y2="high:Q")
    points = base.mark_point(filled=True, size=40).encode(
        y=alt.Y("ratio:Q", scale=alt.Scale(zero=False)),
        color=alt.Color("met:N", scale=verdict, title="target"),
        shape=alt.Shape("met:N", scale=alt.Scale(domain=list(_COLOURS), range=["circle", "cross"])),
    )
    header = alt.Header(labelLimit=220, labelFontSize=9, title=None)
    return (
        alt.layer(bound, spread, points)
        .properties(width=220, height=90)
        .facet(alt.Facet("panel:N", header=header, title=None), columns=4)
        .resolve_scale(y="independent", x="shared")
    )
