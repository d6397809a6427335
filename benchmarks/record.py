"""What a run of the benchmarks found, kept as one JSON file per run in `benchmarks/results`.

A file names the date, the commit (and whether files differed from it), and of the machine what decides how
fast it is: cores, memory, Python, and how busy it was before the run. It names no host and no path. Files are
committed by whoever ran them; one file per run means that two branches never conflict.
"""

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil

from benchmarks.table import Row

ROOT: Final = Path(__file__).resolve().parent.parent
RESULTS: Final = ROOT / "benchmarks" / "results"


@dataclass(frozen=True)
class Measured:
    """One benchmark of a run.

    Args:
        name: as on the command line.
        title: what was measured, in words.
        seconds: how long it took.
        rows: what it found; none if it did not run.
        error: why it did not run, in one line; else empty.
    """

    name: str
    title: str
    seconds: float
    rows: list[Row] = field(default_factory=list)
    error: str = ""


@dataclass(frozen=True)
class Run:
    """One run: when, of which commit, on what, and what it found.

    Args:
        date: start, in UTC.
        commit: 40 hex digits, or `unknown` outside a git repository.
        changed: whether tracked files differed from the commit.
        machine: cores, memory_gib, python, system, and load: waiting processes per core before the run.
    """

    date: datetime
    commit: str
    changed: bool
    machine: dict[str, object]
    benches: list[Measured] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its file: sorted by name is sorted by date."""
        return f"{self.date:%Y%m%dT%H%M%SZ}-{self.commit[:7]}.json"


def started() -> Run:
    """Return a run that begins now."""
    commit, changed = _git("rev-parse", "HEAD"), _git("status", "--porcelain", "--untracked-files=no")
    machine: dict[str, object] = {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load": round(os.getloadavg()[0] / (os.cpu_count() or 1), 2),
    }
    return Run(datetime.now(UTC).replace(microsecond=0), commit or "unknown", bool(changed), machine)


def write(run: Run, folder: Path = RESULTS) -> Path:
    """Write a run; called after every benchmark, so that one that is stopped keeps what it has."""
    folder.mkdir(parents=True, exist_ok=True)
    said = asdict(run) | {"date": run.date.isoformat()}
    for bench, measured in zip(said["benches"], run.benches, strict=True):
        for row, one in zip(bench["rows"], measured.rows, strict=True):
            row |= {"target": one.target, "met": one.met}
            if one.ratio is not None:
                row["ratio"] = float(f"{one.ratio:.4g}")
            if one.spread is not None:
                row["spread"] = [float(f"{end:.4g}") for end in one.spread]
    path = folder / run.name
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    beside.replace(path)
    return path


def read(folder: Path = RESULTS) -> list[Run]:
    """Return the runs that are kept, oldest first."""
    return [_parsed(path) for path in sorted(folder.glob("*.json"))]


def missed(run: Run) -> list[str]:
    """Return one line for each target that a run missed, and for each benchmark that did not run."""
    lines = []
    for bench in run.benches:
        lines += [f"{bench.name}: not run: {bench.error}"] if bench.error else []
        for row in bench.rows:
            if row.met is False:
                what, figure, ratio, target, _ = row.cells()
                lines.append(
                    f"{bench.name}: {what}: {figure + ', ' if figure else ''}{ratio} (target {target})"
                )
    return lines


def _parsed(path: Path) -> Run:
    told = json.loads(path.read_text(encoding="utf-8"))
    benches = [
        Measured(**(bench | {"rows": [_row(row) for row in bench["rows"]]})) for bench in told.pop("benches")
    ]
    return Run(**(told | {"date": datetime.fromisoformat(told["date"])}), benches=benches)


def _row(told: dict[str, object]) -> Row:
    kept = {name: value for name, value in told.items() if name not in ("target", "met")}
    return Row(**(kept | {"spread": tuple(kept["spread"]) if kept["spread"] else None}))


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
