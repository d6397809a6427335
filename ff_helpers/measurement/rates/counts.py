"""The verdict-count table: every rate of the suite is taken from it.

Kept to group-by, filter and length through narwhals, so pandas, DuckDB (in process, out of core) or
another of its engines gives the same counts. Published counts come into the same table by `long_counts`.
What needs to know which verdicts belong together (two graders on one trace, runs of one scenario) cannot be
taken from counts, and its docstring says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import narwhals as nw
import pandas as pd

from ff_helpers.errors import FFError, named
from ff_helpers.grading.identities import told_apart
from ff_helpers.measurement.results import Terms, stated, terms_of
from ff_helpers.terms import IDENTITY, LABELS, NOT_RECORDED, SPACES, VERDICTS, WITHOUT_VERDICT

if TYPE_CHECKING:
    from narwhals._native import NativeIbis, NativeLazyFrame
    from narwhals.typing import IntoFrame

    Lazy = nw.LazyFrame[NativeLazyFrame | NativeIbis]

SPACE = "space"
"""The column that names the label space of a grader's verdicts; without it they are of the five."""
KEYS = ("model", "intent", "turns", "set", "source", "grader")
"""What the table counts by, by default."""


class UnknownVerdictError(FFError):
    """A row that is neither one of the verdicts of its label space nor one of the statuses."""

    def __init__(self, trace_id: str, grader: str, problem: str) -> None:
        super().__init__(
            f"trace {named(trace_id)}, grader {named(grader)}: {problem}. A row has one verdict "
            f"({', '.join(VERDICTS)}) or one status ({', '.join(WITHOUT_VERDICT)}); a judge of another "
            f"label space names it in `space` ({', '.join(SPACES)}). Correct that row."
        )


class TwiceGradedError(FFError):
    """One trace graded twice in one pass by one grader."""

    def __init__(self, trace_id: str, grader: str, repeat: int, one: str, other: str) -> None:
        super().__init__(
            f"trace {named(trace_id)} is graded twice in pass {repeat} of grader {named(grader)}: {one} and "
            f"{other}. A "
            "trace counts once: keep one row, or give the second its own number in `repeat`."
        )
        self.trace_id, self.grader = trace_id, grader


def count_verdicts(
    verdicts: "IntoFrame",
    *,
    by: Sequence[str] = KEYS,
    repeat: int = 0,
    ordered: bool = True,
    checked: bool = False,
) -> pd.DataFrame:
    """Count verdicts and statuses: the one table from which every rate is taken.

    Args:
        verdicts: one row per trace, grader and pass (pandas, DuckDB relation, ...): the columns of `by`,
            `verdict`, `status` and `repeat`. With a column `trace_id` no trace that is named there may come
            twice in one pass of one grader; the columns of `terms.IDENTITY` tell graders apart. A column
            `space` names the label space of each verdict (missing: `five`).
        by: the columns to count by. Where `grader` is one, two graders of one name are counted apart, as
            `name (digest)`; where all of `IDENTITY` is there, under their plain name.
        repeat: which pass (rows that do not say are of the first); grading a trace again does not make
            another trace.
        ordered: whether the rows come sorted; a table that is only summed up again need not be.
        checked: whether it is known that no trace comes twice, which is not looked for then.

    Returns:
        One row per combination that occurs: the columns of `by` (str; missing is `not recorded`),
        outcome (str: a verdict of its label space, or one of terms.WITHOUT_VERDICT), graded (bool: is it a
        verdict), n (int). Where a space is not `five` there is a column `space` after those of `by`.

    Raises:
        UnknownVerdictError: a verdict or status that does not exist, both, or neither; with its trace.
        TwiceGradedError: a trace graded twice in this pass by one grader.
        FFError: a missing column of `by`.
    """
    cells = verdict_cells(verdicts, by=by, repeat=repeat, checked=checked)
    known = terms_of(verdicts) if isinstance(verdicts, pd.DataFrame) else None
    return table_of_cells(cells, by=by, ordered=ordered, known=known)


def verdict_cells(
    verdicts: "IntoFrame", *, by: Sequence[str] = KEYS, repeat: int = 0, checked: bool = False
) -> pd.DataFrame:
    """Count rows by everything that a table needs: the statement that runs wherever the rows are.

    Args, Raises:
        As `count_verdicts`.

    Returns:
        One row per combination that occurs in this pass: the columns of `by`, space, what tells graders
        apart, verdict, status (str; missing where unknown), n (int). Cells of parts of the rows add up
        (`sum_of_cells`) where no trace is in two parts.
    """
    frame = nw.from_native(verdicts).lazy()
    there = frame.collect_schema().names()
    check_columns((*by, "verdict", "status", "repeat"), there)
    frame = frame.with_columns(nw.col("repeat").fill_null(0))
    apart = [column for column in IDENTITY if column in there and column not in by and "grader" in by]
    spaces = [SPACE] if SPACE in there else []
    keys = list(dict.fromkeys((*by, *spaces, *apart, "verdict", "status", "repeat")))
    cells = _pandas(frame.group_by(*keys).agg(nw.len().alias("n")))
    cells = cells[cells["repeat"] == repeat]
    words = {name: cells[name].astype("str") for name in ("verdict", "status")}
    cells = cells.assign(**words, **{SPACE: cells[SPACE].astype("str").fillna("five") if spaces else "five"})
    _check_labels(frame, cells[["verdict", "status", SPACE]], repeat)
    if not checked:
        _check_once(frame, there, repeat)
    return cells if "repeat" in by else cells.drop(columns="repeat")


def sum_of_cells(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the cells of several parts of the rows as those of all of them."""
    if len(parts) == 1:
        return parts[0]
    cells = pd.concat([part.astype(dict.fromkeys(part.columns.drop("n"), "str")) for part in parts])
    keys = list(cells.columns.drop("n"))
    return cells.groupby(keys, sort=False, dropna=False)["n"].sum().reset_index()


def table_of_cells(
    cells: pd.DataFrame, *, by: Sequence[str] = KEYS, ordered: bool = True, known: Terms | None = None
) -> pd.DataFrame:
    """Return the verdict-count table of cells, as `count_verdicts` returns it.

    Args:
        cells: as `verdict_cells`.
        by, ordered: as `count_verdicts`.
        known: what is known of the rows that were counted.
    """
    apart = any(column in IDENTITY for column in cells.columns.drop(list(by))) and "grader" in by
    spaces = [SPACE] if (cells[SPACE] != "five").any() and SPACE not in by else []
    table, who = told_apart(cells) if apart else (cells, {})
    table = table.assign(
        **{key: table[key].astype("str").fillna(NOT_RECORDED) for key in by},
        outcome=table["verdict"].fillna(table["status"]),
        graded=table["verdict"].notna(),
        n=table["n"].astype("int64"),
    )
    heads = [*by, *spaces, "outcome"]
    # Told apart by more than what is shown: cells of one row are summed.
    table = table.groupby([*heads, "graded"], sort=False)["n"].sum().reset_index()
    table = (table.sort_values(heads) if ordered else table).reset_index(drop=True)
    terms = Terms(who=tuple(who.items()), denominators=("none: counts",), left_out=())
    if known:
        terms = replace(terms, who=terms.who or known.who, assumptions=known.assumptions)
    return stated(table, terms)


def long_counts(wide: pd.DataFrame, *, by: Sequence[str], labels: Sequence[str]) -> pd.DataFrame:
    """Return published counts, one column per label, in the same schema: by, outcome, graded, n."""
    table = wide[[*by, *labels]].melt(id_vars=list(by), var_name="outcome", value_name="n")
    return table.assign(graded=table["outcome"].isin(VERDICTS))[[*by, "outcome", "graded", "n"]]


def check_columns(wanted: Iterable[str], there: Sequence[str]) -> None:
    """Raise FFError where rows lack a column to count by."""
    for column in wanted:
        if column not in there:
            known = ", ".join(map(named, there))
            raise FFError(f"the rows have no column {column!r} to count by. There are: {known}.")


def _check_labels(frame: "Lazy", labels: pd.DataFrame, repeat: int) -> None:
    for verdict, status, space in labels.drop_duplicates().itertuples(index=False):
        given, without = not pd.isna(verdict), pd.isna(status)
        allowed = set(SPACES[space].values()) if space in SPACES else None
        if allowed is None:
            problem = f"a text of {len(space)} characters is not a label space"
        elif given and not without:
            problem = f"it has the verdict {_label(verdict)} and the status {_label(status)}"
        elif not given and without:
            problem = "it has neither a verdict nor a status"
        elif given and verdict not in allowed:
            of = "" if space == "five" else f" of the space {space}"
            problem = f"{_label(verdict)} is not a verdict{of}"
        elif not given and status not in WITHOUT_VERDICT:
            problem = f"{_label(status)} is not a status"
        else:
            continue
        row = _rows(frame, repeat, verdict=verdict, status=status).iloc[0]
        raise UnknownVerdictError(_named(row, "trace_id"), _named(row, "grader"), problem)


def _label(value: object) -> str:
    """Return one of our words; anything else is a cell, whose text no error prints."""
    known = value in LABELS or value in WITHOUT_VERDICT
    return repr(value) if known else f"a label of {len(str(value))} characters"


def _check_once(frame: "Lazy", there: Sequence[str], repeat: int) -> None:
    if "trace_id" not in there:
        return
    # Two traces of one id are rare: the rest is compared only where an id repeats under one grader's name.
    # Other people's files may restart their trace numbers for each model or set.
    short = [c for c in ("trace_id", "repeat", "grader") if c in there]
    keys = list(dict.fromkeys([*short, *(c for c in (*IDENTITY, "model", "set") if c in there)]))
    again: list[str] = []
    for columns in (short, keys):
        many = frame.group_by(*columns).agg(nw.len().alias("n")).filter(nw.col("n") > 1)
        many = many.filter((nw.col("repeat") == repeat) & ~nw.col("trace_id").is_null())
        again = _pandas(many.select("trace_id"))["trace_id"].tolist()
        if not again:
            return
    rows = _rows(frame, repeat, trace_id=min(again))
    rows = rows[rows.duplicated(keys, keep=False)].sort_values([*keys, "verdict", "status"])
    one, other = rows["verdict"].astype("str").fillna(rows["status"].astype("str")).iloc[:2]
    raise TwiceGradedError(
        _named(rows.iloc[0], "trace_id"), _named(rows.iloc[0], "grader"), repeat, one, other
    )


def _rows(frame: "Lazy", repeat: int, **values: str | None) -> pd.DataFrame:
    """Return the rows of a pass with these values, where missing equals missing."""
    wanted = nw.col("repeat") == repeat
    for name, value in values.items():
        wanted &= nw.col(name).is_null() if pd.isna(value) else nw.col(name) == value
    return _pandas(frame.filter(wanted))


def _named(row: "pd.Series[str]", column: str) -> str:
    return NOT_RECORDED if column not in row.index or pd.isna(row[column]) else str(row[column])


def _pandas(frame: "Lazy") -> pd.DataFrame:
    table: pd.DataFrame = frame.collect("pandas").to_native()
    return table
