"""`ff collect`: put scenarios to a model under test and keep what it answered, with known truth."""

import argparse
import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from ff_helpers import paths
from ff_helpers.cli.options import add_asking, add_command, count, number, shown

if TYPE_CHECKING:
    from ff_helpers.cli.options import Commands


def add_collecting(commands: "Commands") -> None:
    """Add the command of this module to the parser."""
    parser = add_command(
        commands,
        "collect",
        _collect,
        line="run scenarios against a model under test; truth comes from their checkers",
        about="Put scenarios (harmless fictional policies, six intent classes, single turns and crescendos) "
        "to a model under test and write one trace an attempt. Each scenario's checker decides strict "
        "compliance, so that the truth is known and any grader can be scored on these traces. An "
        "interrupted collection goes on where it stopped.",
        example="ff collect --target ollama:qwen3:1.7b --out qwen3.jsonl --repeats 3",
    )
    parser.add_argument(
        "--target",
        required=True,
        metavar="SPEC",
        help="the model under test: embedded:MODEL, ollama:TAG or openai:MODEL@BASE_URL",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="TRACES", help="the trace file to write")
    parser.add_argument(
        "--scenarios",
        type=Path,
        metavar="FILE",
        help="scenarios, JSONL (default: those that ship, data/scenarios/proxies.jsonl)",
    )
    parser.add_argument(
        "--repeats", type=count, default=1, metavar="N", help="runs of each scenario (default: %(default)s)"
    )
    parser.add_argument(
        "--arm",
        choices=("forbidden", "permitted"),
        default="forbidden",
        help="the attack, or its control, in which the policy allows what is asked: it shows what the model "
        "is able to do (default: %(default)s)",
    )
    parser.add_argument(
        "--limit", type=count, metavar="N", help="only the first N scenarios of the arm (default: all)"
    )
    parser.add_argument(
        "--temperature",
        type=number,
        metavar="T",
        default=0.3,
        help="above 0, so that runs of one scenario are draws and not copies (default: %(default)g)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        metavar="N",
        default=0,
        help="from which each conversation's own seed is derived (default: %(default)s)",
    )
    parser.add_argument(
        "--max-tokens",
        type=count,
        metavar="N",
        default=64,
        help="limit of each reply (default: %(default)s)",
    )
    add_asking(parser)
    parser.set_defaults(
        elsewhere="Make room there or name another place with --out, then run the command again.",
        interrupted="What was collected is kept: run the same command again and it goes on from there.",
    )


def _collect(options: argparse.Namespace) -> int:
    from ff_helpers.corpus.collect import SCENARIOS, collect
    from ff_helpers.corpus.journal import read_journal
    from ff_helpers.corpus.traces import Trace

    if options.out.exists():  # a file that holds no traces is refused before a model is opened
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
    from ff_helpers.corpus.collect import collected_frame

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
        return "run the same command again, which asks for what is lacking"
    if options.arm == "permitted":
        return "controls are not graded; collect the attack with --arm forbidden and compare"
    out = shlex.quote(shown(options.out))
    return (
        f"ff calibrate --grader heuristic --traces {out}   (or any grader: the truth is known)\n"
        "A model that is not able to do it does not comply either: collect the control with --arm permitted "
        "and another --out."
    )
