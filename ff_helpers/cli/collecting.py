"""`ff collect`: put scenarios to a model under test and keep its answers, with known truth."""

import argparse
import shlex

from ff_helpers import paths
from ff_helpers.cli.text import announce, said, shown
from ff_helpers.corpus.collect import SCENARIOS, collect, collected_frame
from ff_helpers.corpus.journal import read_journal
from ff_helpers.corpus.traces import Trace


def collect_traces(options: argparse.Namespace) -> int:
    """Collect, say how often the model complied, and what to do next."""
    if options.out.exists():  # a file of something else is refused before a model is opened
        next(read_journal(options.out, Trace), None)
    scenarios = options.scenarios or paths.root() / SCENARIOS
    announce(f"collecting from {options.target} ({options.arm} arm) into {options.out}")
    done = collect(
        options.target,
        scenarios,
        options.out,
        repeats=options.repeats,
        arm=options.arm,
        temperature=options.temperature,
        max_tokens=options.max_tokens,
        concurrency=options.concurrency,
        limit=options.limit,
        seed=options.seed,
        timeout=options.timeout,
    )
    frame = collected_frame(options.out)
    frame = frame[frame["arm"] == options.arm]
    groups = [*frame.groupby("intent", sort=True), ("all", frame)]
    values = {"done": done, "frame": frame, "groups": groups, "quoted": shlex.quote(shown(options.out))}
    print(said("collected", out=options.out, arm=options.arm, **values))
    return int(bool(done.failed))
