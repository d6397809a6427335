"""Tables: CSV, LaTeX (booktabs) and HTML from one frame that knows its terms.

What a column is (a share, a difference in points, a count, ...) and its heading are declared in the
registry of columns. A column with companions `x_low` and `x_high` is read with its interval as one cell,
`65.0 [43.3, 81.9]`. The CSV keeps the numbers and carries the disclosure in its last column, so a row
copied out of it still names its grader.
"""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ff_helpers.columns import column as declared
from ff_helpers.columns import heading
from ff_helpers.errors import FFError, named, quoted
from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.measurement.rates.asr import WHY
from ff_helpers.measurement.results import terms_of
from ff_helpers.paths import Run
from ff_helpers.publication.derive import disclose
from ff_helpers.publication.metadata import csv_header
from ff_helpers.publication.pages import TEMPLATES, filled, write_page
from ff_helpers.publication.prose import points
from ff_helpers.publication.tex import tex
from ff_helpers.terms import NOT_DETERMINABLE

_KEYS = ("tier", "measure", "intent", "finding")
"""Columns of keys: read without their underscores."""
_NAMES = ("grader", "grader_a", "grader_b", "model", "model_a", "model_b", "model_name", "canonical_id")
"""Columns of names that stay on one line: browsers break a name at its hyphens, even where there is room."""
_ONE_LINE = 40
"""Letters of a name up to which it does; a longer one breaks, so that the table still fits the page."""
_FIGURE_SPACE = "\u2007"
_WITH_INTERVAL = ("rate", "change", "plain")
_UNITS = {"rate": "%", "percent": "%", "change": "points", "points": "points"}


@dataclass(frozen=True)
class Fragment:
    """A piece of HTML that a notebook shows, with a plain-text twin."""

    markup: str
    text: str

    def _repr_html_(self) -> str:
        return self.markup

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True)
class _Column:
    """A column as people see it: its heading, how it is read, the unit beside the heading, its cells."""

    name: str
    heading: str
    kind: str
    cells: list[str]

    @property
    def unit(self) -> str:
        return _UNITS.get(self.kind, "")


def save_table(
    run: Run,
    frame: pd.DataFrame,
    name: str,
    *,
    title: str,
    show: str | Sequence[str] = (),
    headings: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    wide: bool = False,
    wrap: Mapping[str, float] | None = None,
) -> Fragment:
    """Write tables/<name>.csv with its header file, .tex and .html and return the table for display.

    Args:
        run: where to write.
        frame: what a verb returned, or some of its rows: its terms give
            the disclosure (`disclose`); proportions in [0, 1].
        name: file name without suffix; also the LaTeX label `tab:<name>`.
        title: one sentence, the caption's first.
        show: which columns people see, as names or as one text of names (default: all but bounds).
        headings: what people read above a column, where that differs from the registry of columns.
        notes: sentences added to the disclosure.
        wide: in LaTeX, across both columns of the page (`table*`), and set smaller.
        wrap: in LaTeX, text columns that break into lines, each with its share of the line's width.

    Raises:
        FFError: `show` names a column that the frame does not have, or as `disclose`.
    """
    disclosure = disclose(run, frame, notes=notes)
    terms = terms_of(frame)
    like = dict(terms.like) if terms else {}
    frame, note = frame.reset_index(drop=True), disclosure.sentence()
    columns = [str(c) for c in frame.columns]
    wanted = show.split() if isinstance(show, str) else list(show)
    for column in wanted:
        if column not in columns:
            there = ", ".join(map(named, columns))
            raise FFError(f"table {name}: no column {quoted(column)}. The frame has {there}.")
    said = {c: heading(c, like) for c in columns} | dict(headings or {})
    shown = []
    for column in wanted or [c for c in columns if not _is_bound(c, columns)]:
        kind = _kind(frame, column, like)
        shown.append(_Column(column, said[column], kind, _cells(frame, column, kind)))
    frame.round(6).assign(disclosure=note).to_csv(run.write(f"tables/{name}.csv"), index=False)
    header = csv_header(name, frame, disclosure, title=title, headings=said, like=like)
    write_page(run.write(f"tables/{name}.csv-metadata.json"), header)
    tex_table = _tex(shown, name=name, caption=title, note=note, wide=wide, wrap=wrap or {})
    write_page(run.write(f"tables/{name}.tex"), tex_table)
    markup = _html(shown, title, note)
    write_page(run.write(f"tables/{name}.html"), markup)
    plain = pd.DataFrame({column.heading: column.cells for column in shown}).to_string(index=False)
    return Fragment(markup, plain)


def _is_bound(column: str, columns: list[str]) -> bool:
    return re.sub(r"_(low|high)$", "", column) != column and re.sub(r"_(low|high)$", "", column) in columns


def _kind(frame: pd.DataFrame, column: str, like: Mapping[str, str]) -> str:
    """Return how a column is read; one that is not declared by its interval and dtype."""
    known = declared(column, like)
    numeric = pd.api.types.is_numeric_dtype(frame[column]) or frame[column].isna().all()
    if not numeric or pd.api.types.is_bool_dtype(frame[column]) or (known and known.unit in ("text", "flag")):
        return "text"
    if f"{column}_low" in frame.columns and f"{column}_high" in frame.columns:
        of = known.unit if known else "share"
        return {"share": "rate", "points": "change"}.get(of, "plain")
    read = {"share": "percent", "points": "points", "p": "p", "coefficient": "plain number"}
    return read.get(known.unit if known else "", "number")


def _cells(frame: pd.DataFrame, column: str, kind: str) -> list[str]:
    values = frame[column]
    if kind in _WITH_INTERVAL:
        say = _WRITTEN[kind]
        bounds = zip(values, frame[f"{column}_low"], frame[f"{column}_high"], strict=True)
        said = [say(v) + ("" if pd.isna(low) else f" [{say(low)}, {say(high)}]") for v, low, high in bounds]
        if WHY in frame.columns:
            none = values.isna() & frame[WHY].fillna("").ne("")
            said = [NOT_DETERMINABLE if gone else cell for gone, cell in zip(none, said, strict=True)]
        return said
    if kind in _WRITTEN:
        return [_WRITTEN[kind](v) for v in values.astype(float)]
    if column in _KEYS:
        values = values.str.replace("_", " ")
    words = {True: "yes", False: "no"} if pd.api.types.is_bool_dtype(values) else {}
    return ["–" if pd.isna(v) else words.get(v, str(v)) for v in values]


def _change(value: float) -> str:
    return "–" if pd.isna(value) else points(value)


def _number(value: float) -> str:
    if not pd.isna(value) and float(value).is_integer():
        return str(int(value))
    return "<0.001" if 0 < value < 0.0005 else _plain_number(value)


def _p(value: float) -> str:
    return "<0.001" if value < 0.0005 else _plain_number(value)


def _plain_number(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.3f}".replace("-", "−")


_WRITTEN: Mapping[str, Callable[[float], str]] = {
    **dict.fromkeys(("rate", "percent"), percent),
    **dict.fromkeys(("change", "points"), _change),
    **dict.fromkeys(("plain", "plain number"), _plain_number),
    "number": _number,
    "p": _p,
}
"""How the numbers of each kind of column are written."""


def _tex(
    columns: Sequence[_Column], *, name: str, caption: str, note: str, wide: bool, wrap: Mapping[str, float]
) -> str:
    environment, size = "table", r"\small"
    if wide:  # five graders with intervals fit
        environment, size = "table*", r"\footnotesize\setlength{\tabcolsep}{4pt}"
    rows = zip(*([_tex_cell(column, cell) for cell in column.cells] for column in columns), strict=True)
    return filled(
        "table.tex",
        environment=environment,
        caption=tex(caption),
        name=name,
        size=size,
        layout="".join(_tex_layout(column, wrap) for column in columns),
        head=" & ".join(_tex_head(column) for column in columns),
        rows="".join(" & ".join(row) + " \\\\\n" for row in rows),
        # Under the table, in its float: a caption of that length would bury the table's subject.
        note=tex(note),
    )


def _tex_layout(column: _Column, wrap: Mapping[str, float]) -> str:
    if column.name in wrap:
        return rf">{{\raggedright\arraybackslash}}p{{{wrap[column.name]:g}\linewidth}}"
    if column.kind in _WITH_INTERVAL:
        return "r@{ }l"
    return "l" if column.kind == "text" else "r"


def _tex_head(column: _Column) -> str:
    title = tex(column.heading + (f" ({column.unit})" if column.unit else ""))
    return rf"\multicolumn{{2}}{{l}}{{{title}}}" if column.kind in _WITH_INTERVAL else title


def _tex_cell(column: _Column, cell: str) -> str:
    if column.kind not in _WITH_INTERVAL:
        return tex(cell)
    rate, interval = f"{cell} ".split(" ", 1)
    return f"{tex(rate)} & {tex(interval)}"


def _html(columns: Sequence[_Column], title: str, note: str) -> str:
    heads = [
        f'<th scope="col"{"" if column.kind == "text" else " class=n"}>{html.escape(column.heading)}'
        f"{f', {column.unit}' if column.unit else ''}</th>"
        for column in columns
    ]
    rows = zip(*([_html_cell(column, cell) for cell in column.cells] for column in columns), strict=True)
    return filled(
        "table.html",
        style=(TEMPLATES / "table.css").read_text(encoding="utf-8").replace("\n", ""),
        title=html.escape(title),
        heads="".join(heads),
        rows="\n".join(f"<tr>{''.join(row)}</tr>" for row in rows),
        note=html.escape(note),
    )


def _html_cell(column: _Column, cell: str) -> str:
    if column.kind == "text":
        name = ' class="name"' if column.name in _NAMES and len(cell) <= _ONE_LINE else ""
        return f"<td{name}>{html.escape(cell)}</td>"
    # Notebooks drop our styles until they are trusted; no-break spaces keep an interval on one line.
    text = cell.replace(" ", "\u00a0")
    padded = re.sub(r"-?\d+\.\d", lambda m: m.group().rjust(4, _FIGURE_SPACE), text)
    return f'<td class="n">{html.escape(padded if column.kind == "rate" else text)}</td>'
