"""What trace files say of the traces whose verdicts are counted: model, class, set, and what cannot count."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import duckdb
import pandas as pd

from ff_helpers.columns import declared, dtypes
from ff_helpers.corpus.traces import read_traces
from ff_helpers.errors import FFError, named, quoted
from ff_helpers.measurement.calibration.robustness import INJECTED
from ff_helpers.measurement.rates.rows import column, numbers

KNOWN: Final = ("model", "intent", "turns", "source", "set", "scenario_id", "sampling")
"""Columns of a trace that the rows of its verdicts take from it."""
_TAG: Final = "tag "
"""How the column of a tag begins where the traces are: a tag may be called like one of their fields."""
_MADE: Final = "made_to_attack_a_grader"
_CUT: Final = "cut_at_the_token_limit"
_SET: Final = list(dtypes("trace_index")).index("set")


class Left(NamedTuple):
    """Rows of the first pass that traces keep out of the counts, or that they say more of.

    Attributes:
        elsewhere: rows of traces that the trace files do not hold; in no count.
        attacks: rows of traces made to attack a grader; in no count.
        failed: failed rows of the trace files (`target_error` and the like) without a record of any grader;
            in no count.
        truncated: counted rows whose response was cut at the token limit.
    """

    elsewhere: int = 0
    attacks: int = 0
    failed: int = 0
    truncated: int = 0


def join(connection: duckdb.DuckDBPyConnection, known: pd.DataFrame, tags: Sequence[str] = ()) -> Left:
    """Give the table `rows` what the traces say, and leave out what they keep out of the counts.

    Args:
        connection: with `rows`, as `rows.load`.
        known: as `trace_index`.
        tags: columns that it has for tags.
    """
    connection.register("known", known)
    held = ("verdict", "status")
    own = [name for name in connection.table("rows").columns if name not in (*KNOWN, *held)]
    columns = [f"rows.{column(name)}" for name in own] + [f'known."{name}"' for name in KNOWN]
    columns += [f"known.{column(_TAG + tag)} AS {column(tag)}" for tag in tags]
    columns += ["CASE WHEN known.fault IS NULL THEN rows.verdict END AS verdict"]
    columns += ["coalesce(known.fault, rows.status) AS status"]
    connection.execute(
        f"CREATE TEMP TABLE joined AS SELECT {', '.join(columns)}, "
        f"known.attack AS {_MADE}, known.cut AS {_CUT} "
        "FROM rows LEFT JOIN known ON rows.trace_id = known.trace_id"
    )
    counts = f"count(*) FILTER ({_MADE} IS NULL), count(*) FILTER ({_MADE}), "
    counts += f"count(*) FILTER ({_CUT} AND NOT {_MADE})"
    elsewhere, attacks, cut = numbers(connection, f"SELECT {counts} FROM joined WHERE repeat = 0")
    there = "(SELECT trace_id FROM rows WHERE trace_id IS NOT NULL)"
    unseen = f"fault IS NOT NULL AND NOT attack AND trace_id NOT IN {there}"
    (failed,) = numbers(connection, f"SELECT count(*) FROM known WHERE {unseen}")
    left = f"SELECT * EXCLUDE ({_MADE}, {_CUT}) FROM joined WHERE NOT {_MADE}"
    connection.execute(f"DROP TABLE rows; CREATE TEMP TABLE rows AS {left}")
    return Left(elsewhere, attacks, failed, cut)


def trace_index(paths: Sequence[Path], tags: Sequence[str] = ()) -> pd.DataFrame:
    """Return what trace files say about each trace, without its text.

    Columns: trace_id, model, intent, turns, source, set (the file's name), scenario_id, sampling, truth,
    truth_space (str), attack (bool: made to attack a grader), control (bool: the policy allows the answer),
    fault (str: why nobody can grade it, or missing), cut (bool: at the token limit), and `tag NAME` (str) for
    each of `tags`.

    Raises:
        FFError: no trace has one of `tags`.
        FFError: a file is missing or malformed, or a trace_id is in two files.
    """
    index: dict[str, tuple[object, ...]] = {}
    told: list[list[str | None]] = []
    there: set[str] = set()
    for path in paths:
        name = path.stem
        for t in read_traces(path):
            if t.trace_id in index:
                who, earlier = quoted(t.trace_id), index[t.trace_id][_SET]
                raise FFError(f"trace_id {who} is in set {earlier!r} and in {name!r}; ids must be unique.")
            kind, status = t.sampling and t.sampling.kind, t.row_status
            # In the order of the declared columns; one dict per trace would take twice as long.
            known = (t.trace_id, t.model, t.intent, t.turns, t.source, name, t.scenario_id, kind, t.truth)
            fault, is_cut = status and t.fault, status == "truncated"
            marks = (t.truth_space, kind == INJECTED, t.arm == "permitted", fault, is_cut)
            index[t.trace_id] = known + marks
            if tags:
                told.append([t.tags.get(tag) for tag in tags])
                there.update(t.tags)
    for tag in tags:
        if tag not in there:
            found = ", ".join(sorted(map(named, there))) or "none"
            raise FFError(f"no trace has the tag {quoted(tag)}. Tags that occur: {found}.")
    frame = declared("trace_index", list(index.values()))
    cells = dict(zip(tags, zip(*told, strict=True), strict=True))
    return frame.assign(**{_TAG + tag: pd.Series(c, frame.index, dtype="str") for tag, c in cells.items()})
