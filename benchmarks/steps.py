"""Steps that grow with the corpus: resolving model names, and a run with nothing to do."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from benchmarks.table import Row
from ff_helpers.corpus.canonical import resolve
from ff_helpers.corpus.published import published


def resolver() -> list[Row]:
    """Compare resolving 10,000 different names with lower-casing them."""
    known = list(published("model_asr_2026-06-10")["model_name"])
    names = [f"{name}-x{i}" for i in range(10_000 // len(known) + 1) for name in known][:10_000]
    base = _seconds(lambda: [name.lower() for name in names])
    ours = _seconds(lambda: [resolve(name) for name in names])
    return [Row(f"resolving {len(names):,} model names", f"{ours:.2f} s", ours / base, "lower-casing them")]


def rerun() -> list[Row]:
    """Compare `ff run params/paper.yaml` with nothing to do with the run that did everything."""
    command = [sys.executable, "-m", "ff_helpers.cli", "run", "params/paper.yaml"]
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {"FF_OUTPUTS": folder}
        first, again = (
            _seconds(lambda: subprocess.run(command, check=True, capture_output=True, env=env))
            for _ in range(2)
        )
    return [
        Row("`ff run params/paper.yaml`", f"{first:.1f} s"),
        Row("again, nothing changed", f"{again:.2f} s", again / first, "the first run"),
    ]


def _seconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun
