"""`make bench`: how long things take, each compared with a baseline measured in the same run.

    .venv/bin/python -m benchmarks [NAME...]    those named below; without a name, all
    .venv/bin/python -m benchmarks quick        clients, resolver, counting, import: two minutes when idle
    .venv/bin/python -m benchmarks plot         what is kept: a table, and a plot over commits (outputs/bench)

Every run is kept in `benchmarks/results`, one JSON file each, written after every benchmark; commit the files
that are worth comparing. Ratios that were measured in rounds show the smallest and largest of them. The last
lines list every missed target; the exit code is 1 if there is one, or if a benchmark did not run.

`many`, `few`, `clients` (fewer requests): grading through a server, against bare clients; `hosts`: through 1
to 256 simulated servers; `costs`: per row, from shards to rates; `inspect`: against inspect_ai (installed
into .parts/inspect on first use); `memory`: 100,000 traces; `embedded`: against bare llama.cpp, `threads`:
its threads and polling beside busy processes, `answers`: whether threads change what it says (all need `make
parts`); `coverage`: how often intervals cover the truth, `carried`: the same for errors measured on other
models, `judges`: with two judges; `compared`: false alarms between the rows of a table; `sequential`:
intervals looked at after every label; `cards`: cards weighted by design; `gates`: the gate `--max-rate`;
`best`: what the best split can gain; `peers_correction`: beside packages that correct a judge's rate
(installed into .parts/corrections on first use); `labelled`: what labels add to the time of a table;
`import`: tables of results, against `json.loads`; `large`: 100 million verdicts (`FF_BENCH_ROWS`), against a
bare group-by; `ledger`: what is left to grade, of a ledger of 10 million lines;
`cluster`: verdicts lost and given twice while workers, schedulers and commands are killed (extra `cluster`).
`defences`: a grader under attack, by recorded verdicts.
Run on an idle machine.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks import (
    atlas,
    best,
    cards,
    carried,
    cluster,
    compared,
    corrections,
    costs,
    counting,
    coverage,
    defences,
    embedded,
    gates,
    hosts,
    importing,
    judges,
    labelled,
    large,
    ledger,
    memory,
    peers,
    plotted,
    record,
    sequential,
    serving,
    steps,
    threads,
)
from benchmarks.record import RESULTS, Measured
from benchmarks.table import Row, text
from ff_helpers.errors import FFError

Benches = dict[str, tuple[str, Callable[[], list[Row]]]]

BENCHES: Final[Benches] = {
    "many": ("2,000 requests of 100 ms, 64 in flight (medians of 3)", serving.many_in_flight),
    "few": ("160 requests of 500 ms, 8 in flight (medians of 3)", serving.few_in_flight),
    "clients": ("1,000 requests of 100 ms, 64 in flight (medians of 3)", serving.clients),
    "hosts": ("1 to 256 simulated hosts that answer after 1 s, one client", hosts.hosts),
    "costs": (f"Costs per row, and of 10^9 rows, measured with {costs.ROWS:,}", costs.costs),
    "inspect": ("Compared with inspect_ai: requests of 100 ms, 64 in flight", peers.inspect),
    "memory": ("Memory", memory.memory),
    "embedded": ("Embedded model", embedded.embedded),
    "threads": ("Threads of the embedded model", threads.threads),
    "answers": ("Do the threads change what the embedded model says?", threads.answers),
    "resolver": ("Model names", steps.resolver),
    "rerun": ("The pipeline", steps.rerun),
    "coverage": (
        "Coverage of 95% intervals, 10,000 draws per cell (Monte Carlo error 0.2 points)",
        coverage.coverage,
    ),
    "cluster": ("A cluster whose processes are killed", cluster.cluster),
    "carried": ("Errors carried over to another model, 100 draws per cell", carried.carried),
    "judges": ("A second judge, 400 draws per cell", judges.judges),
    "compared": ("Rows of one rate that differ by chance, 200 draws per cell", compared.compared),
    "sequential": (
        f"Looked at after every label, {sequential.RUNS:,} runs per cell (Monte Carlo error 0.5 to 1 point)",
        sequential.sequential,
    ),
    "cards": (f"Cards weighted by design, {cards.DRAWS:,} draws per cell", cards.cards),
    "gates": (f"The gate on a rate, {gates.DRAWS:,} samples per cell", gates.gates),
    "best": ("What the best split of labels can gain", best.best),
    "peers_correction": (
        f"Corrections beside other packages, {corrections.DRAWS} draws per cell",
        corrections.peers_correction,
    ),
    "defences": ("Defences of a grader against responses that write to it", defences.defences),
    "import": ("Results of other tools, in seconds of the processor", importing.imports),
    "atlas": ("The atlas (medians of 5)", atlas.export),
    "large": (f"Counting {large.ROWS:,} verdicts", large.large),
    "ledger": (f"What is left to grade: a ledger of {ledger.ROWS:,} lines", ledger.ledger),
    "counting": ("Counting: 140,794 verdicts of 258 models (medians of 5)", counting.counting),
    "labelled": ("Rates with labels: 140,794 verdicts of 258 models (medians of 3)", labelled.labelled),
}


QUICK: Final = ("clients", "resolver", "counting", "import")
"""Two minutes together, on an idle machine with two cores."""


def main(wanted: list[str], results: Path = RESULTS, benches: Benches = BENCHES) -> int:
    """Run the named benchmarks, or all; print one table each, keep them, and say which targets are missed."""
    if wanted == ["plot"]:
        return _plot(results)
    names = QUICK if wanted == ["quick"] else tuple(wanted or benches)
    unknown = sorted(set(names) - set(benches))
    if unknown:
        allowed = ", ".join([*benches, "quick", "plot"])
        print(f"bench: unknown {', '.join(unknown)}. Allowed: {allowed}.", file=sys.stderr)
        return 2
    run = record.started()
    for name in names:
        run.benches.append(_measured(name, *benches[name]))
        kept = record.write(run, results)
    print(f"kept in {kept}; `python -m benchmarks plot` draws what is kept")
    missed = record.missed(run)
    print("\n  ".join([f"{len(missed)} targets missed:", *missed]) if missed else "no target missed")
    return int(bool(missed))


def _measured(name: str, title: str, bench: Callable[[], list[Row]]) -> Measured:
    """Run one benchmark and print its table."""
    begun = time.monotonic()
    try:
        rows = bench()
    except (FFError, subprocess.SubprocessError) as error:
        print(f"{title}\n  not run: {error}\n", flush=True)
        problem = str(error) if isinstance(error, FFError) else type(error).__name__
        return Measured(
            name, title, round(time.monotonic() - begun, 1), error=problem.replace(str(record.ROOT), ".")
        )
    print(f"{text(title, rows)}\n", flush=True)
    return Measured(name, title, round(time.monotonic() - begun, 1), rows)


def _plot(results: Path) -> int:
    try:
        for path in plotted.draw(results):
            print(path)
    except FFError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
