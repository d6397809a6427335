"""How far does one client go? Grading against 1 to 256 simulated hosts that take a second for each answer.

The hosts are ports of one cheap process (`stub`). The ideal rate is hosts times requests in flight per host,
divided by the latency; each cell grades as many traces as the ideal does in `SECONDS`, but `MOST` at most.
What a trace costs in processor time depends little on what else runs on the machine; the rate depends on it.
"""

import tempfile
from itertools import product
from pathlib import Path
from typing import Final

from benchmarks.serving import run
from benchmarks.stub import stub
from benchmarks.table import Row
from benchmarks.traces import write_traces

HOSTS: Final = (1, 4, 16, 64, 256)
IN_FLIGHT: Final = (1, 4, 16)
LATENCY: Final = 1.0
SECONDS: Final = 6
MOST: Final = 4096
"""Traces per cell, unless the requests in flight are more."""


def hosts() -> list[Row]:
    """Grade in every cell through OpenAI's protocol, and in some through Ollama's."""
    cells = [("openai", *cell) for cell in product(HOSTS, IN_FLIGHT)]
    cells += [("ollama", count, 4) for count in HOSTS]
    rows = []
    with tempfile.TemporaryDirectory() as folder, stub(max(HOSTS), LATENCY) as addresses:
        for number, (client, count, in_flight) in enumerate(cells):
            slots = count * in_flight
            traces = slots * max(1, min(SECONDS, MOST // slots))
            path = write_traces(Path(folder) / "traces.jsonl", traces)
            ledger = Path(folder) / f"{number}.jsonl"
            done = run(client, path, ",".join(addresses[:count]), in_flight, ledger)
            assert done["rows"] == traces
            rate, ideal = traces / done["wall"], slots / LATENCY
            each = f"{1000 * done['cpu'] / traces:.2f} ms CPU each"
            size = ledger.stat().st_size / traces
            figure = f"{rate:,.0f}/s, {each}, {done['mb']:.0f} MB, {size:,.0f} bytes per row"
            what = f"`{client}:`, {count} hosts x {in_flight} in flight"
            rows.append(Row(what, figure, rate / ideal, f"the ideal {ideal:,.0f}/s"))
    return rows
