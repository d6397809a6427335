"""`ff plan`: how many labels a rate needs, by design, and what the next ones would buy."""

import argparse
import math
import shlex
from pathlib import Path
from typing import Final

import pandas as pd

from ff_helpers.cli.text import aligned, json_rows, print_json, said, shown
from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.anytime import FIRST
from ff_helpers.measurement.sampling.files import Design, DesignName
from ff_helpers.measurement.sampling.pilot import Pilot, read_pilot
from ff_helpers.measurement.sampling.plan import (
    ALONE,
    BEST,
    HALF,
    LARGEST,
    RANDOM,
    Outlook,
    needed_labels,
    outlook,
    plan_labels,
)

_CHOSEN: Final = {
    "random": (ALONE, RANDOM),
    "by-verdict": (ALONE, HALF, BEST),
    None: (ALONE, RANDOM, HALF, BEST),
}
_DRAWN: Final[tuple[tuple[str, DesignName], ...]] = ((BEST, "best"), (HALF, "by-verdict"), (RANDOM, "random"))
"""Designs as they are planned and as `ff sample` calls them; of two that need as many labels, the first."""
_SPEC: Final = ("rate", "se", "sp")
_PILOT: Final = ("verdicts", "traces", "grader", "tier", "space")


def plan(options: argparse.Namespace) -> int:
    """Print how many labels each design needs for the interval that is wanted."""
    pilot = _pilot(options)
    expected = pilot.expected if pilot else outlook(options.rate, options.se, options.sp, rows=options.rows)
    designs, wanted = _CHOSEN[options.design], options.half_width
    others = pilot.others if pilot else ()
    needs = needed_labels(expected, wanted, designs=designs, others=others)
    table = plan_labels(expected, wanted, step=options.step, designs=designs)
    if not options.anytime:
        needs = needs.drop(columns=["needed_stopping", "price"])
        table = table.drop(columns="half_width_stopping")
    if options.json:
        print_json(_content(options, expected, pilot, needs, table))
        return 0
    digits = max(1, 1 - math.floor(math.log10(100 * wanted)))
    values = {
        "expected": expected,
        "pilot": pilot,
        "wanted": wanted,
        "needs": _needs(needs),
        "digits": digits,
        "unreached": _unreached(needs, expected, digits),
        "lines": _lines(table, "half_width", digits),
        "stopping": _lines(table, "half_width_stopping", digits) if options.anytime else [],
        "next": _next(options, pilot, expected, needs),
        "useless": _useless(expected),
        "first": FIRST,
        "price": _price(needs) if options.anytime else "",
    }
    print(said("plan", **values))
    return 0


def _useless(expected: Outlook) -> str:
    """Return why verdicts narrow no interval, if they do not."""
    gap = expected.in_hits - expected.in_others
    if not (0 < expected.rate < 1 and 0 < expected.hit < 1):
        return ""
    if gap < 0:
        return (
            "Hits are true less often than the others: the grader may answer in the other direction. Check "
            "which value means a success."
        )
    # The square of the correlation of verdict and truth: the part of the variance that verdicts explain.
    explained = gap**2 * expected.hit * (1 - expected.hit) / (expected.rate * (1 - expected.rate))
    return "Verdicts say almost nothing of the truth, and narrow no interval." if explained < 0.01 else ""


def _pilot(options: argparse.Namespace) -> Pilot | None:
    """Read the pilot, or return None where shares are given instead.

    Raises:
        FFError: neither, both or half of either is given; or as `read_pilot`.
    """
    given = [name for name in _SPEC if getattr(options, name) is not None]
    if options.pilot is None:
        if lost := [name for name in _PILOT if getattr(options, name) is not None]:
            raise FFError(f"--{lost[0]} goes with --pilot labels.csv.")
        if missing := [f"--{name}" for name in _SPEC if name not in given]:
            raise FFError(
                f"to plan without a pilot, give {', '.join(missing)} too: the rate that you expect, the "
                "grader's sensitivity and its specificity (`ff calibrate` measures them). Or label a few "
                "rows first and give --pilot labels.csv --verdicts VERDICTS."
            )
        return None
    if given:
        raise FFError(f"--{given[0]} and --pilot: the pilot says it. Leave out one of the two.")
    if options.verdicts is None:
        raise FFError("--pilot needs --verdicts VERDICTS, the ledger that the sample was drawn from.")
    return read_pilot(
        options.pilot,
        options.verdicts,
        traces=options.traces or (),
        grader=options.grader,
        tier=options.tier,
        space=options.space,
        rows=options.rows,
    )


def _needs(needs: pd.DataFrame) -> list[str]:
    """Return one line per design: labels, what the pilot leaves open, how many from hits."""
    stopping = "needed_stopping" in needs
    head = ["design", "labels", "of hits", *(["stopping at any time"] if stopping else [])]
    lines = [head]
    for row in json_rows(needs):
        n, most = _number(row["labels_needed"]), row["needed_most"]
        if row["needed_least"] is not None:
            n = f"{n} ({_number(row['needed_least'])} to {'more' if most is None else _number(most)})"
        line = [str(row["design"]), n, "" if row["drawn_hits"] is None else _number(row["drawn_hits"])]
        lines.append([*line, _number(row["needed_stopping"])] if stopping else line)
    return aligned(lines, right=(1, 2, 3))


def _number(value: object) -> str:
    return "not reached" if value is None else f"{value:,}"


def _lines(table: pd.DataFrame, half: str, digits: int) -> list[str]:
    """Return one line per number of labels, with the half-width of each design, in points."""
    lines = [["labels", *dict.fromkeys(table["design"])]]
    for n, rows in table.groupby("to_label"):
        lines.append([f"{n:,}", *(f"{100 * width:.{digits}f}" for width in rows[half])])
    return aligned(lines, right=range(len(lines[0])))


def _unreached(needs: pd.DataFrame, expected: Outlook, digits: int) -> str:
    """Return which designs do not get there, and how far they get."""
    short = needs[needs["labels_needed"].isna()]
    if short.empty:
        return ""
    who = "any design" if len(short) == len(needs) else "; ".join(short["design"])
    if expected.rows is None:
        return f"Not reached by {who} with {LARGEST:,} labels."
    width = f"{100 * short['at_most'].max():.{digits}f}"
    return f"Not reached by {who}: with all {expected.rows:,} rows labelled it is ±{width} points."


def _price(needs: pd.DataFrame) -> str:
    prices = needs["price"].dropna()
    if prices.empty:
        return ""
    low, high = f"{prices.min():.1f}", f"{prices.max():.1f}"
    return low if low == high else f"{low} to {high}"


def _next(options: argparse.Namespace, pilot: Pilot | None, expected: Outlook, needs: pd.DataFrame) -> str:
    """Return the `ff sample` with the fewest further labels, or that there are enough."""
    drawn = pilot.design if pilot else None
    had = sum(one.drawn for one in drawn.strata) if drawn else 0
    further: dict[DesignName, tuple[int, int]] = {}
    for name, design in _DRAWN:
        found = needs.loc[(needs["design"] == name) & needs["labels_needed"].notna(), "labels_needed"]
        if len(found):
            n = int(found.iloc[0])
            further[design] = max(0, n - (had if _adds(design, drawn) else 0)), n
    if not further:
        return ""
    design = min(further, key=lambda one: further[one])
    more, n = further[design]
    words = ["ff sample", _typed(options.verdicts) if pilot else "VERDICTS", "--traces"]
    words += [_typed(path) for path in options.traces or ()] or ["TRACES.jsonl"]
    words += ["--grader", shlex.quote(options.grader)] if options.grader else []
    words += ["--n", str(n), "--design", design]
    if drawn is None or not _adds(design, drawn):
        words += _guess(expected) if design == "best" else []
        return " ".join([*words, "--out", "more.csv" if pilot else "labels.csv"])
    if pilot and not more:
        return (
            "label the rest of the pilot; it is large enough" if pilot.unlabelled else "the pilot is enough"
        )
    words += ["--tier", drawn.tier, "--space", drawn.space, "--seed", str(drawn.seed)]
    words += ["--by", *drawn.by] if drawn.by else []
    return " ".join([*words, "--out", _typed(options.pilot)])


def _adds(design: DesignName, drawn: Design | None) -> bool:
    """Return whether a draw of this design adds to a sample: by verdict to any, at random to a random one."""
    return drawn is not None and (design != "random" or drawn.design == "random")


def _guess(expected: Outlook) -> list[str]:
    """Return what `ff sample` asks of an outlook: the rate, and the grader's errors that go with it."""
    rate, hit = expected.rate, expected.hit
    se = hit * expected.in_hits / rate if rate else 1.0
    sp = (1 - hit) * (1 - expected.in_others) / (1 - rate) if rate < 1 else 1.0
    return [
        word
        for name, share in (("--rate", rate), ("--se", se), ("--sp", sp))
        for word in (name, f"{min(share, 1.0):.3g}")
    ]


def _typed(path: Path) -> str:
    return shlex.quote(shown(path))


def _content(
    options: argparse.Namespace,
    expected: Outlook,
    pilot: Pilot | None,
    needs: pd.DataFrame,
    table: pd.DataFrame,
) -> dict[str, object]:
    known = {"rate": expected.rate, "hit": expected.hit, "in_hits": expected.in_hits}
    content: dict[str, object] = {"half_width": options.half_width, "rows": expected.rows}
    content |= {"expected": known | {"in_others": expected.in_others}}
    if pilot:
        names = ("grader", "tier", "labels", "true", "called", "without_verdict", "unlabelled")
        content["pilot"] = {name: getattr(pilot, name) for name in names}
    content |= {"needed": json_rows(needs), "table": json_rows(table)}
    return content | {"next": _next(options, pilot, expected, needs) or None}
