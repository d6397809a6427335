"""How commands print: texts from templates, paths as people type them, columns that line up, JSON."""

import json
import os
import sys
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ff_helpers.terms import Unknown

if TYPE_CHECKING:
    import pandas as pd
    from jinja2 import Environment

    from ff_helpers.measurement.calibration.confusion import Kappa
    from ff_helpers.measurement.proportions.intervals import Proportion


def said(template: str, **values: object) -> str:
    """Return a text from `templates/`, without a line break at its end; a name without a value is an error.

    What a terminal obeys in a value is shown and not obeyed. In a template, `aligned` lines up what stands
    before and after a tab, and `measured` writes a figure with its interval.
    """
    return _environment().get_template(f"{template}.txt").render(values).rstrip("\n")


def announce(text: str) -> None:
    """Say on stderr, at once, what a command that takes long is about to do."""
    print(text, file=sys.stderr, flush=True)


def measured(value: "Proportion | Kappa | float | Unknown | None") -> str:
    """Return `65.0% [43.3, 81.9], 13 of 20`, a kappa with its interval, seconds, or why it is not known."""
    from ff_helpers.measurement.calibration.confusion import Kappa
    from ff_helpers.measurement.proportions.intervals import Proportion

    match value:
        case Unknown():
            return f"not measured: {value.why}"
        case Proportion(estimate=float() as share):
            return f"{percent(share, value.low, value.high)}, {value.counts}"
        case Kappa():
            return f"{value.value:.2f} [{value.low:.2f}, {value.high:.2f}]"
        case float():
            return f"{value:.2f}"
    return "unknown: no row"


def percent(share: float, low: float, high: float) -> str:
    """Return `65.0% [43.3, 81.9]`."""
    return f"{100 * share:.1f}% [{100 * low:.1f}, {100 * high:.1f}]"


def plain(value: object) -> str:
    """Return a value as text in which control sequences are spelled out."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in str(value))


def shown(path: Path) -> str:
    """Return a path as the user would type it: relative if it is below the current folder; or an address."""
    if not isinstance(path, Path):
        return str(path)
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve would follow links
    here = Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)


def ranges(numbers: Iterable[int]) -> str:
    """Return ascending whole numbers as `1-3, 5, 7-16`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)


def aligned(rows: Sequence[Sequence[str]], *, right: Collection[int] = (), indent: str = "  ") -> list[str]:
    """Return one line per row, columns two blanks apart; those in `right` end together."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    pads = [str.rjust if place in right else str.ljust for place in range(len(widths))]
    lines = ("  ".join(pad(c, w) for pad, c, w in zip(pads, row, widths, strict=True)) for row in rows)
    return [(indent + line).rstrip() for line in lines]


def json_rows(frame: "pd.DataFrame") -> list[dict[object, object]]:
    """Return the rows of a frame for JSON: missing values are null."""
    rows: list[dict[object, object]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return rows


def print_json(content: object, *, indent: int | None = 1) -> None:
    """Print a value for programs; text stays as it is."""
    print(json.dumps(content, indent=indent, ensure_ascii=False))


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from ff_helpers.publication.prose import points

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=plain,
    )
    ours = (measured, plain, points, ranges, shown)
    environment.filters |= {"aligned": _aligned} | {one.__name__: one for one in ours}
    return environment


def _aligned(text: str) -> str:
    return "".join(f"{line}\n" for line in aligned([line.split("\t") for line in text.splitlines()]))
