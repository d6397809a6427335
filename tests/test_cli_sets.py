"""`ff sets`: the known sets, and how to have one."""

import json
from pathlib import Path

import pytest

from ff_helpers.cli import main
from ff_helpers.corpus.sets import known_sets, state_of


def test_every_set_is_listed_with_what_a_user_asks_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sets"]) == 0
    said = capsys.readouterr().out
    for name, one in known_sets().items():
        assert f"{name}: {one.title}" in said
        assert f"licence: {one.licence}" in said
    assert "dacaf76a1057785f11b0fc6aa07b9a73cdab588319ddfc5e8cef2909e5b112a5" in said
    assert main(["sets", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == set(known_sets())
    assert rows["xstest"]["judges"] == ["GPT-4", "string matching"]
    assert len(rows["xstest"]["files"]) == 10


def test_getting_an_absent_set_names_address_and_folder_and_is_a_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FF_PARTS", str(tmp_path))
    assert main(["sets", "get", "jailbreakbench", "--out", str(tmp_path / "labels.csv")]) == 2
    said = capsys.readouterr().err
    assert "judge-comparison.csv from https://huggingface.co/" in said
    assert str(tmp_path / "sets" / "jailbreakbench") in said
    assert (tmp_path / "sets" / "jailbreakbench").is_dir()
    assert not (tmp_path / "labels.csv").exists()
    for wrong in (["sets", "get"], ["sets", "get", "nobody"], ["sets", "list", "xstest"]):
        assert main(wrong) == 2
        assert capsys.readouterr().err.startswith("ff: ")


def test_a_set_that_is_here_is_counted_and_its_labels_make_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if state_of("pyrit:refusal") != "here":
        pytest.skip("no PyRIT sets: `make parts` fetches them")
    out = tmp_path / "deep" / "labels.csv"
    assert main(["sets", "get", "pyrit:refusal", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "pyrit:refusal is on this machine: 1 file, as pinned" in said
    assert "REFUSAL      70" in said.replace("NOT_REFUSAL", "")
    lines = out.read_text().splitlines()
    assert lines[0] == "id,item,truth,human_score"
    assert len(lines) == 106
    assert max(map(len, lines)) < 60  # labels and hashes: no text is that short in all its rows
    assert not list(tmp_path.rglob("*.tmp"))
