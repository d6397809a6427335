"""Steps that grow with the corpus: resolving model names, and a run with nothing to do."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from benchmarks.table import Row, per_round
from ff_helpers.casestudy.record import published
from ff_helpers.corpus.canonical import resolve

NAMES: Final = 10_000
NAMES_A_SECOND: Final = 10_000
"""The target: resolve at least this many names per second."""


def resolver() -> list[Row]:
    """Resolve 10,000 names three times over, no name twice, so caching does not help."""
    exported = published("model_asr_2026-06-10")["model_name"]
    known = list(dict.fromkeys(name.removesuffix(":free") for name in exported))
    names = [f"{name}-q4_{i}" for i in range(3 * NAMES // len(known) + 1) for name in known]
    batches = [names[NAMES * i : NAMES * (i + 1)] for i in range(3)]
    base, ours = (
        [_seconds(partial(list, map(action, batch))) for batch in batches] for action in (str.lower, resolve)
    )
    taken = statistics.median(ours)
    what, of = f"resolving {NAMES:,} different model names (median of 3)", f"{NAMES_A_SECOND:,} per second"
    rate, spread = per_round([NAMES / one for one in ours], NAMES_A_SECOND)
    more, between = per_round(ours, base)
    return [
        Row(what, f"{NAMES / taken:,.0f} per second", rate, of, least=1, spread=spread),
        Row("the same, against lower-casing them", f"{taken:.2f} s", more, "lower-casing", spread=between),
    ]


def rerun() -> list[Row]:
    """Compare `ff run params/paper.yaml` with nothing to do with the full run before it."""
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
