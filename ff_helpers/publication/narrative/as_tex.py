r"""A narrative as a TeX fragment: \section*, \subsection*, lists, booktabs tables in one column.

Needs the package booktabs, as acmart has it: `\input` it into a document. A character that
pdflatex cannot set is written as its code point, since a fragment that does not compile is useless.
"""

import re
import unicodedata

from ff_helpers.publication.narrative.markdown import Token, plain, tree
from ff_helpers.publication.pages import filled, read_words
from ff_helpers.publication.tex import tex

_MARKS = {"strong": r"\textbf", "emphasis": r"\emph", "codespan": r"\texttt"}
_SECTIONS = ("section", "subsection", "subsubsection")
_SETS = read_words("narrative_tex", dict[str, str])
_KNOWN = set("–−<>≥κ")  # `tex` sets these
_ACCENTS = {f"{mark:04X}" for mark in (*range(0x0300, 0x030D), 0x0327)} - {"0305", "0309"}
_EXTRA = set("łŁœŒæÆøØß")
_LONG = 12
"""Words longer than this may be broken at their joints, and anywhere if they have none."""
_LINE = 68
"""About how many characters of the small font fit one column."""


def fragment(text: str) -> str:
    """Return Markdown as TeX, for `\\input` in one column."""
    blocks = "\n\n".join(_block(token) for token in tree(text))
    return (
        "% Generated: do not edit. Needs booktabs (acmart has it).\n"
        "\\begingroup\\sloppy\\emergencystretch=3em\\relax\n" + blocks + "\n\\par\\endgroup\n"
    )


def text_as_tex(text: str) -> str:
    """Return any text as TeX that pdflatex sets, long words with places to break."""
    return "".join(_word(part) for part in re.split(r"([ \n]+)", text))


def _block(token: Token) -> str:
    kind = token["type"]
    if kind == "heading":
        level = min(int(str(token.get("attrs", {}).get("level", 1))), len(_SECTIONS))
        return f"\\{_SECTIONS[level - 1]}*{{{_inline(token)}}}"
    if kind == "list":
        items = [f"\\item {{}}{_item(item)}" for item in token["children"]]
        name = "enumerate" if token.get("attrs", {}).get("ordered") else "itemize"
        return "\n".join([f"\\begin{{{name}}}", *items, f"\\end{{{name}}}"])
    if kind == "table":
        return _table(token)
    return _inline(token) if "children" in token else text_as_tex(plain(token))


def _item(token: Token) -> str:
    inner = {"list", "table", "heading"}
    return "\n".join(_block(c) if c["type"] in inner else _inline(c) for c in token.get("children", []))


def _inline(token: Token) -> str:
    kind = token["type"]
    if kind in ("softbreak", "linebreak"):
        return "\n"
    if "children" in token:
        inside = "".join(_inline(child) for child in token["children"])
    else:
        inside = text_as_tex(plain(token))
    return f"{_MARKS[kind]}{{{inside}}}" if kind in _MARKS else inside


def _table(token: Token) -> str:
    parts = {part["type"]: part for part in token["children"]}
    head = parts["table_head"]["children"]
    rows = [row["children"] for row in parts.get("table_body", Token(children=[]))["children"]]
    widths = _widths([[plain(cell) for cell in row] for row in (head, *rows)])
    columns = "".join(rf"p{{\dimexpr {width:.4f}\linewidth-2\tabcolsep\relax}}" for width in widths)
    # Not a float: one could land before the words that explain it; the fragment keeps its order.
    lines = "".join(f"{_row(row)}\n" for row in rows)
    return filled("narrative_table.tex", columns=columns, head=_row(head), rows=lines).rstrip("\n")


def _row(cells: list[Token]) -> str:
    return " & ".join(rf"\raggedright {_inline(cell)}" for cell in cells) + r"\tabularnewline[1pt]"


def _widths(cells: list[list[str]]) -> list[float]:
    """Share the line among columns: each gets its longest word, the rest goes where the text is longest."""
    columns = list(zip(*cells, strict=True))
    words = [max(_least(cell) for cell in column) + 2.0 for column in columns]
    wanted = [max(w, min(max(map(len, column)), 3 * _LINE)) for w, column in zip(words, columns, strict=True)]
    left = max(0.0, _LINE - sum(words))
    more = [want - word for want, word in zip(wanted, words, strict=True)]
    sizes = [w + (left * m / sum(more) if sum(more) else 0) for w, m in zip(words, more, strict=True)]
    return [size / sum(sizes) for size in sizes]


def _least(cell: str) -> int:
    """Return the length of a cell's longest piece that stays on one line."""
    words = re.split(r"[ \n]+", cell)
    held = [len(word) + sum(map(word.count, "+−%")) for word in words if "\u00a0" in word]  # these are wide
    return max([*held, *(min(len(piece), _LONG) for word in words for piece in re.split(r"[_/-]+", word))])


def _word(part: str) -> str:
    if len(part) <= _LONG or part.isspace() or "\u00a0" in part:
        return "".join(map(_char, part))
    pieces = re.split(r"(?<=[_/.:,;@=-])", part)
    short = [piece[i : i + _LONG] for piece in pieces for i in range(0, len(piece), _LONG)]
    # Letters alone are hyphenated by TeX; anything else has no break points.
    if re.fullmatch(r"[^\W\d_]{1,30}[.,;:!?)]*", part):
        return "".join(map(_char, part))
    return r"\allowbreak{}".join("".join(map(_char, piece)) for piece in short)


def _char(char: str) -> str:
    if char in _SETS:
        return _SETS[char]
    if char in _KNOWN or " " <= char <= "~" or char == "\n":
        return tex(char)
    if char in _EXTRA:
        return char
    made = unicodedata.decomposition(char).split()
    if char <= "\u017f" and len(made) == 2 and made[1] in _ACCENTS:
        return char
    return f"[U+{ord(char):04X}]"
