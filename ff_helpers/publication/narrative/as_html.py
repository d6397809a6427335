"""A narrative as HTML: from the same tree as the TeX, every text escaped, no link and no script possible."""

from collections.abc import Mapping

from markupsafe import Markup, escape

from ff_helpers.publication.narrative.markdown import Token, plain, tree

_FRAMES: Mapping[str, Markup] = {
    "block_text": Markup("%s"),
    "paragraph": Markup("<p>%s</p>"),
    "list": Markup("<ul>%s</ul>"),
    "ordered": Markup("<ol>%s</ol>"),
    "list_item": Markup("<li>%s</li>"),
    "strong": Markup("<strong>%s</strong>"),
    "emphasis": Markup("<em>%s</em>"),
    "codespan": Markup("<code>%s</code>"),
    "table": Markup('<div class="scroll"><table>%s</table></div>'),
    "table_head": Markup("<thead><tr>%s</tr></thead>"),
    "table_body": Markup("<tbody>%s</tbody>"),
    "table_row": Markup("<tr>%s</tr>"),
    "table_cell": Markup("<td>%s</td>"),
    "head_cell": Markup('<th scope="col">%s</th>'),
}


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
    if kind in _FRAMES:
        return _FRAMES[kind] % (inside if "children" in token else escape(token["raw"]))
    # On a narrow screen the interval may wrap to the line after its rate, so both columns fit.
    return escape(plain(token).replace("%\u00a0[", "% ["))
