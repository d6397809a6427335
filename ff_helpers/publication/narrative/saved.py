"""A narrative in its three forms: Markdown (the source), a TeX fragment, a page that opens from disk.

The HTML is made from the same tree as the TeX, every text escaped, no link and no script possible.
"""

from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup, escape

from ff_helpers.paths import Run
from ff_helpers.publication.disclosure import Disclosure
from ff_helpers.publication.narrative.as_tex import fragment
from ff_helpers.publication.narrative.markdown import Token, escaped, plain, tree
from ff_helpers.publication.pages import TEMPLATES, read_words, render, write_page
from ff_helpers.publication.prose import Prose

_TAGS = read_words("narrative_tags", dict[str, str])


def template(name: str, folder: Path = TEMPLATES) -> str:
    """Return the Markdown template of a narrative: prose with named places and no numbers of its own."""
    return (folder / f"{name}.md").read_text(encoding="utf-8")


def save_narrative(
    run: Run, text: str, disclosure: Disclosure, *, name: str, figures: Mapping[str, str]
) -> Prose:
    """Write narrative/<name>.md, .tex and .html, each with the disclosure, and return the Markdown.

    Args:
        run: where to write.
        text: Markdown whose first heading is the title; foreign text in it is `escaped`.
        disclosure: of every grader behind the figures.
        name: file name without suffix.
        figures: figures of this run that the page shows: name without suffix, to what it says.

    Raises:
        MissingInputError: a figure is not there.
    """
    for figure in figures:
        run.read(f"figures/{figure}.png")
    said = disclosure.sentence()
    full = f"{text.rstrip()}\n\n{escaped(said)}\n"
    write_page(run.write(f"narrative/{name}.md"), full)
    write_page(run.write(f"narrative/{name}.tex"), fragment(full))
    page = render(
        "narrative.html.j2",
        title=next((plain(t) for t in tree(text) if t["type"] == "heading"), name),
        body=body(text),
        name=name,
        figures=[{"name": figure, "says": says} for figure, says in figures.items()],
        disclosure=said,
    )
    write_page(run.write(f"narrative/{name}.html"), page)
    return Prose(full)


def body(text: str) -> Markup:
    """Return Markdown as HTML; anything but prose, lists, tables and headings is shown as plain text."""
    return Markup("\n").join(_html(token) for token in tree(text))


def _html(token: Token) -> Markup:
    kind = token["type"]
    inside = Markup("").join(_html(child) for child in token.get("children", []))
    if kind == "heading":
        level = min(int(str(token.get("attrs", {}).get("level", 2))), 4)
        return Markup(f"<h{level}>%s</h{level}>") % inside
    if kind == "list" and token.get("attrs", {}).get("ordered"):
        kind = "ordered"
    if kind == "table_cell" and token.get("attrs", {}).get("head"):
        kind = "head_cell"
    if kind in _TAGS:
        return Markup(_TAGS[kind]) % (inside if "children" in token else escape(token["raw"]))
    # On a narrow screen the interval may wrap to the line after its rate, so both columns fit.
    return escape(plain(token).replace("%\u00a0[", "% ["))
