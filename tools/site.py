"""What mkdocs cannot do itself for the documentation: a hook that `mkdocs.yml` names.

`<!-- help: COMMAND ... -->` on a page becomes what `ff COMMAND --help` prints. A link that leaves `docs/`
leads to the file of this checkout. Every page gets a Content-Security-Policy: its own scripts alone.
"""

import base64
import hashlib
import io
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Protocol

from ff_helpers.cli.parser import read

ROOT = Path(__file__).resolve().parent.parent
TESTS = "project|in|with|exits|not run|run by|numbers"
"""What a comment above a block begins with that is for tests (tests/documents)."""
SITE = ROOT / "outputs" / "site"
PICTURES = "outputs/reference"


class Page(Protocol):
    """A page of mkdocs, as far as it is used here."""

    file: "File"
    meta: dict[str, object]


class File(Protocol):
    """Where a page comes from and where it goes, below their folders."""

    src_uri: str
    dest_uri: str


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Put in the help of commands; a block that is a file gets its name as the title."""
    if not re.search(r"^##|^:::", markdown, re.MULTILINE):  # no sections: the room is for its tables
        page.meta["hide"] = ["toc"]
    text = re.sub(r"<!-- help:(.*?) -->", lambda found: help_of(found[1].split()), markdown)
    text = re.sub(rf"^ *<!-- (?:{TESTS}): .*? -->\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^(```\w+) file=(\S+)$", r'\1 title="\2"', text, flags=re.MULTILINE)
    return re.sub(r"^(```\w+) (?!title=).+$", r"\1", text, flags=re.MULTILINE)


def on_page_content(html: str, *, page: Page, **_: object) -> str:
    """Let links that leave `docs/` lead to the checkout, those to pictures to copies; mend `Returns:`."""
    # "One row per pair: set, n" is a sentence; the reader of docstrings takes it for a type and its meaning.
    sentence = r"<code>([^<|\[]+ [^<|\[]+)</code>\s*–\s*(<div[^>]*>\s*<p>)"
    html = re.sub(sentence, r"\2\1: ", html).replace(f"../{PICTURES}/", f"{Path(PICTURES).name}/")
    return re.sub(
        r'((?:href|src)=")(\.\./[^"]+)(")', lambda found: found[1] + outside(found[2], page) + found[3], html
    )


def on_post_page(output: str, **_: object) -> str:
    """Allow the scripts of the page and nothing else."""
    inline = re.findall(r"<script>(.*?)</script>", output, re.DOTALL)
    hashes = sorted({base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in inline})
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    policy = (
        f"default-src 'none'; script-src 'self' {allowed}; style-src 'self' 'unsafe-inline'; img-src 'self' "
        "data:; connect-src 'self'; worker-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'"
    )
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return output.replace('<meta charset="utf-8">', f'<meta charset="utf-8">\n      {meta}', 1)


def on_post_build(*, config: Mapping[str, object]) -> None:
    """Copy the pictures; take away what only a server needs and what holds the day of the build."""
    site = Path(str(config["site_dir"]))
    for name in ("404.html", "sitemap.xml", "sitemap.xml.gz"):
        (site / name).unlink(missing_ok=True)
    copies = site / Path(PICTURES).name
    copies.mkdir(exist_ok=True)
    for picture in sorted((ROOT / PICTURES).glob("*.png")):
        shutil.copyfile(picture, copies / picture.name)


def help_of(command: list[str]) -> str:
    """Return the help of a command as a block, at 80 columns wherever it is built."""
    said = io.StringIO()
    before = dict(os.environ)
    os.environ |= {"COLUMNS": "80", "NO_COLOR": "1"}
    try:
        with redirect_stdout(said), suppress(SystemExit):
            read([*command, "--help"])
    finally:
        os.environ.clear()
        os.environ.update(before)
    return f"```text\n{said.getvalue().rstrip()}\n```"


def outside(link: str, page: Page) -> str:
    """Return a link from the built page to a file of the checkout."""
    path, hash_, anchor = link.partition("#")
    target = (ROOT / "docs" / page.file.src_uri).parent / path
    if target.resolve().is_relative_to(ROOT / "docs"):
        return link
    built = (SITE / page.file.dest_uri).parent
    return os.path.relpath(target.resolve(), built) + hash_ + anchor
