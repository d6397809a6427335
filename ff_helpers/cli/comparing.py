"""`ff asr --compare`: whether the adjusted rates of a table differ, with p-values for all of its rows."""

import argparse
from collections.abc import Sequence

import pandas as pd

from ff_helpers.cli.text import aligned
from ff_helpers.errors import FFError, named
from ff_helpers.measurement.adjustment.compared import FAMILIES, REST, Against, compared, with_family
from ff_helpers.measurement.proportions.intervals import ENDS


def against(options: argparse.Namespace) -> Against | None:
    """Return what each row is compared with, as `--compare` says it; None: nothing is compared.

    Raises:
        FFError: the rows are not told apart by that column, or `--family` stands alone.
    """
    if options.compare is None:
        if options.family is not None:
            raise FFError("--family adjusts the p-values of comparisons: add --compare COLUMN.")
        return None
    if options.anytime:
        raise FFError("--compare does not go with --anytime: its p-values hold for one look at the labels.")
    column, equals, value = options.compare.partition("=")
    if column not in options.by:
        raise FFError(
            f"--compare {named(column)}: rows are not told apart by it. Add `--by {named(column)}`. Allowed: "
            "a column of --by (each row with the others that agree in the other columns), or COLUMN=VALUE."
        )
    return Against(column, value if equals else None)


def with_comparisons(
    table: pd.DataFrame, rows: pd.DataFrame, by: Sequence[str], options: argparse.Namespace
) -> pd.DataFrame:
    """Return a table of `labelled_rates` with the columns of `compared`, where this was asked for."""
    asked = against(options)
    if asked is None:
        return table
    return pd.concat([table, compared(rows, by, asked, least=options.least)], axis=1)


def adjusted_together(table: pd.DataFrame, options: argparse.Namespace) -> pd.DataFrame:
    """Return the whole table with p-values adjusted for their number, where rows were compared."""
    return with_family(table, options.family or "holm") if "p" in table.columns else table


def comparisons_json(table: pd.DataFrame, options: argparse.Namespace) -> dict[str, object]:
    """Return what was compared, for JSON; nothing where nothing was."""
    asked = against(options)
    if asked is None:
        return {}
    how = {"column": asked.column, "with": asked.value or REST, "family": options.family or "holm"}
    return {"comparisons": how | {"tests": int(table["p"].notna().sum())}}


def comparisons_text(
    table: pd.DataFrame, by: Sequence[str], options: argparse.Namespace
) -> dict[str, object] | None:
    """Return what was compared with what, how p-values are adjusted, and a line for each row."""
    asked = against(options)
    if asked is None:
        return None
    others = [name for name in (*by, "tier") if name != asked.column]
    lines = [(*by, "tier", "minus", "difference in points [95%]", "p", "adjusted", "")]
    for row in table.to_dict("records"):
        cells = [str(row[name]) for name in (*by, "tier")]
        if row["not_compared"]:
            lines.append((*cells, "–", "–", "–", "–", row["not_compared"]))
            continue
        sides = [round(100 * row[f"difference{end}"], 1) + 0.0 for end in ENDS]
        points = f"{sides[0]:+.1f} [{sides[1]:+.1f}, {sides[2]:+.1f}]"
        minus = f"{row['compared_with']} ({100 * row['other']:.1f}%)"
        word = "differs" if row["differ"] else ""
        lines.append((*cells, minus, points, _p(row["p"]), _p(row["p_adjusted"]), word))
    return {
        "column": asked.column,
        "value": asked.value,
        "alike": others,
        "tests": int(table["p"].notna().sum()),
        "family": FAMILIES[options.family or "holm"],
        "lines": aligned(lines),
    }


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"{value:.3f}".replace("0.", ".", 1)
