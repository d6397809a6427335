"""Every command and every output on the pages of the project, run and compared as they stand there."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from ff_helpers.corpus.traces import Trace
from tests.conftest import FF, ROOT, started
from tests.documents.blocks import DOCUMENTS, RUN, Block, blocks
from tests.documents.projects import PROJECTS, TRUTHS, environment, run
from tests.drawn_study import NO, YES
from tests.labelling import Page, response_of

PAGES = {path.relative_to(ROOT).as_posix(): blocks(path) for path in DOCUMENTS}
LEFT = ("not run", "run by")


def runs(block: Block) -> bool:
    return block.language in RUN and not any(why in block.said for why in LEFT)


def label(words: list[str], folder: Path) -> None:
    """Do what a person does on the page of `ff label`: decide every trace."""
    truths = json.loads((folder / TRUTHS).read_text(encoding="utf-8"))
    with started([*FF, *words, "--no-browser"], cwd=folder, env=environment(folder)) as process:
        address = next((line.strip() for line in process.stdout if line.startswith("http")), None)
        assert address, process.stderr.read()
        with Page(address) as page:
            wrong = "ben" in words  # the second person errs once, so that there is something to adjudicate
            while (state := page.state()).get("trace"):
                truth = truths[response_of(state)]
                page.label({YES: NO, NO: YES}[truth] if wrong else truth)
                wrong = False


def said_by(block: Block, folder: Path) -> str:
    """Run the lines of a block in the folder and return what they printed."""
    said, code, script = [], 0, block.text.replace("\\\n", " ")
    for change in filter(None, block.said.get("with", "").split(" ")):
        old, _, new = change.rpartition("=")
        assert old in script, f"{block.place}: {old} is not in the block"
        script = script.replace(old, new)
    lines = [script] if block.language == "python" else script.splitlines()
    for line in filter(str.strip, lines):
        assert code == 0, f"{block.place}: exit code {code} before: {line}"
        words = shlex.split(line, comments=True) if block.language != "python" else ["python", "-c", line]
        if words[:2] == ["ff", "label"]:
            label(words[1:], folder)
        elif words[:1] == ["ff"]:
            expected = int(block.said.get("exits", 0)) if line == lines[-1] else 0
            said.append(run(folder, *words[1:], exits=expected))
        else:
            command = words if block.language == "python" else ["bash", "-ec", line]
            done = subprocess.run(
                command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{block.place}: {line}\n{done.stdout}{done.stderr}"
            said.append(done.stdout)
    return "".join(said)


def agrees(shown: str, said: str) -> bool:
    """Whether a shown output is what was said; `...` stands for the rest of a line, alone for any lines."""
    parts = []
    for line in shown.rstrip().splitlines():
        rest = "[^\n]*".join(re.escape(part.rstrip()) for part in line.split("..."))
        parts.append("(?:.*\n)*?" if line.strip() == "..." else f"{rest} *\n")
    return re.fullmatch("".join(parts), said.rstrip() + "\n") is not None


@pytest.mark.parametrize("page", [page for page, found in PAGES.items() if any(map(runs, found))])
def test_the_blocks_of_a_page_do_what_they_show(page: str, tmp_path: Path) -> None:
    folder, said = tmp_path / "0", None
    folder.mkdir()
    for number, block in enumerate(PAGES[page], start=1):
        name = block.said.get("project") or block.said.get("in")
        if name:
            folder = tmp_path / f"{number}"
            folder.mkdir()
            PROJECTS[name](folder)
        if block.info.startswith("file="):
            (folder / block.info.removeprefix("file=")).write_text(block.text, encoding="utf-8")
        elif not runs(block):
            continue
        elif block.language == "text":
            assert said is not None, f"{block.place}: the output of no command"
            assert agrees(block.text, said), f"{block.place} shows what was not printed. Printed:\n{said}"
        else:
            said = said_by(block, folder)


@pytest.mark.parametrize("page", PAGES)
def test_a_block_is_run_or_says_why_not(page: str) -> None:
    for block in PAGES[page]:
        assert block.language, f"{block.place}: a block without a language"
        if why := block.said.get("not run"):
            assert len(why.split()) >= 5, f"{block.place}: why is it not run?"
        elif test := block.said.get("run by"):
            text = (ROOT / test).read_text(encoding="utf-8")
            assert Path(page).name in text, f"{block.place}: {test} does not name the page"
        elif block.language == "json" and block.info == "trace":
            assert Trace.model_validate_json(block.text)
        else:
            known = block.language in RUN or block.language == "mermaid" or "file=" in block.info
            assert known, f"{block.place}: what is it, and what runs it?"


def test_a_shown_output_is_compared_and_not_only_looked_at() -> None:
    said = "a 1\nb 2 [0, 1]\nc 3\n"
    parts = ("...\nc 3", "a 1\n...", "a 1\nb ... [0, 1]\nc 3", "...\nb 2 ...\n...")
    for shown in (said, *parts):
        assert agrees(shown, said), shown
    for shown in ("a 1", "a 2\n...", "...\nb 2", "...\nc 3\nb 2 [0, 1]", "a 1\nb ... 2]\n..."):
        assert not agrees(shown, said), shown
