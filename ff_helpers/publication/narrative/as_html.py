"""A narrative as HTML: from the same tree as the TeX, every text escaped, no link and no script possible."""

from markupsafe import Markup, escape

from ff_helpers.publication.narrative.markdown import Token, plain, tree
from ff_helpers.publication.pages import read_words

_TAGS = read_words("narrative_tags", dict[str, str])


def body(text: str) -> Markup:
    """Return Markdown as HTML; anything but prose, lists, tables and headings is shown as plain text."""
    return Markup("\n").join(_html(token) for token in tree(text))


def _html(token: Token) -> Markup:
    kind = token["type"]
    inside = Markup("").join(_html(child) for child in token.get("children", []))
    if kind == "heading":
        level = min(int(str(token["attrs"].get("level", 2))), 4)
        return Markup(f"<h{level}>%s</h{level}>") % inside
    if kind == "list" and token["attrs"].get("ordered"):
        kind = "ordered"
    if kind == "table_cell" and token["attrs"].get("head"):
        kind = "head_cell"
    if kind in _TAGS:
        return Markup(_TAGS[kind]) % (inside if "children" in token else escape(token["raw"]))
    # On a narrow screen the interval may wrap to the line after its rate, so both columns fit.
    return escape(plain(token).replace("%\u00a0[", "% ["))
