"""What mkdocs cannot do itself for the documentation: a hook that `mkdocs.yml` names.

`<!-- help: COMMAND ... -->` on a page becomes what `ff COMMAND --help` prints. A link that leaves `docs/`
leads to the file of this checkout. Every page gets a Content-Security-Policy: its own scripts alone.
"""

import base64
import hashlib
import io
import os
import re
from collections.abc import Mapping
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Protocol

from ff_helpers.cli.parser import read

ROOT = Path(__file__).resolve().parent.parent
TESTS = "project|in|with|exits|not run|run by"
"""What a comment above a block begins with that says how tests run it (tests/documents/blocks.py)."""
SITE = ROOT / "outputs" / "site"


class Page(Protocol):
    """A page of mkdocs, as far as it is used here."""

    file: "File"


class File(Protocol):
    """Where a page comes from and where it goes, below their folders."""

    src_uri: str
    dest_uri: str


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put in the help of commands; a block that is a file gets its name as the title."""
    text = re.sub(r"<!-- help:(.*?) -->", lambda found: help_of(found[1].split()), markdown)
    text = re.sub(rf"^ *<!-- (?:{TESTS}): .*? -->\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^(```\w+) file=(\S+)$", r'\1 title="\2"', text, flags=re.MULTILINE)
    return re.sub(r"^(```\w+) (?!title=).+$", r"\1", text, flags=re.MULTILINE)


def on_page_content(html: str, *, page: Page, **_: object) -> str:
    """Let links that leave `docs/` lead to the checkout."""
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
    """Take away the list for search engines: it holds the day of the build, and nobody serves the site."""
    for name in ("sitemap.xml", "sitemap.xml.gz"):
        Path(str(config["site_dir"]), name).unlink(missing_ok=True)


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
