"""Reading what a run has published: its tables as written, and single rates from them."""

import json

import pandas as pd

from ff_helpers.errors import FFError, named, quoted
from ff_helpers.measurement.proportions.intervals import Proportion, wilson
from ff_helpers.measurement.results import stated, terms_from
from ff_helpers.paths import Run
from ff_helpers.publication.tables import Fragment


def read_table(run: Run, name: str) -> pd.DataFrame:
    """Return tables/<name>.csv of the run, with the terms it was saved with.

    Raises:
        MissingInputError: no step has written it yet.
    """
    frame = pd.read_csv(run.read(f"tables/{name}.csv")).drop(columns="disclosure")
    header = json.loads(run.read(f"tables/{name}.csv-metadata.json").read_text(encoding="utf-8"))
    return stated(frame, terms_from(header["notes"][0]["terms"]))


def table_disclosure(run: Run, name: str) -> str:
    """Return the disclosure under tables/<name>.csv, as it was saved.

    Raises:
        MissingInputError: no step has written it yet.
    """
    header = json.loads(run.read(f"tables/{name}.csv-metadata.json").read_text(encoding="utf-8"))
    return str(header["dc:description"])


def show_table(run: Run, name: str) -> Fragment:
    """Return tables/<name>.html of the run for display: as published, disclosure included.

    Raises:
        MissingInputError: no step has written it yet.
    """
    return Fragment(run.read(f"tables/{name}.html").read_text(encoding="utf-8"), f"table {name}")


def pick(table: pd.DataFrame, *, k: str = "k", n: str = "n", **where: object) -> Proportion:
    """Return the rate of the one row that matches, with its Wilson interval.

    Args:
        table: a table with counts.
        k: the column of the successes.
        n: the column of the totals.
        **where: column = value, for as many columns as needed to name one row.

    Raises:
        FFError: no row matches, or several do, or there is no such column.
    """
    columns = [str(column) for column in table.columns]
    rows = table if {k, n, *where} <= set(columns) else table.iloc[:0]
    for column, value in where.items():
        rows = rows[rows[column] == value] if len(rows) else rows
    if len(rows) != 1:
        wanted = ", ".join(f"{named(column)} = {_shown(value)}" for column, value in where.items())
        raise FFError(
            f"{wanted or 'no condition'} matches {len(rows)} rows, but must match one. "
            f"Columns to choose by: {', '.join(map(named, columns))}."
        )
    return wilson(int(rows[k].iloc[0]), int(rows[n].iloc[0]))


def _shown(value: object) -> str:
    return quoted(value) if isinstance(value, str) else repr(value)
