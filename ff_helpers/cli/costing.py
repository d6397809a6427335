"""`ff plan grade`, `ff ledger compact`: what grading the rest costs; a ledger made ready for counting."""

import argparse
import shlex
from typing import Final

from ff_helpers.cli.text import aligned, announce, print_json, shown
from ff_helpers.grading.cost import Cost, Expected, cost_of, sample_of
from ff_helpers.grading.outcome import grade_command
from ff_helpers.grading.stream import grade_file
from ff_helpers.measurement.rates.compacted import compact
from ff_helpers.measurement.standing import by_cards

_UNITS: Final = ((86_400, "days"), (3_600, "h"), (60, "min"), (1, "s"))


def plan_grading(options: argparse.Namespace) -> int:
    """Grade a random sample into the ledger, and print what the rest is expected to take."""
    chosen = sample_of(options.traces, options.n)
    announce(f"grading {len(chosen)} traces of {options.traces}, drawn at random, into {options.ledger}")
    done = grade_file(
        options.traces,
        options.grader,
        options.ledger,
        rubric=options.rubric,
        concurrency=options.concurrency,
        timeout=options.timeout,
        only=chosen,
        admit=by_cards(options.cards),
    )
    prices = None if options.price is None else (options.price[0], options.price[1])
    cost = cost_of(options.traces, options.ledger, done.identity, n=options.n, prices=prices)
    if options.json:
        print_json(_content(cost))
    else:
        print(_said(cost, options))
    return 0


def compact_ledger(options: argparse.Namespace) -> int:
    """Write a ledger as Parquet for counting, and say how much smaller it is."""
    announce(f"reading {options.ledger}")
    path, about = compact(options.ledger, options.out, traces=options.traces)
    before, after = options.ledger.stat().st_size / 1e6, path.stat().st_size / 1e6
    replaced = f"; {about.superseded:,} replaced by later ones are left out" if about.superseded else ""
    left = [
        f"{n:,} {what}"
        for n, what in (
            (about.left.elsewhere, "of other traces"),
            (about.left.attacks, "of attacks on a grader"),
        )
        if n
    ]
    out = f"; left out: {', '.join(left)}" if left else ""
    print(f"{shown(path)}: {about.rows:,} rows{replaced}{out}; {after:,.1f} MB for {before:,.1f} MB of JSONL")
    by = " --by model intent" if options.traces else ""
    print(f"count it: ff asr {shlex.quote(shown(path))}{by}")
    return 0


def _content(cost: Cost) -> dict[str, object]:
    """Return an outlook for programs."""
    parts: dict[str, Expected | None] = {
        "prompt_tokens": cost.prompt_tokens,
        "completion_tokens": cost.completion_tokens,
        "seconds": cost.seconds,
        "money": cost.money,
    }
    known = {name: None if one is None else vars(one) for name, one in parts.items()}
    return {"rows": cost.rows, "sampled": cost.sampled, "left": cost.left, **known}


def _said(cost: Cost, options: argparse.Namespace) -> str:
    sampled = f"{cost.sampled} traces drawn at random are graded, {cost.left:,} of {cost.rows:,} are left"
    lines = [f"{options.traces}: {sampled}"]
    rows = [["", "per trace", f"the {cost.left:,} left [95%]"]]
    for name, one in (("prompt tokens", cost.prompt_tokens), ("answer tokens", cost.completion_tokens)):
        if one is not None:
            rows.append([name, f"{one.mean:,.0f}", _span([f"{end:,.0f}" for end in _ends(one)])])
    if cost.seconds is not None:
        each = _time([cost.seconds.mean])[0]
        rows.append(["time", each, f"{_span(_time(_ends(cost.seconds)))} as the sample was graded"])
    if cost.money is not None:
        ends = [f"{end:,.2f}" for end in _ends(cost.money)]
        rows.append(["money", f"{cost.money.mean:.6f}", f"{_span(ends)} at these prices"])
    elif options.price is not None:
        lines.append("this grader reports no tokens, so no price can be told")
    if cost.left and len(rows) > 1:
        lines += ["", *aligned(rows)]
    command = grade_command(
        options.grader, options.rubric, traces=shown(options.traces), ledger=shown(options.ledger)
    )
    lines.append(f"\ngrade the rest: {shlex.join(command)}" if cost.left else "\nnothing is left to grade")
    return "\n".join(lines)


def _ends(one: Expected) -> list[float]:
    return [one.total, one.low, one.high]


def _span(texts: list[str]) -> str:
    return f"{texts[0]} [{texts[1]}, {texts[2]}]"


def _time(seconds: list[float]) -> list[str]:
    """Return durations in the unit of the first, which is named there."""
    size, unit = next(((s, u) for s, u in _UNITS if seconds[0] >= 2 * s), _UNITS[-1])
    first, *others = [f"{value / size:,.1f}" for value in seconds]
    return [f"{first} {unit}", *others]
