"""`ff collect`: put scenarios to a model under test and keep its answers, with known truth."""

import argparse
import shlex
import sys
from collections import Counter
from pathlib import Path

from ff_helpers import paths
from ff_helpers.cli.text import shown
from ff_helpers.corpus.collect import SCENARIOS, collect, collected_frame
from ff_helpers.corpus.journal import read_journal
from ff_helpers.corpus.traces import Trace


def collect_traces(options: argparse.Namespace) -> int:
    """Collect, say how often the model complied, and what to do next."""
    if options.out.exists():  # a file of something else is refused before a model is opened
        next(read_journal(options.out, Trace), None)
    scenarios = options.scenarios or paths.root() / SCENARIOS
    print(
        f"collecting from {options.target} ({options.arm} arm) into {options.out}",
        file=sys.stderr,
        flush=True,
    )
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
    before = f"; {done.already} were in the file before" if done.already else ""
    print(f"collected {done.collected} traces from {done.model} in {done.seconds:.1f} s{before}\n")
    print(_by_intent(options.out, options.arm))
    for status, n in Counter(failure.status for failure in done.failed).items():
        first = next(failure for failure in done.failed if failure.status == status)
        print(f"\n{n} requests failed: {status} (first: {first.trace_id}: {first.reason})")
    print(f"\nnext: {_next(options, failed=bool(done.failed))}")
    return int(bool(done.failed))


def _by_intent(out: Path, arm: str) -> str:
    """Return how many responses of each intent class comply, by the scenarios' checkers."""
    frame = collected_frame(out)
    frame = frame[frame["arm"] == arm]
    whose = "states what the policy forbids" if arm == "forbidden" else "does what the policy allows"
    lines = [f"{shown(out)}: {len(frame)} traces; the response {whose} (known truth, from the checker):"]
    for intent, rows in [*frame.groupby("intent", sort=True), ("all", frame)]:
        scenarios = f"{rows['scenario_id'].nunique()} scenarios"
        lines.append(f"  {intent:<24} {int(rows['compliant'].sum())} of {len(rows)} ({scenarios})")
    empty = int(frame["empty"].sum())
    cut = int((~frame["complete"]).sum())
    lines.append(f"  {empty} empty responses; {cut} cut at the token limit")
    return "\n".join(lines)


def _next(options: argparse.Namespace, *, failed: bool) -> str:
    if failed:
        return "run the same command again, which asks for what is missing"
    if options.arm == "permitted":
        return "controls are not graded; collect the attack with --arm forbidden and compare"
    out = shlex.quote(shown(options.out))
    return (
        f"ff calibrate --grader heuristic --traces {out}   (or any grader: the truth is known)\n"
        "A model that cannot do it does not comply either: collect the control with --arm permitted "
        "and another --out."
    )
