"""Whatever file is named as a ledger: it keeps every byte, the command says what it is and ends with 2."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ff_helpers.cli import main
from ff_helpers.corpus.collect import collect
from ff_helpers.errors import FFError
from ff_helpers.grading.ledger import Ledger
from ff_helpers.grading.outcome import Record
from ff_helpers.grading.stream import grade_file
from ff_helpers.measurement.rates.count_file import read_counts
from tests.conftest import ROOT
from tests.kinds_of_file import kinds, truncated

TRACES = ROOT / "data" / "calibration" / "written.jsonl"
LEDGER = ROOT / "data" / "recorded" / "smollm2-135m.jsonl"
KINDS = kinds()
BEGINNINGS = truncated()
COMMANDS = {
    "grade": ("grade", "--traces", str(TRACES), "--grader", "heuristic", "--ledger"),
    "collect": ("collect", "--target", "ollama:none", "--out"),
    "ledger": ("ledger",),
    "asr": ("asr",),
    "regrade": ("regrade",),
    "regrade --by": ("regrade", str(LEDGER), "--by"),
    "calibrate": ("calibrate", "--traces", str(TRACES), "--grader"),
    "calibrate --labels": (
        "calibrate", "--labels", "", "--truth", "human", "--space", "five", "--ledger",
    ),
    "atlas export": ("atlas", "export", "--ledger"),
}  # fmt: skip


def placed(folder: Path, content: bytes, name: str = "x.jsonl") -> Path:
    path = folder / name
    path.write_bytes(content)
    os.utime(path, ns=(10**18, 10**18))
    return path


def unharmed(path: Path, content: bytes) -> None:
    assert path.read_bytes() == content
    assert path.stat().st_mtime_ns == 10**18
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", KINDS)
def test_every_command_that_takes_a_ledger_says_what_a_file_is(name, command, tmp_path, capsys, monkeypatch):
    content, kind = KINDS[name]
    monkeypatch.setenv("FF_OUTPUTS", str(tmp_path / "outputs"))
    folder = tmp_path / "theirs"
    folder.mkdir()
    path = placed(folder, content, name)
    words = COMMANDS[command]
    given = f"recorded:{path}" if command == "calibrate" else str(path)
    if command == "calibrate --labels":
        table = tmp_path / "labels.csv"
        table.write_text("trace_id,human\nt1,REFUSAL\n")
        words = (*words[:2], str(table), *words[3:])
    code = main([*words, given])
    said = capsys.readouterr()
    unharmed(path, content)
    assert code == 2, said.out
    assert "MARKED" not in said.out + said.err
    assert "rows counted" not in said.out
    if name == "table.parquet" and command in ("asr", "atlas export"):
        assert "this Parquet file has neither a column `verdict` nor one `status`" in said.err
    else:
        assert f"{path}:1: this file is {kind}" in said.err or (kind.startswith("with") and kind in said.err)


@pytest.mark.parametrize("name", BEGINNINGS)
def test_a_file_that_was_cut_off_is_not_mended(name, tmp_path):
    content = BEGINNINGS[name]
    path = placed(tmp_path, content)
    for use in (
        lambda: grade_file(TRACES, "heuristic", path),
        lambda: collect("ollama:none", Path("data/scenarios/proxies.jsonl"), path),
        lambda: read_counts(path),
    ):
        with pytest.raises(FFError):
            use()
        unharmed(path, content)


def first(lines: int) -> bytes:
    return b"".join(LEDGER.read_bytes().splitlines(keepends=True)[:lines])


FOREIGN = st.one_of(
    st.binary(min_size=1, max_size=200),
    st.text(min_size=1).map(lambda text: text.encode("utf-8", "replace")),
    st.text().map(lambda text: b'{"' + text.encode("utf-8", "replace")),
    st.dictionaries(st.text(), st.integers() | st.text()).map(lambda each: json.dumps(each).encode()),
    st.lists(st.dictionaries(st.text(), st.integers()), min_size=1).map(
        lambda rows: "".join(json.dumps(row) + "\n" for row in rows).encode()
    ),
    st.text(min_size=1).map(lambda text: text.encode("utf-16", "replace")),
    st.sampled_from([content for content, _ in KINDS.values()]).flatmap(
        lambda content: st.integers(1, len(content)).map(lambda cut: content[:cut])
    ),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(content=FOREIGN, ours=st.integers(0, 2))
def test_no_byte_that_is_not_ours_is_lost(content, ours, tmp_path_factory):
    """Alone, or after records of ours: what was there is there afterwards, in the file or in `.torn`."""
    path = placed(tmp_path_factory.mktemp("any"), first(ours) + content)
    try:
        with Ledger(path):
            pass
    except FFError:
        unharmed(path, first(ours) + content)
        return
    assert ours, "a file without a record of ours was taken for a ledger"
    kept = path.read_bytes()
    aside = path.with_name("x.jsonl.torn")
    whole = kept + (aside.read_bytes() if aside.exists() else b"")
    assert whole in (first(ours) + content, first(ours) + content + b"\n")
    if aside.exists():
        assert first(1).startswith(aside.read_bytes()[:8])


def test_an_empty_file_is_a_new_ledger_and_said_to_be_empty(tmp_path, capsys):
    path = tmp_path / "v.jsonl"
    path.touch()
    assert main(["ledger", str(path)]) == 0
    assert "an empty file: a ledger without verdicts so far" in capsys.readouterr().out
    assert main(["asr", str(path)]) == 0
    said = capsys.readouterr().out
    assert "v.jsonl: it has no verdicts yet, so there is no rate" in said
    assert "0 rows" not in said
    assert main(["regrade", str(path)]) == 2
    assert main([*COMMANDS["grade"], str(path)]) == 0
    assert Record.model_validate_json(path.read_bytes().splitlines()[0]).grader == "heuristic"


def test_grade_says_where_a_torn_line_is_kept(tmp_path, capsys):
    path = tmp_path / "v.jsonl"
    path.write_bytes(first(2)[:-20])
    assert main(["ledger", str(path)]) == 0
    assert "a torn last line of" in capsys.readouterr().out
    assert main([*COMMANDS["grade"], str(path)]) == 0
    assert "its bytes are in v.jsonl.torn" in capsys.readouterr().err
    assert first(2)[:-20] == first(1) + path.with_name("v.jsonl.torn").read_bytes()
    assert path.read_bytes().startswith(first(1))
