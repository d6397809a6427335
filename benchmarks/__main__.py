"""`make bench`: how long things take, each compared with a baseline measured in the same run.

    .venv/bin/python -m benchmarks [many] [few] [inspect] [memory] [embedded] [threads] [answers] [resolver]
        [rerun] [counting] [labelled] [large] [atlas] [coverage] [carried] [judges] [compared] [sequential]
        [cards] [gates] [best] [peers_correction] [import]

Exit code 1 if a target is missed. `many`, `few`: grading through a server, against bare clients; `inspect`:
against inspect_ai (installed into .parts/inspect on first use); `memory`: 100,000 traces; `embedded`: against
bare llama.cpp, `threads`: its threads and polling beside busy processes, `answers`: whether threads change
what it says (all need `make parts`); `coverage`: how often intervals cover the truth, `carried`: the same for
errors measured on other models, `judges`: with two judges; `compared`: false alarms between the rows of a
table; `sequential`: intervals looked at after every label; `cards`: cards weighted by design; `gates`: the
gate `--max-rate`; `best`: what the best split can gain; `peers_correction`: beside packages that correct a
judge's rate (installed into .parts/corrections on first use); `labelled`: what labels add to the time of a
table; `import`: tables of results, against `json.loads`; `large`: 100 million verdicts (`FF_BENCH_ROWS`),
against a bare group-by.
Run on an idle machine.
"""

import subprocess
import sys
from collections.abc import Callable
from typing import Final

from benchmarks import (
    atlas,
    best,
    cards,
    carried,
    compared,
    corrections,
    counting,
    coverage,
    embedded,
    gates,
    importing,
    judges,
    labelled,
    large,
    memory,
    peers,
    sequential,
    serving,
    steps,
    threads,
)
from benchmarks.table import Row, text
from ff_helpers.errors import FFError

BENCHES: Final[dict[str, tuple[str, Callable[[], list[Row]]]]] = {
    "many": ("2,000 requests of 100 ms, 64 in flight (medians of 3)", serving.many_in_flight),
    "few": ("160 requests of 500 ms, 8 in flight", serving.few_in_flight),
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
    "import": ("Results of other tools, in seconds of the processor", importing.imports),
    "atlas": ("The atlas (medians of 5)", atlas.export),
    "large": (f"Counting {large.ROWS:,} verdicts", large.large),
    "counting": ("Counting: 140,794 verdicts of 258 models (medians of 5)", counting.counting),
    "labelled": ("Rates with labels: 140,794 verdicts of 258 models (medians of 3)", labelled.labelled),
}


def main(wanted: list[str]) -> int:
    """Run the named benchmarks, or all; print one table each."""
    unknown = sorted(set(wanted) - set(BENCHES))
    if unknown:
        print(f"bench: unknown {', '.join(unknown)}. Allowed: {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    missed = 0
    for name in wanted or BENCHES:
        title, bench = BENCHES[name]
        try:
            rows = bench()
        except (FFError, subprocess.SubprocessError) as error:
            print(f"{title}\n  not run: {error}\n", flush=True)
            missed += 1
            continue
        print(f"{text(title, rows)}\n", flush=True)
        missed += sum(row.met is False for row in rows)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
