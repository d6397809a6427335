"""Tables: CSV, LaTeX (booktabs) and HTML from one frame that knows its terms.

What a column is (a share, a difference in points, a count, ...) and its heading are declared in the
registry of columns. A column with companions `x_low` and `x_high` is read with its interval as one cell,
`65.0 [43.3, 81.9]`. The CSV keeps the numbers and carries the disclosure in its last column, so a row
copied out of it still names its grader.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ff_helpers.columns import column as declared
from ff_helpers.columns import heading
from ff_helpers.errors import FFError
from ff_helpers.measurement.proportions.intervals import percent
from ff_helpers.measurement.results import terms_of
from ff_helpers.paths import Run
from ff_helpers.publication.derive import disclose
from ff_helpers.publication.metadata import csv_header
from ff_helpers.publication.prose import points
from ff_helpers.publication.tex import tex

_KEYS = ("tier", "measure", "intent", "finding")
"""Columns of keys: read without their underscores."""
_FIGURE_SPACE = "\u2007"
_PERCENT = ("rate", "percent")
_POINTS = ("change", "points")
_WITH_INTERVAL = ("rate", "change", "plain")


@dataclass(frozen=True)
class Fragment:
    """A piece of HTML that a notebook shows, with a plain-text twin."""

    markup: str
    text: str

    def _repr_html_(self) -> str:
        return self.markup

    def __repr__(self) -> str:
        return self.text


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
            raise FFError(f"table {name}: no column {column!r}. The frame has {', '.join(columns)}.")
    said = {c: heading(c, like) for c in columns} | dict(headings or {})
    shown = {c: said[c] for c in wanted or [c for c in columns if not _is_bound(c, columns)]}
    frame.round(6).assign(disclosure=note).to_csv(run.write(f"tables/{name}.csv"), index=False)
    header = csv_header(name, frame, disclosure, title=title, headings=said, like=like)
    _write(run, f"tables/{name}.csv-metadata.json", header)
    kinds = {column: _kind(frame, column, like) for column in shown}
    cells = {column: _cells(frame, column, kinds[column]) for column in shown}
    _write(
        run,
        f"tables/{name}.tex",
        _tex(cells, shown, kinds, name=name, caption=title, note=note, wide=wide, wrap=wrap or {}),
    )
    markup = _html(cells, shown, kinds, title, note)
    _write(run, f"tables/{name}.html", markup)
    return Fragment(markup, _plain(cells, shown))


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
        say = {"rate": percent, "change": _change, "plain": _plain_number}[kind]
        bounds = zip(values, frame[f"{column}_low"], frame[f"{column}_high"], strict=True)
        return [say(v) + ("" if pd.isna(low) else f" [{say(low)}, {say(high)}]") for v, low, high in bounds]
    if kind in _SAID:
        return [_SAID[kind](v) for v in values.astype(float)]
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


_SAID = {
    "percent": percent, "points": _change, "number": _number, "plain number": _plain_number, "p": _p
}  # fmt: skip


def _unit(kind: str) -> str:
    return "%" if kind in _PERCENT else "points" if kind in _POINTS else ""


def _tex(
    cells: dict[str, list[str]],
    shown: dict[str, str],
    kinds: dict[str, str],
    *,
    name: str,
    caption: str,
    note: str,
    wide: bool,
    wrap: Mapping[str, float],
) -> str:
    environment, size = ("table*", r"\footnotesize") if wide else ("table", r"\small")
    layout = dict.fromkeys(_WITH_INTERVAL, "r@{ }l") | {"text": "l"}
    titles = {c: tex(shown[c] + (f" ({_unit(kinds[c])})" if _unit(kinds[c]) else "")) for c in shown}
    head = " & ".join(
        rf"\multicolumn{{2}}{{l}}{{{title}}}" if kinds[c] in _WITH_INTERVAL else title
        for c, title in titles.items()
    )
    rows = [
        " & ".join(
            " & ".join(tex(part) for part in f"{cells[c][i]} ".split(" ", 1))
            if kinds[c] in _WITH_INTERVAL
            else tex(cells[c][i])
            for c in shown
        )
        for i in range(len(next(iter(cells.values()), [])))
    ]
    columns = [
        rf">{{\raggedright\arraybackslash}}p{{{wrap[c]:g}\linewidth}}"
        if c in wrap
        else layout.get(kinds[c], "r")
        for c in shown
    ]
    return "\n".join(
        [
            rf"\begin{{{environment}}}[t]",
            rf"\caption{{{tex(caption)}}}",
            rf"\label{{tab:{name}}}",
            rf"\centering{size}",
            rf"\begin{{tabular}}{{{''.join(columns)}}}",
            r"\toprule",
            head + r" \\",
            r"\midrule",
            *(row + r" \\" for row in rows),
            r"\bottomrule",
            r"\end{tabular}",
            # Under the table, in its float: a caption of that length would bury the table's subject.
            rf"\par\smallskip\parbox{{\linewidth}}{{\footnotesize {tex(note)}}}",
            rf"\end{{{environment}}}",
            "",
        ]
    )


def _html(
    cells: dict[str, list[str]], shown: dict[str, str], kinds: dict[str, str], title: str, note: str
) -> str:
    def cell(column: str, text: str) -> str:
        if kinds[column] == "text":
            return f"<td>{html.escape(text)}</td>"
        # Notebooks drop our styles until they are trusted; no-break spaces keep an interval on one line.
        text = text.replace(" ", "\u00a0")
        padded = re.sub(r"-?\d+\.\d", lambda m: m.group().rjust(4, _FIGURE_SPACE), text)
        return f'<td class="n">{html.escape(padded if kinds[column] == "rate" else text)}</td>'

    head = "".join(
        f'<th scope="col"{"" if kinds[c] == "text" else " class=n"}>{html.escape(shown[c])}'
        f"{f', {_unit(kinds[c])}' if _unit(kinds[c]) else ''}</th>"
        for c in shown
    )
    rows = "\n".join(
        "<tr>" + "".join(cell(c, cells[c][i]) for c in shown) + "</tr>"
        for i in range(len(next(iter(cells.values()), [])))
    )
    return (
        '<figure class="ff-table"><style>.ff-table{margin:0 0 1em;max-width:100%;overflow-x:auto}'
        ".ff-table table{border-collapse:collapse;border-top:2px solid;border-bottom:2px solid;"
        "font-variant-numeric:tabular-nums}.ff-table th{border-bottom:1px solid;text-align:left;"
        "vertical-align:bottom}.ff-table td,.ff-table th{padding:.2em .7em;text-align:left}"
        ".ff-table .n{text-align:right;white-space:nowrap}.ff-table caption{caption-side:top;"
        "text-align:left;font-weight:600;padding:.3em 0}.ff-table figcaption{font-size:.8em;"
        "max-width:60em;opacity:.8;padding:.4em 0}</style>\n"
        f"<table><caption>{html.escape(title)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody></table>\n<figcaption>{html.escape(note)}</figcaption></figure>\n"
    )


def _plain(cells: dict[str, list[str]], shown: dict[str, str]) -> str:
    return pd.DataFrame({shown[c]: cells[c] for c in shown}).to_string(index=False)


def _write(run: Run, name: str, text: str) -> None:
    with run.write(name).open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
