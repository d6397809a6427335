"""The fenced blocks of the documents, each with what the comments above it say of how it is run.

`<!-- project: NAME -->` starts a new folder with the files of `projects.NAME`; later blocks of the page go on
in it. `<!-- in: the checkout -->` is one with this checkout's `data/` and `params/`. `<!-- with: A=B -->`
puts B for A before the block is run, `<!-- exits: N -->` is the code of its last command. `<!-- not run:
REASON -->` and `<!-- run by: tests/FILE.py -->` say why a block is left to nobody or to another test; the
latter, with an empty line after it before the first section, holds for the whole page.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "ARTIFACT.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUN = ("bash", "sh", "python", "text", "")
"""Languages whose blocks are commands or what they print; others are data, drawings or quotations."""
_COMMENT = re.compile(r"^ *<!-- ([a-z ]+): (.*?) -->$")
_FENCE = re.compile(r"^( *)```(\w*) ?(.*)$")


@dataclass(frozen=True)
class Block:
    """One fenced block of a document."""

    path: Path
    line: int
    language: str
    info: str
    text: str
    said: dict[str, str]

    @property
    def place(self) -> str:
        """File and line, for a message."""
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def blocks(path: Path) -> list[Block]:
    """Return the blocks of a document, in order."""
    found, said, whole, lines = [], {}, {}, path.read_text(encoding="utf-8").splitlines()
    number, before_sections = 0, True
    while number < len(lines):
        line = lines[number]
        number += 1
        before_sections = before_sections and not line.startswith("## ")
        if comment := _COMMENT.match(line):
            said[comment[1]] = comment[2]
            if comment[1] == "run by" and before_sections and not lines[number].strip():
                whole["run by"] = comment[2]
        elif fence := _FENCE.match(line):
            start, indent = number, len(fence[1])
            while lines[number].strip() != "```":
                number += 1
            body = "".join(f"{one[indent:]}\n" for one in lines[start:number])
            found.append(Block(path, start, fence[2], fence[3], body, whole | said))
            number, said = number + 1, {}
        elif line.strip():
            said = {}
    return found


if __name__ == "__main__":  # what is not run, or by another test: `python -m tests.documents.blocks`
    for document in DOCUMENTS:
        for one in blocks(document):
            for why in ("not run", "run by"):
                if why in one.said:
                    print(f"{one.place}: {why}: {one.said[why]}")
