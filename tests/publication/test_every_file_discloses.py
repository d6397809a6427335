"""Every file that a run leaves names its graders and its date, or is listed here with the reason why not."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

NO_FIGURE = {
    "run.log": "wall times",
    "manifest.json": "hashes of the files",
    "ro-crate-metadata.json": "hashes, with the graders' digests",
    "workflow/paper.yaml": "the profile as it ran",
    "atlas/asr_signal.schema.json": "the form of a record",
    "atlas/current": "the name of the newest export",
    "notebooks/grade_by_hand.ipynb": "asks a person for verdicts and shows none",
    "ledger/graders.csv": "the graders themselves",
    "ledger/traces.csv": "traces without their text: nobody graded here",
    "ledger/collected.csv": "traces and the checkers' outcome, by name",
    "imported/ledger/graders.csv": "the graders themselves",
    "imported/ledger/traces.csv": "traces without their text",
    "imported/ledger/traces.jsonl": "traces",
    "imported/ledger/labels.csv": "what people said, by name",
    "imported/ledger/import.json": "the account: rows, judges and statuses, counted",
}
"""Files in which no rate stands."""


def sentence(text: str) -> bool:
    return bool(re.search(r"Graders?: ", text)) and bool(re.search(r"As of \d{4}-\d\d-\d\d", text))


def svg(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    held = re.search(r'<metadata id="ff-disclosure">', text)
    desc = re.search(r"<desc>(.*?)</desc>", text, re.DOTALL)
    return bool(held and desc and sentence(desc[1]))


def pdf(path: Path) -> bool:
    from pypdf import PdfReader

    held = PdfReader(path).metadata
    return held is not None and sentence(held.subject or "") and "as_of" in json.loads(held["/Disclosure"])


def png(path: Path) -> bool:
    return sentence(path.read_bytes().decode("utf-8", errors="ignore"))


def csv(path: Path) -> bool:
    header = path.with_name(f"{path.name}-metadata.json")
    rows = pd.read_csv(path)
    inside = "disclosure" in rows.columns and all(sentence(str(said)) for said in rows["disclosure"])
    return inside and sentence(json.loads(header.read_text(encoding="utf-8"))["dc:description"])


def tex(path: Path) -> bool:
    return sentence(path.read_text(encoding="utf-8").replace("\\_", "_"))


def words(path: Path) -> bool:
    return sentence(re.sub(r"&#x?\w+;|&\w+;", "'", path.read_text(encoding="utf-8")))


def content(path: Path) -> bool:
    """A calibration or evaluator card is the measurement itself; other JSON carries the sentence."""
    held = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(held, dict) and {"grader", "digest", "rubric"} <= set(held):
        return bool(held.get("date") or held.get("as_of"))
    return sentence(json.dumps(held, ensure_ascii=False))


def records(path: Path) -> bool:
    """Each line names its grader or graders itself."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return all(row.get("grader") or "graders" in row for row in rows)


KINDS: dict[str, Callable[[Path], bool]] = {
    ".svg": svg, ".pdf": pdf, ".png": png, ".csv": csv, ".tex": tex, ".html": words, ".md": words,
    ".json": content, ".jsonl": records, ".ipynb": words,
}  # fmt: skip


def files(paper: Path) -> list[Path]:
    folder = paper / "paper"
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".steps" not in path.parts and path.name != ".lock"
    ]


def test_every_file_of_a_run_carries_its_disclosure(paper: Path) -> None:
    silent, found = [], files(paper)
    for path in found:
        name = path.relative_to(paper / "paper").as_posix()
        if name in NO_FIGURE:
            continue
        assert path.suffix in KINDS, f"{name}: a kind of file that nobody said how to disclose"
        if not KINDS[path.suffix](path):
            silent.append(name)
    assert len(found) > 300
    assert silent == []


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png", ".csv", ".tex", ".html"])
def test_a_file_without_it_is_found(paper: Path, tmp_path: Path, suffix: str) -> None:
    """What the walk looks for is really there to be missed: take it out, and the file is silent."""
    source = next(
        path for path in files(paper) if path.name == f"gate_power{suffix}" or path.name == f"gate{suffix}"
    )
    bare = tmp_path / source.name
    content = source.read_bytes()
    for word in (b"Graders: ", b"Grader: ", b"As of "):
        content = content.replace(word, b"x" * len(word))
    if suffix == ".pdf":
        from pypdf import PdfWriter

        writer = PdfWriter(clone_from=source)
        writer.metadata = {"/Title": "nothing else"}
        writer.write(bare)
    else:
        bare.write_bytes(content)
    if suffix == ".csv":
        bare.with_name(f"{bare.name}-metadata.json").write_bytes(
            source.with_name(f"{source.name}-metadata.json").read_bytes()
        )
    assert not KINDS[suffix](bare)
    assert KINDS[suffix](source)


def test_no_module_writes_a_table_or_figure_but_those_that_disclose() -> None:
    from tests.conftest import ROOT

    writers = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "ff_helpers").rglob("*.py")
        if re.search(r"(?:write|_write)\((?:run, )?f?\"(?:tables|figures)/", path.read_text(encoding="utf-8"))
    }
    rooms = ("tables.py", "figures/theme.py", "metadata.py")  # the last: sidecars of figures
    assert writers == {f"ff_helpers/publication/{name}" for name in rooms}
