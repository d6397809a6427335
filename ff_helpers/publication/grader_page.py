"""The page of the grader atlas: every judge by set and by size, with its interval, its gate and its origin.

It has no script and loads nothing: it opens from disk and reads the same on paper.
"""

from collections.abc import Hashable, Mapping
from typing import Final

import pandas as pd

from ff_helpers.corpus.sets import known_sets
from ff_helpers.measurement.calibration.gate import DEFAULT
from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.paths import Run
from ff_helpers.publication.derive import disclose
from ff_helpers.publication.grader_atlas import BASES
from ff_helpers.publication.pages import render, write_page
from ff_helpers.publication.prose import points
from ff_helpers.terms import GATE_STATES

NAME: Final = "atlas/graders.html"
Row = Mapping[Hashable, object]


def save_grader_page(run: Run, table: pd.DataFrame) -> str:
    """Write atlas/graders.html of a run and return its name.

    Args:
        run: where to write; its date is the page's.
        table: as `grader_atlas`.

    Raises:
        FFError: as `disclose`.
    """
    rows: list[Row] = [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in table.to_dict("records")
    ]
    groups: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        groups.setdefault(str(row["set"]), {}).setdefault(str(row["question"]), []).append(row)
    sized = sorted((row for row in rows if row["params_b"] is not None), key=_size)
    page = render(
        "graders.html.j2",
        profile=run.profile,
        as_of=run.as_of.isoformat(),
        disclosure=disclose(run, table).sentence(),
        groups=groups,
        sets=known_sets(),
        sized=sized,
        rows=rows,
        states=[(state, sum(row["gate"] == state for row in rows)) for state in reversed(GATE_STATES)],
        below=sum(_is_below(row) for row in rows),
        known=sum(row["majority"] is not None for row in rows),
        bases=BASES,
        bar=100 * DEFAULT.published_accuracy,
        percent=percent,
        points=points,
    )
    write_page(run.write(NAME), page)
    return NAME


def _size(row: Row) -> tuple[float, float]:
    return float(str(row["params_b"])), -float(str(row["accuracy"]))


def _is_below(row: Row) -> bool:
    """Return whether a judge is right no more often than the answer that people give most."""
    majority = row["majority"]
    return majority is not None and float(str(row["accuracy"])) <= float(str(majority))
