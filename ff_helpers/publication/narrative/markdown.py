"""Foreign text inside our Markdown, and the Markdown of a narrative as a tree.

What a user wrote (a reason, a title, a name) is text and stays text: no link, no heading, no HTML, no
code fence, whichever Markdown reader opens the file.
"""

import re
import unicodedata
from typing import TypedDict

_SPECIAL = re.compile(r"[\\`*{}<>|~&$^#]|@(?=[\w-]+\.)|(?<![^\W_])_|_(?![^\W_])|\](?=[(\[:])")
"""What could begin markup. Inside a word `_` cannot, a bracket alone is a bracket (intervals)."""
_LINKS = re.compile(r"(?i)(?<=\w)(:)(?=//)|(?<=\bwww)(\.)")
_LEADS = re.compile(r"^([-+=:[]|\d+(?=[.)]))")
_NO_ALIGN: dict[str, str] = {}


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


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a pipe table; the cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def tree(text: str) -> list[Token]:
    """Return the block tokens of Markdown: headings, paragraphs, lists, tables."""
    import mistune

    parse = mistune.create_markdown(renderer=None, plugins=["table"])
    found = parse(text)
    assert not isinstance(found, str)
    return [_token(node) for node in found if node["type"] != "blank_line"]


def plain(token: Token) -> str:
    """Return the text of a token without its markup."""
    if "children" in token:
        return "".join(plain(child) for child in token["children"])
    return " " if token["type"] in ("softbreak", "linebreak") else token.get("raw", "")


def _token(node: object) -> Token:
    assert isinstance(node, dict)
    token = Token(type=str(node["type"]))
    if "children" in node:
        token["children"] = [_token(child) for child in node["children"]]
    else:
        token["raw"] = str(node.get("raw", ""))
    token["attrs"] = dict(node.get("attrs", _NO_ALIGN))
    return token


def _control(char: str) -> bool:
    """Whether a character moves the text around it: control characters, bidirectional overrides."""
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
