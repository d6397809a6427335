"""What is not as it was is found, named, and given its reason."""

import json
import shutil
from pathlib import Path

import pytest

from ff_helpers.errors import FFError
from ff_helpers.pipeline.verify import compare_folders, compare_sums, verify, write_sums


@pytest.fixture
def run(paper: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, to be tampered with."""
    return Path(shutil.copytree(paper / "paper", tmp_path / "copy"))


def found(folder: Path) -> dict[str, str]:
    return {difference.name: difference.what for difference in verify(folder).differences}


def test_a_finished_run_is_as_its_crate_says(run: Path) -> None:
    result = verify(run)
    assert result.differences == ()
    assert result.bound > 200
    assert result.inputs > 20


def test_changed_missing_and_unlisted_files_are_told_apart(run: Path) -> None:
    with (run / "tables" / "graders.csv").open("a", encoding="utf-8") as file:
        file.write("one more row\n")
    (run / "figures" / "gate_power.svg").unlink()
    (run / "figures" / "gate_power.pdf").unlink()
    (run / "tables" / "mine.csv").write_text("x\n", encoding="utf-8")
    assert found(run) == {
        "tables/graders.csv": "changed",
        "figures/gate_power.svg": "missing",
        "figures/gate_power.pdf": "missing",
        "tables/mine.csv": "not listed",
    }


def test_an_input_that_is_not_the_one_that_was_read(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.conftest import ROOT

    for name in ("data", "params"):
        shutil.copytree(ROOT / name, tmp_path / "project" / name)
    facts = tmp_path / "project" / "data" / "published"
    (facts / "other_counts.csv").write_text("changed\n", encoding="utf-8")
    (facts / "crescendo_provenance.csv").unlink()
    monkeypatch.setenv("FF_ROOT", str(tmp_path / "project"))
    assert found(run) == {
        "data/published/other_counts.csv": "input changed",
        "data/published/crescendo_provenance.csv": "input missing",
    }


@pytest.mark.parametrize("text", [None, "no json", "[]", '{"@graph": [{"@id": "x"}]}'])
def test_a_folder_without_a_crate_says_what_to_do(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "ro-crate-metadata.json").write_text(text, encoding="utf-8")
    with pytest.raises(FFError, match="ff run"):
        verify(tmp_path)


def test_two_builds_are_compared_by_bytes_and_pdfs_by_what_one_sees(run: Path, tmp_path: Path) -> None:
    from pypdf import PdfWriter

    other = Path(shutil.copytree(run, tmp_path / "other"))
    assert compare_folders(run, other) == []
    picture = other / "figures" / "gate_power.pdf"
    writer = PdfWriter(clone_from=picture)
    writer.metadata = {"/Title": "other bytes, same picture"}
    writer.write(picture)
    assert picture.read_bytes() != (run / "figures" / "gate_power.pdf").read_bytes()
    assert compare_folders(run, other) == []
    shutil.copyfile(run / "figures" / "coverage.pdf", picture)
    with (other / "claims.json").open("a", encoding="utf-8") as file:
        file.write("\n")
    (other / "index.html").unlink()
    differences = {d.name: d.reason for d in compare_folders(run, other)}
    assert set(differences) == {"figures/gate_power.pdf", "claims.json", "index.html"}
    assert differences["figures/gate_power.pdf"] == "page 1 looks different"
    assert differences["claims.json"].startswith("line ")
    assert differences["index.html"].startswith("only in ")


def test_sums_say_where_they_were_made_and_what_is_not_as_they_say(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "sums.txt"
    write_sums(run, file)
    made, differences = compare_sums(run, file)
    assert made.startswith("Python 3.")
    assert differences == []
    assert not [line for line in file.read_text(encoding="utf-8").splitlines() if line.endswith(".pdf")]
    (run / "claims.json").write_text("{}", encoding="utf-8")
    (run / "index.html").unlink()
    _, differences = compare_sums(run, file)
    assert {d.name: d.what for d in differences} == {"claims.json": "differs", "index.html": "missing"}
    file.write_text("# made with X\nnot a sum\n", encoding="utf-8")
    with pytest.raises(FFError, match=r"sums\.txt:2"):
        compare_sums(run, file)


def test_the_reference_sums_are_of_this_build(paper: Path) -> None:
    from ff_helpers.pipeline.verify import made_with
    from tests.conftest import ROOT

    made, differences = compare_sums(paper / "paper", ROOT / "outputs" / "reference" / "sums.txt")
    if made != made_with():
        pytest.skip(f"the sums were made with {made}, this is {made_with()}")
    assert [f"{d.name}: {d.reason}" for d in differences] == []


def test_the_command_lists_differences_and_ends_with_one(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from ff_helpers.cli import main

    assert main(["verify", str(run)]) == 0
    assert "0 differences" in capsys.readouterr().out
    (run / "claims.json").write_text("{}", encoding="utf-8")
    assert main(["verify", str(run), "--json"]) == 1
    (differences,) = json.loads(capsys.readouterr().out).values()
    assert [d["name"] for d in differences] == ["claims.json"]
    assert main(["verify", str(run / "tables")]) == 2
    assert "no such file" in capsys.readouterr().err
