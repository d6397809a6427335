"""The crate and its check where a run is not the model case: failed steps, odd names, tampered crates."""

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Project

WRITE = 'run.write("tables/{0}.csv").write_text({1})'
STEPS = (
    {"notebook": "a", "inputs": ["data/*.csv"], "outputs": ["tables/a.csv"]},
    {"notebook": "b", "inputs": ["tables/a.csv"], "outputs": ["tables/b.csv"]},
)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a run of two steps has finished; `b` reads what `a` writes."""
    project = Project(tmp_path_factory.mktemp("ended") / "project")
    (project.folder / "data" / "in.csv").write_text("1")
    project.notebook("a", WRITE.format("a", '"a"'))
    project.notebook("b", WRITE.format("b", 'run.read("tables/a.csv").read_text() + "!"'))
    project.profile(*STEPS)
    assert project.run().returncode == 0
    return project.folder


@pytest.fixture
def two(ended: Path, tmp_path: Path) -> Project:
    """The finished run in a folder of the test's own."""
    return Project(Path(shutil.copytree(ended, tmp_path / "project")))


def graph(project: Project) -> dict[str, dict[str, object]]:
    text = (project.outputs / "ro-crate-metadata.json").read_text(encoding="utf-8")
    return {entity["@id"]: entity for entity in json.loads(text)["@graph"]}


def differences(project: Project, *more: str) -> dict[str, str]:
    said = project.ff("verify", str(project.outputs), "--json", *more)
    assert said.returncode in (0, 1), said.stderr
    return {d["name"]: d["what"] for found in json.loads(said.stdout).values() for d in found}


def edit_crate(project: Project, change: dict[str, object], name: str) -> None:
    entities = graph(project)
    entities[name] = {k: v for k, v in (entities.get(name, {}) | change).items() if v is not None}
    content = {"@graph": list(entities.values())}
    (project.outputs / "ro-crate-metadata.json").write_text(json.dumps(content), encoding="utf-8")


def test_an_input_that_is_gone_fails_its_step_and_the_run_still_says_how_it_ended(two: Project) -> None:
    (two.folder / "data" / "in.csv").unlink()
    failed = two.run()
    assert failed.returncode == 1
    assert "not done  demo/a failed, demo/b skipped" in failed.stdout
    assert graph(two)["#run"]["error"] == "not finished: a, b"
    assert not [name for name in graph(two) if name.startswith("#step/")]


def test_a_skipped_step_has_no_action_and_its_inputs_are_no_inputs_from_elsewhere(two: Project) -> None:
    two.notebook("a", "1 / 0")
    assert two.run().returncode == 1
    assert set(differences(two)) == {"notebooks/a.ipynb", "tables/a.csv"}
    assert set(differences(two).values()) == {"not listed"}


def test_a_finished_run_has_no_error(two: Project) -> None:
    assert "error" not in graph(two)["#run"]
    assert {"#step/a", "#step/b"} <= graph(two).keys()


def test_the_copy_of_the_profile_is_the_file_that_ran(two: Project) -> None:
    copy, ran = two.outputs / "workflow" / "demo.yaml", two.folder / "elsewhere.yaml"
    two.profile(*STEPS).rename(ran)
    done = two.ff("run", "elsewhere.yaml", "--force")
    assert done.returncode == 0, done.stderr
    assert copy.read_bytes() == ran.read_bytes()
    ran.write_text(ran.read_text() + "\n# only a comment\n")
    assert two.ff("run", "elsewhere.yaml").returncode == 0
    assert copy.read_bytes() == ran.read_bytes()
    assert differences(two) == {}


def test_names_with_specials_are_found(two: Project) -> None:
    two.notebook("a", WRITE.format("a", '"a"'), WRITE.format("m:1 é%20", '"x"'))
    two.profile({**STEPS[0], "outputs": ["tables/a.csv", "tables/m*"]}, STEPS[1])
    assert two.run().returncode == 0
    assert differences(two) == {}
    (two.outputs / "tables" / "m:1 é%20.csv").write_text("changed")
    assert differences(two) == {"tables/m:1 é%20.csv": "changed"}


def test_a_crate_that_binds_less_than_it_should_is_no_pass(two: Project) -> None:
    edit_crate(two, {"sha256": None}, "tables/a.csv")
    edit_crate(two, {"@id": "../../escape.txt", "@type": "File"}, "../../escape.txt")
    (two.outputs / ".hidden").write_text("x")
    assert differences(two) == {
        "tables/a.csv": "no hash",
        "../../escape.txt": "not listed",
        ".hidden": "not listed",
    }
    (two.outputs / "ro-crate-metadata.json").write_text('{"@graph": []}', encoding="utf-8")
    empty = two.ff("verify", str(two.outputs))
    assert empty.returncode == 2
    assert "lists no file" in empty.stderr


@pytest.mark.parametrize("option", ["--against", "--sums"])
def test_what_to_compare_with_must_be_there(two: Project, option: str) -> None:
    said = two.ff("verify", str(two.outputs), option, "nowhere")
    assert said.returncode == 2
    assert said.stderr.startswith("ff: nowhere")


def test_no_sums_of_a_run_that_is_not_as_its_crate_says(two: Project) -> None:
    sums = two.folder / "sums.txt"
    (two.outputs / "tables" / "a.csv").write_text("changed")
    said = two.ff("verify", str(two.outputs), "--write-sums", str(sums))
    assert said.returncode == 1
    assert "was not written" in said.stderr
    assert not sums.exists()


def test_a_pdf_that_cannot_be_read_differs(tmp_path: Path) -> None:
    from ff_helpers.pipeline.verify import compare_folders

    for name, text in (("one", "%PDF- broken"), ("other", "broken too")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.pdf").write_text(text)
    (found,) = compare_folders(tmp_path / "one", tmp_path / "other")
    assert "cannot be read as a PDF" in found.reason
