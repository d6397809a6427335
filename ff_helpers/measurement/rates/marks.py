"""Marks: numbers by which two files show that no row of one can replace or repeat a row of the other.

A mark is a 64-bit hash of what may occur once: a trace in the first pass of a grader, or the key of a record
of a trace. Where no mark is in two files, counts of the files add up to the counts of all of them.
"""

from typing import TYPE_CHECKING

import duckdb
import numpy as np

from ff_helpers.measurement.rates.rows import column
from ff_helpers.terms import IDENTITY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bucket = NDArray[np.uint64]
    Marks = tuple[Bucket, ...]
else:
    Marks = tuple

_ONCE = ("trace_id", *IDENTITY, "model", "set")
"""What tells two rows of one pass apart, as in `count_verdicts`."""


def marks_of_keys(connection: duckdb.DuckDBPyConnection) -> None:
    """Begin with the keys of all rows of the table `rows`, and those that they replace."""
    connection.execute(
        "CREATE TEMP TABLE marks AS "
        "SELECT hash('key', trace_id, key) AS mark FROM rows WHERE key IS NOT NULL "
        "UNION ALL SELECT hash('key', trace_id, superseded) FROM rows WHERE superseded IS NOT NULL"
    )


def marks_of_rows(connection: duckdb.DuckDBPyConnection, buckets: int) -> Marks:
    """Add the traces of the first pass of the rows that count, and return each mark once, by bucket."""
    once = ", ".join(map(column, _ONCE))
    connection.execute(
        f"INSERT INTO marks SELECT hash({once}) FROM rows WHERE repeat = 0 AND trace_id IS NOT NULL"
    )
    query = f"SELECT DISTINCT mark FROM marks WHERE mark % {buckets} = "
    found = (connection.execute(query + str(place)).fetchnumpy()["mark"] for place in range(buckets))
    return tuple(np.asarray(marks, dtype=np.uint64) for marks in found)


def in_two(parts: "tuple[Bucket, ...]") -> tuple[int, int] | None:
    """Return the places of two parts that have a mark in common, or None."""
    marks = np.concatenate(parts)
    order = np.argsort(marks, kind="stable")
    twice = np.flatnonzero(marks[order][1:] == marks[order][:-1])
    if not len(twice):
        return None
    of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])[order]
    return int(of[twice[0]]), int(of[twice[0] + 1])
