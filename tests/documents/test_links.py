"""Links and anchors of the documents and of the notebooks lead somewhere; pages are short and listed."""

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.documents.blocks import DOCUMENTS

OTHERS = [ROOT / "data" / name / "README.md" for name in (".", "example", "models", "published")]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
REFERENCE = re.compile(r"^(commands|python)-")


def prose(path: Path) -> str:
    """The Markdown of a document without its fenced blocks, or of a notebook's text cells."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n\n".join("".join(one["source"]) for one in cells if one["cell_type"] == "markdown")
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub and mkdocs write them."""
    titles = re.findall(r"^#+ +(.+?)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", [*DOCUMENTS, *OTHERS, *NOTEBOOKS], ids=lambda p: f"{p.parent.name}/{p.name}")
def test_links_within_the_repository_lead_somewhere(path: Path) -> None:
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        name, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link) or link.startswith("attachment:"):
            continue
        target = (path.parent / name).resolve() if name else path
        there = target.exists() and target.is_relative_to(ROOT)
        if not there or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert not lost


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_a_page_is_read_in_under_five_minutes(path: Path) -> None:
    """At 200 words per minute. Blocks are not counted; what the commands print of themselves is looked up."""
    words = re.sub(r"<!--.*?-->", "", prose(path)).split()
    assert len([word for word in words if re.search(r"\w", word)]) <= 1000


def test_every_page_is_in_the_contents_of_the_site_once() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = re.findall(r"([\w-]+\.md)$", yaml.safe_dump(yaml.safe_load(text)["nav"]), re.MULTILINE)
    assert sorted(listed) == sorted(path.name for path in (ROOT / "docs").glob("*.md"))


def test_every_verb_and_every_command_is_in_the_reference_once() -> None:
    import ff_helpers as ff
    from ff_helpers.cli.parser import parser
    from tests.test_structure import NAMESPACES

    text = "\n".join(p.read_text("utf-8") for p in (ROOT / "docs").glob("*.md") if REFERENCE.match(p.name))
    verbs = re.findall(r"^::: ff_helpers\.(\w+)$", text, re.MULTILINE)
    assert sorted(verbs) == sorted(set(ff.__all__) - set(NAMESPACES))
    commands = re.findall(r"^<!-- help: (.+?) -->$", text, re.MULTILINE)
    actions = {name for name in commands if name.startswith("atlas ")}
    assert sorted(set(commands) - actions) == sorted(parser().get_default("commands"))
    assert len(commands) == len(set(commands))
    assert actions == {"atlas export", "atlas refresh", "atlas diff"}
