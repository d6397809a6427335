"""Tables of labels: columns, rows by a query, the map of values, the verdicts of a ledger.

An error lists the names of columns only where the first row is a header.
"""

import ast
import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import yaml

from ff_helpers.errors import FFError, is_name, place_in, quoted
from ff_helpers.grading.identities import shown_names
from ff_helpers.grading.ledger import read_ledger
from ff_helpers.grading.outcome import Record
from ff_helpers.terms import Identity, Space, projected

Mapped = Mapping[str, str | None]
"""Raw value -> class; None: no class."""
SHOWN = 12
"""How many column names are listed; the rest are counted."""


def column_of(frame: pd.DataFrame, name: str) -> "pd.Series[str]":
    """Return the one column of this name; `NAME#2` is the second one of a name that several have.

    Raises:
        FFError: there is none, or there are several.
    """
    places = [place for place, column in enumerate(frame.columns, start=1) if column == name]
    first, sign, which = name.rpartition("#")
    if not places and sign and which.isdecimal():
        alike = [place for place, column in enumerate(frame.columns, start=1) if column == first]
        places = alike[int(which) - 1 : int(which)]
    if not places:
        raise FFError(f"there is no column {quoted(name)}. {columns_text(frame)}")
    if len(places) > 1:
        names = " or ".join(quoted(f"{name}#{number}") for number in range(1, len(places) + 1)[:3])
        raise FFError(
            f"columns {' and '.join(map(str, places[:SHOWN]))} are both called {quoted(name)}, so the name "
            f"does not say which is meant. Name it as {names}, or rename one in the header of the file."
        )
    return frame.iloc[:, places[0] - 1].rename(name)


def columns_text(frame: pd.DataFrame) -> str:
    """Return the names of the columns, or only their number where the first row is not a header."""
    names = [str(column) for column in frame.columns]
    if not all(_heads(name, frame.iloc[:, place]) for place, name in enumerate(names)):
        return (
            f"The table has {len(names)} columns, and its first row does not look like their names: it must "
            "be a header."
        )
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"Columns: {', '.join(map(quoted, names[:SHOWN]))}{more}."


def _heads(name: str, cells: "pd.Series[str]") -> bool:
    """Return whether a name is the header of these cells, rather than one of them.

    A name has a letter, occurs in no cell below it, and is one word where the cells are texts.
    """
    below = cells.astype("str")
    texts = " " in name and bool(len(below)) and below.str.contains(" ").mean() >= 0.5
    return is_name(name) and any(map(str.isalpha, name)) and not texts and not (below == name).any()


ASKS = frozenset({"isin", "isna", "notna", "between", "str", "contains", "startswith", "endswith", "lower"})
"""The methods of a column that a query may call, besides comparing it."""
_GRAMMAR = (
    *(ast.Expression, ast.BoolOp, ast.boolop, ast.UnaryOp, ast.unaryop, ast.Compare, ast.cmpop, ast.Load),
    *(ast.BinOp, ast.BitAnd, ast.BitOr, ast.Name, ast.Constant, ast.List, ast.Tuple),
    *(ast.Call, ast.Attribute, ast.keyword),
)


def _bad_query(query: str, problem: str) -> FFError:
    """Return the error about a choice of rows that cannot be made."""
    return FFError(
        f"cannot choose rows by {query!r}: {problem}. Compare columns with values, join with and, or, "
        "not, as in \"model == 'm1' and score >= 2\"; names of other signs go in backticks; a column may "
        f"be asked {', '.join(sorted(ASKS))}."
    )


def where(frame: pd.DataFrame, query: str) -> pd.DataFrame:
    """Return the rows that a pandas query keeps.

    A column in which every filled cell is a number compares as numbers, one of only true and false as
    booleans, every other one as text. The query is checked before pandas sees it: no variables, no
    functions, nothing of a column but `ASKS`.

    Raises:
        FFError: an invalid query, an unknown column, or no row kept.
        FFError: a name that several columns have.
    """
    names: dict[str, str] = {}

    def plain(found: re.Match[str]) -> str:
        """Put a plain name for a name in backticks; leave a quoted text alone."""
        if found[1] is None:
            return found[0]
        names[f"column{len(names)}_"] = found[1]
        return next(reversed(names))

    text = re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`([^`]*)`", plain, query.strip())
    used = {name: names.get(name, name) for name in _names(query, text)}
    if unknown := [column for column in used.values() if column not in frame.columns]:
        raise _bad_query(query, f"there is no column {unknown[0]!r}. {columns_text(frame)[:-1]}")
    typed = pd.DataFrame(
        {name: _typed(column_of(frame, column)) for name, column in used.items()}, index=frame.index
    )
    try:
        kept = typed.eval(text, engine="python")
    except Exception as error:  # pandas raises whatever its parts do, in words that may quote a cell
        problem = f"cannot compare ({type(error).__name__}): compare numbers with numbers, text with text"
        raise _bad_query(query, problem) from None
    if not isinstance(kept, pd.Series) or kept.dtype != bool:
        raise _bad_query(query, "it does not give yes or no for each row")
    if not kept.any():
        raise _bad_query(query, f"it keeps none of the {len(frame)} rows")
    return frame[kept]


def _names(query: str, text: str) -> list[str]:
    """Return the names in a query, after a look at every part of it."""
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        raise _bad_query(query, "it is not a query") from None
    for node in ast.walk(tree):
        if not isinstance(node, _GRAMMAR):
            raise _bad_query(query, f"it may hold no {type(node).__name__.lower()}")
        if isinstance(node, ast.Attribute) and node.attr not in ASKS:
            raise _bad_query(query, f"it asks for {node.attr!r}")
        if isinstance(node, ast.Call) and not isinstance(node.func, ast.Attribute):
            raise _bad_query(query, "it calls a function")
    return list(dict.fromkeys(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)))


def _typed(column: "pd.Series[str]") -> "pd.Series[str] | pd.Series[bool] | pd.Series[float]":
    """Return a column as a query compares it."""
    filled = column[column != ""]
    if len(column) and column.str.lower().isin(("true", "false")).all():
        return column.str.lower() == "true"
    numbers = pd.to_numeric(filled, errors="coerce")
    return numbers.reindex(column.index) if len(filled) and numbers.notna().all() else column


def _bad_map(path: Path, problem: str) -> FFError:
    """Return the error about an invalid label map."""
    return FFError(
        f"{path}: {problem}. A map is YAML with a line `raw value: class` for each value, `null` for one "
        "without a class; or two such maps, under `truth:` and under `grader:`."
    )


def read_map(path: Path) -> dict[str, Mapped]:
    """Return the map of a YAML file: under `truth`, `grader` or both, what each raw value means.

    Every word is text: a key true, 1 or no is not turned into anything else.

    Raises:
        FFError: no such file, not YAML, or not of this form.
    """
    try:
        given = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except OSError as error:
        raise _bad_map(path, f"cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise _bad_map(path, f"is not YAML ({place_in(error)})") from None
    if not isinstance(given, dict) or not given:
        raise _bad_map(path, "holds no map")
    both = set(given) <= {"truth", "grader"} and all(isinstance(part, dict) for part in given.values())
    parts = given if both else {"truth": given, "grader": given}
    for column, part in parts.items():
        for number, (raw, name) in enumerate(part.items(), start=1):
            if not (isinstance(raw, str) and isinstance(name, str)):
                which = f"entry {number}" + (f" under `{column}:`" if both else "")
                raise _bad_map(path, f"{which} is a list or a map itself, not `raw value: class`")
    return {
        column: {raw: None if name in ("", "~", "null") else name for raw, name in part.items()}
        for column, part in parts.items()
    }


def with_verdicts(
    frame: pd.DataFrame, ledger: Path, space: Space, grader: str | None
) -> tuple[pd.DataFrame, str, Identity]:
    """Return the rows that a ledger graded, its verdicts in a column named after the grader; that name; who.

    What the grader itself said last in its first pass, projected onto the space; a row without a verdict has
    its status there. A record that another grader or a person corrected since still counts: those are the
    rows on which this one was wrong. Rows whose trace the ledger does not hold are not returned.

    Raises:
        FFError: no column trace_id, a trace_id twice, no shared trace, or not exactly one grader.
        FileMissingError, BadLineError: as `grading.ledger.read_ledger`.
    """
    ids = column_of(frame, "trace_id")
    if ids.duplicated().any():
        twice = quoted(str(ids[ids.duplicated()].iloc[0]))
        raise FFError(f"trace_id {twice} has two rows of labels. Keep one.")
    said, name = verdicts_of(ledger, grader)
    rows = frame[ids.isin(said)]
    if rows.empty:
        raise FFError(f"no trace_id of the labels is in {ledger}.")
    labels = {i: in_space(r, space) for i, r in said.items()}
    return rows.assign(**{name: rows["trace_id"].map(labels)}), name, next(iter(said.values())).identity


def verdicts_of(ledger: Path, grader: str | None) -> tuple[dict[str, Record], str]:
    """Return what one grader of a ledger said last in its first pass, by trace, and the grader's name.

    A record that another grader or a person corrected since still counts.

    Raises:
        FFError: not exactly one grader (None: the only one), or one trace with two texts.
        FileMissingError, BadLineError: as `grading.ledger.read_ledger`.
    """
    records = [record for record in read_ledger(ledger) if record.repeat == 0]
    names = shown_names(record.identity for record in records)
    meant = [one for one, name in names.items() if grader in (None, name, one.name)]
    graders = [one for one in meant if names[one] == grader] or meant
    if len(graders) != 1:
        found = ", ".join(quoted(names[one]) for one in graders) or f"no grader is named {grader!r}"
        raise FFError(f"{ledger} holds verdicts of {len(graders)} graders: {found}. Name one with --grader.")
    said: dict[str, Record] = {}
    for record in records:
        if record.identity == graders[0]:
            said[record.trace_id] = _later(said.get(record.trace_id), record, ledger)
    return said, names[graders[0]]


def in_space(record: Record, space: Space) -> str:
    """Return a verdict as a class of the space of the labels, or its status.

    Raises:
        FFError: the grader's own space does not decide that of the labels.
    """
    if record.verdict is None:
        return str(record.status)
    label = projected(record.verdict, record.space, space)
    if label is None:
        raise FFError(
            f"grader {quoted(record.grader)} answers in the space {record.space}, which does not decide "
            f"the space {space} of the labels. Name labels in the space {record.space}."
        )
    return label


def _later(before: Record | None, record: Record, ledger: Path) -> Record:
    """Return the record that counts of two of one trace; two texts under one id do not go together."""
    corrected = record.supersedes is not None and before is not None and record.supersedes.key == before.key
    if before is None or before.key == record.key or corrected or before.verdict == record.verdict:
        return record
    raise FFError(
        f"{ledger}: trace_id {quoted(record.trace_id)} has two texts with the verdicts {before.verdict} and "
        f"{record.verdict}. Keep the records of one text, or give the other another trace_id."
    )
