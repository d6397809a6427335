"""The Markdown of a narrative: foreign text in it, its tables, and itself as a tree.

What a user wrote (a reason, a title, a name) is text and stays text: no link, no heading, no HTML, no
code fence, whichever Markdown reader opens the file.
"""

import re
import unicodedata
from typing import TypedDict, cast

import pandas as pd

from ff_helpers.measurement.proportions.intervals import rate_text, wilson
from ff_helpers.publication.prose import points

_SPECIAL = re.compile(r"[\\`*{}<>|~&$^#]|@(?=[\w-]+\.)|(?<![^\W_])_|_(?![^\W_])|\](?=[(\[:])")
"""What could begin markup. Inside a word `_` cannot, a bracket alone is a bracket (intervals)."""
_LINKS = re.compile(r"(?i)(?<=\w)(:)(?=//)|(?<=\bwww)(\.)")
_LEADS = re.compile(r"^([-+=:[]|\d+(?=[.)]))")


class Token(TypedDict, total=False):
    """One node of the tree: its type, its children, or its raw text."""

    type: str
    raw: str
    children: list["Token"]
    attrs: dict[str, object]


def escaped(text: str) -> str:
    """Return one line of foreign text as Markdown that reads as the same text."""
    flat = " ".join("".join(" " if _control(c) else c for c in text).split())
    flat = _SPECIAL.sub(lambda m: "\\" + m.group(), flat)
    flat = _LINKS.sub(lambda m: "\\" + m.group(), flat)
    lead = _LEADS.match(flat)
    if lead and lead.group()[0].isdigit():
        return f"{lead.group()}\\{flat[lead.end() :]}"
    return f"\\{flat}" if lead else flat


def paragraphs(text: str) -> str:
    """Return foreign text as Markdown paragraphs: separated by empty lines; nothing else has meaning."""
    return "\n\n".join(escaped(part) for part in re.split(r"\n\s*\n", text.strip()) if part.strip())


def rate_table(rates: pd.DataFrame, names: tuple[str, str]) -> str:
    """Return both sets of labels side by side, one row per tier and denominator.

    Args:
        rates: as `regrades.rates.rates`.
        names: what the old and the new labels are called.
    """
    sides = [rates[rates["labels"] == name].set_index(["tier", "denominator"]) for name in names]
    rows = [
        [_tier(tier), of, *(_rate(int(side["k"][tier, of]), int(side["n"][tier, of])) for side in sides)]
        for tier, of in sides[0].index
    ]
    return _table(["tier", "of", *(escaped(name) for name in names)], rows)


def shift_table(shifts: pd.DataFrame) -> str:
    """Return the shift of the rates and the change of the rows in both, in points, within one denominator.

    Where scenarios are known, the interval of that change by scenario has its own column.

    Args:
        shifts: as `regrades.rates.shifts`; rows that mix two sets of rows are left out.
    """
    scenario = "paired_by_scenario_low" in shifts
    rows = []
    for row in shifts[shifts["old_k"].notna()].to_dict("records"):
        known = row["old_n"] and row["new_n"]
        count = _held(f"n = {row['shared']}")
        change = _interval(row["paired"], row["paired_low"], row["paired_high"])
        line = [_tier(row["tier"]), row["denominator"], points(row["shift"]) if known else "not determinable"]
        line.append(f"{change}, {count}")
        if scenario:
            ends = (row["paired_by_scenario_low"], row["paired_by_scenario_high"])
            line.append(_held("[{}, {}]".format(*map(points, ends))) if row["shared"] else "not determinable")
        rows.append(line)
    head = ["tier", "of", "shift, points", "of rows in both, points"]
    return _table([*head, *(["its interval by scenario"] if scenario else [])], rows)


def move_table(transitions: pd.DataFrame, names: tuple[str, str]) -> str:
    """Return which label became which, most frequent first; labels that stayed are included."""
    rows = [[escaped(old), escaped(new), str(n)] for old, new, n in transitions.itertuples(index=False)]
    return _table([*(escaped(name) for name in names), "rows"], rows)


def tree(text: str) -> list[Token]:
    """Return the block tokens of Markdown: headings, paragraphs, lists, tables."""
    import mistune

    parse = mistune.create_markdown(renderer=None, plugins=["table"])
    found = parse(text)
    assert not isinstance(found, str)
    return [cast(Token, node) for node in found if node["type"] != "blank_line"]


def plain(token: Token) -> str:
    """Return the text of a token without its markup."""
    if "children" in token:
        return "".join(plain(child) for child in token["children"])
    return " " if token["type"] in ("softbreak", "linebreak") else token.get("raw", "")


def _control(char: str) -> bool:
    """Whether a character moves the text around it: control characters, bidirectional overrides."""
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def _table(head: list[str], rows: list[list[str]]) -> str:
    """Return a pipe table; the cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _tier(name: str) -> str:
    return name.replace("_", " ")


def _rate(k: int, n: int) -> str:
    if not n:
        return "not determinable: no rows"
    return f"{_held(rate_text(wilson(k, n)))} {_held(f'({k} of {n})')}"


def _interval(value: float, low: float, high: float) -> str:
    if pd.isna(value):
        return "not determinable"
    return _held(f"{points(value)} [{points(low)}, {points(high)}]")


def _held(text: str) -> str:
    """Return text that stays on one line: an interval torn apart is hard to read in a narrow column."""
    return text.replace(" ", "\u00a0")
